#pragma once
// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3" (SC 2011), on one counter (U = uint32_t) or one per lane (a vector of uint32_t); and how
// dropout and shuffling number their random bits with it.

#include <stdint.h>

#include "core/macros.h"
#include "core/tensor.h"

#if defined(__SSE2__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

namespace dnnfast::math {

template <class U>
struct PhiloxWords {
  U word[4];
};

struct PhiloxKey {
  uint32_t low = 0;
  uint32_t high = 0;
};

DNNFAST_HD PhiloxKey philox_key(uint64_t seed) {
  return {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
}

inline constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53u;
inline constexpr uint32_t kPhiloxMultiplier1 = 0xCD9E8D57u;
inline constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9u;
inline constexpr uint32_t kPhiloxWeyl1 = 0xBB67AE85u;

// The product of the low 32 bits of each 64-bit element of x with m. W is uint64_t or a vector of
// it. x86 has one instruction for it, which compilers do not find in the portable form.
template <class W>
DNNFAST_HD W multiply_low_half(W x, uint32_t m) {
#if defined(__SSE2__) && !defined(__CUDACC__)
#if defined(__AVX512F__)
  if constexpr (sizeof(W) == 64) {
    // Not _mm512_mul_epu32, whose undefined third operand GCC warns of; the code is the same.
    return (W)_mm512_maskz_mul_epu32(0xff, (__m512i)x, (__m512i)(W{} + m));
  } else
#endif
#if defined(__AVX2__)
      if constexpr (sizeof(W) == 32) {
    return (W)_mm256_mul_epu32((__m256i)x, (__m256i)(W{} + m));
  } else
#endif
      if constexpr (sizeof(W) == 16) {
    return (W)_mm_mul_epu32((__m128i)x, (__m128i)(W{} + m));
  } else
#endif
  {
    return (x & 0xffffffffu) * static_cast<uint64_t>(m);
  }
}

// Ten rounds on counters whose four words are the low halves of 64-bit elements. The upper halves
// are never looked at, so a product's low half needs no masking on its way to the next round.
template <class W>
DNNFAST_HD void philox_rounds(W (&c)[4], PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    const W product0 = multiply_low_half(c[0], kPhiloxMultiplier0);
    const W product1 = multiply_low_half(c[2], kPhiloxMultiplier1);
    c[0] = (product1 >> 32) ^ c[1] ^ static_cast<uint64_t>(key.low);
    c[1] = product1;
    c[2] = (product0 >> 32) ^ c[3] ^ static_cast<uint64_t>(key.high);
    c[3] = product0;
    key.low += kPhiloxWeyl0;
    key.high += kPhiloxWeyl1;
  }
}

// 64-bit elements in as many bytes as U has; for one counter, one element.
template <int kBytes>
struct Words64;
template <>
struct Words64<4> {
  using type = uint64_t;
};
template <>
struct Words64<16> {
  using type = uint64_t __attribute__((vector_size(16)));
};
template <>
struct Words64<32> {
  using type = uint64_t __attribute__((vector_size(32)));
};
template <>
struct Words64<64> {
  using type = uint64_t __attribute__((vector_size(64)));
};

// The four random words of counter (first, rest[0], rest[1], rest[2]); only `first` varies by lane.
template <class U>
DNNFAST_HD PhiloxWords<U> philox(U first, const uint32_t (&rest)[3], PhiloxKey key) {
  using W = typename Words64<sizeof(U)>::type;
  PhiloxWords<U> out;
  if constexpr (sizeof(U) == sizeof(uint32_t)) {
    W c[4] = {first, rest[0], rest[1], rest[2]};
    philox_rounds(c, key);
    for (int i = 0; i < 4; ++i) out.word[i] = static_cast<uint32_t>(c[i]);
  } else {
    // Even and odd lanes are two sets of 64-bit elements (little-endian).
    const W packed = (W)first;
    W even[4] = {packed, W{} + rest[0], W{} + rest[1], W{} + rest[2]};
    W odd[4] = {packed >> 32, even[1], even[2], even[3]};
    philox_rounds(even, key);
    philox_rounds(odd, key);
    for (int i = 0; i < 4; ++i) out.word[i] = (U)((even[i] & 0xffffffffu) | (odd[i] << 32));
  }
  return out;
}

// The counter word of element (row, col) of a matrix with `cols` logical columns. Four successive
// rows share it: row r uses word r % 4 of the output.
DNNFAST_HD uint32_t dropout_counter(int64_t row, int64_t col, int64_t cols) {
  return static_cast<uint32_t>(row / 4 * round_up(cols, kColumnPadding) + col);
}

// An element is kept iff its word is at least this. rate in [0, 1).
DNNFAST_HD uint32_t dropout_threshold(double rate) {
  return static_cast<uint32_t>(rate * 4294967296.0);
}

// What kept elements are multiplied by.
DNNFAST_HD float dropout_scale(double rate) { return static_cast<float>(1.0 / (1.0 - rate)); }

// One dropout op in one step: everything but the element.
struct DropoutBits {
  PhiloxKey key;
  uint32_t rest[3] = {0, 0, 0};
};

DNNFAST_HD DropoutBits dropout_bits(uint64_t seed, uint64_t step, uint32_t stream) {
  return {philox_key(seed),
          {stream, static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32)}};
}

// The sort key of element i in the permutation of an epoch.
DNNFAST_HD uint32_t shuffle_key(uint64_t i, uint64_t seed, uint64_t epoch) {
  const uint32_t rest[3] = {0xFFFFFFFFu, static_cast<uint32_t>(epoch),
                            static_cast<uint32_t>(epoch >> 32) ^ static_cast<uint32_t>(i >> 32)};
  return philox(static_cast<uint32_t>(i), rest, philox_key(seed)).word[0];
}

}  // namespace dnnfast::math
