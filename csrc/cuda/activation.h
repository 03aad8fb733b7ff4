#pragma once
// Element-wise activations with dropout.

#include "cuda/pointwise.h"

namespace dnnfast::cuda {

struct PointwiseForward {
  BatchMatrix x, y;
  ForwardEnd end;

  PointwiseForward() = default;
  explicit PointwiseForward(const ops::PointwiseForward& op)
      : x(op.x), y(op.y), end(op.act, op.dropout, op.saved, op.y) {}

  constexpr Extent extent() const { return {0, y.rows_per_sample, y.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    ColumnWords words[4];
    for_quads(piece, end.drop.present, [&](int64_t row, int64_t col) {
      float v[4];
      load4(x.row(row) + col, v);
      end.values(block.context, row, col, v, words);
      store4(y.row(row) + col, v);
    });
  }
};

struct PointwiseBackward {
  BatchMatrix dy, dx;
  BackwardEnd end;
  bool accumulate = false;

  PointwiseBackward() = default;
  explicit PointwiseBackward(const ops::PointwiseBackward& op)
      : dy(op.dy), dx(op.dx), end(op.gradient, op.dx), accumulate(op.accumulate) {}

  constexpr Extent extent() const { return {0, dx.rows_per_sample, dx.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    ColumnWords words[4];
    for_quads(piece, end.drop.present, [&](int64_t row, int64_t col) {
      float v[4];
      load4(dy.row(row) + col, v);
      end.values(block.context, row, col, v, words);
      put4(dx.row(row) + col, v, accumulate);
    });
  }
};

}  // namespace dnnfast::cuda
