#pragma once
// The pointwise chain y = dropout(f(x)) and its derivative: alone, or the end of dense and batchnorm tasks.

#include "cuda/block.h"
#include "math/activation.h"
#include "math/philox.h"
#include "ops/activation.h"

namespace dnnfast::cuda {

using math::ActivationKind;

template <int kKind = 0>
__device__ inline float activate_any(const ops::Activation& act, float x) {
  if constexpr (kKind < static_cast<int>(ActivationKind::count)) {
    constexpr auto kThis = static_cast<ActivationKind>(kKind);
    if (act.kind == kThis) return math::activation<kThis>(x, act.alpha, act.beta);
    return activate_any<kKind + 1>(act, x);
  } else {
    return x;
  }
}

template <int kKind = 1>  // the linear one has no derivative to look up
__device__ inline float slope_any(const ops::Activation& act, float saved) {
  if constexpr (kKind < static_cast<int>(ActivationKind::count)) {
    constexpr auto kThis = static_cast<ActivationKind>(kKind);
    if (act.kind == kThis) return math::derivative<kThis>(saved, act.alpha);
    return slope_any<kKind + 1>(act, saved);
  } else {
    return 1.0f;
  }
}

// Two dozen formulas, once in the program: whoever needs another than the simplest calls.
__device__ __noinline__ inline float activate_by_call(const ops::Activation act, float x) {
  return activate_any(act, x);
}
__device__ __noinline__ inline float slope_by_call(const ops::Activation act, float saved) {
  return slope_any(act, saved);
}

__device__ inline float activate(const ops::Activation& act, float x) {
  if (act.kind == ActivationKind::linear) return x;
  if (act.kind == ActivationKind::relu)
    return math::activation<ActivationKind::relu>(x, act.alpha, act.beta);
  return activate_by_call(act, x);
}
__device__ inline float slope(const ops::Activation& act, float saved) {
  if (act.kind == ActivationKind::linear) return 1.0f;
  if (act.kind == ActivationKind::relu)
    return math::derivative<ActivationKind::relu>(saved, act.alpha);
  return slope_by_call(act, saved);
}

// ops::Dropout with what is the same for all elements worked out.
struct Drop {
  uint32_t stream = 0;
  uint32_t threshold = 0;
  float scale = 1.0f;
  bool present = false;

  Drop() = default;
  explicit Drop(const ops::Dropout& dropout)
      : stream(dropout.stream), threshold(math::dropout_threshold(dropout.rate)),
        scale(math::dropout_scale(dropout.rate)), present(dropout) {}
};

// The random words of one column of a matrix of `cols`, four rows at a time: kept from one row to the next.
class ColumnWords {
 public:
  __device__ float drop(const Drop& drop, const ops::StepContext& context, int64_t row, int64_t col,
                        int64_t cols, float v) {
    if (row / 4 != group_) {
      group_ = row / 4;
      const math::DropoutBits bits = math::dropout_bits(context.seed, context.step, drop.stream);
      words_ = math::philox(math::dropout_counter(row, col, cols), bits.rest, bits.key);
    }
    const int r = static_cast<int>(row % 4);  // no index: the words stay in registers
    const uint32_t word = r == 0   ? words_.word[0]
                          : r == 1 ? words_.word[1]
                          : r == 2 ? words_.word[2]
                                   : words_.word[3];
    return word >= drop.threshold ? v * drop.scale : 0.0f;
  }

 private:
  int64_t group_ = -1;
  math::PhiloxWords<uint32_t> words_ = {};
};

// The end of a forward task. saved (or null) has the leading dimension of y.
struct ForwardEnd {
  ops::Activation act;
  Drop drop;
  float* saved = nullptr;
  int64_t ld = 0;
  int64_t cols = 0;

  ForwardEnd() = default;
  ForwardEnd(const ops::Activation& a, const ops::Dropout& d, float* s, const BatchMatrix& y)
      : act(a), drop(d), saved(s), ld(y.ld), cols(y.cols) {}

  // One value. Padding columns become zero.
  __device__ float value(const ops::StepContext& context, int64_t row, int64_t col, float x,
                         ColumnWords& words) const {
    const bool inside = col < cols;
    const float before = inside ? x : 0.0f, after = inside ? activate(act, x) : 0.0f;
    if (saved) saved[row * ld + col] = math::derivative_from_output(act) ? after : before;
    return inside && drop.present ? words.drop(drop, context, row, col, cols, after) : after;
  }
  // Four neighbouring columns.
  __device__ void values(const ops::StepContext& context, int64_t row, int64_t col, float (&v)[4],
                         ColumnWords (&words)[4]) const {
    for (int c = 0; c < 4; ++c) v[c] = value(context, row, col + c, v[c], words[c]);
  }
};

// The end of a backward task: ops::PointwiseGradient.
struct BackwardEnd {
  ops::Activation act;
  Drop drop;
  const float* saved = nullptr;
  int64_t ld = 0;
  int64_t cols = 0;

  BackwardEnd() = default;
  BackwardEnd(const ops::PointwiseGradient& g, const BatchMatrix& dx)
      : act(g.act), drop(g.dropout), saved(g.saved), ld(g.saved_ld), cols(dx.cols) {}

  __device__ float value(const ops::StepContext& context, int64_t row, int64_t col, float dy,
                         ColumnWords& words) const {
    if (col >= cols) return 0.0f;
    float d = drop.present ? words.drop(drop, context, row, col, cols, dy) : dy;
    if (act.kind != ActivationKind::linear) d *= slope(act, saved[row * ld + col]);
    return d;
  }
  __device__ void values(const ops::StepContext& context, int64_t row, int64_t col, float (&v)[4],
                         ColumnWords (&words)[4]) const {
    for (int c = 0; c < 4; ++c) v[c] = value(context, row, col + c, v[c], words[c]);
  }
};

}  // namespace dnnfast::cuda
