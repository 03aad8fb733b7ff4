#pragma once
// Puts kernels of one op on a stream, and the two shapes that most kernels have: a thread an element, a warp a
// row.

#include <string>

#include "cuda/error.h"
#include "cuda/step.h"

namespace dnnfast::cuda {

inline constexpr unsigned kThreads = 256;
inline constexpr unsigned kWarps = kThreads / 32;
inline constexpr int64_t kMostBlocks = 4096;  // more work than that goes round

struct Launcher {
  cudaStream_t stream;
  const Step* step;
  int64_t capacity;  // samples of the largest batch
  std::string op;    // for errors

  template <class... Parameters, class... Arguments>
  void operator()(void (*kernel)(Parameters...), int64_t blocks, unsigned threads,
                  size_t shared_bytes, const Arguments&... arguments) const {
    LaunchShape shape;
    shape.blocks = static_cast<unsigned>(blocks);
    shape.threads = threads;
    shape.shared_bytes = shared_bytes;
    shape.stream = stream;
    check(launch(kernel, shape, arguments...), op);
  }
};

inline int64_t blocks_for(int64_t work, int64_t per_block) {
  const int64_t blocks = (work + per_block - 1) / per_block;
  return blocks < 1 ? 1 : blocks < kMostBlocks ? blocks : kMostBlocks;
}

// F has count(context) and operator()(i, context).
template <class F>
__global__ void __launch_bounds__(kThreads) run_elements(F f, const Step* step) {
  if (step->stopped) return;
  const int64_t count = f.count(step->context);
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += stride)
    f(i, step->context);
}

// most: elements of the largest batch.
template <class F>
void for_elements(const Launcher& to, int64_t most, const F& f) {
  to(run_elements<F>, blocks_for(most, kThreads), kThreads, 0, f, to.step);
}

// F has count(context) and operator()(row, lane, context), which all lanes of a warp call together.
template <class F>
__global__ void __launch_bounds__(kThreads) run_rows(F f, const Step* step) {
  if (step->stopped) return;
  const int64_t count = f.count(step->context);
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kWarps;
  const int lane = static_cast<int>(threadIdx.x % 32);
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32; row < count;
       row += stride)
    f(row, lane, step->context);
}

template <class F>
void for_rows(const Launcher& to, int64_t most, const F& f) {
  to(run_rows<F>, blocks_for(most, kWarps), kThreads, 0, f, to.step);
}

// The same in every lane, in a fixed order.
__device__ inline float warp_sum(float v) {
  for (int bits = 16; bits > 0; bits /= 2) v += __shfl_xor_sync(0xffffffffu, v, bits);
  return v;
}
__device__ inline float warp_max(float v) {
  for (int bits = 16; bits > 0; bits /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, v, bits);
    v = v > other ? v : other;
  }
  return v;
}

}  // namespace dnnfast::cuda
