// What the GPU part exports: it is a library of its own, opened when a GPU is first asked for.

#include "cuda/backend.h"

#if defined(__GNUC__)
#define DNNFAST_EXPORT __attribute__((visibility("default")))
#endif

extern "C" DNNFAST_EXPORT int dnnfast_cuda_interface() { return dnnfast::ops::kBackendInterface; }

// The caller owns the result. Throws dnnfast::Error.
extern "C" DNNFAST_EXPORT dnnfast::ops::Backend* dnnfast_cuda_make_backend(int device) {
  return dnnfast::cuda::make_backend(device).release();
}
