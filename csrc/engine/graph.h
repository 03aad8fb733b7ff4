#pragma once
// The graph as Python gives it: named ops on tensors. python/dnnfast/graph.py is the same in Python.

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "ops/dense.h"
#include "ops/loss.h"
#include "ops/metric.h"
#include "ops/optimizer.h"

namespace dnnfast::engine {

// Sizes without the batch axis (parameters: all axes).
using Shape = std::vector<int64_t>;

std::string describe_shape(const Shape& shape);
int64_t elements(const Shape& shape);

// The attributes of an op by name.
class Attributes {
 public:
  using Value = std::variant<double, std::string, std::vector<int64_t>>;

  void set(const std::string& name, Value value) { values_[name] = std::move(value); }
  bool has(const std::string& name) const { return find(name) != nullptr; }
  double number(const std::string& name, double fallback) const;
  std::string string(const std::string& name, const std::string& fallback) const;
  std::vector<int64_t> integers(const std::string& name) const;  // throws when absent

 private:
  const Value* find(const std::string& name) const;
  std::map<std::string, Value> values_;
};

// target, weight: an array of a data set's targets, the sample weights of one.
enum class TensorKind { input, parameter, node, target, weight };

struct Tensor {
  TensorKind kind = TensorKind::input;
  int index = 0;  // among the inputs, parameters, nodes or targets
  Shape shape;
  // false: `shape` is the whole shape, in which a size -n is n times the samples of the step. The ops of
  // ops/array.h make and read such tensors, the others only those of one row (or matrix) a sample.
  bool batched = true;
};

// All sizes, the batch axis included; -n is n times the samples of the step.
Shape full_shape(const Tensor& tensor);

struct Parameter {
  std::string name;
  Shape shape;
  bool trainable = true;
  double l1 = 0.0;
  double l2 = 0.0;
  bool decay = true;
  int optimizer = 0;        // the one that trains it
  bool orthogonal = false;  // muon's own step; its others take Adam's
};

struct Node {
  std::string op;
  std::string name;
  std::vector<int> inputs;
  Attributes attrs;
  int output = 0;
};

// target -1: none, so no sample weights either.
struct Loss {
  ops::LossKind kind = ops::LossKind::mean_squared_error;
  int prediction = 0;
  int target = 0;
  double weight = 1.0;
  bool from_logits = false;
  double label_smoothing = 0.0;
};

struct Metric {
  ops::MetricKind kind = ops::MetricKind::mean_squared_error;
  int prediction = 0;
  int target = 0;
  bool weighted = false;  // by the sample weights of its target
};

// A variable that takes the value of a tensor at the end of a step. always: also when evaluating (the state of a
// metric); train: before the optimizer's step (that of a layer); update: after it (a constraint).
enum class AssignTime { always, train, update };
struct Assignment {
  int parameter = 0;  // a tensor
  int value = 0;      // a tensor
  AssignTime time = AssignTime::always;
};

struct Optimizer {
  ops::OptimizerKind kind = ops::OptimizerKind::sgd;
  Attributes options;
};

struct Graph {
  std::vector<Tensor> tensors;
  std::vector<std::string> inputs;
  std::vector<Parameter> parameters;
  std::vector<Node> nodes;  // in an order in which they can run
  std::vector<int> outputs;
  std::vector<Loss> losses;
  std::vector<Metric> metrics;
  std::vector<Assignment> assignments;
  std::vector<Optimizer> optimizers;  // none, or one, or several with parameters of their own

  bool has_optimizer() const { return !optimizers.empty(); }
  int target_count() const;
};

// Names of the kinds, as Python spells them. Throws Error(value) naming the choices.
ops::LossKind loss_kind(const std::string& name);
ops::MetricKind metric_kind(const std::string& name);
AssignTime assign_time(const std::string& name);
ops::OptimizerKind optimizer_kind(const std::string& name);
ops::Precision precision_of(const Node& dense);

// Checks every id, order and shape. Throws Error(value).
void validate(const Graph& graph);

// The output shape of an op (csrc/engine/shapes.cpp). Throws Error(value) naming what does not fit.
// The ops of ops/array.h: their graphs say what shape they have.
bool is_array_op(const std::string& op);
Shape infer_shape(const std::string& op, const std::vector<Shape>& inputs, const Attributes& attrs);

}  // namespace dnnfast::engine
