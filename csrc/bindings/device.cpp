#include "bindings/device.h"

#include <dlfcn.h>

#include <cstdlib>

#include "core/error.h"
#include "cpu/backend.h"

namespace dnnfast::bindings {
namespace {

using Interface = int (*)();
using Make = ops::Backend* (*)(int device);

std::string& library_path() {
  static std::string path;
  return path;
}

template <class Function>
Function symbol(void* library, const char* name) {
  void* const found = dlsym(library, name);
  if (!found)
    fail(ErrorKind::state, library_path(), " is not dnnfast's GPU part: it has no ", name);
  return reinterpret_cast<Function>(found);
}

// Opened once; never closed, because kernels may still run when Python ends.
Make open_cuda_library() {
  static void* library = nullptr;
  if (!library) library = dlopen(library_path().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    fail(ErrorKind::state, "dnnfast's GPU part could not be loaded: ", std::string(dlerror()),
         ". Reinstall dnnfast where nvcc is found, or use the device \"cpu\"");
  const int interface = symbol<Interface>(library, "dnnfast_cuda_interface")();
  if (interface != ops::kBackendInterface)
    fail(ErrorKind::state, library_path(), " belongs to another version of dnnfast (interface ",
         interface, ", expected ", ops::kBackendInterface, "): reinstall it");
  return symbol<Make>(library, "dnnfast_cuda_make_backend");
}

int device_number(const std::string& name) {
  const std::string digits = name.substr(5);
  if (digits == "described") return ops::kDescribedDevice;
  char* end = nullptr;
  const long number = std::strtol(digits.c_str(), &end, 10);
  if (digits.empty() || *end || number < 0 || number > 1023)
    fail(ErrorKind::value, "device \"", name, "\": expected \"cuda:\" and a number");
  return static_cast<int>(number);
}

}  // namespace

void set_cuda_library(const std::string& path) { library_path() = path; }

std::unique_ptr<ops::Backend> make_device(const std::string& name) {
  if (name == "cpu") return cpu::make_backend();
  if (name.rfind("cuda:", 0) != 0)
    fail(ErrorKind::value, "there is no device \"", name, "\"; there are \"cpu\" and \"cuda:0\"");
  return std::unique_ptr<ops::Backend>(open_cuda_library()(device_number(name)));
}

}  // namespace dnnfast::bindings
