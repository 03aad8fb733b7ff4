#pragma once
// Mean and deviation over stochastic passes. 24 bytes read and 16 written an element and pass.

#include "cuda/block.h"
#include "ops/samples.h"

namespace dnnfast::cuda {

struct AccumulateSamples {
  ops::AccumulateSamples op;

  constexpr Extent extent() const { return {0, op.y.rows_per_sample, op.y.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    for_elements(piece, [&](int64_t row, int64_t col) {
      if (col >= op.y.cols) return;
      const float y = op.y.row(row)[col];
      const int64_t i = row * op.y.cols + col;
      if (block.context.sample == 0) {
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
    });
  }
};

struct ScatterSamples {
  ops::ScatterSamples op;

  constexpr Extent extent() const { return {0, op.y.rows_per_sample, op.y.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::StepContext& context = block.context;
    const int64_t first = context.first_row * op.y.rows_per_sample * op.y.cols;
    for_elements(piece, [&](int64_t row, int64_t col) {
      if (col >= op.y.cols) return;
      const int64_t i = row * op.y.cols + col;
      float& mean = context.outputs[op.mean][first + i];
      float& deviation = context.outputs[op.deviation][first + i];
      if (!op.sums.shift) {
        mean = op.y.row(row)[col];
        deviation = 0.0f;
        return;
      }
      const double count = static_cast<double>(context.samples);
      const double difference = op.sums.sum[i] / count;
      const double variance = op.sums.square[i] / count - difference * difference;
      mean = static_cast<float>(static_cast<double>(op.sums.shift[i]) + difference);
      // Rounding may leave a little less than nothing; NaN stays.
      deviation = static_cast<float>(variance < 0.0 ? 0.0 : ::sqrt(variance));
    });
  }
};

}  // namespace dnnfast::cuda
