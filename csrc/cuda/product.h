#pragma once
// Matrix products of any shape on plain float32 arithmetic: 32 x 32 results a block, four a thread, the depth in
// pieces of 32 through shared memory. A sum runs over the depth in order, so its bits depend on nothing else.

#include "cuda/launcher.h"

namespace dnnfast::cuda {

inline constexpr int kTile = 32;

struct ProductTiles {
  float a[kTile][kTile + 1];
  float b[kTile][kTile + 1];
};

// P says what is multiplied:
//   rows(context), cols(context), depth(context)
//   a(i, k, context), b(k, j, context)      elements within those bounds
//   finish(i, j, sum, context)              what happens to each result
// Blocks take the column tiles fastest.
template <class P>
__global__ void __launch_bounds__(kThreads) run_product(P p, const Step* step) {
  if (step->stopped) return;
  const ops::StepContext& context = step->context;
  const int64_t rows = p.rows(context), cols = p.cols(context), depth = p.depth(context);
  const int64_t col_tiles = (cols + kTile - 1) / kTile;
  const int64_t tiles = col_tiles * ((rows + kTile - 1) / kTile);
  ProductTiles& s = shared_memory<ProductTiles>();
  const int tx = static_cast<int>(threadIdx.x % kTile), ty = static_cast<int>(threadIdx.x / kTile);
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const int64_t row = tile / col_tiles * kTile, col = tile % col_tiles * kTile;
    float sum[kTile / kWarps] = {};
    for (int64_t k = 0; k < depth; k += kTile) {
      __syncthreads();  // the last piece has been used
      for (int i = ty; i < kTile; i += static_cast<int>(kWarps)) {
        s.a[i][tx] = row + i < rows && k + tx < depth ? p.a(row + i, k + tx, context) : 0.0f;
        s.b[i][tx] = k + i < depth && col + tx < cols ? p.b(k + i, col + tx, context) : 0.0f;
      }
      __syncthreads();
      for (int d = 0; d < kTile; ++d) {
        const float b = s.b[d][tx];
        for (int r = 0; r < kTile / static_cast<int>(kWarps); ++r)
          sum[r] += s.a[ty + r * static_cast<int>(kWarps)][d] * b;
      }
    }
    for (int r = 0; r < kTile / static_cast<int>(kWarps); ++r) {
      const int64_t i = row + ty + r * static_cast<int>(kWarps), j = col + tx;
      if (i < rows && j < cols) p.finish(i, j, sum[r], context);
    }
  }
}

// rows, cols: of the largest batch.
template <class P>
void multiply(const Launcher& to, int64_t rows, int64_t cols, const P& p) {
  const int64_t tiles = ((rows + kTile - 1) / kTile) * ((cols + kTile - 1) / kTile);
  to(run_product<P>, blocks_for(tiles, 1), kThreads, sizeof(ProductTiles), p, to.step);
}

}  // namespace dnnfast::cuda
