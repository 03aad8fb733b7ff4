#pragma once
// Elements of the caller's arrays as the engine's types.

#include <stdint.h>

#include "core/macros.h"
#include "math/numeric.h"

namespace dnnfast::math {

struct Half {
  uint16_t bits;
};

// Exact. A subnormal gets a normal number's exponent, whose leading one is then subtracted:
// arithmetic on float subnormals would be a hundred times slower.
DNNFAST_HD float to_float(Half h) {
  constexpr uint32_t kBias = 0x38000000u;  // from 15 to 127
  constexpr uint32_t kSmallestNormal = 0x38800000u;
  const uint32_t sign = static_cast<uint32_t>(h.bits & 0x8000u) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(h.bits & 0x7fffu) << 13;
  const float subnormal =
      bits_as<float>(magnitude + kSmallestNormal) - bits_as<float>(kSmallestNormal);
  const uint32_t finite =
      magnitude < 0x00800000u ? bits_as<uint32_t>(subnormal) : magnitude + kBias;
  return bits_as<float>((magnitude < 0x0f800000u ? finite : magnitude | 0x7f800000u) | sign);
}
template <class T>
DNNFAST_HD float to_float(T value) {
  return static_cast<float>(value);
}

// The nearest number with 10 bits of mantissa; ties away from zero, as the matrix units' own conversion.
DNNFAST_HD float to_tf32(float x) {
  const uint32_t bits = bits_as<uint32_t>(x);
  const bool finite = (bits & 0x7f800000u) != 0x7f800000u;
  return finite ? bits_as<float>((bits + 0x1000u) & 0xffffe000u) : x;
}

// The bits of the nearest bfloat16; ties to even. A NaN stays one.
DNNFAST_HD uint16_t to_bfloat16(float x) {
  const uint32_t bits = bits_as<uint32_t>(x);
  const uint32_t rounded = bits + 0x7fffu + (bits >> 16 & 1u);
  return static_cast<uint16_t>((x == x ? rounded : bits | 0x00400000u) >> 16);
}
DNNFAST_HD float from_bfloat16(uint16_t bits) {
  return bits_as<float>(static_cast<uint32_t>(bits) << 16);
}

// What no class is called: NaN and numbers that int32 does not hold become it.
inline constexpr int32_t kNoLabel = -1;

template <class T>
DNNFAST_HD int32_t to_label(T value) {
  // Every integer of the source types is compared in a type that holds it.
  const double number = static_cast<double>(value);
  return number > -2147483649.0 && number < 2147483648.0 ? static_cast<int32_t>(value) : kNoLabel;
}
DNNFAST_HD int32_t to_label(Half value) { return to_label(to_float(value)); }

template <class T>
DNNFAST_HD T read(const char* p) {
  T value;
  __builtin_memcpy(&value, p, sizeof value);  // the caller's arrays may be unaligned
  return value;
}

}  // namespace dnnfast::math
