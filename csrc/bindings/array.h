#pragma once
// Between NumPy arrays and the views of the engine.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "engine/session.h"

namespace dnnfast::bindings {

namespace py = pybind11;

using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

// A data set array read in place: samples along axis 0, the other axes collapsed to one stride.
// Throws Error(value or type) when that cannot be, naming `what`.
ops::Source source_of(const py::array& array, const std::string& what);

// The arrays of a data set, held for as long as the object lives.
class Dataset {
 public:
  Dataset(std::vector<py::array> inputs, std::vector<py::array> targets,
          std::vector<py::object> weights);
  const engine::DataView& view() const { return view_; }

 private:
  void add(std::vector<ops::Source>& sources, const py::array& array, const std::string& what);

  std::vector<py::array> held_;
  engine::DataView view_;
};

std::vector<py::ssize_t> numpy_shape(const engine::Shape& shape);

void bind_errors(py::module_& module);
void bind_dataset(py::module_& module);
void bind_session(py::module_& module);
void bind_kernels(py::module_& module);
void bind_timing(py::module_& module);

}  // namespace dnnfast::bindings
