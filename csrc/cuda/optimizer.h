#pragma once
// The optimizer and its companions over the flat arrays, by chunks of at most 4096 floats: a row of their extent is
// a chunk. Sums over a chunk are in a fixed order, sums over chunks in theirs.

#include "cuda/update.h"

namespace dnnfast::cuda {

using ops::Chunk;

// f(chunk number, chunk) for the chunks of a piece, all threads together.
template <class F>
__device__ void for_chunks(const Piece& piece, const ops::OptimizerArrays& arrays, F f) {
  for (int64_t c = piece.row; c < piece.row_end; ++c) f(c, arrays.chunks[c]);
}

// f(i) for this thread's quads of a chunk: i is the first of four elements of the flat arrays.
template <class F>
__device__ void for_chunk_quads(const Chunk& chunk, F f) {
  for (int64_t i = threadIdx.x * 4; i < chunk.size; i += 4 * kThreads) f(chunk.offset + i);
}

// chunk_sum[c] = the sum over chunk c of what term(first element, segment) says of four elements.
template <class F>
__device__ void sum_chunks(const Piece& piece, const ops::OptimizerArrays& arrays,
                           double* chunk_sum, F term) {
  for_chunks(piece, arrays, [&](int64_t c, const Chunk& chunk) {
    const ops::Segment segment = arrays.segments[chunk.segment];
    double mine = 0;
    for_chunk_quads(chunk, [&](int64_t at) { mine += term(at, segment); });
    const double sum = block_sum(mine);
    if (threadIdx.x == 0) chunk_sum[c] = sum;
  });
}

struct RegularizationPenalty {
  ops::RegularizationPenalty op;

  constexpr Extent extent() const { return {op.arrays.chunk_count, 0, 1}; }
  __device__ void operator()(const Piece& piece, const Block&) const {
    sum_chunks(piece, op.arrays, op.chunk_sum, [&](int64_t at, const ops::Segment& segment) {
      const State w(op.arrays.parameters, at);
      double sum = 0;
      for (int i = 0; i < 4; ++i)
        sum += static_cast<double>(math::penalty(w.v[i], segment.l1, segment.l2));
      return sum;
    });
  }
};

struct GradientNorm {
  ops::GradientNorm op;

  constexpr Extent extent() const { return {op.arrays.chunk_count, 0, 1}; }
  __device__ void operator()(const Piece& piece, const Block&) const {
    sum_chunks(piece, op.arrays, op.chunk_sum, [&](int64_t at, const ops::Segment& segment) {
      State g(op.arrays.gradients, at);
      const State w(op.arrays.parameters, at);
      double sum = 0;
      for (int i = 0; i < 4; ++i) {
        g.v[i] += math::penalty_gradient(w.v[i], segment.l1, segment.l2);
        sum += static_cast<double>(g.v[i]) * static_cast<double>(g.v[i]);
      }
      g.store();
      return sum;
    });
  }
};

struct OptimizerStep {
  ops::OptimizerStep op;

  constexpr Extent extent() const { return {op.arrays.chunk_count, 0, 1}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    for_chunks(piece, op.arrays, [&](int64_t c, const Chunk& chunk) {
      const ops::Segment segment = op.arrays.segments[chunk.segment];
      const float factor = norm_factor(c);
      for_chunk_quads(chunk, [&](int64_t at) {
        float g[4];
        load4(op.arrays.gradients + at, g);
        update_quad(op, segment, block.context.scalars, at, g, factor);
      });
    });
  }

  // What the gradients of chunk c are multiplied by.
  __device__ float norm_factor(int64_t c) const {
    if (!ops::clips_by_norm(op.clip)) return 1.0f;
    const double norm = ::sqrt(ops::clipped_square(op, c));
    return static_cast<float>(math::clip_factor(norm, static_cast<double>(op.clip_limit)));
  }
};

// The update of a parameter of one row by its gradient in the flat arrays.
struct VectorUpdate {
  Update update;
  const float* gradient = nullptr;
  int64_t size = 0;

  constexpr Extent extent() const { return {1, 0, size}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    for_quads(piece, false, [&](int64_t, int64_t col) {
      float g[4];
      load4(gradient + col, g);
      update_quad(block.optimizer, update.segment, block.context.scalars,
                  update.segment.offset + col, g);
    });
  }
};

}  // namespace dnnfast::cuda
