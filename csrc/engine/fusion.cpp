#include "engine/fusion.h"

#include <algorithm>

#include "core/error.h"
#include "math/activation_names.h"

namespace dnnfast::engine {
namespace {

using ops::ActivationKind;

size_t at(int id) { return static_cast<size_t>(id); }

class Lowering {
 public:
  Lowering(const Graph& graph, ProgramKind kind)
      : graph_(graph), kind_(kind), alias_(graph.tensors.size()), node_of_(graph.tensors.size()) {
    for (size_t t = 0; t < alias_.size(); ++t) alias_[t] = static_cast<int>(t);
    for (const Node& node : graph.nodes) node_of_[at(node.output)] = &node;
    for (const Node& node : graph.nodes)
      if (node.op == "switch")
        alias_[at(node.output)] = resolve(node.inputs[takes_training(node) ? 0 : 1]);
      else if (does_nothing(node))
        alias_[at(node.output)] = resolve(node.inputs[0]);
  }

  Lowered run() {
    Lowered lowered;
    if (kind_ == ProgramKind::apply) return lowered;
    if (kind_ == ProgramKind::update) {
      add_assignments(lowered);
    } else if (predicts(kind_)) {
      for (int id : graph_.outputs) lowered.outputs.push_back(resolve(id));
    } else {
      for (const Loss& loss : graph_.losses) lowered.losses.push_back(fuse_into_loss(loss));
      if (kind_ != ProgramKind::gradients)
        for (const Metric& metric : graph_.metrics) lowered.metrics.push_back(on_logits(metric));
      add_assignments(lowered);
    }
    count_uses(lowered);
    find_late(lowered);
    find_random();
    for (const Node& node : graph_.nodes) {
      if (uses_[at(node.output)] == 0 || alias_[at(node.output)] != node.output) continue;
      if (taken_[at(node.output)]) continue;
      lowered.groups.push_back(make_group(node));
    }
    // No group reads a random one without being random itself, so the order stays one to run in.
    std::stable_partition(lowered.groups.begin(), lowered.groups.end(),
                          [](const Group& group) { return !group.random; });
    lowered.random = random_;
    return lowered;
  }

 private:
  int resolve(int id) const {
    while (alias_[at(id)] != id) id = alias_[at(id)];
    return id;
  }

  const Shape& shape(int id) const { return graph_.tensors[at(id)].shape; }

  bool dropout_active(const Node& node) const {
    if (node.attrs.number("rate", 0) <= 0) return false;
    return training_mode(kind_) || kind_ == ProgramKind::predict_samples ||
           node.attrs.string("mode", "auto") == "train";
  }

  bool takes_training(const Node& node) const {
    if (kind_ == ProgramKind::predict_samples) return node.attrs.number("samples", 0) != 0;
    return training_mode(kind_);
  }

  void add_assignments(Lowered& lowered) const {
    for (const Assignment& assignment : graph_.assignments)
      if (applies(assignment.time))
        lowered.assignments.push_back(
            {assignment.parameter, resolve(assignment.value), assignment.time});
  }

  bool applies(AssignTime time) const {
    if (kind_ == ProgramKind::train) return true;
    if (kind_ == ProgramKind::backward) return time != AssignTime::update;
    if (kind_ == ProgramKind::update) return time == AssignTime::update;
    return kind_ == ProgramKind::evaluate && time == AssignTime::always;
  }

  bool does_nothing(const Node& node) const {
    if (node.op == "dropout") return !dropout_active(node);
    if (node.op == "activation") return activation_of(node).kind == ActivationKind::linear;
    if (node.op == "add" || node.op == "concatenate") return node.inputs.size() == 1;
    if (node.op != "reshape") return false;
    const Shape& from = shape(node.inputs[0]);
    const Shape& to = shape(node.output);
    const int64_t from_cols = from.empty() ? 1 : from.back(), to_cols = to.empty() ? 1 : to.back();
    return from_cols == to_cols;  // the same rows and columns
  }

  static ops::Activation activation_of(const Node& node) {
    const std::string name = node.attrs.string("kind", "linear");
    const ActivationKind kind = math::activation_kind(name);
    if (kind == ActivationKind::count) fail(ErrorKind::value, "unknown activation \"", name, "\"");
    return {kind, static_cast<float>(node.attrs.number("alpha", 0)),
            static_cast<float>(node.attrs.number("beta", 0))};
  }

  // The node whose value a tensor is, or null.
  const Node* producer(int id) const { return node_of_[at(resolve(id))]; }

  Loss fuse_into_loss(Loss loss) const {
    loss.prediction = resolve(loss.prediction);
    if (loss.from_logits) return loss;
    const Node* node = producer(loss.prediction);
    if (!node) return loss;
    const bool softmax =
        node->op == "softmax" && (loss.kind == ops::LossKind::categorical_crossentropy ||
                                  loss.kind == ops::LossKind::sparse_categorical_crossentropy);
    const bool sigmoid = node->op == "activation" &&
                         activation_of(*node).kind == ActivationKind::sigmoid &&
                         loss.kind == ops::LossKind::binary_crossentropy;
    if (softmax || sigmoid) {
      loss.prediction = resolve(node->inputs[0]);
      loss.from_logits = true;
    }
    return loss;
  }

  // The arg max of probabilities is that of their logits.
  Metric on_logits(Metric metric) const {
    metric.prediction = resolve(metric.prediction);
    const Node* node = producer(metric.prediction);
    if (node && node->op == "softmax" &&
        (metric.kind == ops::MetricKind::sparse_categorical_accuracy ||
         metric.kind == ops::MetricKind::categorical_accuracy))
      metric.prediction = resolve(node->inputs[0]);
    return metric;
  }

  // How often each tensor is read by what the program needs; zero means not computed.
  void count_uses(const Lowered& lowered) {
    uses_.assign(graph_.tensors.size(), 0);
    taken_.assign(graph_.tensors.size(), false);
    for (const Loss& loss : lowered.losses) ++uses_[at(loss.prediction)];
    for (const Metric& metric : lowered.metrics) ++uses_[at(metric.prediction)];
    for (int id : lowered.outputs) ++uses_[at(id)];
    for (const Assignment& assignment : lowered.assignments) ++uses_[at(assignment.value)];
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      if (uses_[at(node->output)] == 0 || alias_[at(node->output)] != node->output) continue;
      for (int id : node->inputs) ++uses_[at(resolve(id))];
    }
  }

  // What only assignments after the update read: it must see the updated parameters.
  void find_late(const Lowered& lowered) {
    late_.assign(graph_.tensors.size(), true);
    for (const Loss& loss : lowered.losses) late_[at(loss.prediction)] = false;
    for (const Metric& metric : lowered.metrics) late_[at(metric.prediction)] = false;
    for (int id : lowered.outputs) late_[at(id)] = false;
    for (const Assignment& assignment : lowered.assignments)
      if (assignment.time != AssignTime::update) late_[at(assignment.value)] = false;
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      if (late_[at(node->output)] || alias_[at(node->output)] != node->output) continue;
      for (int id : node->inputs) late_[at(resolve(id))] = false;
    }
  }

  // What differs from pass to pass: what depends on a dropout.
  void find_random() {
    random_.assign(graph_.tensors.size(), false);
    if (kind_ != ProgramKind::predict_samples) return;
    for (const Node& node : graph_.nodes) {
      bool random = (node.op == "dropout" && dropout_active(node)) ||
                    (node.op == "map" && node.attrs.number("random", 0) != 0);
      if (node.op == "switch") {
        random_[at(node.output)] = random_[at(resolve(node.output))];
        continue;
      }
      for (int id : node.inputs) random = random || random_[at(resolve(id))];
      random_[at(node.output)] = random;
    }
  }

  // A dropout is not fused into what is computed once for all passes.
  bool starts_repetition(int input) const {
    return kind_ == ProgramKind::predict_samples && !random_[at(input)];
  }

  // The one node that reads tensor `id` and nothing else does, if it is of the given op.
  const Node* only_reader(int id, const char* op) const {
    if (uses_[at(id)] != 1) return nullptr;
    for (const Node& node : graph_.nodes)
      if (node.op == op && uses_[at(node.output)] > 0 && alias_[at(node.output)] == node.output &&
          resolve(node.inputs[0]) == id)
        return &node;
    return nullptr;
  }

  void take(Group& group, const Node& node) {
    taken_[at(node.output)] = true;
    group.output = node.output;
    group.reason += (group.reason.empty() ? "fused " : " + ") + node.op;
    if (node.op == "activation") group.reason += " " + node.attrs.string("kind", "linear");
  }

  static ops::Dropout dropout_of(const Node& node) {
    return {node.attrs.number("rate", 0), static_cast<uint32_t>(node.attrs.number("stream", 0))};
  }

  void fuse_epilogue(Group& group) {
    if (group.act.kind == ActivationKind::linear) {
      if (const Node* node = only_reader(group.output, "activation")) {
        group.act = activation_of(*node);
        take(group, *node);
      }
    }
    const Node* node = only_reader(group.output, "dropout");
    if (node && starts_repetition(group.output)) {
      group.reason += group.reason.empty() ? "computed" : ", computed";
      group.reason += " once for all passes; the dropout after it is repeated";
    } else if (node) {
      group.dropout = dropout_of(*node);
      take(group, *node);
    }
    if (group.reason.empty())
      group.reason = uses_[at(group.output)] > 1 ? "result has several readers: nothing fused"
                                                 : "no element-wise op follows";
  }

  Group make_group(const Node& node) {
    Group group;
    group.node = &node;
    group.name = node.name;
    group.output = node.output;
    for (int id : node.inputs) group.inputs.push_back(resolve(id));
    if (node.op == "dense") {
      group.kind = GroupKind::dense;
      fuse_epilogue(group);
    } else if (node.op == "batchnorm") {
      group.kind = GroupKind::batchnorm;
      const std::string mode = node.attrs.string("mode", "auto");
      group.batch_statistics = mode == "train" || (mode == "auto" && training_mode(kind_));
      fuse_epilogue(group);
    } else if (node.op == "activation") {
      group.act = activation_of(node);
      fuse_epilogue(group);
    } else if (node.op == "dropout") {
      group.dropout = dropout_of(node);
      group.reason = starts_repetition(group.inputs[0])
                         ? "its input is the same in every pass"
                         : "its input has several readers, or is an input of the model";
    } else if (node.op == "add") {
      group.kind = GroupKind::add;
    } else if (node.op == "concatenate") {
      group.kind = GroupKind::concatenate;
    } else if (node.op == "reshape") {
      group.kind = GroupKind::reshape;
      group.reason = graph_.tensors[at(group.inputs[0])].kind == TensorKind::input
                         ? "gathered in its new shape"
                         : "rows are padded, so another width is a copy";
    } else if (is_array_op(node.op)) {
      group.kind = GroupKind::array;
    } else {
      group.kind = GroupKind::row_wise;
      group.row_wise = node.op == "softmax"       ? ops::RowwiseKind::softmax
                       : node.op == "log_softmax" ? ops::RowwiseKind::log_softmax
                                                  : ops::RowwiseKind::glu;
    }
    group.random = random_[at(group.output)];
    group.after_update = late_[at(group.output)];
    return group;
  }

  const Graph& graph_;
  ProgramKind kind_;
  std::vector<int> alias_;
  std::vector<const Node*> node_of_;
  std::vector<int> uses_;
  std::vector<bool> taken_;
  std::vector<bool> random_;
  std::vector<bool> late_;
};

}  // namespace

const char* name_of(ProgramKind kind) {
  switch (kind) {
    case ProgramKind::train: return "train";
    case ProgramKind::backward: return "backward";
    case ProgramKind::update: return "update";
    case ProgramKind::gradients: return "gradients";
    case ProgramKind::apply: return "apply";
    case ProgramKind::evaluate: return "evaluate";
    case ProgramKind::predict: return "predict";
    case ProgramKind::predict_samples: return "predict_samples";
    default: return "predict (training mode)";
  }
}

Lowered lower(const Graph& graph, ProgramKind kind) { return Lowering(graph, kind).run(); }

}  // namespace dnnfast::engine
