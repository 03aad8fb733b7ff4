// Element-wise optimizers and what they share with the others. Work per unit: one chunk (at most 4096 floats, so that
// a chunk's arrays stay in the first two cache levels between passes). Memory: every array is read
// once and written once. Chunks are independent, and sums over them are taken in their order by
// whoever needs them.

#include "cpu/families.h"
#include "cpu/optimizer_rules.h"
#include "cpu/update.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::Chunk;
using ops::OptimizerArrays;
using ops::OptimizerKind;
using ops::OptimizerStep;
using ops::Segment;
using ops::StepContext;

void penalty_run(const ops::RegularizationPenalty& op, const StepContext&, UnitRange range, void*) {
  for (int64_t c = range.begin; c < range.end; ++c) {
    const Chunk& chunk = op.arrays.chunks[c];
    const Segment& segment = op.arrays.segments[chunk.segment];
    const float* w = op.arrays.parameters + chunk.offset;
    op.chunk_sum[c] = 0;
    if (regularised(segment))
      op.chunk_sum[c] = sum_terms(chunk.size, [&](int64_t i) {
        return math::penalty(load(w + i), segment.l1, segment.l2);
      });
  }
}

void gradient_norm_run(const ops::GradientNorm& op, const StepContext& context, UnitRange range,
                       void*) {
  const OptimizerArrays& arrays = op.step.arrays;
  for (int64_t c = range.begin; c < range.end; ++c) {
    const Chunk& chunk = arrays.chunks[c];
    const Preparation p = preparation_of(op.step, context, arrays.segments[chunk.segment]);
    float* g = arrays.gradients + chunk.offset;
    if (p.changes_gradient())
      prepare_gradient(p, arrays.parameters + chunk.offset, g, chunk.size,
                       p.accumulate ? arrays.accumulator + chunk.offset : nullptr, g);
    op.chunk_sum[c] = sum_terms(chunk.size, [&](int64_t i) { return load(g + i) * load(g + i); });
    if (op.not_finite)
      op.not_finite[c] =
          sum_terms(chunk.size, [&](int64_t i) { return load(g + i) - load(g + i); });
  }
}

// The step of a parameter whose direction stands in the place of its gradient.
struct Directed {
  float rate;
  static constexpr bool uses(int) { return false; }
  vf operator()(vf w, vf direction, Slots&) const { return w - rate * direction; }
};

float rate_of_whole(const OptimizerStep& op, const StepContext& context, int64_t c) {
  const ops::OptimizerScalars& s = context.scalars[op.index];
  const Segment& segment = op.arrays.segments[op.arrays.chunks[c].segment];
  if (op.kind == OptimizerKind::muon)
    return math::muon_rate(s.learning_rate, op.rms_rate, segment.matrix.rows, segment.matrix.cols);
  const ops::DirectionSquares squares = ops::direction_squares(op, c);
  if (op.kind == OptimizerKind::lamb)
    return math::lamb_rate(s.learning_rate, __builtin_sqrt(squares.weights),
                           __builtin_sqrt(squares.direction));
  const auto elements = static_cast<double>(segment.elements);
  return math::adafactor_rate(s.alpha, __builtin_sqrt(squares.weights / elements),
                              __builtin_sqrt(squares.direction / elements), op.epsilon_2,
                              op.clip_threshold);
}

void step_run(const OptimizerStep& op, const StepContext& context, UnitRange range, void*) {
  const OptimizerArrays& arrays = op.arrays;
  const bool held = op.prepared && ops::holds(op, context);
  for (int64_t c = range.begin; c < range.end; ++c) {
    const Chunk& chunk = arrays.chunks[c];
    const Segment& segment = arrays.segments[chunk.segment];
    Preparation p = preparation_of(op, context, segment);
    if (held && p.updates) continue;  // not finite
    p.factor = norm_factor(op, c);
    const float* const g = arrays.gradients + chunk.offset;
    if (needs_whole(op, segment)) {
      p.factor = 1.0f;  // the direction's part, as is decay
      p.decay = 0.0f;
      update_range(Directed{p.updates ? rate_of_whole(op, context, c) : 0.0f}, arrays, p,
                   chunk.offset, chunk.size, g);
      continue;
    }
    with_update(op, context.scalars[op.index], [&](const auto& update) {
      update_range(update, arrays, p, chunk.offset, chunk.size, g);
    });
  }
}

template <class Op>
int64_t count_chunks(const Op& op, const StepContext&) {
  return op.arrays.chunk_count;
}

int64_t count_gradient_chunks(const ops::GradientNorm& op, const StepContext&) {
  return op.step.arrays.chunk_count;
}

}  // namespace

void update_block(const ops::FusedUpdate& fused, const StepContext& context,
                  const UpdateBlock& block) {
  const OptimizerStep& op = *fused.step;
  const Preparation p = preparation_of(op, context, op.arrays.segments[fused.segment]);
  const int64_t first = weights_of(fused, block) - op.arrays.parameters;
  with_update(op, context.scalars[op.index], [&](const auto& update) {
    if (block.cols == block.stride)
      return update_range(update, op.arrays, p, first, block.rows * block.cols, block.gradient);
    for (int64_t r = 0; r < block.rows; ++r)
      update_range(update, op.arrays, p, first + r * block.stride, block.cols,
                   block.gradient + r * block.stride);
  });
}

float plain_sgd_rate(const ops::FusedUpdate& fused, const StepContext& context) {
  const OptimizerStep& op = *fused.step;
  const bool plain = op.kind == OptimizerKind::sgd && !op.with_momentum &&
                     preparation_of(op, context, op.arrays.segments[fused.segment]).plain();
  return plain ? context.scalars[op.index].learning_rate : 0.0f;
}

float* weights_of(const ops::FusedUpdate& fused, const UpdateBlock& block) {
  const OptimizerArrays& arrays = fused.step->arrays;
  return arrays.parameters + arrays.segments[fused.segment].offset + block.offset;
}

Prefetch prefetch_update(const ops::FusedUpdate& fused, int64_t begin, int64_t end) {
  const OptimizerArrays& arrays = fused.step->arrays;
  const Segment& segment = arrays.segments[fused.segment];
  Prefetch prefetch;
  auto add = [&](const float* array) {
    if (array) prefetch.array[prefetch.arrays++] = array + segment.offset;
  };
  add(arrays.parameters);
  for (const float* slot : arrays.slots) add(slot);
  add(arrays.average);
  add(arrays.accumulator);
  prefetch.next = begin;
  prefetch.end = end < segment.size ? end : segment.size;
  return prefetch;
}

void register_optimizer(KernelTable& table) {
  table.regularization_penalty = {count_chunks, penalty_run, nullptr};
  table.gradient_norm = {count_gradient_chunks, gradient_norm_run, nullptr};
  table.optimizer_step = {count_chunks, step_run, nullptr};
  register_optimizer_whole(table);
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
