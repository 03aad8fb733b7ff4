// Metrics by row, and the running totals. Work per unit: four rows; totals are one unit each,
// because their order of addition is part of the result.

#include "cpu/families.h"
#include "cpu/simd.h"
#include "math/loss.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::MetricKind;
using ops::MetricRows;
using ops::StepContext;

constexpr int64_t kUnitRows = 4;

// Integers in the order of the floats, NaN above all of them and -0 equal to 0.
vi order_of(vf x) {
  const vi bits = math::bits_as<vi>(x + 0.0f);
  const vi key = bits ^ ((bits >> 31) & 0x7fffffff);
  return x != x ? vi{} + 0x7fffffff : key;
}

int32_t smallest_lane(vi v) {
  int32_t s[kLanes];
  __builtin_memcpy(s, &v, sizeof s);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) s[i] = s[i] < s[i + width] ? s[i] : s[i + width];
  return s[0];
}

// The first index of the largest element; of the first NaN if there is one. Each lane finds the
// first of its own columns.
int64_t argmax(const float* x, int64_t cols) {
  const vi lowest = vi{} - 0x7fffffff - 1;  // below -inf
  vi best = lowest, index = lane_index();
  for (int64_t c = 0; c < cols; c += kLanes) {
    const vi column = lane_index() + static_cast<int32_t>(c);
    const vi key = column < static_cast<int32_t>(cols) ? order_of(load(x + c)) : lowest;
    const vi better = key > best;
    best = better ? key : best;
    index = better ? column : index;
  }
  const int32_t largest = ~smallest_lane(~best);
  return smallest_lane(best == largest ? index : vi{} + 0x7fffffff);
}

// The mean over columns of term(prediction, target).
template <class Term>
float mean_over_columns(const float* x, const float* t, int64_t cols, Term term) {
  vf sum = {};
  for (int64_t c = 0; c < cols; c += kLanes)
    sum += keep_columns(term(load(x + c), load(t + c)), c, cols);
  return sum_lanes(sum) / static_cast<float>(cols);
}

float metric_of_row(const MetricRows& op, int64_t r) {
  const float* x = op.prediction.row(r);
  const float* t = op.target ? op.target.row(r) : nullptr;
  const int64_t cols = op.prediction.cols;
  switch (op.kind) {
    case MetricKind::sparse_categorical_accuracy: return argmax(x, cols) == op.labels[r];
    case MetricKind::categorical_accuracy: return argmax(x, cols) == argmax(t, cols);
    case MetricKind::binary_accuracy:
      return mean_over_columns(x, t, cols, [](vf p, vf target) {
        const vf one = math::splat<vf>(1.0f);
        const vf answer = p > 0.5f ? one : vf{};
        return answer == target ? one : vf{};
      });
    case MetricKind::mean_squared_error:
      return mean_over_columns(
          x, t, cols, [](vf p, vf target) { return math::squared_error(p, target).value; });
    case MetricKind::mean_absolute_error:
      return mean_over_columns(
          x, t, cols, [](vf p, vf target) { return math::absolute_error(p, target).value; });
    case MetricKind::values: return mean_over_columns(x, x, cols, [](vf p, vf) { return p; });
    case MetricKind::count: break;
  }
  return 0.0f;
}

int64_t metric_units(const MetricRows& op, const StepContext& context) {
  return (context.batch * op.prediction.rows_per_sample + kUnitRows - 1) / kUnitRows;
}

void metric_run(const MetricRows& op, const StepContext& context, UnitRange range, void*) {
  const int64_t rows = context.batch * op.prediction.rows_per_sample;
  const int64_t end = range.end * kUnitRows < rows ? range.end * kUnitRows : rows;
  for (int64_t r = range.begin * kUnitRows; r < end; ++r) op.row_value[r] = metric_of_row(op, r);
}

template <class Op>
int64_t one_unit(const Op&, const StepContext&) {
  return 1;
}

struct WeightedSum {
  double sum = 0;
  double weights = 0;
};

WeightedSum sum_rows(const float* row_value, const float* sample_weight, int64_t samples,
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

void add_total(const StepContext& context, int slot, double value, double weight) {
  if (slot < 0 || !context.totals) return;
  context.totals[slot] += value;
  context.totals[slot + 1] += weight;
}

void accumulate_rows_run(const ops::AccumulateRows& op, const StepContext& context, UnitRange,
                         void*) {
  const WeightedSum total =
      sum_rows(op.row_value, op.sample_weight, context.batch, op.rows_per_sample);
  add_total(context, op.slot, total.sum, total.weights);
}

void accumulate_loss_run(const ops::AccumulateLoss& op, const StepContext& context, UnitRange,
                         void*) {
  const WeightedSum total =
      sum_rows(op.row_value, op.sample_weight, context.batch, op.rows_per_sample);
  const double batch = static_cast<double>(context.batch);
  const double mean = total.sum / (batch * static_cast<double>(op.rows_per_sample));
  *op.step_value = (op.first ? 0.0 : *op.step_value) + static_cast<double>(op.scale) * mean;
  add_total(context, op.slot, mean * batch, batch);
}

void finish_loss_run(const ops::FinishLoss& op, const StepContext& context, UnitRange, void*) {
  double value = *op.step_value;
  if (op.chunk_sum)
    for (int64_t c = 0; c < op.chunk_count; ++c) value += op.chunk_sum[c];
  *op.step_value = value;
  const double batch = static_cast<double>(context.batch);
  add_total(context, op.slot, value * batch, batch);
}

}  // namespace

void register_metric(KernelTable& table) {
  table.metric_rows = {metric_units, metric_run, nullptr};
  table.accumulate_rows = {one_unit, accumulate_rows_run, nullptr};
  table.accumulate_loss = {one_unit, accumulate_loss_run, nullptr};
  table.finish_loss = {one_unit, finish_loss_run, nullptr};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
