#pragma once
// Dense layers: forward, weight and bias gradient, input gradient. Products are those of product.h; what is fused
// is done where a thread has its results in registers.

#include "cuda/gather.h"
#include "cuda/matrix_product.h"
#include "cuda/update.h"
#include "ops/dense.h"

namespace dnnfast::cuda {

struct DenseForward {
  static constexpr bool kADepthLines = false, kBDepthLines = true;

  Lines x, w;
  const float* bias = nullptr;
  BatchMatrix y;
  int64_t in = 0;
  ForwardEnd end;
  ProductForm form = ProductForm::narrow_flat;
  int source = -1;  // of the data set, read in the place of x

  DenseForward() = default;
  DenseForward(const ops::DenseForward& op, ProductForm f, int from)
      : x(op.x), w(op.w), bias(op.b), y(op.y), in(op.w.in), end(op.act, op.dropout, op.saved, op.y),
        form(f), source(from) {}

  constexpr Extent extent() const { return {0, y.rows_per_sample, y.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    multiply(form, *this, piece, block);
  }

  __device__ int64_t cols() const { return y.padded_cols(); }
  __device__ int64_t depth(const ops::StepContext&) const { return in; }
  __device__ const Lines& a() const { return x; }
  __device__ const Lines& b() const { return w; }
  __device__ const ops::Source* a_source(const ops::StepContext& context) const {
    return source < 0 ? nullptr : context.sources + source;
  }
  __device__ float4 a_line(int64_t row, int64_t k, const ops::StepContext& context) const {
    return source < 0 ? x.at(row, k) : read_four(context.sources[source], context, row, k);
  }
  __device__ __noinline__ void finish(int64_t row, int rows, int64_t col, float (*v)[4],
                                      const Block& block) const {
    float b[4] = {};
    if (bias) load4(bias + col, b);
    ColumnWords words[4];
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < 4; ++c) v[r][c] = b[c] + v[r][c];
      end.values(block.context, row + r, col, v[r], words);
      store4(y.row(row + r) + col, v[r]);
    }
  }
};

// dx (+)= gradient(dz w^T)
struct DenseBackwardInput {
  static constexpr bool kADepthLines = false, kBDepthLines = false;

  Lines dz, w;
  BatchMatrix dx;
  int64_t in = 0, out = 0;
  BackwardEnd end;
  bool accumulate = false;
  ProductForm form = ProductForm::narrow_flat;

  DenseBackwardInput() = default;
  DenseBackwardInput(const ops::DenseBackwardInput& op, ProductForm f)
      : dz(op.dz), w(op.w), dx(op.dx), in(op.w.in), out(op.w.out), end(op.gradient, op.dx),
        accumulate(op.accumulate), form(f) {}

  constexpr Extent extent() const { return {0, dx.rows_per_sample, dx.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    multiply(form, *this, piece, block);
  }

  __device__ int64_t cols() const { return in; }
  __device__ int64_t depth(const ops::StepContext&) const { return out; }
  __device__ const Lines& a() const { return dz; }
  __device__ const Lines& b() const { return w; }
  __device__ float4 a_line(int64_t row, int64_t k, const ops::StepContext&) const {
    return dz.at(row, k);
  }
  __device__ __noinline__ void finish(int64_t row, int rows, int64_t col, float (*v)[4],
                                      const Block& block) const {
    ColumnWords words[4];
    for (int r = 0; r < rows; ++r) {
      end.values(block.context, row + r, col, v[r], words);
      put4(dx.row(row + r) + col, v[r], accumulate);
    }
  }
};

// dw (+)= x^T dz: the batch is the depth. Or the update of w by it: of its registers, or, where that needs more of them,
// of the gradient that the block has just written.
struct WeightGradient {
  static constexpr bool kADepthLines = true, kBDepthLines = true;

  Lines x, dz;
  PanelMatrix dw;
  int64_t rows_per_sample = 1;
  bool accumulate = false;
  Update update;
  ProductForm form = ProductForm::outer;

  WeightGradient() = default;
  WeightGradient(const ops::DenseBackwardWeight& op, ProductForm f)
      : x(op.x), dz(op.dz), dw(op.dw), rows_per_sample(op.x.rows_per_sample),
        accumulate(op.accumulate), update(op.update_w), form(f) {}

  constexpr Extent extent() const { return {dw.in, 0, dw.padded_out()}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    multiply(form, *this, piece, block);
    if (!update.present || !block.optimizer.rare) return;
    __syncthreads();  // the gradient is there
    for_quads(piece, false, [&](int64_t row, int64_t col) {
      const int64_t at = row * dw.padded_out() + col;
      float g[4];
      load4(dw.data + at, g);
      rare_quad(block.optimizer, update, block.context.scalars[block.optimizer.index],
                update.offset + at, g, 1.0f);
    });
  }

  __device__ int64_t cols() const { return dw.padded_out(); }
  __device__ int64_t depth(const ops::StepContext& context) const {
    return context.batch * rows_per_sample;
  }
  __device__ const Lines& a() const { return x; }
  __device__ const Lines& b() const { return dz; }
  __device__ __noinline__ void finish(int64_t row, int rows, int64_t col, float (*v)[4],
                                      const Block& block) const {
    for (int r = 0; r < rows; ++r) {
      const int64_t at = (row + r) * dw.padded_out() + col;
      if (update.present && !block.optimizer.rare)
        plain_quad(block.optimizer, update, block.context.scalars[block.optimizer.index],
                   update.offset + at, v[r]);
      else
        put4(dw.data + at, v[r], accumulate);
    }
  }
};

// db (+)= column sums of dz, or the update of b by them. A lane has four columns, a warp the rows w, w + 8, ...
struct BiasGradient {
  Lines dz;
  float* db = nullptr;
  int64_t cols = 0;
  int64_t rows_per_sample = 1;
  bool accumulate = false;
  Update update;

  BiasGradient() = default;
  explicit BiasGradient(const ops::DenseBackwardWeight& op)
      : dz(op.dz), db(op.db), cols(op.dz.padded_cols()), rows_per_sample(op.dz.rows_per_sample),
        accumulate(op.accumulate_bias), update(op.update_b) {}

  constexpr Extent extent() const { return {1, 0, cols}; }
  // A piece of at most 128 columns.
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    const int64_t rows = block.context.batch * rows_per_sample, col = piece.col + 4 * lane;
    const bool here = col < piece.col_end;
    float sum[4] = {};
#pragma unroll 4
    for (int64_t r = warp; here && r < rows; r += kWarps) {
      const float4 v = dz.at(r, col);
      for (int c = 0; c < 4; ++c) sum[c] += element(v, c);
    }
    __syncthreads();  // the scratch memory is free
    store4(scratch() + warp * 128 + 4 * lane, sum);
    __syncthreads();
    if (warp != 0 || !here) return;
    for (int w = 1; w < kWarps; ++w)
      for (int c = 0; c < 4; ++c) sum[c] += scratch()[w * 128 + 4 * lane + c];
    if (update.present)
      update_quad(block.optimizer, update, block.context.scalars[block.optimizer.index],
                  update.offset + col, sum);
    else
      put4(db + col, sum, accumulate);
  }
};

}  // namespace dnnfast::cuda
