#pragma once
// From the graph of one program to groups of nodes that run as one op.

#include <string>
#include <vector>

#include "engine/graph.h"
#include "math/activation.h"
#include "ops/activation.h"
#include "ops/softmax.h"

namespace dnnfast::engine {

// Which of a model's programs is built.
// backward and update: a training step in two parts, between which the gradients lie in their flat array.
// apply: the update alone, by gradients that the caller has.
// predict_samples: mean and deviation over passes in which dropout drops, but batch normalization predicts.
enum class ProgramKind {
  train,
  backward,
  update,
  gradients,
  apply,
  evaluate,
  predict,
  predict_training,
  predict_samples
};

inline bool differentiates(ProgramKind kind) {
  return kind == ProgramKind::train || kind == ProgramKind::backward ||
         kind == ProgramKind::gradients;
}
// Whether the optimizers step.
inline bool updates(ProgramKind kind) {
  return kind == ProgramKind::train || kind == ProgramKind::update || kind == ProgramKind::apply;
}
inline bool training_mode(ProgramKind kind) {
  return differentiates(kind) || kind == ProgramKind::predict_training;
}
inline bool predicts(ProgramKind kind) {
  return kind == ProgramKind::predict || kind == ProgramKind::predict_training ||
         kind == ProgramKind::predict_samples;
}
const char* name_of(ProgramKind kind);

enum class GroupKind { dense, pointwise, batchnorm, row_wise, add, concatenate, reshape, array };

// A main op with the activation and dropout that run in its epilogue.
struct Group {
  GroupKind kind = GroupKind::pointwise;
  const Node* node = nullptr;  // the main op
  std::vector<int> inputs;     // tensors it reads, parameters included
  int output = 0;              // the tensor it leaves
  std::string name;
  std::string reason;  // what was fused and why not more
  ops::Activation act;
  ops::Dropout dropout;
  bool batch_statistics = false;  // batchnorm
  bool random = false;            // as Lowered::random says of its output
  bool after_update = false;      // runs after the optimizer: only assignments of then read it
  ops::RowwiseKind row_wise = ops::RowwiseKind::softmax;

  bool has_pointwise() const {
    return act.kind != ops::ActivationKind::linear || static_cast<bool>(dropout);
  }
};

// The lowered graph: groups in execution order, with losses and metrics on the tensors they are best
// computed from (logits instead of probabilities where softmax or sigmoid can be fused into the
// loss). Ops that do nothing in this program are gone, and their readers read their input; tensor ids
// are those of the graph. In predict_samples the groups whose values differ from pass to pass come last.
struct Lowered {
  std::vector<Group> groups;
  std::vector<bool> random;  // by tensor; only in predict_samples, else all false
  std::vector<Loss> losses;
  std::vector<Metric> metrics;
  std::vector<int> outputs;
  std::vector<Assignment> assignments;
};

Lowered lower(const Graph& graph, ProgramKind kind);

}  // namespace dnnfast::engine
