#pragma once
// What kernel code sees of CUDA, on the host. A kernel is an ordinary function that grid.cpp calls once for every
// thread, each on a stack of its own; functions of this file are where a thread may be left for another.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __noinline__

struct uint3 {
  unsigned x = 0, y = 0, z = 0;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

// Of the thread that runs now.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
inline constexpr int warpSize = 32;

namespace dnnfast::cuda::sim {

// The block's dynamic shared memory, filled with NaN before the block starts. Fewer bytes than the launch
// gave: an error of the launch.
void* block_shared(size_t bytes);

// Others may run now.
void step_aside();

enum class WarpOperation { meet, shuffle, ballot };
// What the thread gets out of an operation that all lanes of `mask` take part in: the value of lane `source`, or
// the mask of lanes whose value is not zero.
uint64_t warp_exchange(WarpOperation operation, unsigned mask, uint64_t value, int source);

template <class T>
T shuffle(unsigned mask, T value, int source) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(uint64_t));
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = warp_exchange(WarpOperation::shuffle, mask, bits, source);
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

int lane();

// An atomic operation: nobody else comes between the read and the write.
template <class T, class F>
T atomically(T* target, F change) {
  step_aside();
  const T old = *target;
  *target = change(old);
  return old;
}

}  // namespace dnnfast::cuda::sim

void __syncthreads();
inline void __syncwarp(unsigned mask = 0xffffffffu) {
  using namespace dnnfast::cuda::sim;
  warp_exchange(WarpOperation::meet, mask, 0, 0);
}

// Lanes beyond the end of a group of `width` keep their own value.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize) {
  const int group = dnnfast::cuda::sim::lane() / width * width;
  return dnnfast::cuda::sim::shuffle(mask, value, group + (source & (width - 1)));
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = warpSize) {
  const int lane = dnnfast::cuda::sim::lane(), source = lane ^ bits;
  const bool inside = source / width <= lane / width;
  return dnnfast::cuda::sim::shuffle(mask, value, inside ? source : lane);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize) {
  const int lane = dnnfast::cuda::sim::lane();
  const bool inside = lane % width + static_cast<int>(delta) < width;
  return dnnfast::cuda::sim::shuffle(mask, value, inside ? lane + static_cast<int>(delta) : lane);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize) {
  const int lane = dnnfast::cuda::sim::lane();
  const bool inside = lane % width >= static_cast<int>(delta);
  return dnnfast::cuda::sim::shuffle(mask, value, inside ? lane - static_cast<int>(delta) : lane);
}
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  using namespace dnnfast::cuda::sim;
  return static_cast<unsigned>(warp_exchange(WarpOperation::ballot, mask, predicate != 0, 0));
}
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) == mask;
}

template <class T>
T atomicAdd(T* target, T value) {
  static_assert(std::is_integral_v<T>, "sums of floats have a fixed order: no atomics");
  return dnnfast::cuda::sim::atomically(target, [&](T old) { return static_cast<T>(old + value); });
}
template <class T>
T atomicMax(T* target, T value) {
  static_assert(std::is_integral_v<T>);
  return dnnfast::cuda::sim::atomically(target, [&](T old) { return old < value ? value : old; });
}
template <class T>
T atomicExch(T* target, T value) {
  return dnnfast::cuda::sim::atomically(target, [&](T) { return value; });
}
template <class T>
T atomicCAS(T* target, T expected, T value) {
  static_assert(std::is_integral_v<T>);
  return dnnfast::cuda::sim::atomically(target,
                                        [&](T old) { return old == expected ? value : old; });
}

inline void __threadfence() { dnnfast::cuda::sim::step_aside(); }
inline void __threadfence_block() { dnnfast::cuda::sim::step_aside(); }
inline void __nanosleep(unsigned) { dnnfast::cuda::sim::step_aside(); }
template <class T>
T __ldg(const T* p) {
  return *p;
}
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
