// The forward pass: batch assembly, the groups in order, predictions out.

#include "core/error.h"
#include "engine/program_writer.h"
#include "math/activation.h"

namespace dnnfast::engine {
namespace {
size_t at(int i) { return static_cast<size_t>(i); }
}  // namespace

void ProgramWriter::gather_rows(int tensor, int source, const std::string& name) {
  Value v = make(tensor);
  values_[at(tensor)] = v;
  emit(ops::GatherRows{source, v.matrix}, name, "rows of the batch, converted to float32",
       {v.buffer}, true);
}

// A tensor that is an array of the data set.
void ProgramWriter::gather(int tensor) {
  const Tensor& spec = graph_.tensors[at(tensor)];
  if (spec.kind == TensorKind::input)
    gather_rows(tensor, sources_.input(spec.index), graph_.inputs[at(spec.index)]);
  if (spec.kind == TensorKind::target) gather_rows(tensor, sources_.target(spec.index), "target");
  if (spec.kind != TensorKind::weight) return;
  Value v;
  v.buffer = vector_buffer(request_.batch_capacity);
  v.matrix = {address(v.buffer), 1, 1, 1};
  values_[at(tensor)] = v;
  emit(ops::GatherWeights{sources_.weight(spec.index), v.matrix.data}, "sample weights",
       "one a sample", {v.buffer}, true);
}

// An input is gathered once for every shape in which it is read.
void ProgramWriter::gather_inputs() {
  for (size_t t = 0; t < graph_.tensors.size(); ++t)
    if (readers_[t] > 0) gather(static_cast<int>(t));
  for (const Group& group : lowered_.groups) {
    if (group.kind != GroupKind::reshape) continue;
    const Tensor& from = graph_.tensors[at(group.inputs[0])];
    if (from.kind == TensorKind::input)
      gather_rows(group.output, sources_.input(from.index), graph_.inputs[at(from.index)]);
  }
}

// Decides what the epilogue keeps for its derivative, and where.
Value ProgramWriter::save_for_backward(size_t g, const Value& y) {
  const Group& group = lowered_.groups[g];
  if (!differentiates(request_.kind) || group.act.kind == ops::ActivationKind::linear) return {};
  if (!needs_gradient(group.output)) return {};
  if (math::derivative_from_output(group.act) && !group.dropout) {
    saved_[g].activation = y;
    return {};
  }
  Value saved = make(group.output);
  saved_[g].activation = saved;
  return saved;
}

void ProgramWriter::forward(size_t g) {
  const Group& group = lowered_.groups[g];
  switch (group.kind) {
    case GroupKind::dense: return forward_dense(g);
    case GroupKind::batchnorm: return forward_batchnorm(g);
    case GroupKind::add:
    case GroupKind::concatenate: return forward_merge(g);
    case GroupKind::array: return forward_array(g);
    default: break;
  }
  const Value x = value(group.inputs[0]);
  if (group.kind == GroupKind::reshape && values_[at(group.output)]) return;  // gathered
  const Value y = make(group.output);
  values_[at(group.output)] = y;
  if (group.kind == GroupKind::reshape) {
    emit(ops::Reshape{x.matrix, y.matrix, false}, group.name, group.reason, {x.buffer, y.buffer});
  } else if (group.kind == GroupKind::row_wise) {
    emit(ops::RowwiseForward{group.row_wise, x.matrix, y.matrix}, group.name, group.reason,
         {x.buffer, y.buffer});
  } else {
    const Value saved = save_for_backward(g, y);
    emit(ops::PointwiseForward{x.matrix, y.matrix, group.act, group.dropout, saved.matrix.data},
         group.name, group.reason, {x.buffer, y.buffer, saved.buffer});
  }
}

void ProgramWriter::forward_dense(size_t g) {
  const Group& group = lowered_.groups[g];
  const auto w = at(parameter_of(group.inputs[1]));
  const Value x = value(group.inputs[0]), y = make(group.output);
  values_[at(group.output)] = y;
  const Value saved = save_for_backward(g, y);
  ops::DenseForward op;
  op.x = x.matrix;
  op.w = parameters_.panels(w, parameters_.parameter(w));
  if (group.inputs.size() > 2) op.b = parameters_.parameter(at(parameter_of(group.inputs[2])));
  op.y = y.matrix;
  op.act = group.act;
  op.dropout = group.dropout;
  op.saved = saved.matrix.data;
  op.precision = precision_of(*group.node);
  emit(op, group.name, group.reason, {x.buffer, y.buffer, saved.buffer});
}

void ProgramWriter::forward_batchnorm(size_t g) {
  const Group& group = lowered_.groups[g];
  const Attributes& attrs = group.node->attrs;
  size_t next = 1;
  auto parameter = [&](bool present) -> const float* {
    return present ? parameters_.parameter(at(parameter_of(group.inputs[next++]))) : nullptr;
  };
  const float* gamma = parameter(attrs.number("scale", 1) != 0);
  const float* beta = parameter(attrs.number("center", 1) != 0);
  const float* moving_mean = parameter(true);
  const float* moving_variance = parameter(true);
  const Value x = value(group.inputs[0]), y = make(group.output);
  values_[at(group.output)] = y;
  const Value saved = save_for_backward(g, y);
  Saved& keep = saved_[g];
  const auto epsilon = static_cast<float>(attrs.number("epsilon", 1e-3));
  const int64_t cols = x.matrix.padded_cols();
  if (group.batch_statistics || differentiates(request_.kind)) keep.rstd = vector_buffer(cols);
  if (group.batch_statistics) {
    keep.mean = vector_buffer(cols);
    keep.variance = vector_buffer(cols);
    emit_follower(ops::BatchNormForward{x.matrix, y.matrix, gamma, beta, address(keep.mean),
                                        address(keep.variance), address(keep.rstd), epsilon,
                                        group.act, group.dropout, saved.matrix.data},
                  x.matrix, group.name, group.reason,
                  {x.buffer, y.buffer, saved.buffer, keep.mean, keep.variance, keep.rstd});
  } else {
    emit_follower(ops::BatchNormInference{x.matrix, y.matrix, gamma, beta, moving_mean,
                                          moving_variance, address(keep.rstd), epsilon, group.act,
                                          group.dropout, saved.matrix.data},
                  x.matrix, group.name, group.reason + "; moving statistics",
                  {x.buffer, y.buffer, saved.buffer, keep.rstd});
  }
}

void ProgramWriter::forward_merge(size_t g) {
  const Group& group = lowered_.groups[g];
  const Value y = make(group.output);
  values_[at(group.output)] = y;
  std::vector<int> used{y.buffer};
  if (group.kind == GroupKind::add) {
    ops::AddForward op;
    for (int id : group.inputs) {
      op.x[op.count++] = value(id).matrix;
      used.push_back(value(id).buffer);
    }
    op.y = y.matrix;
    emit(op, group.name, group.reason, used);
    return;
  }
  int64_t column = 0;
  for (size_t i = 0; i < group.inputs.size(); ++i) {
    const Value x = value(group.inputs[i]);
    // The last one writes the padding, so it must come after its neighbours' columns: all are
    // independent because each writes only its own columns.
    emit(ops::CopyColumns{x.matrix, 0, y.matrix, column, x.matrix.cols, false}, group.name,
         group.reason, {x.buffer, y.buffer}, i > 0);
    column += x.matrix.cols;
  }
}

void ProgramWriter::scatter_outputs() {
  for (size_t i = 0; i < lowered_.outputs.size(); ++i) {
    const Value y = value(lowered_.outputs[i]);
    emit(ops::ScatterRows{y.matrix, static_cast<int>(i)}, "output", "predictions in data order",
         {y.buffer}, i > 0);
  }
}

}  // namespace dnnfast::engine
