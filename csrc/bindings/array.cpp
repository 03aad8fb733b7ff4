#include "bindings/array.h"

#include <pybind11/stl.h>

#include <atomic>

namespace dnnfast::bindings {
namespace {

ops::DType dtype_of(const py::dtype& dtype, const ArrayName& name) {
  using ops::DType;
  const char kind = dtype.kind();
  const auto size = dtype.itemsize();
  const bool native = size == 1 || dtype.byteorder() == '=' || dtype.byteorder() == '|';
  if (native && kind == 'b') return DType::boolean;
  if (native && kind == 'f' && size == 2) return DType::f16;
  if (native && kind == 'f' && size == 4) return DType::f32;
  if (native && kind == 'f' && size == 8) return DType::f64;
  if (native && kind == 'u' && size <= 8)
    return size == 1 ? DType::u8 : size == 2 ? DType::u16 : size == 4 ? DType::u32 : DType::u64;
  if (native && kind == 'i' && size <= 8)
    return size == 1 ? DType::i8 : size == 2 ? DType::i16 : size == 4 ? DType::i32 : DType::i64;
  fail(ErrorKind::type, name.text(), " has dtype ", std::string(py::str(dtype)),
       "; expected float16, float32, float64, bool or an integer type of native byte order");
}

}  // namespace

ops::Source source_of(const py::array& array, const ArrayName& name) {
  if (array.ndim() < 1)
    fail(ErrorKind::value, name.text(),
         " is a scalar; expected an array with samples along axis 0");
  ops::Source source;
  source.data = array.data();
  source.dtype = dtype_of(array.dtype(), name);
  source.rows = array.shape(0);
  source.row_stride = array.strides(0);
  source.columns = 1;
  source.column_stride = array.itemsize();
  // From the last axis to the first: each must continue where the later ones end.
  for (py::ssize_t axis = array.ndim() - 1; axis >= 1; --axis) {
    if (array.shape(axis) == 1) continue;
    if (source.columns == 1)
      source.column_stride = array.strides(axis);
    else if (array.strides(axis) != source.column_stride * source.columns)
      fail(ErrorKind::value, name.text(),
           ": the axes of a sample do not lie behind one another in memory; pass "
           "numpy.ascontiguousarray(...)");
    source.columns *= array.shape(axis);
  }
  return source;
}

GivenArray::GivenArray(const py::object& object) : array(py::none()) {
  on_gpu = !py::isinstance<py::array>(object) && py::hasattr(object, "geometry");
  if (on_gpu) {
    array = object.attr("geometry").cast<py::array>();
    stream = object.attr("stream").cast<uint64_t>();
  } else {
    array = py::array::ensure(object);
    if (!array) throw py::error_already_set();
  }
}

std::vector<GivenArray> given_arrays(const std::vector<py::object>& objects) {
  return {objects.begin(), objects.end()};
}

Dataset::Dataset(const std::vector<GivenArray>& inputs, const std::vector<GivenArray>& targets,
                 std::vector<py::object> weights) {
  static std::atomic<uint64_t> datasets{0};
  view_.number = ++datasets;
  for (size_t i = 0; i < inputs.size(); ++i) add(view_.inputs, inputs[i], {"input", i});
  for (size_t i = 0; i < targets.size(); ++i) add(view_.targets, targets[i], {"target", i});
  if (weights.size() > targets.size())
    fail(ErrorKind::value, "got ", weights.size(), " sample weights for ", targets.size(),
         " targets");
  weights.resize(targets.size(), py::none());
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i].is_none())
      view_.weights.push_back({});
    else
      add(view_.weights, GivenArray(weights[i]), {"sample weight", i});
  }
}

void Dataset::add(std::vector<ops::Source>& sources, const GivenArray& given,
                  const ArrayName& name) {
  ops::Source source = source_of(given.array, name);
  source.stream = given.stream;
  on_gpu_ = on_gpu_ || given.on_gpu;
  if (held_.empty())
    view_.rows = source.rows;
  else if (source.rows != view_.rows)
    fail(ErrorKind::value, name.text(), " has ", source.rows, " samples; the first array has ",
         view_.rows);
  held_.push_back(given.array);
  sources.push_back(source);
}

std::vector<py::ssize_t> numpy_shape(const engine::Shape& shape) {
  return {shape.begin(), shape.end()};
}

void bind_dataset(py::module_& module) {
  py::class_<Dataset>(module, "Dataset", "Arrays of a data set, read in place.")
      .def(
          py::init([](const std::vector<py::object>& inputs, const std::vector<py::object>& targets,
                      const std::vector<py::object>& weights) {
            return Dataset(given_arrays(inputs), given_arrays(targets), weights);
          }),
          py::arg("inputs"), py::arg("targets") = std::vector<py::object>{},
          py::arg("sample_weights") = std::vector<py::object>{})
      .def_property_readonly("rows", [](const Dataset& data) { return data.view().rows; });
}

}  // namespace dnnfast::bindings
