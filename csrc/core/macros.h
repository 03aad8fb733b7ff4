#pragma once
// The only two macros of the code base; see also DNNFAST_CHECK in error.h.

// Marks a formula that the host and the device both compile. `static` gives every translation unit
// its own copy: the same formula is compiled with different instruction sets, and the linker must
// never pick an AVX-512 copy for a machine that lacks it.
#if defined(__CUDACC__)
#define DNNFAST_HD __host__ __device__ static inline
#else
#define DNNFAST_HD static inline
#endif
