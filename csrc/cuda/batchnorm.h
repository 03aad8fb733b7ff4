#pragma once
// Batch normalization. A piece has all rows of its columns; 32 threads share the rows of a column and add their sums
// in an order that no cut changes. x is read three times, from cache after the first where the piece is small.

#include "math/batchnorm.h"

#include "cuda/pointwise.h"
#include "ops/batchnorm.h"

namespace dnnfast::cuda {

inline constexpr int kSharers = 32;  // of a column's rows
inline constexpr int kMostColumns = kThreads / kSharers;

// This thread's column of a piece of 4 or 8, and its share of the rows: four together where they share random words.
class ColumnShare {
 public:
  const int64_t col;

  __device__ ColumnShare(const Piece& piece, bool rows_together)
      : col(piece.col + static_cast<int>(threadIdx.x) % static_cast<int>(piece.cols())),
        cols_(static_cast<int>(piece.cols())), sharer_(static_cast<int>(threadIdx.x) / cols_),
        each_(rows_together ? 4 : 1), rows_(piece.row_end) {}

  __device__ bool first() const { return sharer_ == 0; }
  template <class F>
  __device__ void for_rows(F f) const {
    if (sharer_ >= kSharers) return;
    const int64_t stride = static_cast<int64_t>(kSharers) * each_;
    for (int64_t r = static_cast<int64_t>(sharer_) * each_; r < rows_; r += stride)
      for (int64_t row = r; row < r + each_ && row < rows_; ++row) f(row);
  }
  // total[n] = the sum over rows of what f(row, sum) adds to sum[n], for every thread of the column. Four
  // sharers add their sums by shuffles, which leaves eight.
  template <int kSums, class F>
  __device__ void sum_rows(float (&total)[kSums], F f) const {
    float sum[kSums] = {};
    for_rows([&](int64_t row) { f(row, sum); });
    __syncthreads();  // the last sums have been read
    const int column = static_cast<int>(threadIdx.x) % cols_;
    for (int n = 0; n < kSums; ++n) {
      for (int bits = 2 * cols_; bits >= cols_; bits /= 2)
        sum[n] += __shfl_xor_sync(0xffffffffu, sum[n], bits);
      if (sharer_ < kSharers && sharer_ % 4 == 0) place(n, sharer_ / 4, column) = sum[n];
    }
    __syncthreads();
    for (int n = 0; n < kSums; ++n) {
      total[n] = 0.0f;
      for (int group = 0; group < kSharers / 4; ++group) total[n] += place(n, group, column);
    }
  }

 private:
  __device__ static float& place(int n, int group, int column) {
    return scratch()[(n * (kSharers / 4) + group) * kMostColumns + column];
  }
  int cols_, sharer_, each_;
  int64_t rows_;
};

// f(piece) for pieces of at most 8 columns.
template <class F>
__device__ void for_columns(const Piece& piece, F f) {
  for (int64_t col = piece.col; col < piece.col_end; col += kMostColumns) {
    const int64_t end = col + kMostColumns < piece.col_end ? col + kMostColumns : piece.col_end;
    f(Piece{piece.row, piece.row_end, col, end});
  }
}

__device__ inline float element_or(float other, const float* p, int64_t i) {
  return p ? p[i] : other;
}

// y = end((x - mean) * gamma * rstd + beta): what both forward forms share.
struct Normalize {
  BatchMatrix x, y;
  const float* gamma = nullptr;
  const float* beta = nullptr;
  float epsilon = 1e-3f;
  ForwardEnd end;

  Normalize() = default;
  template <class Op>
  explicit Normalize(const Op& op)
      : x(op.x), y(op.y), gamma(op.gamma), beta(op.beta), epsilon(op.epsilon),
        end(op.act, op.dropout, op.saved, op.y) {}

  // Zero in padding columns, which keeps them zero whatever epsilon is.
  __device__ float rstd(int64_t col, float variance) const {
    return col < x.cols ? math::reciprocal_deviation(variance, epsilon) : 0.0f;
  }
  __device__ void column(const ColumnShare& share, const Block& block, float mean,
                         float rstd) const {
    const float scale = element_or(1.0f, gamma, share.col) * rstd;
    const float shift = element_or(0.0f, beta, share.col);
    ColumnWords words;
    share.for_rows([&](int64_t row) {
      const float n = math::normalize(x.row(row)[share.col], mean, scale, shift);
      y.row(row)[share.col] = end.value(block.context, row, share.col, n, words);
    });
  }
};

struct BatchNormForward {
  Normalize normalize;
  float* mean = nullptr;
  float* variance = nullptr;
  float* rstd = nullptr;

  BatchNormForward() = default;
  explicit BatchNormForward(const ops::BatchNormForward& op)
      : normalize(op), mean(op.mean), variance(op.variance), rstd(op.rstd) {}

  constexpr Extent extent() const {
    return {0, normalize.y.rows_per_sample, normalize.y.padded_cols()};
  }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    for_columns(piece, [&](const Piece& columns) { run(columns, block); });
  }
  __device__ void run(const Piece& piece, const Block& block) const {
    const ColumnShare share(piece, normalize.end.drop.present);
    const BatchMatrix& x = normalize.x;
    const float count = static_cast<float>(piece.row_end);
    float total[1];
    share.sum_rows(total, [&](int64_t row, float (&sum)[1]) { sum[0] += x.row(row)[share.col]; });
    const float m = total[0] / count;
    share.sum_rows(total, [&](int64_t row, float (&sum)[1]) {
      const float d = x.row(row)[share.col] - m;
      sum[0] += d * d;
    });
    const float v = total[0] / count, r = normalize.rstd(share.col, v);
    if (share.first()) {
      mean[share.col] = m;
      variance[share.col] = v;
      rstd[share.col] = r;
    }
    normalize.column(share, block, m, r);
  }
};

struct BatchNormInference {
  Normalize normalize;
  const float* mean = nullptr;  // the moving ones
  const float* variance = nullptr;
  float* rstd = nullptr;

  BatchNormInference() = default;
  explicit BatchNormInference(const ops::BatchNormInference& op)
      : normalize(op), mean(op.moving_mean), variance(op.moving_variance), rstd(op.rstd) {}

  constexpr Extent extent() const {
    return {0, normalize.y.rows_per_sample, normalize.y.padded_cols()};
  }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    ColumnWords words[4];
    for_quads(piece, normalize.end.drop.present, [&](int64_t row, int64_t col) {
      for (int i = 0; i < 4; ++i) {
        const int64_t c = col + i;
        const float r = normalize.rstd(c, variance[c]);
        if (rstd && row == 0) rstd[c] = r;
        const float scale = element_or(1.0f, normalize.gamma, c) * r;
        const float n = math::normalize(normalize.x.row(row)[c], mean[c], scale,
                                        element_or(0.0f, normalize.beta, c));
        normalize.y.row(row)[c] = normalize.end.value(block.context, row, c, n, words[i]);
      }
    });
  }
};

// Gradients only: updates of gamma, beta and the moving statistics are tasks of their own.
struct BatchNormBackward {
  BatchMatrix x, dy, dx;
  const float* gamma = nullptr;
  const float* mean = nullptr;
  const float* rstd = nullptr;
  float* dgamma = nullptr;
  float* dbeta = nullptr;
  BackwardEnd end;
  bool training = true;
  bool accumulate = false;
  bool accumulate_parameters = false;

  BatchNormBackward() = default;
  explicit BatchNormBackward(const ops::BatchNormBackward& op)
      : x(op.x), dy(op.dy), dx(op.dx), gamma(op.gamma), mean(op.mean), rstd(op.rstd),
        dgamma(op.dgamma), dbeta(op.dbeta), end(op.gradient, op.dy), training(op.training),
        accumulate(op.accumulate), accumulate_parameters(op.accumulate_parameters) {}

  constexpr Extent extent() const { return {0, x.rows_per_sample, x.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    for_columns(piece, [&](const Piece& columns) { run(columns, block); });
  }
  __device__ void run(const Piece& piece, const Block& block) const {
    const ColumnShare share(piece, end.drop.present);
    const int64_t col = share.col;
    const float m = mean[col], r = rstd[col];
    float sums[2];
    ColumnWords words;
    share.sum_rows(sums, [&](int64_t row, float (&sum)[2]) {
      const float dn = end.value(block.context, row, col, dy.row(row)[col], words);
      sum[0] += dn;
      sum[1] += dn * (x.row(row)[col] - m);
    });
    sums[1] *= r;
    if (dx) input_gradient(share, block, m, r, sums);
    if (!share.first()) return;
    if (dbeta) dbeta[col] = accumulate_parameters ? dbeta[col] + sums[0] : sums[0];
    if (dgamma) dgamma[col] = accumulate_parameters ? dgamma[col] + sums[1] : sums[1];
  }

  __device__ void input_gradient(const ColumnShare& share, const Block& block, float m, float r,
                                 const float (&sums)[2]) const {
    const int64_t col = share.col;
    const float count = static_cast<float>(block.context.batch * x.rows_per_sample);
    math::NormalizationSlope<float> slope{m, element_or(1.0f, gamma, col) * r, 0.0f, 0.0f};
    if (training) {
      slope.mean_dn = sums[0] / count;
      slope.projected = slope.scale * r * (sums[1] / count);
    }
    ColumnWords words;
    share.for_rows([&](int64_t row) {
      const float dn = end.value(block.context, row, col, dy.row(row)[col], words);
      const float d =
          training ? math::normalize_gradient(x.row(row)[col], dn, slope) : slope.scale * dn;
      float& out = dx.row(row)[col];
      out = accumulate ? out + d : d;
    });
  }
};

struct BatchNormUpdate {
  ops::BatchNormUpdate op;

  constexpr Extent extent() const { return {1, 0, round_up(op.cols, kColumnPadding)}; }
  __device__ void operator()(const Piece& piece, const Block&) const {
    for_elements(piece, [&](int64_t, int64_t col) {
      op.moving_mean[col] = math::moving_average(op.moving_mean[col], op.mean[col], op.momentum);
      op.moving_variance[col] =
          math::moving_average(op.moving_variance[col], op.variance[col], op.momentum);
    });
  }
};

}  // namespace dnnfast::cuda
