#pragma once
// Metrics by row (a warp each), the running totals of an epoch (a block, whose threads add in a fixed order), and
// whether the run goes on.

#include "cuda/loss.h"
#include "ops/metric.h"

namespace dnnfast::cuda {

using ops::MetricKind;

// Integers in the order of the floats, NaN above all of them and -0 equal to 0.
__device__ inline int32_t order_of(float x) {
  const int32_t bits = math::bits_as<int32_t>(x + 0.0f);
  return x != x ? 0x7fffffff : bits ^ ((bits >> 31) & 0x7fffffff);
}

// The first index of the largest element; of the first NaN if there is one.
__device__ inline int64_t argmax(const float* x, int64_t cols, int lane) {
  int32_t best = -0x7fffffff - 1, index = 0x7fffffff;
  for (int64_t c = lane; c < cols; c += 32) {
    const int32_t key = order_of(x[c]);
    if (key <= best) continue;
    best = key;
    index = static_cast<int32_t>(c);
  }
  for (int bits = 16; bits > 0; bits /= 2) {
    const int32_t other = __shfl_xor_sync(0xffffffffu, best, bits);
    const int32_t at = __shfl_xor_sync(0xffffffffu, index, bits);
    const bool better = other > best || (other == best && at < index);
    best = better ? other : best;
    index = better ? at : index;
  }
  return index;
}

struct MetricRows {
  ops::MetricRows op;
  Labels labels;

  constexpr Extent extent() const {
    return {0, op.prediction.rows_per_sample, op.prediction.padded_cols()};
  }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    for_rows(piece, [&](int64_t row, int lane) {
      const float value = value_of(row, lane, block.context);
      if (lane == 0) op.row_value[row] = value;
    });
  }
  __device__ float value_of(int64_t r, int lane, const ops::StepContext& context) const {
    const float* x = op.prediction.row(r);
    const int64_t cols = op.prediction.cols;
    if (op.kind == MetricKind::sparse_categorical_accuracy)
      return argmax(x, cols, lane) == labels.at(r, context);
    // There is no target of values.
    const float* t = op.kind == MetricKind::values ? x : op.target.row(r);
    if (op.kind == MetricKind::categorical_accuracy)
      return argmax(x, cols, lane) == argmax(t, cols, lane);
    float sum = 0.0f;
    for (int64_t c = lane; c < cols; c += 32) sum += term(x[c], t[c]);
    return warp_sum(sum) / static_cast<float>(cols);
  }
  __device__ float term(float x, float t) const {
    switch (op.kind) {
      case MetricKind::binary_accuracy: return (x > 0.5f ? 1.0f : 0.0f) == t;
      case MetricKind::mean_squared_error: return math::squared_error(x, t).value;
      case MetricKind::mean_absolute_error: return math::absolute_error(x, t).value;
      case MetricKind::values: return x;
      default: return 0.0f;
    }
  }
};

struct WeightedSum {
  double sum = 0;
  double weights = 0;
};

// The same in every thread.
__device__ inline WeightedSum sum_of_rows(const float* row_value, const float* sample_weight,
                                          int64_t rows_per_sample, const Block& block) {
  WeightedSum mine;
  const int64_t rows = block.context.batch * rows_per_sample;
  for (int64_t r = threadIdx.x; r < rows; r += kThreads) {
    const double w = sample_weight ? static_cast<double>(sample_weight[r / rows_per_sample]) : 1.0;
    mine.sum += w * static_cast<double>(row_value[r]);
    mine.weights += w;
  }
  return {block_sum(mine.sum), block_sum(mine.weights)};
}

__device__ inline void add_total(const ops::StepContext& context, int slot, double value,
                                 double weight) {
  if (slot < 0 || !context.totals) return;
  context.totals[slot] += value;
  context.totals[slot + 1] += weight;
}

struct AccumulateRows {
  ops::AccumulateRows op;

  constexpr Extent extent() const { return {1, 0, 1}; }
  __device__ void operator()(const Piece&, const Block& block) const {
    const WeightedSum total =
        sum_of_rows(op.row_value, op.sample_weight, op.rows_per_sample, block);
    if (threadIdx.x == 0) add_total(block.context, op.slot, total.sum, total.weights);
  }
};

struct AccumulateLoss {
  ops::AccumulateLoss op;

  constexpr Extent extent() const { return {1, 0, 1}; }
  __device__ void operator()(const Piece&, const Block& block) const {
    const WeightedSum total =
        sum_of_rows(op.row_value, op.sample_weight, op.rows_per_sample, block);
    if (threadIdx.x != 0) return;
    const double batch = static_cast<double>(block.context.batch);
    const double mean = total.sum / (batch * static_cast<double>(op.rows_per_sample));
    *op.step_value = (op.first ? 0.0 : *op.step_value) + static_cast<double>(op.scale) * mean;
    add_total(block.context, op.slot, mean * batch, batch);
  }
};

struct FinishLoss {
  ops::FinishLoss op;

  constexpr Extent extent() const { return {1, 0, 1}; }
  __device__ void operator()(const Piece&, const Block& block) const {
    double mine = 0;
    for (int64_t c = threadIdx.x; op.chunk_sum && c < op.chunk_count; c += kThreads)
      mine += op.chunk_sum[c];
    const double penalties = block_sum(mine);
    if (threadIdx.x != 0) return;
    const double value = *op.step_value + penalties;
    *op.step_value = value;
    const double batch = static_cast<double>(block.context.batch);
    add_total(block.context, op.slot, value * batch, batch);
  }
};

// Stops the run if the step's loss is not finite.
struct CheckLoss {
  const double* step_value = nullptr;

  constexpr Extent extent() const { return {1, 0, 1}; }
  __device__ void operator()(const Piece&, const Block& block) const {
    if (threadIdx.x != 0) return;
    const double loss = *step_value;
    if (!(loss - loss == 0.0)) block.step.stopped_at = block.step_number;
  }
};

}  // namespace dnnfast::cuda
