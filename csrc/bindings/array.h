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

// An array as Python hands it over: a NumPy array, or a pair of one whose memory is a GPU's and of the stream that it
// comes from.
struct GivenArray {
  py::array array;
  bool on_gpu = false;
  uint64_t stream = 0;

  GivenArray(py::array host) : array(std::move(host)) {}
  explicit GivenArray(const py::object& object);
};
std::vector<GivenArray> given_arrays(const std::vector<py::object>& objects);

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
