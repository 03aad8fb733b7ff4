#pragma once
// What a block of threads has when it runs a task, and the ways in which its threads share the work.

#include "core/tensor.h"
#include "cuda/platform.h"
#include "cuda/step.h"
#include "ops/optimizer.h"

namespace dnnfast::cuda {

inline constexpr int kThreads = 256;
inline constexpr int kWarps = kThreads / 32;

// A rectangle of a task's result. Its rows and columns begin and end at multiples of 4, or where the result ends.
struct Piece {
  int64_t row = 0, row_end = 0;
  int64_t col = 0, col_end = 0;

  __device__ int64_t rows() const { return row_end - row; }
  __device__ int64_t cols() const { return col_end - col; }
};

// How many results a task has: rows (some fixed, some for each sample) and columns, padding included.
struct Extent {
  int64_t fixed_rows = 0;
  int64_t rows_per_sample = 0;
  int64_t cols = 1;

  constexpr int64_t rows(int64_t batch) const { return fixed_rows + rows_per_sample * batch; }
};

struct alignas(16) BlockShared {
  float scratch[8704];  // of the task that runs
  ops::StepContext context;
  ops::OptimizerScalars scalars[ops::kMostOptimizers];
  bool runs;
};

// Not a pointer that is handed on: the compiler then knows that it is shared memory.
__device__ inline float* scratch() { return shared_memory<BlockShared>().scratch; }

struct Block {
  const ops::StepContext& context;
  const ops::OptimizerStep& optimizer;  // of the fused updates
  Step& step;
  int64_t step_number;  // in the run
};

// The same in every lane, in a fixed order.
template <class T>
__device__ inline T warp_sum(T v) {
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

// The sum of every thread's value, for all of them.
__device__ inline double block_sum(double value) {
  double* part = reinterpret_cast<double*>(scratch());
  value = warp_sum(value);
  __syncthreads();  // the last sum has been read
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = value;
  __syncthreads();
  double sum = 0;
  for (int w = 0; w < kWarps; ++w) sum += part[w];
  return sum;
}

// f(row, lane), a warp a row.
template <class F>
__device__ void for_rows(const Piece& piece, F f) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  for (int64_t row = piece.row + threadIdx.x / 32; row < piece.row_end; row += kWarps) f(row, lane);
}

// f(row, col), a thread an element.
template <class F>
__device__ void for_elements(const Piece& piece, F f) {
  const int64_t cols = piece.cols(), count = piece.rows() * cols;
  for (int64_t i = threadIdx.x; i < count; i += kThreads)
    f(piece.row + i / cols, piece.col + i % cols);
}

// f(row, col) for four elements of a row at a time. With `rows_together`, a thread does the four rows one after
// another that share their random words.
template <class F>
__device__ void for_quads(const Piece& piece, bool rows_together, F f) {
  const int64_t each = rows_together ? 4 : 1, quads = piece.cols() / 4;
  const int64_t count = (piece.rows() + each - 1) / each * quads;
  for (int64_t i = threadIdx.x; i < count; i += kThreads) {
    const int64_t first = piece.row + i / quads * each, col = piece.col + i % quads * 4;
    const int64_t end = first + each < piece.row_end ? first + each : piece.row_end;
    for (int64_t row = first; row < end; ++row) f(row, col);
  }
}

__device__ inline void load4(const float* p, float (&v)[4]) {
  const float4 q = *reinterpret_cast<const float4*>(p);
  v[0] = q.x, v[1] = q.y, v[2] = q.z, v[3] = q.w;
}
__device__ inline void store4(float* p, const float (&v)[4]) {
  *reinterpret_cast<float4*>(p) = make_float4(v[0], v[1], v[2], v[3]);
}
// *p (+)= v
__device__ inline void put4(float* p, const float (&v)[4], bool accumulate) {
  float old[4] = {};
  if (accumulate) load4(p, old);
  const float sum[4] = {old[0] + v[0], old[1] + v[1], old[2] + v[2], old[3] + v[3]};
  store4(p, sum);
}

}  // namespace dnnfast::cuda
