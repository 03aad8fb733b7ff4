// The backward pass: each group in reverse order turns the gradient of its output into gradients of its
// inputs and parameters. Terms of one gradient are added in that fixed order.

#include "core/error.h"
#include "engine/program_writer.h"

namespace dnnfast::engine {
namespace {
size_t at(int i) { return static_cast<size_t>(i); }
}  // namespace

void ProgramWriter::find_differentiable() {
  const size_t tensors = graph_.tensors.size();
  producer_.assign(tensors, -1);
  readers_.assign(tensors, 0);
  gradient_terms_.assign(tensors, 0);
  parameter_readers_.assign(graph_.parameters.size(), 0);
  needs_gradient_.assign(tensors, false);
  for (size_t g = 0; g < lowered_.groups.size(); ++g) {
    const Group& group = lowered_.groups[g];
    producer_[at(group.output)] = static_cast<int>(g);
    if (group.after_update) continue;  // not differentiated, and reads what is updated
    bool needed = false;
    for (int id : group.inputs) {
      const Tensor& t = graph_.tensors[at(id)];
      if (t.kind == TensorKind::parameter) {
        needed = needed || parameters_.trainable(at(t.index));
        ++parameter_readers_[at(t.index)];
      } else if (!(group.kind == GroupKind::reshape && t.kind == TensorKind::input))
        ++readers_[at(id)];
      needed = needed || needs_gradient_[at(id)];
    }
    needs_gradient_[at(group.output)] = needed && differentiates(request_.kind);
    if (needed)
      for (int id : group.inputs) ++gradient_terms_[at(id)];
  }
  for (const Loss& loss : lowered_.losses) {
    ++readers_[at(loss.prediction)];
    ++gradient_terms_[at(loss.prediction)];
  }
  for (const Assignment& assignment : lowered_.assignments) ++readers_[at(assignment.value)];
  for (const Metric& metric : lowered_.metrics) ++readers_[at(metric.prediction)];
  for (int id : lowered_.outputs) ++readers_[at(id)];
}

Value ProgramWriter::gradient_of(int tensor) {
  Value& gradient = gradients_[at(tensor)];
  if (!gradient) gradient = make(tensor);
  return gradient;
}

// The gradient of `tensor` in the memory of a gradient that is not needed any more.
Value ProgramWriter::gradient_in(int tensor, const Value& spent) {
  Value& gradient = gradients_[at(tensor)];
  if (!gradient) gradient = spent;
  return gradient;
}

bool ProgramWriter::first_contribution(int tensor) {
  const bool first = !has_gradient_[at(tensor)];
  has_gradient_[at(tensor)] = true;
  return first;
}

ops::PointwiseGradient ProgramWriter::pointwise_of(size_t g) const {
  const Group& group = lowered_.groups[g];
  const Value& saved = saved_[g].activation;
  return {group.act, group.dropout, saved.matrix.data, saved.matrix.ld};
}

// A dense op that is the only reader of another's output applies that one's activation derivative
// itself, in its epilogue.
bool ProgramWriter::fold_pointwise_into(int tensor, ops::PointwiseGradient& gradient,
                                        std::vector<int>& used) {
  const int g = producer_[at(tensor)];
  if (g < 0 || gradient_terms_[at(tensor)] != 1) return false;
  const Group& group = lowered_.groups[at(g)];
  if (group.kind != GroupKind::dense || !group.has_pointwise()) return false;
  gradient = pointwise_of(at(g));
  used.push_back(saved_[at(g)].activation.buffer);
  folded_[at(tensor)] = true;
  return true;
}

// The gradient before a group's activation and dropout.
Value ProgramWriter::pointwise_gradient(size_t g) {
  const Group& group = lowered_.groups[g];
  const Value dy = gradient_of(group.output);
  if (!group.has_pointwise() || folded_[at(group.output)]) return dy;
  emit(ops::PointwiseBackward{dy.matrix, dy.matrix, pointwise_of(g), false}, group.name,
       "several terms, or no dense op follows that could do it",
       {dy.buffer, saved_[g].activation.buffer});
  return dy;
}

bool ProgramWriter::accumulates(int parameter) {
  const bool written = parameter_written_[at(parameter)];
  parameter_written_[at(parameter)] = true;
  return written;
}

void ProgramWriter::backward(size_t g) {
  const Group& group = lowered_.groups[g];
  if (!needs_gradient(group.output) || !has_gradient_[at(group.output)]) return;
  switch (group.kind) {
    case GroupKind::dense: return backward_dense(g);
    case GroupKind::batchnorm: return backward_batchnorm(g);
    case GroupKind::add:
    case GroupKind::concatenate: return backward_merge(g);
    case GroupKind::array: return backward_array(g);
    default: break;
  }
  const int x = group.inputs[0];
  if (!needs_gradient(x)) return;
  const Value dy = gradient_of(group.output);
  const bool add = !first_contribution(x);
  if (group.kind == GroupKind::pointwise) {
    const Value dx = gradient_in(x, dy);
    emit(ops::PointwiseBackward{dy.matrix, dx.matrix, pointwise_of(g), add}, group.name, "",
         {dy.buffer, dx.buffer, saved_[g].activation.buffer});
    return;
  }
  const Value dx = gradient_of(x);
  if (group.kind == GroupKind::reshape) {
    emit(ops::Reshape{dy.matrix, dx.matrix, add}, group.name, "", {dy.buffer, dx.buffer});
    return;
  }
  const Value saved = group.row_wise == ops::RowwiseKind::glu ? value(x) : value(group.output);
  emit(ops::RowwiseBackward{group.row_wise, saved.matrix, dy.matrix, dx.matrix, add}, group.name,
       "", {dy.buffer, dx.buffer, saved.buffer});
}

void ProgramWriter::backward_dense(size_t g) {
  const Group& group = lowered_.groups[g];
  const Value dz = pointwise_gradient(g);
  const int x = group.inputs[0];
  const int w = parameter_of(group.inputs[1]);
  const int b = group.inputs.size() > 2 ? parameter_of(group.inputs[2]) : -1;
  if (needs_gradient(x)) {
    ops::DenseBackwardInput op;
    op.dz = dz.matrix;
    op.w = parameters_.panels(at(w), parameters_.parameter(at(w)));
    op.accumulate = !first_contribution(x);
    const Value dx = gradient_of(x);
    op.dx = dx.matrix;
    op.precision = precision_of(*group.node);
    std::vector<int> used{dz.buffer, dx.buffer};
    const bool folded = fold_pointwise_into(x, op.gradient, used);
    emit(op, group.name,
         folded ? "with the activation gradient of the layer below" : "input gradient only", used);
  }
  const bool train_w = parameters_.trainable(at(w));
  const bool train_b = b >= 0 && parameters_.trainable(at(b));
  if (!train_w && !train_b) return;
  ops::DenseBackwardWeight op;
  op.x = value(x).matrix;
  op.dz = dz.matrix;
  op.precision = precision_of(*group.node);
  op.dw = parameters_.panels(at(w), parameters_.gradient(at(w)));
  op.accumulate = train_w && accumulates(w);
  if (train_w) op.update_w = fused_update(w);
  if (train_b) {
    op.db = parameters_.gradient(at(b));
    op.accumulate_bias = accumulates(b);
    op.update_b = fused_update(b);
  }
  // An update must wait until the input gradient has read the weights; the next layer's ops need not
  // wait for either.
  defer(op, group.name,
        op.update_w ? "weight and bias gradient, used up by the optimizer while in cache"
                    : "weight and bias gradient",
        {value(x).buffer, dz.buffer});
}

void ProgramWriter::backward_batchnorm(size_t g) {
  const Group& group = lowered_.groups[g];
  const Attributes& attrs = group.node->attrs;
  const size_t count = group.inputs.size();
  const int x = group.inputs[0];
  const Value dy = gradient_of(group.output);
  ops::BatchNormBackward op;
  size_t next = 1;
  auto trainable = [&](bool present, ops::FusedUpdate& update) {
    const int p = present ? parameter_of(group.inputs[next++]) : -1;
    if (p < 0 || !parameters_.trainable(at(p))) return static_cast<float*>(nullptr);
    op.accumulate_parameters = accumulates(p);
    update = fused_update(p);
    return parameters_.gradient(at(p));
  };
  const bool scale = attrs.number("scale", 1) != 0;
  if (scale) op.gamma = parameters_.parameter(at(parameter_of(group.inputs[1])));
  op.dgamma = trainable(scale, op.update_gamma);
  op.dbeta = trainable(attrs.number("center", 1) != 0, op.update_beta);
  op.x = value(x).matrix;
  op.dy = dy.matrix;
  op.training = group.batch_statistics;
  op.mean = op.training ? address(saved_[g].mean)
                        : parameters_.parameter(at(parameter_of(group.inputs[count - 2])));
  op.rstd = address(saved_[g].rstd);
  op.gradient = pointwise_of(g);
  Value dx;
  if (needs_gradient(x)) {
    op.accumulate = !first_contribution(x);
    dx = gradient_in(x, dy);
    op.dx = dx.matrix;
  }
  const bool updates = request_.kind != ProgramKind::gradients && group.batch_statistics;
  if (updates) {
    op.moving = moving_statistics(g);
    saved_[g].updated = true;
  }
  emit_follower(op, dy.matrix, group.name, "sums and input gradient, activation gradient included",
                {saved_[g].variance, value(x).buffer, dy.buffer, dx.buffer, saved_[g].mean,
                 saved_[g].rstd, saved_[g].activation.buffer});
}

void ProgramWriter::backward_merge(size_t g) {
  const Group& group = lowered_.groups[g];
  const Value dy = gradient_of(group.output);
  int64_t column = 0;
  for (int x : group.inputs) {
    const int64_t cols = value(x).matrix.cols;
    if (needs_gradient(x)) {
      const bool add = !first_contribution(x);
      const Value dx = gradient_of(x);
      emit(ops::CopyColumns{dy.matrix, column, dx.matrix, 0, cols, add}, group.name,
           add ? "adds to another term" : "", {dy.buffer, dx.buffer});
    }
    if (group.kind == GroupKind::concatenate) column += cols;
  }
}

}  // namespace dnnfast::engine
