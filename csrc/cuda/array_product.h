#pragma once
// Products of arrays with any strides. Tiles of up to 64 x 64 results of one matrix, both operands in pieces of the depth
// through shared memory, the next one fetched while one is used: every sum is in the order of the depth. For few results of a
// long depth the warps of a block share that; which of the two depends on the op and the capacity alone.

#include "cuda/array_tape.h"

namespace dnnfast::cuda {

// A tile of one of the matrices: where its first row and column lie in the operands.
struct ArrayTile {
  const float *a, *w;
  float* y;
  int64_t rows, cols, inner;  // of the tile; of the depth
};

struct ArrayProduct {
  static constexpr int kTile = 64, kPitch = kTile + 4, kDepth = 16, kDeepColumns = 32;

  const ops::ArrayProduct* op = nullptr;  // of the program; on a device: a copy there
  Extent where;
  bool deep = false;  // few results, each with many terms

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
      const int height = deep ? kWarps : kTile, width = deep ? kDeepColumns : kTile;
      if (count > height) count = height;
      for (int64_t col = piece.col; col < col_end; col += width)
        run(d.quotient, d.rest, col, count, col_end - col < width ? col_end - col : width, batch);
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
    if (deep)
      multiply_deep(tile);
    else if (rows <= 16)
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

  // --- Tiles ---

  // What a thread brings of each piece of an operand's depth into shared memory: staged[depth][kPitch], zero where there is
  // nothing. Neighbouring threads read neighbouring elements.
  template <int kLines>
  struct Stager {
    static constexpr int kEach = kLines * kDepth / kThreads;
    const float* from;
    int64_t lines, line_stride, depth_stride;
    bool along_depth;
    float next[kEach];

    __device__ Stager(const float* data, int64_t count, int64_t line_step, int64_t depth_step)
        : from(data), lines(count), line_stride(line_step), depth_stride(depth_step),
          along_depth(depth_step == 1) {}
    __device__ void place(int e, int& line, int& d) const {
      const int i = static_cast<int>(threadIdx.x) + e * kThreads;
      line = along_depth ? i / kDepth : i % kLines;
      d = along_depth ? i % kDepth : i / kLines;
    }
    // The piece that begins at k, of `left` that there are.
    __device__ void fetch(int64_t k, int64_t left) {
      for (int e = 0; e < kEach; ++e) {
        int line, d;
        place(e, line, d);
        next[e] =
            line < lines && d < left ? from[line * line_stride + (k + d) * depth_stride] : 0.0f;
      }
    }
    __device__ void stage(float* staged) const {
      for (int e = 0; e < kEach; ++e) {
        int line, d;
        place(e, line, d);
        staged[d * kPitch + line] = next[e];
      }
    }
  };

  template <int kCount>
  __device__ static void load_staged(const float* p, float (&v)[kCount]) {
    if constexpr (kCount == 4)
      load4(p, v);
    else
      v[0] = *p;
  }

  // A thread has kRows x kCols results of 16 kRows x 16 kCols.
  template <int kRows, int kCols>
  __device__ __noinline__ void multiply(const ArrayTile& tile) const {
    static_assert(2 * kDepth * kPitch * sizeof(float) <= sizeof(BlockShared::scratch));
    const int n = op->space.axes;
    Stager<16 * kRows> stage_a(tile.a, tile.rows, op->a.stride[n], op->a.stride[n + 1]);
    Stager<16 * kCols> stage_w(tile.w, tile.cols, op->w.stride[n + 1], op->w.stride[n]);
    const int ty = static_cast<int>(threadIdx.x) / 16 * kRows,
              tx = static_cast<int>(threadIdx.x) % 16 * kCols;
    float* a = scratch();
    float* w = a + kDepth * kPitch;
    float sum[kRows][kCols] = {};
    stage_a.fetch(0, tile.inner);
    stage_w.fetch(0, tile.inner);
    for (int64_t k = 0; k < tile.inner; k += kDepth) {
      __syncthreads();  // the last piece has been used
      stage_a.stage(a);
      stage_w.stage(w);
      __syncthreads();
      const int64_t left = tile.inner - k;
      if (left > kDepth) {
        stage_a.fetch(k + kDepth, left - kDepth);
        stage_w.fetch(k + kDepth, left - kDepth);
      }
#pragma unroll 4
      for (int d = 0; d < kDepth && d < left; ++d) {
        float av[kRows], wv[kCols];
        load_staged(a + d * kPitch + ty, av);
        load_staged(w + d * kPitch + tx, wv);
        for (int r = 0; r < kRows; ++r)
          for (int c = 0; c < kCols; ++c) sum[r][c] += av[r] * wv[c];
      }
    }
    for (int r = 0; r < kRows; ++r)
      for (int c = 0; c < kCols; ++c)
        if (ty + r < tile.rows && tx + c < tile.cols) put(tile, ty + r, tx + c, sum[r][c]);
  }

  __device__ void put(const ArrayTile& tile, int64_t row, int64_t col, float sum) const {
    const int n = op->space.axes;
    float& y = tile.y[row * op->y.stride[n] + col * op->y.stride[n + 1]];
    y = op->accumulate ? y + sum : sum;
  }

  // --- Few results of a long depth ---

  // A lane has a column, its warp terms 4 w to 4 w + 3 of every 32 for kWarps rows; the warps' sums are added in their order.
  __device__ __noinline__ void multiply_deep(const ArrayTile& tile) const {
    static_assert(kWarps * kWarps * kDeepColumns * sizeof(float) <= sizeof(BlockShared::scratch));
    const int n = op->space.axes;
    const int64_t a_down = op->a.stride[n], a_step = op->a.stride[n + 1], w_step = op->w.stride[n];
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    const float* w = tile.w + lane * op->w.stride[n + 1];
    float sum[kWarps] = {};
    if (lane < tile.cols) {
#pragma unroll 2
      for (int64_t k = warp * 4; k < tile.inner; k += 4 * kWarps) {
        float wv[4];
        for (int t = 0; t < 4; ++t) wv[t] = k + t < tile.inner ? w[(k + t) * w_step] : 0.0f;
        for (int r = 0; r < kWarps; ++r) {
          if (r >= tile.rows) continue;
          const float* a = tile.a + r * a_down + k * a_step;
          for (int t = 0; t < 4; ++t)
            if (k + t < tile.inner) sum[r] += a[t * a_step] * wv[t];
        }
      }
    }
    __syncthreads();  // the last results have been read
    for (int r = 0; r < kWarps; ++r) scratch()[(warp * kWarps + r) * kDeepColumns + lane] = sum[r];
    __syncthreads();
    if (warp >= tile.rows || lane >= tile.cols) return;
    float total = 0.0f;
    for (int s = 0; s < kWarps; ++s) total += scratch()[(s * kWarps + warp) * kDeepColumns + lane];
    put(tile, warp, lane, total);
  }
};

}  // namespace dnnfast::cuda
