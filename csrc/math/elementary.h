#pragma once
// Elementary functions, written once for scalars and vectors (see numeric.h for V). Error bounds
// are in units in the last place of the correctly rounded float32 result, with or without fused
// multiply-add; tests/cpp/math_accuracy.cpp holds them to it. Every function returns NaN for NaN
// and the limit at the infinities. Results below the smallest normal number may become zero.
//
// The polynomials are minimax fits on the reduced ranges. Reductions split ln 2 into a part of 15
// bits, so that its product with an exponent is exact even without fused multiply-add, and the
// rest.

#include <stdint.h>

#include "core/macros.h"
#include "math/numeric.h"

namespace dnnfast::math {

inline constexpr float kLn2High = 0.693145751953125f;
inline constexpr float kLn2Low = 1.42860677e-6f;

template <class V>
DNNFAST_HD V to_float(IntOf<V> i) {
  if constexpr (sizeof(V) == sizeof(float)) {
    return static_cast<V>(i);
  } else {
    return __builtin_convertvector(i, V);
  }
}

template <class V>
DNNFAST_HD V abs(V x) {
  return bits_as<V>(bits_as<UIntOf<V>>(x) & 0x7fffffffu);
}

// |magnitude| with the sign of `sign`. magnitude must not be negative.
template <class V>
DNNFAST_HD V with_sign(V magnitude, V sign) {
  using U = UIntOf<V>;
  return bits_as<V>(bits_as<U>(magnitude) | (bits_as<U>(sign) & 0x80000000u));
}

// -1, 0 or 1; NaN stays.
template <class V>
DNNFAST_HD V sign(V x) {
  return select(x > 0.0f, splat<V>(1.0f), select(x < 0.0f, splat<V>(-1.0f), x));
}

// max(x, bound) and min(x, bound); a NaN in x stays.
template <class V>
DNNFAST_HD V at_least(V x, float bound) {
  return select(x < bound, splat<V>(bound), x);
}
template <class V>
DNNFAST_HD V at_most(V x, float bound) {
  return select(x > bound, splat<V>(bound), x);
}

// The same for two variables; a NaN in either stays.
template <class V>
DNNFAST_HD V maximum(V a, V b) {
  return select(a != a, a, select(a > b, a, b));
}
template <class V>
DNNFAST_HD V minimum(V a, V b) {
  return select(a != a, a, select(a < b, a, b));
}

// Correctly rounded. The loop over lanes compiles to one vector instruction.
template <class V>
DNNFAST_HD V sqrt(V x) {
  if constexpr (sizeof(V) == sizeof(float)) {
#if defined(__CUDA_ARCH__)
    return ::sqrtf(x);
#else
    return __builtin_sqrtf(x);
#endif
  } else {
    V y;
    for (unsigned i = 0; i < sizeof(V) / sizeof(float); ++i) y[i] = __builtin_sqrtf(x[i]);
    return y;
  }
}

// 1.5 ulp.
template <class V>
DNNFAST_HD V rsqrt(V x) {
  return 1.0f / sqrt(x);
}

// x = n ln 2 + r with |r| <= ln(2) / 2, for |x| < 2^20.
template <class V>
struct ReducedArgument {
  V r;
  V q;                 // e^r = 1 + r + r^2 q
  UIntOf<V> exponent;  // n << 23, modulo 2^32: adding it to a float's bits multiplies by 2^n
};

template <class V>
DNNFAST_HD ReducedArgument<V> reduce_exp(V x) {
  // Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits of the sum.
  constexpr float kRound = 12582912.0f;
  constexpr float kLog2E = 1.44269504f;
  const V t = x * kLog2E + kRound;
  const V n = t - kRound;
  const V r = (x - n * kLn2High) - n * kLn2Low;
  V q = r * 0.00138824969f + 0.00836664718f;
  q = q * r + 0.0416672044f;
  q = q * r + 0.16666542f;
  q = q * r + 0.49999997f;
  return {r, q, bits_as<UIntOf<V>>(t) << 23};
}

// e^x for -87.3 <= x <= 88.7; garbage elsewhere, also for NaN.
template <class V>
DNNFAST_HD V exp_in_range(V x) {
  const ReducedArgument<V> a = reduce_exp(x);
  const V p = (a.q * a.r + 1.0f) * a.r + 1.0f;
  return bits_as<V>(bits_as<UIntOf<V>>(p) + a.exponent);
}

// e^x, 1.2 ulp (0.9 with fused multiply-add). Zero below ln(2^-126).
template <class V>
DNNFAST_HD V exp(V x) {
  constexpr float kLargest = 88.7228394f;
  constexpr float kSmallest = -87.3365479f;
  const V y = exp_in_range(x);
  // The product overflows to infinity for every x that gets there, and keeps NaN.
  const V bounded = select(x <= kLargest, y, x * 1e37f);
  return select(x < kSmallest, V{}, bounded);
}

// e^x - 1 for -60 <= x <= 80, and NaN for NaN; garbage elsewhere. 2 ulp.
template <class V>
DNNFAST_HD V expm1_in_range(V x) {
  using U = UIntOf<V>;
  const ReducedArgument<V> a = reduce_exp(x);
  const V e = a.q * a.r * a.r + a.r;
  const V scale = bits_as<V>(a.exponent + (U{} + 0x3f800000u));
  return scale * e + (scale - 1.0f);
}

// e^x - 1, 2 ulp.
template <class V>
DNNFAST_HD V expm1(V x) {
  using U = UIntOf<V>;
  constexpr float kLargest = 88.7228394f;
  constexpr float kSaturated = -20.0f;  // e^-20 < 2^-25: the result rounds to -1
  const ReducedArgument<V> a = reduce_exp(at_least(x, kSaturated));
  const V e = a.q * a.r * a.r + a.r;
  const V half_scale = bits_as<V>(a.exponent + (U{} + 0x3f000000u));  // 2^128 does not exist
  const V y = 2.0f * (half_scale * e + (half_scale - 0.5f));
  return select(x <= kLargest, y, x * 1e37f);
}

// x = 2^k (1 + f) with -1/3 <= f < 1/3, for normal positive x.
template <class V>
struct ReducedLogarithm {
  V f;
  V k;
  UIntOf<V> exponent;  // k << 23, modulo 2^32
};

template <class V>
DNNFAST_HD ReducedLogarithm<V> reduce_log(V x) {
  using U = UIntOf<V>;
  constexpr float kExponentUnit = 1.0f / 8388608.0f;
  const U bits = bits_as<U>(x);
  const U exponent = (bits - 0x3f2aaaabu) & 0xff800000u;  // relative to 2/3
  return {bits_as<V>(bits - exponent) - 1.0f,
          to_float<V>(bits_as<IntOf<V>>(exponent)) * kExponentUnit, exponent};
}

// k ln 2 + log(1 + f) for |f| <= 1/3.
template <class V>
DNNFAST_HD V log_of_reduced(V f, V k) {
  V p = f * -0.12891683f + 0.139844388f;
  p = p * f - 0.121842615f;
  p = p * f + 0.140058681f;
  p = p * f - 0.16680488f;
  p = p * f + 0.200104058f;
  p = p * f - 0.249997973f;
  p = p * f + 0.333332151f;
  p = p * f - 0.5f;
  const V low = p * (f * f) + k * kLn2Low;
  return k * kLn2High + (low + f);
}

// log x, 2 ulp; -infinity at 0, NaN below.
template <class V>
DNNFAST_HD V log(V x) {
  constexpr float kSmallestNormal = 1.17549435e-38f;
  const auto tiny = x < kSmallestNormal;
  const ReducedLogarithm<V> a = reduce_log(select(tiny, x * 8388608.0f, x));
  const V k = select(tiny, a.k - 23.0f, a.k);
  const V y = select(x < __builtin_inff(), log_of_reduced(a.f, k), x);
  const V outside = select(x < 0.0f, splat<V>(__builtin_nanf("")), splat<V>(-__builtin_inff()));
  return select(x <= 0.0f, outside, y);
}

// log(1 + x), 2 ulp; -infinity at -1, NaN below.
template <class V>
DNNFAST_HD V log1p(V x) {
  using U = UIntOf<V>;
  const V u = 1.0f + x;
  const V back = u - 1.0f;
  const V lost = (1.0f - (u - back)) + (x - back);  // 1 + x = u + lost exactly
  const ReducedLogarithm<V> a = reduce_log(u);
  const V inverse_scale = bits_as<V>((U{} + 0x3f800000u) - a.exponent);
  // Nothing that matters is lost from 2^24 on, and the largest scale has no inverse.
  const V f = a.f + select(x < 1e9f, lost * inverse_scale, V{});
  const V y = select(x < __builtin_inff(), log_of_reduced(f, a.k), x);
  const V outside = select(x < -1.0f, splat<V>(__builtin_nanf("")), splat<V>(-__builtin_inff()));
  return select(x <= -1.0f, outside, y);
}

// 3 ulp.
template <class V>
DNNFAST_HD V tanh(V x) {
  constexpr float kSaturated = 10.0f;  // tanh rounds to 1 from 9.02 on
  const V m = expm1_in_range(2.0f * at_most(abs(x), kSaturated));
  return with_sign(m / (m + 2.0f), x);
}

// 1 / (1 + e^-x), 3 ulp; zero below -88.7.
template <class V>
DNNFAST_HD V sigmoid(V x) {
  return 1.0f / (1.0f + exp(-x));
}

// 3 ulp.
template <class V>
DNNFAST_HD V erf(V x) {
  constexpr float kSplit = 0.925f;
  constexpr float kSaturated = 4.0f;  // erf rounds to 1 from 3.92 on
  const V s = x * x;
  V small = s * -0.000595349469f + 0.00498588104f;
  small = small * s - 0.0267616678f;
  small = small * s + 0.112816803f;
  small = small * s - 0.376124799f;
  small = small * s + 0.128379151f;
  small = small * x + x;
  // Above the split: erf(t) = 1 - exp(t h(t)).
  const V t = at_most(abs(x), kSaturated);
  V h = t * 0.000213984968f - 0.0032149558f;
  h = h * t + 0.0228899643f;
  h = h * t - 0.10526184f;
  h = h * t - 0.635718286f;
  h = h * t - 1.12851441f;
  const V large = with_sign(1.0f - exp_in_range(h * t), x);
  return select(abs(x) > kSplit, large, small);  // NaN goes with small
}

// log(1 + e^x), 3 ulp. Zero below ln(2^-126).
template <class V>
DNNFAST_HD V softplus(V x) {
  constexpr float kSmallest = -87.3365479f;
  const V a = -abs(x);
  const V e = select(a < kSmallest, V{}, exp_in_range(a));
  // log(1 + e) for e in [0, 1] reduces without looking at bits: 1 + e = 2 (1 + (e - 1) / 2).
  const auto upper = e > (1.0f / 3.0f);
  const V f = select(upper, (e - 1.0f) * 0.5f, e);
  const V k = select(upper, splat<V>(1.0f), V{});
  return at_least(x, 0.0f) + log_of_reduced(f, k);  // NaN comes from the first term
}

}  // namespace dnnfast::math
