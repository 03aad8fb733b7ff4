#pragma once
// Between NumPy arrays and the views of the engine.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "engine/session.h"

namespace dnnfast::bindings {

namespace py = pybind11;

using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

// What a message calls an array. Made into text only there: predictions of one row notice it.
struct ArrayName {
  const char* kind;
  size_t index;
  std::string text() const { return dnnfast::text(kind, " ", index); }
};

// A data set array read in place: samples along axis 0, the other axes collapsed to one stride.
// Throws Error(value or type) when that cannot be, naming it.
ops::Source source_of(const py::array& array, const ArrayName& name);

// An array as Python hands it over: a NumPy array, or a dnnfast.training.device_arrays.DeviceArray, which holds one whose
// memory is a GPU's.
struct GivenArray {
  py::array array;
  bool on_gpu = false;
  uint64_t stream = 0;

  GivenArray(py::array host) : array(std::move(host)) {}
  explicit GivenArray(const py::object& object);
};
std::vector<GivenArray> given_arrays(const std::vector<py::object>& objects);

// A kernel's argument: float32 and contiguous. NumPy arrays become so; what lies on a GPU must be.
struct FloatInput {
  py::array array;
  bool on_gpu = false;
  uint64_t stream = 0;

  py::ssize_t ndim() const { return array.ndim(); }
  py::ssize_t shape(py::ssize_t axis) const { return array.shape(axis); }
  py::ssize_t size() const { return array.size(); }
  const float* data() const { return static_cast<const float*>(array.data()); }
};

// The arrays of a data set, held for as long as the object lives.
class Dataset {
 public:
  Dataset(const std::vector<GivenArray>& inputs, const std::vector<GivenArray>& targets,
          std::vector<py::object> weights);
  const engine::DataView& view() const { return view_; }
  bool on_gpu() const { return on_gpu_; }  // one of its arrays

 private:
  void add(std::vector<ops::Source>& sources, const GivenArray& given, const ArrayName& name);

  std::vector<py::array> held_;
  bool on_gpu_ = false;
  engine::DataView view_;
};

std::vector<py::ssize_t> numpy_shape(const engine::Shape& shape);

void bind_errors(py::module_& module);
void bind_dataset(py::module_& module);
void bind_session(py::module_& module);
void bind_kernels(py::module_& module);
void bind_timing(py::module_& module);

}  // namespace dnnfast::bindings

namespace pybind11::detail {

template <>
struct type_caster<dnnfast::bindings::FloatInput> {
  PYBIND11_TYPE_CASTER(dnnfast::bindings::FloatInput, const_name("array of float32"));

  bool load(handle source, bool) {
    using dnnfast::bindings::FloatArray;
    if (!isinstance<array>(source) && hasattr(source, "geometry")) {
      const dnnfast::bindings::GivenArray given(reinterpret_borrow<object>(source));
      if (!isinstance<array_t<float, array::c_style>>(given.array))
        dnnfast::fail(
            dnnfast::ErrorKind::type,
            "a kernel's array on a GPU must be contiguous and of float32; this one is of ",
            std::string(str(given.array.dtype())), ". Use .astype('float32')");
      value = {given.array, true, given.stream};
      return true;
    }
    const FloatArray host = FloatArray::ensure(source);
    if (!host) {
      PyErr_Clear();
      return false;
    }
    value.array = host;
    return true;
  }
};

}  // namespace pybind11::detail
