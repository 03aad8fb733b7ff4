// The work of optimizers that take a pass of their own, and of what comes before it.

#include "cuda/work.h"

namespace dnnfast::cuda {

// What passes over the flat arrays touch, chunk by chunk: in a step that changes parameters or gradients also the state.
WorkList& WorkList::arrays(const ops::OptimizerArrays& all, bool parameters, bool gradients) {
  const ops::Segment& last = all.segments[all.segment_count - 1];
  const int64_t size = (last.offset + last.size) * static_cast<int64_t>(sizeof(float));
  memory(all.parameters, size, parameters).memory(all.gradients, size, gradients);
  for (float* slot : {all.slots[0], all.slots[1], all.slots[2], all.average, all.accumulator})
    if (parameters || gradients) memory(slot, size, true);
  memory(all.factors, sizeof(float), true);  // stands for all of them
  works_.back().shape = {1, 1};
  return parameters || gradients ? changes_model() : *this;
}

WorkList& WorkList::step(const ops::OptimizerStep& op, bool parameters, bool gradients) {
  constexpr int64_t kDouble = sizeof(double);
  arrays(op.arrays, parameters, gradients);
  memory(op.chunk_sum, op.arrays.chunk_count * kDouble, false);
  memory(op.direction_sum, 2 * op.arrays.chunk_count * kDouble, false);
  return memory(op.not_finite, op.not_finite_count * kDouble, false);
}

void WorkList::op(const ops::RegularizationPenalty& op) {
  if (op.arrays.chunk_count == 0) return;
  task(RegularizationPenalty{op}, kRows).arrays(op.arrays, false, false);
  memory(op.chunk_sum, op.arrays.chunk_count * static_cast<int64_t>(sizeof(double)), true);
}
void WorkList::op(const ops::GradientNorm& op) {
  const int64_t bytes = op.step.arrays.chunk_count * static_cast<int64_t>(sizeof(double));
  if (bytes == 0) return;
  task(GradientNorm(op), kRows).step(op.step, false, true);
  memory(op.chunk_sum, bytes, true).memory(op.not_finite, bytes, true);
}
void WorkList::op(const ops::OptimizerStep& op) {
  if (op.arrays.chunk_count == 0) return;
  task(OptimizerStep(op), kRows).step(op, true, false);
}

void WorkList::op(const ops::FactoredMoments& op) {
  const ops::OptimizerArrays& arrays = op.step.arrays;
  for (int64_t c = 0; c < arrays.chunk_count; ++c) {
    const int32_t number = arrays.chunks[c].segment;
    const MatrixShape& shape = arrays.segments[number].matrix;
    if (!shape || (c > 0 && arrays.chunks[c - 1].segment == number)) continue;
    const FactorPass pass{&op.step, number, shape};
    task(FactorRows{pass}, kRows).step(op.step, false, false).changes_model();
    works_.back().shape = {32, 1};
    task(FactorColumns{pass}, kColumns).step(op.step, false, false).changes_model();
    works_.back().shape = {0, 64};
  }
}
void WorkList::op(const ops::OptimizerDirection& op) {
  if (op.step.arrays.chunk_count == 0) return;
  task(Direction(op), kRows).step(op.step, true, true);
  memory(op.direction_sum, 2 * op.step.arrays.chunk_count * static_cast<int64_t>(sizeof(double)),
         true);
}
void WorkList::op(const ops::OrthogonalCopy& op) {
  const ops::Segment& segment = op.step.arrays.segments[op.segment];
  const OrthogonalCopy copy{&op.step, op.segment, segment.matrix, op.tall, op.ld, op.back};
  task(copy, kTiles).step(op.step, false, op.back);
  memory(op.tall, copy.extent().fixed_rows * op.ld * static_cast<int64_t>(sizeof(float)), !op.back);
  works_.back().shape = {64, 64};
}
void WorkList::op(const ops::MatrixProduct& op) {
  constexpr int64_t kFloat = sizeof(float);
  if (op.transposed)
    task(MatrixProduct<true>(op), kTiles);
  else
    task(MatrixProduct<false>(op), kTiles);
  memory(op.left, (op.transposed ? op.depth : op.rows) * op.ld * kFloat, false);
  memory(op.right, op.depth * op.ld * kFloat, false);
  memory(op.add, op.rows * op.ld * kFloat, false).memory(op.out, op.rows * op.ld * kFloat, true);
  works_.back().shape = piece_shape(ProductForm::tiled_64);
}

}  // namespace dnnfast::cuda
