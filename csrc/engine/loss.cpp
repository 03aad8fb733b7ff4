// Targets, losses, metrics and the running totals of an epoch.

#include "core/error.h"
#include "engine/program_writer.h"

namespace dnnfast::engine {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }

bool sparse(ops::LossKind kind) { return kind == ops::LossKind::sparse_categorical_crossentropy; }
// Whether it is compared with a target of its prediction's shape.
bool compares(ops::LossKind kind) { return !sparse(kind) && kind != ops::LossKind::values; }
bool sparse(ops::MetricKind kind) { return kind == ops::MetricKind::sparse_categorical_accuracy; }

bool compares(ops::MetricKind kind) { return !sparse(kind) && kind != ops::MetricKind::values; }

}  // namespace

bool ProgramWriter::sparse_target(int target) const {
  for (const Loss& loss : lowered_.losses)
    if (loss.target == target && sparse(loss.kind)) return true;
  for (const Metric& metric : lowered_.metrics)
    if (metric.target == target && sparse(metric.kind)) return true;
  return false;
}

// The prediction whose shape a target must have because it is compared column by column; -1: none.
int ProgramWriter::target_like(int target) const {
  for (const Loss& loss : lowered_.losses)
    if (loss.target == target && compares(loss.kind)) return loss.prediction;
  for (const Metric& metric : lowered_.metrics)
    if (metric.target == target && compares(metric.kind)) return metric.prediction;
  return -1;
}

void ProgramWriter::gather_targets() {
  for (int target = 0; target < sources_.targets; ++target) {
    if (sparse_target(target)) {
      label_buffers_[at(target)] = vector_buffer(request_.batch_capacity);
      emit(ops::GatherLabels{sources_.target(target),
                             reinterpret_cast<int32_t*>(address(label_buffers_[at(target)]))},
           "labels", "class labels as int32", {label_buffers_[at(target)]}, true);
    }
    if (const int like = target_like(target); like >= 0) {
      Value v = make(like);
      target_values_[at(target)] = v;
      emit(ops::GatherRows{sources_.target(target), v.matrix}, "target",
           "rows of the target, converted to float32", {v.buffer}, true);
    }
    if (target < static_cast<int>(request_.weights.size()) && request_.weights[at(target)]) {
      weight_buffers_[at(target)] = vector_buffer(request_.batch_capacity);
      emit(ops::GatherWeights{sources_.weight(target), address(weight_buffers_[at(target)])},
           "sample weights", "one a sample", {weight_buffers_[at(target)]}, true);
    }
  }
}

void ProgramWriter::losses() {
  for (size_t i = 0; i < lowered_.losses.size(); ++i) loss(i);
}

void ProgramWriter::loss(size_t i) {
  const Loss& spec = lowered_.losses[i];
  const Value prediction = value(spec.prediction);
  if (sparse(spec.kind) && prediction.matrix.rows_per_sample != 1)
    fail(ErrorKind::value, "sparse_categorical_crossentropy: predictions of shape ",
         describe_shape(graph_.tensors[at(spec.prediction)].shape),
         " have more than one row a sample; flatten the model's output");
  const Value target = compares(spec.kind) ? target_values_[at(spec.target)] : Value{};
  const int labels = sparse(spec.kind) ? label_buffers_[at(spec.target)] : -1;
  const int weights = weights_of(spec.target);
  const int rows = vector_buffer(capacity_rows(prediction.matrix));
  ops::Loss op;
  op.kind = spec.kind;
  op.prediction = prediction.matrix;
  op.labels = reinterpret_cast<const int32_t*>(address(labels));
  op.target = target.matrix;
  op.sample_weight = address(weights);
  op.row_loss = address(rows);
  op.from_logits = spec.from_logits;
  op.label_smoothing = static_cast<float>(spec.label_smoothing);
  op.weight = static_cast<float>(spec.weight);
  loss_rows_.push_back(rows);
  Value gradient;
  if (differentiates(request_.kind) && needs_gradient(spec.prediction)) {
    // Several losses on one prediction: the later ones are added once all are computed.
    const bool first = first_contribution(spec.prediction);
    gradient = first ? gradient_of(spec.prediction) : make(spec.prediction);
    if (!first) extra_gradients_.push_back({spec.prediction, gradient});
    op.gradient = gradient.matrix;
  }
  emit(op, "loss " + std::to_string(i),
       spec.from_logits ? "from logits, with its gradient" : "with its gradient",
       {prediction.buffer, target.buffer, labels, weights, rows, gradient.buffer}, i > 0);
}

// Metrics read what the loss reads, so they need no barrier after it.
void ProgramWriter::metrics() {
  for (size_t i = 0; i < lowered_.metrics.size(); ++i) {
    const Metric& spec = lowered_.metrics[i];
    const Value prediction = value(spec.prediction);
    const Value target = compares(spec.kind) ? target_values_[at(spec.target)] : Value{};
    const int labels = sparse(spec.kind) ? label_buffers_[at(spec.target)] : -1;
    const int rows = vector_buffer(capacity_rows(prediction.matrix));
    emit(ops::MetricRows{spec.kind, prediction.matrix,
                         reinterpret_cast<const int32_t*>(address(labels)), target.matrix,
                         address(rows)},
         "metric " + std::to_string(i), "row by row",
         {prediction.buffer, target.buffer, labels, rows}, true);
    metric_rows_.push_back(rows);
  }
}

// Sums over rows. Each is one unit of work, and a single unit always falls to the same thread: they
// need no barrier among themselves.
void ProgramWriter::totals() {
  step_loss_ = vector_buffer(2);
  buffers_.keep(step_loss_);
  auto* step_value = reinterpret_cast<double*>(address(step_loss_));
  for (size_t i = 0; i < lowered_.losses.size(); ++i) {
    const Loss& spec = lowered_.losses[i];
    const int weights = weights_of(spec.target);
    emit(ops::AccumulateLoss{address(loss_rows_[i]), address(weights),
                             value(spec.prediction).matrix.rows_per_sample, step_value,
                             static_cast<float>(spec.weight), i == 0,
                             totals_.loss_slot(static_cast<int>(i))},
         "loss " + std::to_string(i), "mean over the rows, in order",
         {loss_rows_[i], weights, step_loss_}, i > 0);
  }
  for (size_t i = 0; i < lowered_.metrics.size(); ++i) {
    const Metric& spec = lowered_.metrics[i];
    const int weights = spec.weighted ? weights_of(spec.target) : -1;
    emit(ops::AccumulateRows{address(metric_rows_[i]), address(weights),
                             value(spec.prediction).matrix.rows_per_sample,
                             totals_.metric_slot(static_cast<int>(i))},
         "metric " + std::to_string(i), "sum over the rows, in order", {metric_rows_[i], weights},
         true);
  }
  emit(ops::FinishLoss{step_value, reinterpret_cast<const double*>(address(chunk_sums_)),
                       chunk_sums_ < 0 ? 0 : parameters_.arrays().chunk_count, 0},
       "loss", "total of the step", {step_loss_, chunk_sums_}, true);
  program_.step_loss = step_value;
  for (const auto& [tensor, term] : extra_gradients_) {
    const Value total = gradient_of(tensor);
    emit(ops::CopyColumns{term.matrix, 0, total.matrix, 0, total.matrix.cols, true}, "loss",
         "another loss of the same prediction", {term.buffer, total.buffer});
  }
  // The loss gradient has been ready since the barrier before these sums.
  next_independent_ = extra_gradients_.empty();
}

}  // namespace dnnfast::engine
