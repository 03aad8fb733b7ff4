#pragma once
// Products of arrays with any strides: tiles of up to 64 x 64 results of one matrix, both operands in pieces of the depth
// through shared memory. Every sum is in the order of the depth.

#include "cuda/array_tape.h"

namespace dnnfast::cuda {

// A tile of one of the matrices: where its first row and column lie in the operands.
struct ArrayTile {
  const float *a, *w;
  float* y;
  int64_t rows, cols, inner;  // of the tile; of the depth
};

struct ArrayProduct {
  static constexpr int kTile = 64, kPitch = kTile + 4, kDepth = 16;

  const ops::ArrayProduct* op = nullptr;  // of the program; on a device: a copy there
  Extent where;

  constexpr Extent extent() const { return where; }

  // A row of the extent is a row of one matrix: a piece has whole or parts of several of them.
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::ArrayProduct& p = *op;
    const int64_t batch = block.context.batch;
    const int64_t rows = ops::extent_of(p.rows, batch), cols = ops::extent_of(p.cols, batch);
    const int64_t all = ops::positions(p.space, batch) * rows;
    const int64_t row_end = piece.row_end < all ? piece.row_end : all;
    const int64_t col_end = piece.col_end < cols ? piece.col_end : cols;
    for (int64_t row = piece.row; row < row_end;) {
      const Divided d = divide(row, rows);
      int64_t count = rows - d.rest < row_end - row ? rows - d.rest : row_end - row;
      if (count > kTile) count = kTile;
      for (int64_t col = piece.col; col < col_end; col += kTile)
        run(d.quotient, d.rest, col, count, col_end - col < kTile ? col_end - col : kTile, batch);
      clear(d.quotient, d.rest, count, cols, piece, batch);
      row += count;
    }
  }

  // Sets the operands to a matrix and one of its elements.
  __device__ void locate(int64_t matrix, int64_t row, int64_t col, int64_t batch,
                         ArrayTile& tile) const {
    const ops::ArrayProduct& p = *op;
    const int n = p.space.axes;
    int64_t at[ops::kMaxAxes];
    place(p.space, batch, 0, n, matrix, at);
    tile.a = p.a.data + offset_of(p.a, n, at) + row * p.a.stride[n];
    tile.w = p.w.data + offset_of(p.w, n, at) + col * p.w.stride[n + 1];
    tile.y = p.y.data + offset_of(p.y, n, at) + row * p.y.stride[n] + col * p.y.stride[n + 1];
    tile.inner = ops::extent_of(p.inner, batch);
  }

  __device__ void run(int64_t matrix, int64_t row, int64_t col, int64_t rows, int64_t cols,
                      int64_t batch) const {
    ArrayTile tile;
    locate(matrix, row, col, batch, tile);
    tile.rows = rows;
    tile.cols = cols;
    if (rows <= 16)
      cols <= 16 ? multiply<1, 1>(tile) : multiply<1, 4>(tile);
    else
      cols <= 16 ? multiply<4, 1>(tile) : multiply<4, 4>(tile);
  }

  // The columns behind the results of `count` rows.
  __device__ void clear(int64_t matrix, int64_t row, int64_t count, int64_t cols,
                        const Piece& piece, int64_t batch) const {
    const int64_t first = piece.col > cols ? piece.col : cols;
    const int64_t end = piece.col_end < cols + op->padding ? piece.col_end : cols + op->padding;
    if (first >= end) return;
    ArrayTile tile;
    locate(matrix, row, 0, batch, tile);
    const int64_t stride = op->y.stride[op->space.axes];
    for_elements({0, count, first, end},
                 [&](int64_t r, int64_t col) { tile.y[r * stride + col] = 0.0f; });
  }

  // Lines of an operand into shared memory: staged[depth][kPitch], zero where there are none.
  template <int kLines>
  __device__ static void stage(const float* from, int64_t lines, int64_t line_stride, int64_t depth,
                               int64_t depth_stride, float* staged) {
    const bool along_depth = depth_stride == 1;  // what neighbouring threads read
    for (int i = static_cast<int>(threadIdx.x); i < kLines * kDepth; i += kThreads) {
      const int line = along_depth ? i / kDepth : i % kLines;
      const int d = along_depth ? i % kDepth : i / kLines;
      staged[d * kPitch + line] =
          line < lines && d < depth ? from[line * line_stride + d * depth_stride] : 0.0f;
    }
  }

  // A thread has kRows x kCols results of 16 kRows x 16 kCols.
  template <int kRows, int kCols>
  __device__ __noinline__ void multiply(const ArrayTile& tile) const {
    static_assert(2 * kDepth * kPitch * sizeof(float) <= sizeof(BlockShared::scratch));
    const int n = op->space.axes;
    const int64_t a_line = op->a.stride[n], a_depth = op->a.stride[n + 1];
    const int64_t w_depth = op->w.stride[n], w_line = op->w.stride[n + 1];
    const int ty = static_cast<int>(threadIdx.x) / 16 * kRows,
              tx = static_cast<int>(threadIdx.x) % 16 * kCols;
    float* a = scratch();
    float* w = a + kDepth * kPitch;
    float sum[kRows][kCols] = {};
    for (int64_t k = 0; k < tile.inner; k += kDepth) {
      __syncthreads();  // the last piece has been used
      stage<16 * kRows>(tile.a + k * a_depth, tile.rows, a_line, tile.inner - k, a_depth, a);
      stage<16 * kCols>(tile.w + k * w_depth, tile.cols, w_line, tile.inner - k, w_depth, w);
      __syncthreads();
      const int depth = tile.inner - k < kDepth ? static_cast<int>(tile.inner - k) : kDepth;
      for (int d = 0; d < depth; ++d)
        for (int r = 0; r < kRows; ++r)
          for (int c = 0; c < kCols; ++c)
            sum[r][c] += a[d * kPitch + ty + r] * w[d * kPitch + tx + c];
    }
    const int64_t down = op->y.stride[n], right = op->y.stride[n + 1];
    for (int r = 0; r < kRows; ++r)
      for (int c = 0; c < kCols; ++c) {
        if (ty + r >= tile.rows || tx + c >= tile.cols) continue;
        float& y = tile.y[(ty + r) * down + (tx + c) * right];
        y = op->accumulate ? y + sum[r][c] : sum[r][c];
      }
  }
};

}  // namespace dnnfast::cuda
