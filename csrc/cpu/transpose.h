#pragma once
// Transposes of small blocks in registers.

#include "cpu/simd.h"

namespace dnnfast::cpu::DNNFAST_ISA {

// One stage of the butterfly: swaps the off-diagonal blocks of size D.
template <int D, int... J>
[[gnu::always_inline]] inline void exchange(vf& a, vf& b, Lanes<J...>) {
  const vf low = __builtin_shufflevector(a, b, ((J & D) ? kLanes + J - D : J)...);
  const vf high = __builtin_shufflevector(a, b, ((J & D) ? kLanes + J : J + D)...);
  a = low;
  b = high;
}

template <int D>
[[gnu::always_inline]] inline void transpose_stage(vf (&r)[kLanes]) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i)
    if ((i & D) == 0) exchange<D>(r[i], r[i + D], AllLanes{});
}

[[gnu::always_inline]] inline void transpose_registers(vf (&r)[kLanes]) {
  transpose_stage<1>(r);
  transpose_stage<2>(r);
#if DNNFAST_VECTOR_BYTES >= 32
  transpose_stage<4>(r);
#endif
#if DNNFAST_VECTOR_BYTES >= 64
  transpose_stage<8>(r);
#endif
}

// out[j * out_ld + i] = in[i * in_ld + j] for i, j < kLanes; both aligned.
[[gnu::always_inline]] inline void transpose_block(const float* in, int64_t in_ld, float* out,
                                                   int64_t out_ld) {
  vf r[kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) r[i] = load(in + i * in_ld);
  transpose_registers(r);
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) store(out + i * out_ld, r[i]);
}

// The same with only the first `rows` rows of `in` read (the rest count as zero).
inline void transpose_block_rows(const float* in, int64_t in_ld, int64_t rows, float* out,
                                 int64_t out_ld) {
  alignas(64) float block[kLanes * kLanes] = {};
  for (int64_t i = 0; i < rows; ++i) store(block + i * kLanes, load(in + i * in_ld));
  transpose_block(block, kLanes, out, out_ld);
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
