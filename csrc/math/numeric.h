#pragma once
// Lets one formula serve scalars (float, in CUDA threads) and vectors (on the CPU). A value type V is float or
// a vector of floats with the arithmetic and comparison operators of the compilers' vector
// extensions; a comparison of vectors gives a vector of integers (0 or -1), of floats a bool.

#include <stdint.h>

#include "core/macros.h"

namespace dnnfast::math {

template <class V>
struct Numeric;

template <>
struct Numeric<float> {
  using Int = int32_t;
  using UInt = uint32_t;
};

template <class V>
using IntOf = typename Numeric<V>::Int;
template <class V>
using UIntOf = typename Numeric<V>::UInt;

// c ? a : b, lane by lane.
DNNFAST_HD float select(bool c, float a, float b) { return c ? a : b; }
template <class M, class V>
DNNFAST_HD V select(M c, V a, V b) {
  return c ? a : b;
}

template <class V>
DNNFAST_HD V splat(float value) {
  return V{} + value;
}

// The same bits under another type of equal size.
template <class To, class From>
DNNFAST_HD To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace dnnfast::math
