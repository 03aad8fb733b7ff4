#pragma once
// Element-wise activations, alone or as the epilogue of another op.

#include "core/tensor.h"
#include "math/activation.h"
#include "ops/dropout.h"

namespace dnnfast::ops {

using math::Activation;
using math::ActivationKind;

// y = dropout(f(x)). `saved` (same shape as y, or null) receives what the derivative needs: f(x)
// where math::derivative_from_output(act), else x. saved may alias x or y where that is the value.
struct PointwiseForward {
  BatchMatrix x;
  BatchMatrix y;
  Activation act;
  Dropout dropout;
  float* saved = nullptr;
};

// The derivative part of a pointwise chain: dx = dropout'(dy) * f'(saved).
struct PointwiseGradient {
  Activation act;
  Dropout dropout;
  const float* saved = nullptr;  // null for linear
  int64_t saved_ld = 0;
};

// dx (+)= dropout'(dy) * f'(saved). dx may alias dy.
struct PointwiseBackward {
  BatchMatrix dy;
  BatchMatrix dx;
  PointwiseGradient gradient;
  bool accumulate = false;
};

}  // namespace dnnfast::ops
