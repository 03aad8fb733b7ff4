#pragma once
// One element's update by each optimizer, as Keras 3 defines them. V is a float or a vector of
// floats. State is passed by reference and replaced. Per-step scalars come from the host, in
// double there, because 1 - beta^t loses its digits in float32.

#include "core/macros.h"
#include "math/elementary.h"
#include "math/numeric.h"

#if defined(__AVX512F__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

namespace dnnfast::math {

// n / d, 2 ulp, for the updates below: they also take a root, and both in the one divider of a core
// would cost more than fetching the operands. A Newton step doubles the 14 bits of AVX-512's
// estimate; where it is not a number or far off (d is 0, infinite or subnormal) the estimate stays.
template <class V>
DNNFAST_HD V quotient(V n, V d) {
#if defined(__AVX512F__) && !defined(__CUDACC__)
  if constexpr (sizeof(V) == 64) {
    const V estimate = (V)_mm512_maskz_rcp14_ps(0xffff, (__m512)d);
    const V error = 1.0f - d * estimate;
    return n * select(abs(error) < 1.0f, estimate + estimate * error, estimate);
  }
#endif
  return n / d;
}

template <class V>
DNNFAST_HD V penalty(V w, float l1, float l2) {
  return l1 * abs(w) + l2 * (w * w);
}

template <class V>
DNNFAST_HD V penalty_gradient(V w, float l1, float l2) {
  return l1 * sign(w) + (2.0f * l2) * w;
}

// A NaN stays.
template <class V>
DNNFAST_HD V clip_value(V g, float limit) {
  return at_most(at_least(g, -limit), limit);
}

// What a gradient of this norm is multiplied by: limit / max(norm, limit).
DNNFAST_HD double clip_factor(double norm, double limit) {
  return norm > limit ? limit / norm : 1.0;
}

template <class V>
DNNFAST_HD V sgd(V w, V g, float learning_rate) {
  return w - learning_rate * g;
}

template <class V>
DNNFAST_HD V sgd_momentum(V w, V g, V& m, float learning_rate, float momentum) {
  m = momentum * m - learning_rate * g;
  return w + m;
}

template <class V>
DNNFAST_HD V sgd_nesterov(V w, V g, V& m, float learning_rate, float momentum) {
  const V step = learning_rate * g;
  m = momentum * m - step;
  return w + (momentum * m - step);
}

template <class V>
DNNFAST_HD void move_towards(V& average, V value, float fraction) {
  average += (value - average) * fraction;
}

// The increment of RMSprop before momentum.
struct RmspropRates {
  float learning_rate;
  float rho;
  float one_minus_rho;
  float epsilon;
};

template <class V>
DNNFAST_HD V rmsprop(V g, V& velocity, const RmspropRates& c) {
  velocity = c.rho * velocity + c.one_minus_rho * (g * g);
  return quotient(c.learning_rate * g, sqrt(velocity + c.epsilon));
}

// The variance can come out below zero through rounding only.
template <class V>
DNNFAST_HD V rmsprop_centered(V g, V& velocity, V& average, const RmspropRates& c) {
  velocity = c.rho * velocity + c.one_minus_rho * (g * g);
  average = c.rho * average + c.one_minus_rho * g;
  const V variance = at_least(velocity - average * average, 0.0f);
  return quotient(c.learning_rate * g, sqrt(variance + c.epsilon));
}

// Adam: alpha = learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t).
// Nadam: alpha, gradient_alpha and second_alpha as in ops::OptimizerScalars.
struct AdamRates {
  float alpha;
  float gradient_alpha;
  float second_alpha;
  float one_minus_beta_1;
  float one_minus_beta_2;
  float epsilon;
};

template <class V>
DNNFAST_HD V adam(V w, V g, V& m, V& v, const AdamRates& c) {
  move_towards(m, g, c.one_minus_beta_1);
  move_towards(v, g * g, c.one_minus_beta_2);
  return w - quotient(c.alpha * m, sqrt(v) + c.epsilon);
}

template <class V>
DNNFAST_HD V adam_amsgrad(V w, V g, V& m, V& v, V& largest, const AdamRates& c) {
  move_towards(m, g, c.one_minus_beta_1);
  move_towards(v, g * g, c.one_minus_beta_2);
  largest = maximum(largest, v);
  return w - quotient(c.alpha * m, sqrt(largest) + c.epsilon);
}

template <class V>
DNNFAST_HD V nadam(V w, V g, V& m, V& v, const AdamRates& c) {
  move_towards(m, g, c.one_minus_beta_1);
  move_towards(v, g * g, c.one_minus_beta_2);
  return w - quotient(c.alpha * m + c.gradient_alpha * g, sqrt(v * c.second_alpha) + c.epsilon);
}

}  // namespace dnnfast::math
