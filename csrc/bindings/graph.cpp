#include "bindings/graph.h"

#include <pybind11/stl.h>

namespace dnnfast::bindings {

namespace py = pybind11;

engine::Attributes attributes_of(const py::handle& mapping) {
  engine::Attributes attrs;
  for (const auto& [key, value] : mapping.cast<py::dict>()) {
    const auto name = key.cast<std::string>();
    if (value.is_none()) continue;
    if (py::isinstance<py::str>(value))
      attrs.set(name, value.cast<std::string>());
    else if (py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value))
      attrs.set(name, value.cast<std::vector<int64_t>>());
    else
      attrs.set(name, value.cast<double>());
  }
  return attrs;
}

namespace {

engine::Shape shape_of(const py::handle& object) { return object.cast<engine::Shape>(); }

engine::Tensor tensor_of(const py::handle& object) {
  const auto kind = object.attr("kind").cast<std::string>();
  engine::Tensor tensor;
  tensor.kind = kind == "input"       ? engine::TensorKind::input
                : kind == "parameter" ? engine::TensorKind::parameter
                : kind == "target"    ? engine::TensorKind::target
                : kind == "weight"    ? engine::TensorKind::weight
                                      : engine::TensorKind::node;
  tensor.index = object.attr("index").cast<int>();
  tensor.shape = shape_of(object.attr("shape"));
  tensor.batched = object.attr("batched").cast<bool>();
  return tensor;
}

engine::Parameter parameter_of(const py::handle& object) {
  return {object.attr("name").cast<std::string>(), shape_of(object.attr("shape")),
          object.attr("trainable").cast<bool>(),   object.attr("l1").cast<double>(),
          object.attr("l2").cast<double>(),        object.attr("decay").cast<bool>(),
          object.attr("optimizer").cast<int>(),    object.attr("orthogonal").cast<bool>()};
}

engine::Loss loss_of(const py::handle& object) {
  return {engine::loss_kind(object.attr("kind").cast<std::string>()),
          object.attr("prediction").cast<int>(),
          object.attr("target").cast<int>(),
          object.attr("weight").cast<double>(),
          object.attr("from_logits").cast<bool>(),
          object.attr("label_smoothing").cast<double>()};
}

engine::Optimizer optimizer_of(const py::handle& object) {
  return {engine::optimizer_kind(object.attr("kind").cast<std::string>()),
          attributes_of(object.attr("options"))};
}

}  // namespace

engine::Graph graph_of(const py::object& object) {
  engine::Graph graph;
  for (const py::handle& tensor : object.attr("tensors"))
    graph.tensors.push_back(tensor_of(tensor));
  graph.inputs = object.attr("inputs").cast<std::vector<std::string>>();
  for (const py::handle& parameter : object.attr("parameters"))
    graph.parameters.push_back(parameter_of(parameter));
  for (const py::handle& node : object.attr("nodes"))
    graph.nodes.push_back({node.attr("op").cast<std::string>(),
                           node.attr("name").cast<std::string>(),
                           node.attr("inputs").cast<std::vector<int>>(),
                           attributes_of(node.attr("attrs")), node.attr("output").cast<int>()});
  graph.outputs = object.attr("outputs").cast<std::vector<int>>();
  for (const py::handle& loss : object.attr("losses")) graph.losses.push_back(loss_of(loss));
  for (const py::handle& metric : object.attr("metrics"))
    graph.metrics.push_back({engine::metric_kind(metric.attr("kind").cast<std::string>()),
                             metric.attr("prediction").cast<int>(),
                             metric.attr("target").cast<int>(),
                             metric.attr("weighted").cast<bool>()});
  for (const py::handle& assignment : object.attr("assignments"))
    graph.assignments.push_back({assignment.attr("parameter").cast<int>(),
                                 assignment.attr("value").cast<int>(),
                                 engine::assign_time(assignment.attr("time").cast<std::string>())});
  if (const py::object optimizer = object.attr("optimizer"); !optimizer.is_none()) {
    graph.optimizers.push_back(optimizer_of(optimizer));
    for (const py::handle& other : object.attr("other_optimizers"))
      graph.optimizers.push_back(optimizer_of(other));
  }
  return graph;
}

}  // namespace dnnfast::bindings
