#pragma once
// Joining and reshaping.

#include "cuda/block.h"
#include "ops/merge.h"

namespace dnnfast::cuda {

// y = a + b. A sum of more is several of these.
struct AddPair {
  BatchMatrix a, b, y;

  constexpr Extent extent() const { return {0, y.rows_per_sample, y.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block&) const {
    for_quads(piece, false, [&](int64_t row, int64_t col) {
      float v[4], w[4];
      load4(a.row(row) + col, v);
      load4(b.row(row) + col, w);
      for (int i = 0; i < 4; ++i) v[i] += w[i];
      store4(y.row(row) + col, v);
    });
  }
};

struct CopyColumns {
  ops::CopyColumns op;

  // With the padding, where the columns reach the end.
  constexpr Extent extent() const {
    const bool reaches_end = op.y_column + op.columns == op.y.cols;
    return {0, op.y.rows_per_sample, reaches_end ? op.y.padded_cols() - op.y_column : op.columns};
  }
  __device__ void operator()(const Piece& piece, const Block&) const {
    for_elements(piece, [&](int64_t row, int64_t col) {
      float& y = op.y.row(row)[op.y_column + col];
      if (col >= op.columns) {
        y = 0.0f;
        return;
      }
      const float x = op.x.row(row)[op.x_column + col];
      y = op.accumulate ? y + x : x;
    });
  }
};

struct Reshape {
  ops::Reshape op;

  constexpr Extent extent() const { return {0, op.y.rows_per_sample, op.y.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block&) const {
    for_elements(piece, [&](int64_t row, int64_t col) {
      float& y = op.y.row(row)[col];
      if (col >= op.y.cols) {
        y = 0.0f;
        return;
      }
      const int64_t element = row % op.y.rows_per_sample * op.y.cols + col;
      const int64_t x_row = row / op.y.rows_per_sample * op.x.rows_per_sample + element / op.x.cols;
      const float x = op.x.row(x_row)[element % op.x.cols];
      y = op.accumulate ? y + x : x;
    });
  }
};

}  // namespace dnnfast::cuda
