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
// Others: alpha, gradient_alpha and second_alpha as in ops::OptimizerScalars.
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

// Adamax, in the last section of Adam's paper: the largest gradient, forgotten by beta_2, takes the place of the root.
template <class V>
DNNFAST_HD V adamax(V w, V g, V& m, V& u, const AdamRates& c, float beta_2) {
  move_towards(m, g, c.one_minus_beta_1);
  u = maximum(beta_2 * u, abs(g));
  return w - quotient(c.alpha * m, u + c.epsilon);
}

template <class V>
DNNFAST_HD V adagrad(V w, V g, V& accumulator, float learning_rate, float epsilon) {
  accumulator += g * g;
  return w - quotient(learning_rate * g, sqrt(accumulator + epsilon));
}

template <class V>
DNNFAST_HD V adadelta(V w, V g, V& gradients, V& steps, const RmspropRates& c) {
  gradients = c.rho * gradients + c.one_minus_rho * (g * g);
  const V step = quotient(sqrt(steps + c.epsilon) * g, sqrt(gradients + c.epsilon));
  steps = c.rho * steps + c.one_minus_rho * (step * step);
  return w - c.learning_rate * step;
}

struct LionRates {
  float learning_rate;
  float beta_1, one_minus_beta_1;
  float beta_2, one_minus_beta_2;
};

// A NaN stays.
template <class V>
DNNFAST_HD V lion(V w, V g, V& m, const LionRates& c) {
  const V mixed = c.beta_1 * m + c.one_minus_beta_1 * g;
  m = c.beta_2 * m + c.one_minus_beta_2 * g;
  return w - c.learning_rate * select(mixed != mixed, mixed, sign(mixed));
}

// The gradient is subtracted from a sequence z of its own; w lies between z and the mean of all z so far. From
// w = (1 - beta_1) z + beta_1 mean, the mean is not kept. keep = 1 - 1/t, share = 1 - beta_1 + beta_1 / t.
struct ScheduleFreeRates {
  float learning_rate;
  float one_minus_beta_1;
  float one_minus_beta_2;
  float second_alpha;  // 1 / (1 - beta_2^t)
  float epsilon;
  float keep;
  float share;
};

template <class V>
DNNFAST_HD V schedule_free(V w, V g, V& z, V& v, const ScheduleFreeRates& c) {
  const V mean = w - c.one_minus_beta_1 * z;  // times beta_1
  move_towards(v, g * g, c.one_minus_beta_2);
  z -= quotient(c.learning_rate * g, sqrt(v * c.second_alpha) + c.epsilon);
  return c.keep * mean + c.share * z;
}

struct FtrlRates {
  float inverse_rate;
  float l1;
  float double_l2;         // 2 l2 + beta / learning_rate
  float double_shrinkage;  // 2 l2_shrinkage
  float power;             // -learning_rate_power
};

// x^power for x >= 0 and power >= 0.
template <class V>
DNNFAST_HD V power_of(V x, float power) {
  if (power == 0.5f) return sqrt(x);
  if (power == 0.0f) return splat<V>(1.0f);
  return select(x > 0.0f, exp(power * log(x)), x);
}

// (n + d)^power - n^power for n, d >= 0, without subtracting nearly equal powers.
template <class V>
DNNFAST_HD V power_growth(V n, V d, float power) {
  if (power == 0.0f) return V{};
  if (power == 0.5f) return select(d > 0.0f, d / (sqrt(n + d) + sqrt(n)), V{} * d);
  return select(n > 0.0f, power_of(n, power) * expm1(power * log1p(d / n)), power_of(d, power));
}

// Follow the regularized leader (McMahan et al., 2013). Where nothing pulls at a weight it is 0.
template <class V>
DNNFAST_HD V ftrl(V w, V g, V& accumulator, V& linear, const FtrlRates& c) {
  const V square = g * g;
  const V sigma = power_growth(accumulator, square, c.power) * c.inverse_rate;
  linear += (g + c.double_shrinkage * w) - sigma * w;
  accumulator += square;
  const V quadratic = power_of(accumulator, c.power) * c.inverse_rate + c.double_l2;
  const V pull = at_most(at_least(linear, -c.l1), c.l1) - linear;
  return select(pull == 0.0f, V{}, pull / quadratic);
}

// Lamb's direction, which a rate for the whole parameter then scales.
template <class V>
DNNFAST_HD V lamb(V g, V& m, V& v, const AdamRates& c) {
  move_towards(m, g, c.one_minus_beta_1);
  move_towards(v, g * g, c.one_minus_beta_2);
  return quotient(c.alpha * m, sqrt(v * c.second_alpha) + c.epsilon);
}

// Lamb's rate: as long as the weights are, so long are the steps.
DNNFAST_HD float lamb_rate(float learning_rate, double weights, double direction) {
  return weights > 0 && direction > 0 ? static_cast<float>(learning_rate * (weights / direction))
                                      : learning_rate;
}

// Adafactor's direction g / sqrt(v); where both are 0 it is 0.
template <class V>
DNNFAST_HD V adafactor(V g, V v) {
  return select(g == 0.0f, V{}, g / sqrt(v));
}

// Adafactor's rate, from the root mean squares of the weights and of the direction.
DNNFAST_HD float adafactor_rate(float rho, double weights, double direction, float epsilon_2,
                                float clip_threshold) {
  const double smallest = static_cast<double>(epsilon_2),
               excess = direction / static_cast<double>(clip_threshold);
  return static_cast<float>(static_cast<double>(rho) * (weights > smallest ? weights : smallest) /
                            (excess > 1 ? excess : 1.0));
}

// Muon's rate: by the root of the longer side, so that it may be that of Adam; rms_rate 0 leaves it as it is.
DNNFAST_HD float muon_rate(float learning_rate, float rms_rate, int64_t rows, int64_t cols) {
  if (rms_rate == 0.0f) return learning_rate;
  return learning_rate * rms_rate * sqrt(static_cast<float>(rows > cols ? rows : cols));
}

// Muon's momentum, and what is then made orthogonal.
template <class V>
DNNFAST_HD V muon(V g, V& m, float momentum, bool nesterov) {
  m = momentum * m + g;
  return nesterov ? g + momentum * m : m;
}

}  // namespace dnnfast::math
