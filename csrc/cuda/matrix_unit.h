#pragma once
// The matrix instructions of a warp ("tensor cores", compute capability 8.0 and later) and their twins for the
// simulation: d += a b for a 16 x 8 result. Which lane has which element is NVIDIA's ("PTX ISA", matrix fragments for
// mma.m16n8k8 and mma.m16n8k16): with g = lane / 4 and t = lane % 4,
//   d:    d[0], d[1] = D[g][2t], D[g][2t + 1];  d[2], d[3] the same of row g + 8
//   tf32: a[0..3] = A[g][t], A[g + 8][t], A[g][t + 4], A[g + 8][t + 4];  b[0..1] = B[t][g], B[t + 4][g]
//   bf16: the same with pairs along the depth: t stands for 2t and 2t + 1, t + 4 for 2t + 8 and 2t + 9

#include "cuda/platform.h"
#include "math/convert.h"

namespace dnnfast::cuda {

// How operands are rounded and how deep one instruction is.
struct Tf32 {
  static constexpr int kDepth = 8;
  static constexpr int kPerWord = 1;  // elements along the depth in 32 bits
  __device__ static float element(uint32_t word, int) { return math::bits_as<float>(word); }
};
struct Bfloat16 {
  static constexpr int kDepth = 16;
  static constexpr int kPerWord = 2;
  __device__ static float element(uint32_t word, int i) {
    return math::from_bfloat16(static_cast<uint16_t>(word >> (16 * i)));
  }
};

#if defined(DNNFAST_CUDA_SIM)
// Word `word` of the operand that lane `lane` has, to all who ask.
template <class Type>
__device__ inline void multiply_add(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
  for (int k = 0; k < 8; ++k) {  // of words
    const uint32_t upper[2] = {__shfl_sync(0xffffffffu, a[0], g * 4 + k % 4),
                               __shfl_sync(0xffffffffu, a[2], g * 4 + k % 4)};
    const uint32_t lower[2] = {__shfl_sync(0xffffffffu, a[1], g * 4 + k % 4),
                               __shfl_sync(0xffffffffu, a[3], g * 4 + k % 4)};
    for (int column = 0; column < 2; ++column) {
      const int from = (2 * t + column) * 4 + k % 4;
      const uint32_t right[2] = {__shfl_sync(0xffffffffu, b[0], from),
                                 __shfl_sync(0xffffffffu, b[1], from)};
      for (int i = 0; i < Type::kPerWord; ++i) {
        const float factor = Type::element(right[k / 4], i);
        d[column] += Type::element(upper[k / 4], i) * factor;
        d[2 + column] += Type::element(lower[k / 4], i) * factor;
      }
    }
  }
}
#else
template <class Type>
__device__ inline void multiply_add(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  if constexpr (Type::kPerWord == 1) {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
}
#endif

}  // namespace dnnfast::cuda
