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

// sum = that of every thread's value.
__device__ inline void put_block_sum(double value, double* sum) {
  const double total = block_sum(value);
  if (threadIdx.x == 0) *sum = total;
}

// The sum of squares of four elements.
__device__ inline double square_quad(const float (&v)[4]) {
  double sum = 0;
  for (int i = 0; i < 4; ++i) sum += static_cast<double>(v[i]) * static_cast<double>(v[i]);
  return sum;
}

struct RegularizationPenalty {
  ops::RegularizationPenalty op;

  constexpr Extent extent() const { return {op.arrays.chunk_count, 0, 1}; }
  __device__ void operator()(const Piece& piece, const Block&) const {
    for_chunks(piece, op.arrays, [&](int64_t c, const Chunk& chunk) {
      const ops::Segment& segment = op.arrays.segments[chunk.segment];
      const float l1 = segment.l1, l2 = segment.l2;
      double mine = 0;
      for_chunk_quads(chunk, [&](int64_t at) {
        const State w(op.arrays.parameters, at);
        for (int i = 0; i < 4; ++i) mine += static_cast<double>(math::penalty(w.v[i], l1, l2));
      });
      put_block_sum(mine, op.chunk_sum + c);
    });
  }
};

// A pass of an optimizer over some parameters. The optimizer lies on the device when the task runs.
struct OptimizerPass {
  const ops::OptimizerStep* step = nullptr;
  int64_t chunks = 0;

  OptimizerPass() = default;
  explicit OptimizerPass(const ops::OptimizerStep& op) : step(&op), chunks(op.arrays.chunk_count) {}

  constexpr Extent extent() const { return {chunks, 0, 1}; }
};

// What the gradients of chunk c are multiplied by.
__device__ inline float norm_factor(const ops::OptimizerStep& op, int64_t c) {
  if (!ops::clips_by_norm(op.clip)) return 1.0f;
  const double norm = ::sqrt(ops::clipped_square(op, c));
  return static_cast<float>(math::clip_factor(norm, static_cast<double>(op.clip_limit)));
}

struct GradientNorm : OptimizerPass {
  double* chunk_sum = nullptr;
  double* not_finite = nullptr;

  GradientNorm() = default;
  explicit GradientNorm(const ops::GradientNorm& op)
      : OptimizerPass(op.step), chunk_sum(op.chunk_sum), not_finite(op.not_finite) {}

  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::OptimizerStep& op = *step;
    const ops::OptimizerScalars& s = block.context.scalars[op.index];
    for_chunks(piece, op.arrays, [&](int64_t c, const Chunk& chunk) {
      const Update update(op.arrays.segments[chunk.segment]);
      double squares = 0, differences = 0;
      for_chunk_quads(chunk, [&](int64_t at) {
        State g(op.arrays.gradients, at);
        const State w(op.arrays.parameters, at);
        prepare_quad(op, update, s, at, w.v, g.v);
        g.store();
        squares += square_quad(g.v);
        for (int i = 0; i < 4; ++i) differences += static_cast<double>(g.v[i] - g.v[i]);
      });
      put_block_sum(squares, chunk_sum + c);
      if (not_finite) put_block_sum(differences, not_finite + c);
    });
  }
};

struct OptimizerStep : OptimizerPass {
  using OptimizerPass::OptimizerPass;

  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::OptimizerStep& op = *step;
    const ops::OptimizerScalars& s = block.context.scalars[op.index];
    if (op.prepared && s.updates && ops::holds(op, block.context)) return;  // not finite
    for_chunks(piece, op.arrays, [&](int64_t c, const Chunk& chunk) {
      const ops::Segment& segment = op.arrays.segments[chunk.segment];
      if (ops::needs_whole(op, segment)) return step_as_whole(s, segment, c, chunk);
      const Update update(segment);
      const float factor = norm_factor(op, c);
      for_chunk_quads(chunk, [&](int64_t at) {
        float g[4];
        load4(op.arrays.gradients + at, g);
        update_quad(op, update, s, at, g, factor);
      });
    });
  }

  // The direction stands in the place of the gradient.
  __device__ void step_as_whole(const ops::OptimizerScalars& s, const ops::Segment& segment,
                                int64_t c, const Chunk& chunk) const {
    const float rate = s.updates ? rate_of_whole(s, segment, c) : 0.0f;
    for_chunk_quads(chunk, [&](int64_t at) {
      State w(step->arrays.parameters, at);
      const State direction(step->arrays.gradients, at);
      if (s.updates)
        for (int i = 0; i < 4; ++i) w.v[i] -= rate * direction.v[i];
      average_quad(*step, s, at, w.v);
      w.store();
    });
  }
  __device__ float rate_of_whole(const ops::OptimizerScalars& s, const ops::Segment& segment,
                                 int64_t c) const {
    if (step->kind == ops::OptimizerKind::muon)
      return math::muon_rate(s.learning_rate, step->rms_rate, segment.matrix.rows,
                             segment.matrix.cols);
    const ops::DirectionSquares squares = ops::direction_squares(*step, c);
    if (step->kind == ops::OptimizerKind::lamb)
      return math::lamb_rate(s.learning_rate, ::sqrt(squares.weights), ::sqrt(squares.direction));
    const auto elements = static_cast<double>(segment.elements);
    return math::adafactor_rate(s.alpha, ::sqrt(squares.weights / elements),
                                ::sqrt(squares.direction / elements), step->epsilon_2,
                                step->clip_threshold);
  }
};

// The update of a parameter of one row by its gradient in the flat arrays.
struct VectorUpdate {
  Update update;
  const float* gradient = nullptr;
  int64_t size = 0;

  constexpr Extent extent() const { return {1, 0, size}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::OptimizerScalars& s = block.context.scalars[block.optimizer.index];
    for_quads(piece, false, [&](int64_t, int64_t col) {
      float g[4];
      load4(gradient + col, g);
      update_quad(block.optimizer, update, s, update.offset + col, g);
    });
  }
};

}  // namespace dnnfast::cuda
