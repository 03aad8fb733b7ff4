#pragma once
// Inverted dropout with regenerated Philox bits: no mask is ever stored.

#include <cstdint>

namespace dnnfast::ops {

// Whether an op that differs between training and inference follows the program's mode.
enum class Mode : int { automatic, train, infer };

// rate in [0, 1); rate 0 is no dropout. The bits of element (row, column) are a function of
// (seed, step, stream, row, column): see math/philox.h.
struct Dropout {
  double rate = 0.0;
  uint32_t stream = 0;  // numbers the dropout ops of a model

  constexpr explicit operator bool() const { return rate > 0.0; }
};

}  // namespace dnnfast::ops
