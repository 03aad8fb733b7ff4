#pragma once
// Portable vectors from the compilers' vector extensions. This file, and every source of csrc/cpu that is
// compiled per instruction set, lives in namespace dnnfast::cpu::DNNFAST_ISA; DNNFAST_ISA and the
// vector width come from the instruction-set flags of the translation unit. Nothing here may use
// the standard library's templates: the linker could keep the copy compiled for the wrong machine.

#include <stdint.h>

#include "core/macros.h"
#include "math/numeric.h"

#if defined(__AVX512F__)
#define DNNFAST_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define DNNFAST_VECTOR_BYTES 32
#else
#define DNNFAST_VECTOR_BYTES 16
#endif

namespace dnnfast::cpu::DNNFAST_ISA {

inline constexpr int kLanes = DNNFAST_VECTOR_BYTES / 4;

using vf = float __attribute__((vector_size(DNNFAST_VECTOR_BYTES)));
using vi = int32_t __attribute__((vector_size(DNNFAST_VECTOR_BYTES)));
using vu = uint32_t __attribute__((vector_size(DNNFAST_VECTOR_BYTES)));
// The same without an alignment promise, for the caller's arrays.
using vf_unaligned = float __attribute__((vector_size(DNNFAST_VECTOR_BYTES), aligned(4)));

DNNFAST_HD vf load(const float* p) { return *reinterpret_cast<const vf*>(p); }
DNNFAST_HD vf load_unaligned(const float* p) { return *reinterpret_cast<const vf_unaligned*>(p); }
DNNFAST_HD void store(float* p, vf v) { *reinterpret_cast<vf*>(p) = v; }
DNNFAST_HD void store_unaligned(float* p, vf v) { *reinterpret_cast<vf_unaligned*>(p) = v; }

// The numbers 0 to kLanes - 1 as template arguments, for what needs one expression a lane.
template <int... I>
struct Lanes {};
template <int N, int... I>
struct MakeLanes : MakeLanes<N - 1, N - 1, I...> {};
template <int... I>
struct MakeLanes<0, I...> {
  using type = Lanes<I...>;
};
using AllLanes = MakeLanes<kLanes>::type;

template <int... I>
DNNFAST_HD vf repeat(float value, Lanes<I...>) {
  return vf{((void)I, value)...};
}
// One element in every lane, as a load that the multiply-add ports take no part in (adding the
// scalar to a zero vector would cost a shuffle on one of them).
DNNFAST_HD vf broadcast(const float* p) { return repeat(*p, AllLanes{}); }

// 0, 1, 2, ... in each lane.
DNNFAST_HD vi lane_index() {
  vi v;
  for (int i = 0; i < kLanes; ++i) v[i] = i;
  return v;
}

// v in the lanes that are columns below `cols` when the first lane is column `first`, else 0.
DNNFAST_HD vf keep_columns(vf v, int64_t first, int64_t cols) {
  const int64_t left = cols - first;
  if (left >= kLanes) return v;
  const vi inside = lane_index() < static_cast<int32_t>(left < 0 ? 0 : left);
  return inside ? v : vf{};
}

// Fixed-order sum and maximum over lanes.
DNNFAST_HD float sum_lanes(vf v) {
  float s[kLanes];
  __builtin_memcpy(s, &v, sizeof s);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) s[i] += s[i + width];
  return s[0];
}
DNNFAST_HD float max_lanes(vf v) {
  float s[kLanes];
  __builtin_memcpy(s, &v, sizeof s);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) s[i] = s[i] > s[i + width] ? s[i] : s[i + width];
  return s[0];
}

}  // namespace dnnfast::cpu::DNNFAST_ISA

namespace dnnfast::math {

template <>
struct Numeric<cpu::DNNFAST_ISA::vf> {
  using Int = cpu::DNNFAST_ISA::vi;
  using UInt = cpu::DNNFAST_ISA::vu;
};

}  // namespace dnnfast::math
