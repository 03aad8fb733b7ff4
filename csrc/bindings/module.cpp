// dnnfast._core: translation between Python and the engine, nothing else.

#include <pybind11/stl.h>

#include "bindings/array.h"
#include "bindings/device.h"
#include "core/error.h"
#include "cpu/dispatch.h"
#include "cpu/thread_pool.h"
#include "engine/shuffle.h"

namespace dnnfast::bindings {
namespace {

PyObject* exception_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::value: return PyExc_ValueError;
    case ErrorKind::type: return PyExc_TypeError;
    default: return PyExc_RuntimeError;
  }
}

void raise_non_finite(const NonFiniteLoss& error) {
  const py::object type = py::module_::import("dnnfast.errors").attr("NonFiniteLossError");
  const py::object exception = type(error.step(), error.loss());
  PyErr_SetObject(type.ptr(), exception.ptr());
}

py::dict info() {
  py::dict d;
  d["version"] = DNNFAST_VERSION;
  d["isa"] = cpu::kernels().isa;
  d["isa_available"] = cpu::available_isas();
  d["threads"] = cpu::thread_count();
  d["compiler"] = __VERSION__;
  return d;
}

}  // namespace

void bind_errors(py::module_&) {
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const NonFiniteLoss& error) {
      raise_non_finite(error);
    } catch (const Error& error) {
      PyErr_SetString(exception_of(error.kind()), error.what());
    }
  });
}

}  // namespace dnnfast::bindings

PYBIND11_MODULE(_core, module) {
  using namespace dnnfast;
  using namespace dnnfast::bindings;
  module.doc() = "The native engine of dnnfast.";
  bind_errors(module);
  bind_dataset(module);
  bind_session(module);
  bind_kernels(module);
  bind_timing(module);
  module.def("info", info);
  module.def("threads", cpu::thread_count);
  module.def("set_threads", cpu::set_thread_count, py::arg("threads"));
  module.def("set_cuda_library", set_cuda_library, py::arg("path"));
  module.def("work_worth_threads", cpu::work_worth_threads);
  module.def("set_work_worth_threads", cpu::set_work_worth_threads, py::arg("work"));
  module.def(
      "shuffle",
      [](int64_t n, uint64_t seed, uint64_t epoch) {
        if (n < 0) fail(ErrorKind::value, "n must not be negative; got ", n);
        py::array_t<int64_t> order(n);
        int64_t* out = order.mutable_data();
        py::gil_scoped_release release;
        engine::shuffle(n, seed, epoch, out);
        return order;
      },
      py::arg("n"), py::arg("seed"), py::arg("epoch"));
}
