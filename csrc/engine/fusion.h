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
enum class ProgramKind { train, gradients, evaluate, predict, predict_training };

inline bool differentiates(ProgramKind kind) {
  return kind == ProgramKind::train || kind == ProgramKind::gradients;
}
inline bool training_mode(ProgramKind kind) {
  return differentiates(kind) || kind == ProgramKind::predict_training;
}
const char* name_of(ProgramKind kind);

enum class GroupKind { dense, pointwise, batchnorm, row_wise, add, concatenate, reshape };

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
  ops::RowwiseKind row_wise = ops::RowwiseKind::softmax;

  bool has_pointwise() const {
    return act.kind != ops::ActivationKind::linear || static_cast<bool>(dropout);
  }
};

// The lowered graph: groups in execution order, with losses and metrics on the tensors they are best
// computed from (logits instead of probabilities where softmax or sigmoid can be fused into the
// loss). Ops that do nothing in this program are gone, and their readers read their input; tensor ids
// are those of the graph.
struct Lowered {
  std::vector<Group> groups;
  std::vector<Loss> losses;
  std::vector<Metric> metrics;
  std::vector<int> outputs;
};

Lowered lower(const Graph& graph, ProgramKind kind);

}  // namespace dnnfast::engine
