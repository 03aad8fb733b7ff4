#pragma once
// The pointwise chain y = dropout(f(x)) and its derivative on a block of a matrix: the epilogue of dense and
// batchnorm kernels, called while the block is in cache. Defined in activation.cpp.

#include "ops/activation.h"
#include "ops/context.h"

namespace dnnfast::cpu::DNNFAST_ISA {

// Rows [row_begin, row_end) and columns [col_begin, col_end) of a matrix with `cols` logical
// columns; the column bounds are multiples of 16 (col_end at most round_up(cols, 16)). Rows count from
// the start of the batch, because they number the random bits. Blocks starting at a multiple of four
// rows make the best use of each Philox call.
struct Block {
  int64_t row_begin = 0;
  int64_t row_end = 0;
  int64_t col_begin = 0;
  int64_t col_end = 0;
  int64_t cols = 0;
};

// Pointers to row 0, column 0 of each matrix, and the floats between its rows.
struct ConstPlane {
  const float* data = nullptr;
  int64_t ld = 0;
};
struct Plane {
  float* data = nullptr;
  int64_t ld = 0;
};

// y = dropout(f(x)); saved (same ld as y; may be null, or alias x or y) as in ops::PointwiseForward.
// Padding columns of y and saved become zero. y may alias x.
void pointwise_forward_block(const ops::Activation& act, const ops::Dropout& dropout,
                             const ops::StepContext& context, ConstPlane x, Plane y, float* saved,
                             const Block& block);

// dx (+)= dropout'(dy) * f'(saved), padding columns zero. `saved` has its own ld. dx may alias dy.
void pointwise_backward_block(const ops::PointwiseGradient& gradient,
                              const ops::StepContext& context, ConstPlane dy, ConstPlane saved,
                              Plane dx, bool accumulate, const Block& block);

}  // namespace dnnfast::cpu::DNNFAST_ISA
