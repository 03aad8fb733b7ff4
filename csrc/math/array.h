#pragma once
// The instructions of a tape (ops/array.h) that are not in elementary.h, and how its random bits are numbered.

#include <stdint.h>

#include "math/elementary.h"
#include "math/library.h"
#include "math/philox.h"

namespace dnnfast::math {

template <class V>
DNNFAST_HD V truth(decltype(V{} < V{}) c) {
  return select(c, splat<V>(1.0f), V{});
}

// The inverse of erf by two Newton steps from the approximation of Giles, "Approximating the erfinv function" (GPU
// Computing Gems, 2010), in the form with one logarithm.
DNNFAST_HD float erfinv(float x) {
  if (x <= -1.0f || x >= 1.0f || x != x)
    return x == 1.0f ? __builtin_inff() : x == -1.0f ? -__builtin_inff() : __builtin_nanf("");
  float w = -log1p(-x * x);
  float p;
  if (w < 5.0f) {
    w -= 2.5f;
    p = 2.81022636e-08f;
    p = 3.43273939e-07f + p * w;
    p = -3.5233877e-06f + p * w;
    p = -4.39150654e-06f + p * w;
    p = 0.00021858087f + p * w;
    p = -0.00125372503f + p * w;
    p = -0.00417768164f + p * w;
    p = 0.246640727f + p * w;
    p = 1.50140941f + p * w;
  } else {
    w = sqrt(w) - 3.0f;
    p = -0.000200214257f;
    p = 0.000100950558f + p * w;
    p = 0.00134934322f + p * w;
    p = -0.00367342844f + p * w;
    p = 0.00573950773f + p * w;
    p = -0.0076224613f + p * w;
    p = 0.00943887047f + p * w;
    p = 1.00167406f + p * w;
    p = 2.83297682f + p * w;
  }
  return p * x;
}

// a - b floor(a / b): of the sign of b, as in Python.
DNNFAST_HD float floor_mod(float a, float b) {
  const float r = fmod(a, b);
  return r != 0.0f && (r < 0.0f) != (b < 0.0f) ? r + b : r;
}

// Uniform in [0, 1), from 24 random bits: word `word` of counter `position` of a stream.
DNNFAST_HD float uniform(const DropoutBits& bits, uint64_t position, int word) {
  // Positions beyond 2^32 change the stream's top byte, which numbered streams leave free.
  const uint32_t rest[3] = {bits.rest[0] ^ static_cast<uint32_t>(position >> 32) << 24,
                            bits.rest[1], bits.rest[2]};
  const PhiloxWords<uint32_t> words = philox(static_cast<uint32_t>(position), rest, bits.key);
  return static_cast<float>(words.word[word] >> 8) * 5.9604644775390625e-08f;
}

}  // namespace dnnfast::math
