#pragma once
// Errors of the runtime become errors of dnnfast that say what was being done.

#include "core/error.h"
#include "cuda/platform.h"

namespace dnnfast::cuda {

inline void check(cudaError_t error, const std::string& doing) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // so that the next call does not find it
  fail(ErrorKind::state, doing, ": ", cudaGetErrorString(error), " (", cudaGetErrorName(error),
       ")");
}

}  // namespace dnnfast::cuda
