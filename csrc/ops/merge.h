#pragma once
// Ops that join or reshape tensors.

#include "core/tensor.h"

namespace dnnfast::ops {

inline constexpr int kMaxMergeInputs = 16;

// y = x[0] + x[1] + ... in that order; all of one shape. y may alias x[0].
struct AddForward {
  BatchMatrix x[kMaxMergeInputs];
  int count = 0;
  BatchMatrix y;
};

// y[:, y_column + c] (+)= x[:, x_column + c] for c < columns. Concatenate forward is one per input,
// its backward one per gradient; Add's backward is a copy of all columns. Where columns reach the
// end of y its padding is written with zeros.
struct CopyColumns {
  BatchMatrix x;
  int64_t x_column = 0;
  BatchMatrix y;
  int64_t y_column = 0;
  int64_t columns = 0;
  bool accumulate = false;
};

// The same elements in row-major order under another split of a sample into rows and columns.
struct Reshape {
  BatchMatrix x;
  BatchMatrix y;
  bool accumulate = false;
};

}  // namespace dnnfast::ops
