#pragma once
// Row-wise activations. A warp a row; lane l has columns l, l + 32, ...

#include "cuda/block.h"
#include "math/elementary.h"
#include "ops/softmax.h"

namespace dnnfast::cuda {

using ops::RowwiseKind;

template <class F>
__device__ void write_row(float* out, int64_t cols, int lane, bool accumulate, F value) {
  for (int64_t c = lane; c < round_up(cols, kColumnPadding); c += 32) {
    const float v = c < cols ? value(c) : 0.0f;
    out[c] = accumulate ? out[c] + v : v;
  }
}

struct RowwiseForward {
  ops::RowwiseForward op;

  constexpr Extent extent() const { return {0, op.y.rows_per_sample, op.y.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block&) const {
    for_rows(piece, [&](int64_t row, int lane) { run(row, lane); });
  }
  __device__ void run(int64_t row, int lane) const {
    const float* x = op.x.row(row);
    float* y = op.y.row(row);
    const int64_t cols = op.y.cols;
    if (op.kind == RowwiseKind::glu) {
      write_row(y, cols, lane, false, [&](int64_t c) { return x[c] * math::sigmoid(x[cols + c]); });
      return;
    }
    float largest = -INFINITY;  // a NaN is dropped here and comes back through the exponentials
    for (int64_t c = lane; c < cols; c += 32) largest = x[c] > largest ? x[c] : largest;
    largest = warp_max(largest);
    float sum = 0.0f;
    for (int64_t c = lane; c < cols; c += 32) sum += math::exp(x[c] - largest);
    sum = warp_sum(sum);
    if (op.kind == RowwiseKind::softmax) {
      const float scale = 1.0f / sum;
      write_row(y, cols, lane, false, [&](int64_t c) { return math::exp(x[c] - largest) * scale; });
    } else {
      const float log_sum = math::log(sum);
      write_row(y, cols, lane, false, [&](int64_t c) { return (x[c] - largest) - log_sum; });
    }
  }
};

struct RowwiseBackward {
  ops::RowwiseBackward op;

  constexpr Extent extent() const { return {0, op.dx.rows_per_sample, op.dx.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block&) const {
    for_rows(piece, [&](int64_t row, int lane) { run(row, lane); });
  }
  __device__ void run(int64_t row, int lane) const {
    const float* saved = op.saved.row(row);
    const float* dy = op.dy.row(row);
    float* dx = op.dx.row(row);
    const int64_t cols = op.dy.cols;
    if (op.kind == RowwiseKind::glu) return glu(saved, dy, dx, lane);
    const bool plain = op.kind == RowwiseKind::softmax;
    float sum = 0.0f;
    for (int64_t c = lane; c < cols; c += 32) sum += plain ? saved[c] * dy[c] : dy[c];
    sum = warp_sum(sum);
    write_row(dx, cols, lane, op.accumulate, [&](int64_t c) {
      return plain ? saved[c] * (dy[c] - sum) : dy[c] - math::exp(saved[c]) * sum;
    });
  }
  __device__ void glu(const float* x, const float* dy, float* dx, int lane) const {
    const int64_t cols = op.dy.cols;
    for (int64_t c = lane; c < round_up(2 * cols, kColumnPadding); c += 32) {
      float v = 0.0f;
      if (c < 2 * cols) {
        const int64_t at = c < cols ? c : c - cols;
        const float gate = math::sigmoid(x[cols + at]);
        v = c < cols ? dy[at] * gate : dy[at] * x[at] * (gate * (1.0f - gate));
      }
      dx[c] = op.accumulate && c < 2 * cols ? dx[c] + v : v;
    }
  }
};

}  // namespace dnnfast::cuda
