#include "engine/graph.h"

#include <algorithm>

#include "core/error.h"
#include "ops/array.h"

namespace dnnfast::engine {
namespace {

template <class Kind, size_t N>
Kind kind_of(const char* what, const char* const (&names)[N], const std::string& name) {
  static_assert(N == static_cast<size_t>(Kind::count));
  std::string choices;
  for (size_t i = 0; i < N; ++i) {
    if (name == names[i]) return static_cast<Kind>(i);
    if (i) choices += ", ";
    choices += names[i];
  }
  fail(ErrorKind::value, "unknown ", what, " \"", name, "\"; expected one of: ", choices);
}

void check_tensor(const Graph& graph, int id, const std::string& where) {
  if (id < 0 || id >= static_cast<int>(graph.tensors.size()))
    fail(ErrorKind::value, where, ": tensor id ", id, " does not exist; the graph has ",
         graph.tensors.size(), " tensors");
}

void check_batch(const Graph& graph, int id, const std::string& what) {
  const Tensor& tensor = graph.tensors[static_cast<size_t>(id)];
  if (!tensor.batched || tensor.kind == TensorKind::parameter)
    fail(ErrorKind::value, what, " has no batch axis in front; got shape ",
         describe_shape(tensor.shape));
}

// What the writer of programs relies on.
void check_array(const Graph& graph, const Node& node, const std::string& where) {
  for (int id : node.inputs)
    if (full_shape(graph.tensors[static_cast<size_t>(id)]).size() > ops::kMaxAxes)
      fail(ErrorKind::value, where, ": an input has more than ", ops::kMaxAxes, " axes");
  if (full_shape(graph.tensors[static_cast<size_t>(node.output)]).size() > ops::kMaxAxes)
    fail(ErrorKind::value, where, ": the result has more than ", ops::kMaxAxes, " axes");
}

void validate_nodes(const Graph& graph) {
  std::vector<bool> known(graph.tensors.size(), false);
  for (size_t t = 0; t < graph.tensors.size(); ++t)
    known[t] = graph.tensors[t].kind != TensorKind::node;
  for (const Node& node : graph.nodes) {
    const std::string where = node.op + " \"" + node.name + "\"";
    std::vector<Shape> shapes;
    for (int id : node.inputs) {
      check_tensor(graph, id, where);
      if (!known[static_cast<size_t>(id)])
        fail(ErrorKind::value, where, ": input ", id, " is used before it is computed");
      shapes.push_back(graph.tensors[static_cast<size_t>(id)].shape);
    }
    check_tensor(graph, node.output, where);
    if (is_array_op(node.op)) {
      check_array(graph, node, where);
      known[static_cast<size_t>(node.output)] = true;
      continue;
    }
    for (int id : node.inputs)
      if (!graph.tensors[static_cast<size_t>(id)].batched)
        fail(ErrorKind::value, where, ": an input has no batch axis in front");
    const Shape shape = infer_shape(node.op, shapes, node.attrs);
    const Shape& declared = graph.tensors[static_cast<size_t>(node.output)].shape;
    if (shape != declared)
      fail(ErrorKind::value, where, ": the graph declares the output shape ",
           describe_shape(declared), " but the op gives ", describe_shape(shape));
    known[static_cast<size_t>(node.output)] = true;
  }
}

void check_sizes(const Graph& graph) {
  for (const Tensor& tensor : graph.tensors) {
    int64_t product = 1;
    for (int64_t size : tensor.shape) {
      if (!tensor.batched && size < 0) size = -size;
      if (size < 1)
        fail(ErrorKind::value, "a tensor has shape ", describe_shape(tensor.shape),
             "; every size must be at least 1");
      if (product > (int64_t{1} << 40) / size)
        fail(ErrorKind::value, "a tensor of shape ", describe_shape(tensor.shape),
             " is too large; at most 2^40 elements are supported");
      product *= size;
    }
  }
}

void check_optimizers(const Graph& graph) {
  if (!graph.has_optimizer()) return;
  // One without ops only applies gradients that somebody else has.
  if (graph.losses.empty() && (!graph.nodes.empty() || graph.parameters.empty()))
    fail(ErrorKind::value, "a graph with an optimizer needs at least one loss");
  const int count = static_cast<int>(graph.optimizers.size());
  if (count > ops::kMostOptimizers)
    fail(ErrorKind::value, "a model has ", count, " optimizers; at most ", ops::kMostOptimizers,
         " are supported");
  for (const Parameter& parameter : graph.parameters)
    if (parameter.optimizer < 0 || parameter.optimizer >= count)
      fail(ErrorKind::value, "parameter \"", parameter.name, "\" is trained by optimizer ",
           parameter.optimizer, "; the model has ", count);
}

}  // namespace

Shape full_shape(const Tensor& tensor) {
  if (tensor.kind == TensorKind::parameter || !tensor.batched) return tensor.shape;
  Shape shape{-1};
  shape.insert(shape.end(), tensor.shape.begin(), tensor.shape.end());
  return shape;
}

std::string describe_shape(const Shape& shape) {
  std::string result = "(";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i) result += ", ";
    result += std::to_string(shape[i]);
  }
  return result + (shape.size() == 1 ? ",)" : ")");
}

int64_t elements(const Shape& shape) {
  int64_t product = 1;
  for (int64_t size : shape) {
    if (size > 0 && product > (int64_t{1} << 62) / size)
      fail(ErrorKind::value, "a tensor of shape ", describe_shape(shape), " is too large");
    product *= size;
  }
  return product;
}

const Attributes::Value* Attributes::find(const std::string& name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? nullptr : &it->second;
}

double Attributes::number(const std::string& name, double fallback) const {
  const Value* value = find(name);
  if (!value) return fallback;
  if (const double* number = std::get_if<double>(value)) return *number;
  fail(ErrorKind::type, "attribute \"", name, "\" must be a number");
}

std::string Attributes::string(const std::string& name, const std::string& fallback) const {
  const Value* value = find(name);
  if (!value) return fallback;
  if (const std::string* text = std::get_if<std::string>(value)) return *text;
  fail(ErrorKind::type, "attribute \"", name, "\" must be a string");
}

std::vector<int64_t> Attributes::integers(const std::string& name) const {
  const Value* value = find(name);
  if (value)
    if (const auto* list = std::get_if<std::vector<int64_t>>(value)) return *list;
  fail(ErrorKind::type, "attribute \"", name, "\" must be a list of integers");
}

int Graph::target_count() const {
  int count = 0;
  for (const Loss& loss : losses) count = std::max(count, loss.target + 1);
  for (const Metric& metric : metrics) count = std::max(count, metric.target + 1);
  for (const Tensor& tensor : tensors)
    if (tensor.kind == TensorKind::target || tensor.kind == TensorKind::weight)
      count = std::max(count, tensor.index + 1);
  return count;
}

ops::LossKind loss_kind(const std::string& name) {
  static const char* const names[] = {"sparse_categorical_crossentropy",
                                      "categorical_crossentropy",
                                      "binary_crossentropy",
                                      "mean_squared_error",
                                      "mean_absolute_error",
                                      "values"};
  return kind_of<ops::LossKind>("loss", names, name);
}

ops::MetricKind metric_kind(const std::string& name) {
  static const char* const names[] = {
      "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy",
      "mean_squared_error",          "mean_absolute_error",  "values"};
  return kind_of<ops::MetricKind>("metric", names, name);
}

AssignTime assign_time(const std::string& name) {
  if (name == "always") return AssignTime::always;
  if (name == "train") return AssignTime::train;
  if (name == "update") return AssignTime::update;
  fail(ErrorKind::value, "unknown time of an assignment \"", name,
       "\"; expected one of: always, train, update");
}

ops::OptimizerKind optimizer_kind(const std::string& name) {
  static const char* const names[] = {
      "sgd",      "rmsprop",   "adam", "nadam", "adagrad",
      "adadelta", "adamax",    "lion", "ftrl",  "schedule_free_adamw",
      "lamb",     "adafactor", "muon"};
  return kind_of<ops::OptimizerKind>("optimizer", names, name);
}

ops::Precision precision_of(const Node& dense) {
  static const char* const names[] = {"float32", "tf32", "bfloat16"};
  return kind_of<ops::Precision>("precision", names, dense.attrs.string("precision", "float32"));
}

void validate(const Graph& graph) {
  check_sizes(graph);
  validate_nodes(graph);
  for (int id : graph.outputs) {
    check_tensor(graph, id, "output");
    check_batch(graph, id, "an output");
  }
  for (const Loss& loss : graph.losses) {
    check_tensor(graph, loss.prediction, "loss");
    check_batch(graph, loss.prediction, "a loss reads a tensor that");
    if (loss.target < (loss.kind == ops::LossKind::values ? -1 : 0))
      fail(ErrorKind::value, "a loss has the negative target ", loss.target);
  }
  for (const Metric& metric : graph.metrics) {
    check_tensor(graph, metric.prediction, "metric");
    check_batch(graph, metric.prediction, "a metric reads a tensor that");
    if (metric.target < (metric.kind == ops::MetricKind::values ? -1 : 0))
      fail(ErrorKind::value, "a metric has the negative target ", metric.target);
  }
  for (const Assignment& assignment : graph.assignments) {
    check_tensor(graph, assignment.parameter, "assignment");
    check_tensor(graph, assignment.value, "assignment");
    const Tensor& to = graph.tensors[static_cast<size_t>(assignment.parameter)];
    if (to.kind != TensorKind::parameter)
      fail(ErrorKind::value, "an assignment needs a variable to write to");
    if (full_shape(graph.tensors[static_cast<size_t>(assignment.value)]) != to.shape)
      fail(ErrorKind::value, "an assignment to a variable of shape ", describe_shape(to.shape),
           " has a value of another shape");
  }
  check_optimizers(graph);
}

}  // namespace dnnfast::engine
