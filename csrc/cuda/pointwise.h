#pragma once
// The pointwise chain y = dropout(f(x)) and its derivative for one element: the epilogue of dense and batchnorm
// kernels.

#include "cuda/platform.h"
#include "math/activation.h"
#include "math/philox.h"
#include "ops/activation.h"
#include "ops/context.h"

namespace dnnfast::cuda {

using math::ActivationKind;

template <int kKind = 0>
__device__ inline float activate(const ops::Activation& act, float x) {
  if constexpr (kKind < static_cast<int>(ActivationKind::count)) {
    constexpr auto kThis = static_cast<ActivationKind>(kKind);
    if (act.kind == kThis) return math::activation<kThis>(x, act.alpha, act.beta);
    return activate<kKind + 1>(act, x);
  } else {
    return x;
  }
}

template <int kKind = 1>  // the linear one has no derivative to look up
__device__ inline float slope(const ops::Activation& act, float saved) {
  if constexpr (kKind < static_cast<int>(ActivationKind::count)) {
    constexpr auto kThis = static_cast<ActivationKind>(kKind);
    if (act.kind == kThis) return math::derivative<kThis>(saved, act.alpha);
    return slope<kKind + 1>(act, saved);
  } else {
    return 1.0f;
  }
}

// A place in a matrix of `cols` logical columns.
struct Place {
  int64_t row;
  int64_t col;
  int64_t cols;
};

__device__ inline float drop(const ops::Dropout& dropout, const ops::StepContext& context,
                             const Place& at, float v) {
  const math::DropoutBits bits = math::dropout_bits(context.seed, context.step, dropout.stream);
  const uint32_t counter = math::dropout_counter(at.row, at.col, at.cols);
  const uint32_t word = math::philox(counter, bits.rest, bits.key).word[at.row % 4];
  return word >= math::dropout_threshold(dropout.rate) ? v * math::dropout_scale(dropout.rate)
                                                       : 0.0f;
}

// saved (or null) is addressed like y, with rows `ld` apart. Padding columns become zero.
__device__ inline float pointwise_forward(const ops::Activation& act, const ops::Dropout& dropout,
                                          const ops::StepContext& context, const Place& at, float x,
                                          float* saved, int64_t ld) {
  const bool inside = at.col < at.cols;
  const float before = inside ? x : 0.0f;
  const float after = inside ? activate(act, x) : 0.0f;
  if (saved) saved[at.row * ld + at.col] = math::derivative_from_output(act) ? after : before;
  return inside && dropout ? drop(dropout, context, at, after) : after;
}

__device__ inline float pointwise_backward(const ops::PointwiseGradient& gradient,
                                           const ops::StepContext& context, const Place& at,
                                           float dy) {
  if (at.col >= at.cols) return 0.0f;
  float d = gradient.dropout ? drop(gradient.dropout, context, at, dy) : dy;
  if (gradient.act.kind != ActivationKind::linear)
    d *= slope(gradient.act, gradient.saved[at.row * gradient.saved_ld + at.col]);
  return d;
}

}  // namespace dnnfast::cuda
