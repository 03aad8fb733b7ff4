#pragma once
// Views of memory that somebody else owns (the plan's arena, or the caller).

#include <cstdint>

namespace dnnfast {

// Rows of activations are padded to this many columns, so that vector code needs no tail.
// Invariant: padding columns are exactly zero in every activation, gradient and weight.
inline constexpr int64_t kColumnPadding = 16;

inline constexpr int64_t round_up(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// The row stride (in floats) of a matrix with `cols` columns. A stride that is a multiple of 1 KiB
// would put the same column of successive rows into the same few L1 sets, so such strides grow by
// one cache line.
inline constexpr int64_t leading_dimension(int64_t cols) {
  const int64_t padded = round_up(cols, kColumnPadding);
  return padded % 256 == 0 ? padded + kColumnPadding : padded;
}

// A batch of rows: sample s owns rows [s * rows_per_sample, (s + 1) * rows_per_sample). The number
// of samples is a property of the step (StepContext::batch), not of the view, so that one plan
// serves every batch up to its capacity. Columns [cols, round_up(cols, 16)) are zero.
struct BatchMatrix {
  float* data = nullptr;
  int64_t cols = 0;
  int64_t ld = 0;  // floats between rows; a multiple of 16
  int64_t rows_per_sample = 1;

  constexpr float* row(int64_t r) const { return data + r * ld; }
  constexpr int64_t padded_cols() const { return round_up(cols, kColumnPadding); }
  constexpr explicit operator bool() const { return data != nullptr; }
};

// A weight matrix [in, out] as panels of `width` output columns: panel p holds columns
// [p * width, ...) as a dense [in][panel columns] block; the last panel is narrower (a multiple of
// 16). All three products of a dense layer read it without repacking: forward takes rows of a
// panel as vectors, the weight gradient writes tiles of it, the input gradient broadcasts from it.
struct PanelMatrix {
  float* data = nullptr;
  int64_t in = 0;
  int64_t out = 0;
  int64_t width = 0;  // a multiple of 16, chosen by the backend

  constexpr int64_t padded_out() const { return round_up(out, kColumnPadding); }
  constexpr int64_t panels() const { return (padded_out() + width - 1) / width; }
  constexpr int64_t panel_width(int64_t p) const {
    const int64_t rest = padded_out() - p * width;
    return rest < width ? rest : width;
  }
  constexpr float* panel(int64_t p) const { return data + p * width * in; }
  constexpr float& at(int64_t i, int64_t o) const {
    const int64_t p = o / width;
    return panel(p)[i * panel_width(p) + o % width];
  }
  constexpr int64_t size() const { return in * padded_out(); }
};

}  // namespace dnnfast
