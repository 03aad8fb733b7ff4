// The optimizer and its companions over the flat arrays. A block a chunk of at most 4096 floats; sums over a chunk
// in a fixed order, sums over chunks in theirs.

#include "cuda/families.h"
#include "cuda/update.h"

namespace dnnfast::cuda {
namespace {

using ops::Chunk;
using ops::Clip;

struct Parts {
  double sum[kThreads];
};

// The sum of `value` over the block's threads, in thread 0.
__device__ double block_sum(double value) {
  Parts& parts = shared_memory<Parts>();
  parts.sum[threadIdx.x] = value;
  for (unsigned half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) parts.sum[threadIdx.x] += parts.sum[threadIdx.x + half];
  }
  return parts.sum[0];
}

__global__ void __launch_bounds__(kThreads)
    penalty(ops::OptimizerArrays arrays, double* chunk_sum, const Step* step) {
  if (step->stopped) return;
  const Chunk chunk = arrays.chunks[blockIdx.x];
  const ops::Segment segment = arrays.segments[chunk.segment];
  double sum = 0;
  for (int64_t i = threadIdx.x; i < chunk.size; i += kThreads)
    sum += static_cast<double>(
        math::penalty(arrays.parameters[chunk.offset + i], segment.l1, segment.l2));
  sum = block_sum(sum);
  if (threadIdx.x == 0) chunk_sum[blockIdx.x] = sum;
}

__global__ void __launch_bounds__(kThreads)
    gradient_norm(ops::OptimizerArrays arrays, double* chunk_sum, const Step* step) {
  if (step->stopped) return;
  const Chunk chunk = arrays.chunks[blockIdx.x];
  const ops::Segment segment = arrays.segments[chunk.segment];
  double sum = 0;
  for (int64_t i = threadIdx.x; i < chunk.size; i += kThreads) {
    float& g = arrays.gradients[chunk.offset + i];
    g += math::penalty_gradient(arrays.parameters[chunk.offset + i], segment.l1, segment.l2);
    sum += static_cast<double>(g) * static_cast<double>(g);
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) chunk_sum[blockIdx.x] = sum;
}

// What the gradients of chunk c are multiplied by.
__device__ float norm_factor(const ops::OptimizerStep& op, int64_t c) {
  if (!ops::clips_by_norm(op.clip)) return 1.0f;
  const double norm = ::sqrt(ops::clipped_square(op, c));
  return static_cast<float>(math::clip_factor(norm, static_cast<double>(op.clip_limit)));
}

__global__ void __launch_bounds__(kThreads) update(ops::OptimizerStep op, const Step* step) {
  if (step->stopped) return;
  const Chunk chunk = op.arrays.chunks[blockIdx.x];
  const Update u{op, op.arrays.segments[chunk.segment], true};
  const float factor = norm_factor(op, blockIdx.x);
  for (int64_t i = threadIdx.x; i < chunk.size; i += kThreads)
    update_element(u, step->context, chunk.offset - u.segment.offset + i,
                   op.arrays.gradients[chunk.offset + i], factor);
}

}  // namespace

void enqueue(const ops::RegularizationPenalty& op, const Launcher& to) {
  if (op.arrays.chunk_count > 0)
    to(penalty, op.arrays.chunk_count, kThreads, sizeof(Parts), op.arrays, op.chunk_sum, to.step);
}
void enqueue(const ops::GradientNorm& op, const Launcher& to) {
  if (op.arrays.chunk_count > 0)
    to(gradient_norm, op.arrays.chunk_count, kThreads, sizeof(Parts), op.arrays, op.chunk_sum,
       to.step);
}
void enqueue(const ops::OptimizerStep& op, const Launcher& to) {
  if (op.arrays.chunk_count > 0) to(update, op.arrays.chunk_count, kThreads, 0, op, to.step);
}

}  // namespace dnnfast::cuda
