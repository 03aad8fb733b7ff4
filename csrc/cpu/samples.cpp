// Mean and deviation over stochastic passes. Work per unit: one sample's rows. Memory: y is read once, the sums
// (20 bytes an element) are read and written once a pass; outputs are narrow, so both stay in cache.

#include "cpu/families.h"
#include "cpu/simd.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::SampleSums;
using ops::StepContext;

// The sums of one row.
struct Row {
  float* __restrict shift;
  double* __restrict sum;
  double* __restrict square;
};

Row row_of(const SampleSums& sums, int64_t r, int64_t cols) {
  return {sums.shift + r * cols, sums.sum + r * cols, sums.square + r * cols};
}

// A shift that is not finite would make every later difference NaN.
void start_row(const float* y, const Row& row, int64_t cols) {
  for (int64_t c = 0; c < cols; ++c) {
    const bool finite = y[c] - y[c] == 0.0f;
    const double rest = finite ? 0.0 : static_cast<double>(y[c]);
    row.shift[c] = finite ? y[c] : 0.0f;
    row.sum[c] = rest;
    row.square[c] = rest * rest;
  }
}

void add_row(const float* y, const Row& row, int64_t cols) {
  for (int64_t c = 0; c < cols; ++c) {
    const double d = static_cast<double>(y[c]) - static_cast<double>(row.shift[c]);
    row.sum[c] += d;
    row.square[c] += d * d;
  }
}

template <class Op>
int64_t sample_units(const Op&, const StepContext& context) {
  return context.batch;
}

void accumulate_run(const ops::AccumulateSamples& op, const StepContext& context, UnitRange range,
                    void*) {
  const BatchMatrix& y = op.y;
  const auto add = context.sample == 0 ? start_row : add_row;
  const int64_t end = range.end * y.rows_per_sample;
  for (int64_t r = range.begin * y.rows_per_sample; r < end; ++r)
    add(y.row(r), row_of(op.sums, r, y.cols), y.cols);
}

void finish_row(const Row& row, int64_t cols, double count, float* mean, float* deviation) {
  for (int64_t c = 0; c < cols; ++c) {
    const double first = row.sum[c] / count;
    const double variance = row.square[c] / count - first * first;
    mean[c] = static_cast<float>(static_cast<double>(row.shift[c]) + first);
    // Rounding may leave a little less than nothing; NaN stays.
    deviation[c] = static_cast<float>(variance < 0.0 ? 0.0 : __builtin_sqrt(variance));
  }
}

void scatter_run(const ops::ScatterSamples& op, const StepContext& context, UnitRange range,
                 void*) {
  const BatchMatrix& y = op.y;
  const int64_t offset = context.first_row * y.rows_per_sample * y.cols;
  const int64_t end = range.end * y.rows_per_sample;
  const auto bytes = static_cast<size_t>(y.cols) * sizeof(float);
  for (int64_t r = range.begin * y.rows_per_sample; r < end; ++r) {
    float* mean = context.outputs[op.mean] + offset + r * y.cols;
    float* deviation = context.outputs[op.deviation] + offset + r * y.cols;
    if (op.sums) {
      finish_row(row_of(op.sums, r, y.cols), y.cols, static_cast<double>(context.samples), mean,
                 deviation);
    } else {
      __builtin_memcpy(mean, y.row(r), bytes);
      __builtin_memset(deviation, 0, bytes);
    }
  }
}

}  // namespace

void register_samples(KernelTable& table) {
  table.accumulate_samples = {sample_units, accumulate_run, nullptr};
  table.scatter_samples = {sample_units, scatter_run, nullptr};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
