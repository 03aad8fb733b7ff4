// Metrics by row (a warp each) and the running totals (one thread: the order of addition is part of the result).

#include "cuda/families.h"
#include "math/loss.h"

namespace dnnfast::cuda {
namespace {

using ops::MetricKind;
using ops::StepContext;

// Integers in the order of the floats, NaN above all of them and -0 equal to 0.
__device__ int32_t order_of(float x) {
  const int32_t bits = math::bits_as<int32_t>(x + 0.0f);
  return x != x ? 0x7fffffff : bits ^ ((bits >> 31) & 0x7fffffff);
}

// The first index of the largest element; of the first NaN if there is one.
__device__ int64_t argmax(const float* x, int64_t cols, int lane) {
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

struct RowMetric {
  ops::MetricRows op;

  __device__ int64_t count(const StepContext& context) const {
    return context.batch * op.prediction.rows_per_sample;
  }
  __device__ void operator()(int64_t r, int lane, const StepContext&) const {
    const float value = value_of(r, lane);
    if (lane == 0) op.row_value[r] = value;
  }
  __device__ float value_of(int64_t r, int lane) const {
    const float* x = op.prediction.row(r);
    const int64_t cols = op.prediction.cols;
    if (op.kind == MetricKind::sparse_categorical_accuracy)
      return argmax(x, cols, lane) == op.labels[r];
    const float* t = op.target.row(r);
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
      default: return 0.0f;
    }
  }
};

struct WeightedSum {
  double sum = 0;
  double weights = 0;
};

__device__ WeightedSum sum_rows(const float* row_value, const float* sample_weight, int64_t samples,
                                int64_t rows_per_sample) {
  WeightedSum total;
  for (int64_t s = 0; s < samples; ++s) {
    const double w = sample_weight ? static_cast<double>(sample_weight[s]) : 1.0;
    for (int64_t i = 0; i < rows_per_sample; ++i) {
      total.sum += w * static_cast<double>(row_value[s * rows_per_sample + i]);
      total.weights += w;
    }
  }
  return total;
}

__device__ void add_total(const StepContext& context, int slot, double value, double weight) {
  if (slot < 0 || !context.totals) return;
  context.totals[slot] += value;
  context.totals[slot + 1] += weight;
}

__global__ void accumulate_rows(ops::AccumulateRows op, const Step* step) {
  if (step->stopped) return;
  const StepContext& c = step->context;
  const WeightedSum total = sum_rows(op.row_value, op.sample_weight, c.batch, op.rows_per_sample);
  add_total(c, op.slot, total.sum, total.weights);
}

__global__ void accumulate_loss(ops::AccumulateLoss op, const Step* step) {
  if (step->stopped) return;
  const StepContext& c = step->context;
  const WeightedSum total = sum_rows(op.row_value, op.sample_weight, c.batch, op.rows_per_sample);
  const double batch = static_cast<double>(c.batch);
  const double mean = total.sum / (batch * static_cast<double>(op.rows_per_sample));
  *op.step_value = (op.first ? 0.0 : *op.step_value) + static_cast<double>(op.scale) * mean;
  add_total(c, op.slot, mean * batch, batch);
}

__global__ void finish_loss(ops::FinishLoss op, const Step* step) {
  if (step->stopped) return;
  double value = *op.step_value;
  if (op.chunk_sum)
    for (int64_t c = 0; c < op.chunk_count; ++c) value += op.chunk_sum[c];
  *op.step_value = value;
  const double batch = static_cast<double>(step->context.batch);
  add_total(step->context, op.slot, value * batch, batch);
}

}  // namespace

void enqueue(const ops::MetricRows& op, const Launcher& to) {
  for_rows(to, to.capacity * op.prediction.rows_per_sample, RowMetric{op});
}
void enqueue(const ops::AccumulateRows& op, const Launcher& to) {
  to(accumulate_rows, 1, 1, 0, op, to.step);
}
void enqueue(const ops::AccumulateLoss& op, const Launcher& to) {
  to(accumulate_loss, 1, 1, 0, op, to.step);
}
void enqueue(const ops::FinishLoss& op, const Launcher& to) {
  to(finish_loss, 1, 1, 0, op, to.step);
}

}  // namespace dnnfast::cuda
