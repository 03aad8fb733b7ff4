#pragma once
// Devices by name.

#include <memory>
#include <string>

#include "ops/backend.h"

namespace dnnfast::bindings {

// "cpu", or "cuda:N" from the library of the GPU part, which is opened at the first call. Throws Error.
std::unique_ptr<ops::Backend> make_device(const std::string& name);

// Where the library of the GPU part is.
void set_cuda_library(const std::string& path);

}  // namespace dnnfast::bindings
