// Mean and deviation over stochastic passes. A thread an element: 24 bytes read and 16 written a pass.

#include "cuda/families.h"

namespace dnnfast::cuda {
namespace {

using ops::StepContext;

struct Accumulate {
  ops::AccumulateSamples op;
  __device__ int64_t count(const StepContext& context) const {
    return context.batch * op.y.rows_per_sample * op.y.cols;
  }
  __device__ void operator()(int64_t i, const StepContext& context) const {
    const float y = op.y.row(i / op.y.cols)[i % op.y.cols];
    if (context.sample == 0) {
      // A shift that is not finite would make every later difference NaN.
      const bool finite = y - y == 0.0f;
      const double rest = finite ? 0.0 : static_cast<double>(y);
      op.sums.shift[i] = finite ? y : 0.0f;
      op.sums.sum[i] = rest;
      op.sums.square[i] = rest * rest;
      return;
    }
    const double d = static_cast<double>(y) - static_cast<double>(op.sums.shift[i]);
    op.sums.sum[i] += d;
    op.sums.square[i] += d * d;
  }
};

struct Scatter {
  ops::ScatterSamples op;
  bool sums;
  __device__ int64_t count(const StepContext& context) const {
    return context.batch * op.y.rows_per_sample * op.y.cols;
  }
  __device__ void operator()(int64_t i, const StepContext& context) const {
    const int64_t first = context.first_row * op.y.rows_per_sample * op.y.cols;
    float& mean = context.outputs[op.mean][first + i];
    float& deviation = context.outputs[op.deviation][first + i];
    if (!sums) {
      mean = op.y.row(i / op.y.cols)[i % op.y.cols];
      deviation = 0.0f;
      return;
    }
    const double count = static_cast<double>(context.samples);
    const double difference = op.sums.sum[i] / count;
    const double variance = op.sums.square[i] / count - difference * difference;
    mean = static_cast<float>(static_cast<double>(op.sums.shift[i]) + difference);
    // Rounding may leave a little less than nothing; NaN stays.
    deviation = static_cast<float>(variance < 0.0 ? 0.0 : ::sqrt(variance));
  }
};

}  // namespace

void enqueue(const ops::AccumulateSamples& op, const Launcher& to) {
  for_elements(to, to.capacity * op.y.rows_per_sample * op.y.cols, Accumulate{op});
}
void enqueue(const ops::ScatterSamples& op, const Launcher& to) {
  for_elements(to, to.capacity * op.y.rows_per_sample * op.y.cols,
               Scatter{op, static_cast<bool>(op.sums)});
}

}  // namespace dnnfast::cuda
