#pragma once
// The one place that knows whether kernels are compiled for a GPU or for its simulation on the host
// (DNNFAST_CUDA_SIM). Kernel sources and the backend include this and no header of CUDA.

#if defined(DNNFAST_CUDA_SIM)
#include "cuda/sim/device.h"
#include "cuda/sim/runtime.h"
#else
#include <cuda_runtime.h>
#endif

#include <cstddef>

namespace dnnfast::cuda {

// The block's dynamic shared memory, laid out as T; a kernel has no other. The launch gives sizeof(T) or more.
template <class T>
__device__ inline T& shared_memory() {
#if defined(DNNFAST_CUDA_SIM)
  return *static_cast<T*>(sim::block_shared(sizeof(T)));
#else
  extern __shared__ __align__(16) unsigned char dnnfast_shared[];
  return *reinterpret_cast<T*>(dnnfast_shared);
#endif
}

// Counters that blocks of one grid wait on.
__device__ inline void add_release(unsigned* counter, unsigned value) {
#if defined(DNNFAST_CUDA_SIM)
  sim::step_aside();
  *counter += value;
#else
  asm volatile("red.release.gpu.global.add.u32 [%0], %1;" ::"l"(counter), "r"(value) : "memory");
#endif
}
__device__ inline unsigned load_acquire(const unsigned* counter) {
#if defined(DNNFAST_CUDA_SIM)
  sim::step_aside();
  return *counter;
#else
  unsigned value;
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(counter) : "memory");
  return value;
#endif
}

// All blocks of a cooperative grid meet. The counter starts at zero and only grows; `round` counts a thread's calls,
// from 1.
__device__ inline void grid_barrier(unsigned* counter, unsigned round) {
  __syncthreads();
  if (threadIdx.x == 0) {
    add_release(counter, 1);
    while (load_acquire(counter) < round * gridDim.x) {
    }
  }
  __syncthreads();
}

struct LaunchShape {
  unsigned blocks = 1;
  unsigned threads = 1;
  size_t shared_bytes = 0;
  cudaStream_t stream = nullptr;
  bool cooperative = false;
};

template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), const LaunchShape& shape,
                   Arguments&&... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(shape.blocks);
  config.blockDim = dim3(shape.threads);
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = shape.stream;
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeCooperative;
  attribute.val.cooperative = shape.cooperative;
  config.attrs = &attribute;
  config.numAttrs = 1;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Arguments&&>(arguments)...);
}

}  // namespace dnnfast::cuda
