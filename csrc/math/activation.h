#pragma once
// The element-wise activations: formula and derivative, for scalars and vectors (see numeric.h).

#include "core/macros.h"
#include "math/elementary.h"

namespace dnnfast::math {

enum class ActivationKind : int {
  linear,
  relu,
  relu6,
  leaky_relu,  // alpha: slope below zero
  elu,         // alpha: minus the limit at -infinity
  selu,
  celu,  // alpha: the same
  gelu,
  gelu_tanh,
  silu,  // alpha: factor in the sigmoid (1 is silu itself)
  mish,
  sigmoid,
  hard_sigmoid,
  tanh,
  hard_tanh,
  softplus,
  softsign,
  exponential,
  hard_silu,
  log_sigmoid,
  squareplus,   // alpha: b of (x + sqrt(x^2 + b)) / 2
  soft_shrink,  // alpha: threshold
  hard_shrink,  // alpha: threshold
  tanh_shrink,
  threshold,  // x above alpha, else beta
  heaviside,
  sign,
  count  // not an activation: the number of kinds
};

struct Activation {
  ActivationKind kind = ActivationKind::linear;
  float alpha = 0.0f;
  float beta = 0.0f;
};

// What the derivative of a kind is computed from: y = f(x), so that x need not be kept, or x; or,
// by the sign of alpha, either.
enum class DerivativeSource { output, input, by_alpha };

DNNFAST_HD constexpr DerivativeSource derivative_source(ActivationKind kind) {
  using Kind = ActivationKind;
  switch (kind) {
    case Kind::leaky_relu:
    case Kind::elu:
    case Kind::celu:
    case Kind::soft_shrink:
    case Kind::hard_shrink: return DerivativeSource::by_alpha;
    case Kind::gelu:
    case Kind::gelu_tanh:
    case Kind::silu:
    case Kind::mish:
    case Kind::hard_silu:
    case Kind::squareplus:
    case Kind::tanh_shrink:
    case Kind::threshold: return DerivativeSource::input;
    default: return DerivativeSource::output;
  }
}

DNNFAST_HD bool derivative_from_output(const Activation& act) {
  const DerivativeSource source = derivative_source(act.kind);
  if (source != DerivativeSource::by_alpha) return source == DerivativeSource::output;
  // Below zero, or at zero where the derivative needs a division or y is constant, y does not
  // tell the pieces apart.
  const bool needs_positive = act.kind == ActivationKind::elu || act.kind == ActivationKind::celu;
  return needs_positive ? act.alpha > 0.0f : act.alpha >= 0.0f;
}

inline constexpr float kSeluScale = 1.0507009873554805f;
inline constexpr float kSeluAlpha = 1.6732632423543772f;
inline constexpr float kSixth = 1.0f / 6.0f;

namespace detail {

// e^x - 1 for x <= 0; garbage above, which the caller discards.
template <class V>
DNNFAST_HD V expm1_below_zero(V x) {
  return expm1_in_range(at_least(x, -20.0f));
}

// sigmoid(2 u) is (1 + tanh u) / 2 without its cancellation.
template <class V>
DNNFAST_HD V gelu_tanh_gate(V x) {
  constexpr float kTwiceSqrt2OverPi = 1.59576912f;
  return sigmoid(x * kTwiceSqrt2OverPi * (x * x * 0.044715f + 1.0f));
}

// x tanh(log(1 + e)) = x n / (n + 2), where e = e^x and n = e (e + 2); e^20 is as good as any more.
inline constexpr float kMishSaturated = 20.0f;

// sqrt(x^2 + b), with |x| where the square would overflow.
template <class V>
DNNFAST_HD V hypotenuse(V x, float b) {
  return select(abs(x) > 1e18f, abs(x), sqrt(x * x + b));
}

// (x + root) / 2, and without cancellation below zero.
template <class V>
DNNFAST_HD V squareplus(V x, float b) {
  const V sum = hypotenuse(x, b) + abs(x);
  return select(x < 0.0f, (0.5f * b) / sum, 0.5f * sum);
}

}  // namespace detail

// Kinds made of straight lines.
template <ActivationKind K, class V>
DNNFAST_HD V piecewise_linear(V x, float alpha, float beta) {
  using Kind = ActivationKind;
  const V zero{};
  if constexpr (K == Kind::relu) {
    return at_least(x, 0.0f);
  } else if constexpr (K == Kind::relu6) {
    return at_most(at_least(x, 0.0f), 6.0f);
  } else if constexpr (K == Kind::leaky_relu) {
    return select(x > 0.0f, x, x * alpha);
  } else if constexpr (K == Kind::hard_sigmoid) {
    return at_most(at_least(x * kSixth + 0.5f, 0.0f), 1.0f);
  } else if constexpr (K == Kind::hard_tanh) {
    return at_most(at_least(x, -1.0f), 1.0f);
  } else if constexpr (K == Kind::soft_shrink) {
    return select(x > alpha, x - alpha, select(x < -alpha, x + alpha, x - x));  // x - x keeps NaN
  } else if constexpr (K == Kind::hard_shrink) {
    return select(abs(x) <= alpha, zero, x);
  } else if constexpr (K == Kind::threshold) {
    return select(x <= alpha, splat<V>(beta), x);
  } else if constexpr (K == Kind::heaviside) {
    return select(x > 0.0f, splat<V>(1.0f), zero);
  } else if constexpr (K == Kind::sign) {
    return select(x > 0.0f, splat<V>(1.0f), select(x < 0.0f, splat<V>(-1.0f), zero));
  } else {
    static_assert(K == Kind::linear);
    return x;
  }
}

// The activation K of x. alpha and beta as in ActivationKind.
template <ActivationKind K, class V>
DNNFAST_HD V activation(V x, float alpha, float beta) {
  using Kind = ActivationKind;
  if constexpr (K == Kind::elu) {
    return select(x > 0.0f, x, detail::expm1_below_zero(x) * alpha);
  } else if constexpr (K == Kind::selu) {
    constexpr float kBelow = kSeluScale * kSeluAlpha;
    return select(x > 0.0f, x * kSeluScale, detail::expm1_below_zero(x) * kBelow);
  } else if constexpr (K == Kind::celu) {
    return select(x > 0.0f, x, expm1(x / alpha) * alpha);
  } else if constexpr (K == Kind::gelu) {
    return 0.5f * x * (1.0f + erf(x * 0.707106781f));
  } else if constexpr (K == Kind::gelu_tanh) {
    return x * detail::gelu_tanh_gate(x);
  } else if constexpr (K == Kind::silu) {
    return x * sigmoid(x * alpha);
  } else if constexpr (K == Kind::mish) {
    const V e = exp(at_most(x, detail::kMishSaturated));
    const V n = e * (e + 2.0f);
    return x * (n / (n + 2.0f));
  } else if constexpr (K == Kind::sigmoid) {
    return sigmoid(x);
  } else if constexpr (K == Kind::tanh) {
    return tanh(x);
  } else if constexpr (K == Kind::softplus) {
    return softplus(x);
  } else if constexpr (K == Kind::softsign) {
    return x / (1.0f + abs(x));
  } else if constexpr (K == Kind::exponential) {
    return exp(x);
  } else if constexpr (K == Kind::hard_silu) {
    return x * piecewise_linear<Kind::hard_sigmoid>(x, alpha, beta);
  } else if constexpr (K == Kind::log_sigmoid) {
    return -softplus(-x);
  } else if constexpr (K == Kind::squareplus) {
    return detail::squareplus(x, alpha);
  } else if constexpr (K == Kind::tanh_shrink) {
    return x - tanh(x);
  } else {
    return piecewise_linear<K>(x, alpha, beta);
  }
}

// f'(x) of the kinds for which derivative_from_output is always or sometimes true, from y = f(x).
template <ActivationKind K, class V>
DNNFAST_HD V derivative_of_output(V y, float alpha) {
  using Kind = ActivationKind;
  const V one = splat<V>(1.0f);
  const V zero{};
  if constexpr (K == Kind::linear) {
    return one;
  } else if constexpr (K == Kind::relu) {
    return select(y > 0.0f, one, zero);
  } else if constexpr (K == Kind::relu6) {
    return select(y > 0.0f, select(y < 6.0f, one, zero), zero);
  } else if constexpr (K == Kind::leaky_relu) {
    return select(y > 0.0f, one, splat<V>(alpha));
  } else if constexpr (K == Kind::elu) {
    return select(y > 0.0f, one, y + alpha);
  } else if constexpr (K == Kind::selu) {
    return select(y > 0.0f, splat<V>(kSeluScale), y + kSeluScale * kSeluAlpha);
  } else if constexpr (K == Kind::celu) {
    return select(y > 0.0f, one, y * (1.0f / alpha) + 1.0f);
  } else if constexpr (K == Kind::sigmoid) {
    return y * (1.0f - y);
  } else if constexpr (K == Kind::hard_sigmoid) {
    return select(y > 0.0f, select(y < 1.0f, splat<V>(kSixth), zero), zero);
  } else if constexpr (K == Kind::tanh) {
    return 1.0f - y * y;
  } else if constexpr (K == Kind::hard_tanh) {
    return select(abs(y) < 1.0f, one, zero);
  } else if constexpr (K == Kind::softplus) {
    return -expm1(-y);
  } else if constexpr (K == Kind::log_sigmoid) {
    return -expm1(y);
  } else if constexpr (K == Kind::softsign) {
    const V rest = 1.0f - abs(y);
    return rest * rest;
  } else if constexpr (K == Kind::exponential) {
    return y;
  } else if constexpr (K == Kind::soft_shrink || K == Kind::hard_shrink) {
    return select(y == 0.0f, zero, one);
  } else {
    static_assert(K == Kind::heaviside || K == Kind::sign);
    return zero;
  }
}

// f'(x) of the kinds for which derivative_from_output is never or not always true, from x.
template <ActivationKind K, class V>
DNNFAST_HD V derivative_of_input(V x, float alpha) {
  using Kind = ActivationKind;
  const V one = splat<V>(1.0f);
  const V zero{};
  if constexpr (K == Kind::leaky_relu) {
    return select(x > 0.0f, one, splat<V>(alpha));
  } else if constexpr (K == Kind::elu) {
    return select(x > 0.0f, one, exp(at_most(x, 0.0f)) * alpha);
  } else if constexpr (K == Kind::celu) {
    return select(x > 0.0f, one, exp(x / alpha));
  } else if constexpr (K == Kind::gelu) {
    const V density = exp(x * x * -0.5f) * 0.398942280f;
    return 0.5f * (1.0f + erf(x * 0.707106781f)) + x * density;
  } else if constexpr (K == Kind::gelu_tanh) {
    // Beyond 10 the second term is zero, but its factors would overflow.
    const V gate = detail::gelu_tanh_gate(x);
    const V near = at_most(at_least(x, -10.0f), 10.0f);
    const V slope = 1.59576912f * (near * near * (3.0f * 0.044715f) + 1.0f);
    return gate + near * slope * (gate * (1.0f - gate));
  } else if constexpr (K == Kind::silu) {
    const V gate = sigmoid(x * alpha);
    return gate * (x * alpha * (1.0f - gate) + 1.0f);
  } else if constexpr (K == Kind::mish) {
    const V near = at_most(x, detail::kMishSaturated);
    const V e = exp(near);
    const V n = e * (e + 2.0f);
    const V inverse = 1.0f / (n + 2.0f);
    return n * inverse + near * (4.0f * e * (1.0f + e)) * inverse * inverse;
  } else if constexpr (K == Kind::hard_silu) {
    const V inside = x * (2.0f * kSixth) + 0.5f;
    return select(x >= 3.0f, one, select(x <= -3.0f, zero, inside));
  } else if constexpr (K == Kind::squareplus) {
    return detail::squareplus(x, alpha) / detail::hypotenuse(x, alpha);
  } else if constexpr (K == Kind::soft_shrink || K == Kind::hard_shrink) {
    return select(abs(x) > alpha, one, zero);
  } else if constexpr (K == Kind::tanh_shrink) {
    const V t = tanh(x);
    return t * t;
  } else {
    static_assert(K == Kind::threshold);
    return select(x > alpha, one, zero);
  }
}

// f'(x) from `saved`, which is f(x) where derivative_from_output says so, else x.
template <ActivationKind K, class V>
DNNFAST_HD V derivative(V saved, float alpha) {
  constexpr DerivativeSource kSource = derivative_source(K);
  if constexpr (kSource == DerivativeSource::output) {
    return derivative_of_output<K>(saved, alpha);
  } else if constexpr (kSource == DerivativeSource::input) {
    return derivative_of_input<K>(saved, alpha);
  } else {
    return derivative_from_output({K, alpha, 0.0f}) ? derivative_of_output<K>(saved, alpha)
                                                    : derivative_of_input<K>(saved, alpha);
  }
}

}  // namespace dnnfast::math
