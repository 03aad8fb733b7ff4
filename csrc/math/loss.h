#pragma once
// Losses per element, as Keras 3 defines them; what runs over rows (softmax, normalisation) is in
// the kernels. V is a float or a vector of floats.

#include "core/macros.h"
#include "math/elementary.h"
#include "math/numeric.h"

namespace dnnfast::math {

// Keras's epsilon: probabilities are clipped to [kSmallestProbability, kLargestProbability] before
// a logarithm.
inline constexpr float kSmallestProbability = 1e-7f;
inline constexpr float kLargestProbability = 1.0f - 1e-7f;

// A loss's value and its derivative with respect to the prediction.
template <class V>
struct LossTerm {
  V value;
  V slope;
};

template <class V>
DNNFAST_HD LossTerm<V> squared_error(V prediction, V target) {
  const V d = prediction - target;
  return {d * d, 2.0f * d};
}

// The derivative at zero is zero; a NaN stays.
template <class V>
DNNFAST_HD LossTerm<V> absolute_error(V prediction, V target) {
  const V d = prediction - target;
  const V one = with_sign(splat<V>(1.0f), d);
  return {abs(d), select(abs(d) > 0.0f, one, d)};
}

template <class V>
DNNFAST_HD V clip_probability(V p) {
  return at_most(at_least(p, kSmallestProbability), kLargestProbability);
}

// slope where clip_probability is the identity, else 0: the derivative of what was clipped.
template <class V>
DNNFAST_HD V where_not_clipped(V p, V slope) {
  return select(p < kSmallestProbability, V{}, select(p > kLargestProbability, V{}, slope));
}

// -(t log p + (1 - t) log(1 - p)).
template <class V>
DNNFAST_HD LossTerm<V> binary_crossentropy(V p, V t) {
  const V c = clip_probability(p);
  const V rest = 1.0f - c;
  const V value = -(t * log(c) + (1.0f - t) * log(rest));
  return {value, where_not_clipped(p, (c - t) / (c * rest))};
}

// The same of p = sigmoid(x): max(x, 0) - x t + log(1 + e^-|x|).
template <class V>
DNNFAST_HD LossTerm<V> binary_crossentropy_from_logits(V x, V t) {
  const V e = exp(-abs(x));  // sigmoid(|x|) = 1 / (1 + e), sigmoid(-|x|) = e / (1 + e)
  const V value = at_least(x, 0.0f) - x * t + log1p(e);
  const V sigmoid = select(x < 0.0f, e, splat<V>(1.0f)) / (1.0f + e);
  return {value, sigmoid - t};
}

// Label smoothing: `share` is s / columns for categories, s / 2 for binary labels.
template <class V>
DNNFAST_HD V smooth_label(V t, float smoothing, float share) {
  return t * (1.0f - smoothing) + share;
}

}  // namespace dnnfast::math
