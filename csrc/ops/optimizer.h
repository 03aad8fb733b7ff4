#pragma once
// One pass over the flat parameter, gradient and state arrays.

#include <cstdint>

#include "core/macros.h"

namespace dnnfast::ops {

enum class OptimizerKind : int { sgd, rmsprop, adam, nadam, count };

// One trainable parameter's place in the flat arrays, and what the step does to it.
struct Segment {
  int64_t offset = 0;  // floats from the start of each flat array
  int64_t size = 0;    // floats, padding included (padding has zero weight, gradient and state)
  float l1 = 0.0f;
  float l2 = 0.0f;
  float weight_decay = 0.0f;  // decoupled: w -= w * weight_decay * learning_rate
};

// A piece of a segment: the unit of work and of the fixed order of sums.
inline constexpr int64_t kChunk = 4096;
struct Chunk {
  int64_t offset = 0;
  int64_t size = 0;
  int32_t segment = 0;
};

enum class Clip : int { none, value, norm, global_norm };
// Whether the gradient's norm must be known before the update.
inline constexpr bool clips_by_norm(Clip clip) {
  return clip == Clip::norm || clip == Clip::global_norm;
}

struct OptimizerArrays {
  float* parameters = nullptr;
  float* gradients = nullptr;
  float* slots[3] = {nullptr, nullptr, nullptr};
  const Segment* segments = nullptr;
  int64_t segment_count = 0;
  const Chunk* chunks = nullptr;
  int64_t chunk_count = 0;
};

// Penalty: chunk_sum[c] = sum(l1 * |w| + l2 * w^2) over chunk c.
struct RegularizationPenalty {
  OptimizerArrays arrays;
  double* chunk_sum = nullptr;
};

// Adds the regularization gradient (l1 * sign(w) + 2 * l2 * w) to the gradients in place and writes
// chunk_sum[c] = sum of squares of the result. Only planned when a norm is clipped.
struct GradientNorm {
  OptimizerArrays arrays;
  double* chunk_sum = nullptr;
};

// g = gradient (+ regularization unless GradientNorm did it), then clip, decay, update. Formulas and
// slots: math/optimizer.h. Order of a step as in Keras: clip, decoupled decay, update.
struct OptimizerStep {
  OptimizerKind kind = OptimizerKind::sgd;
  OptimizerArrays arrays;
  float momentum = 0.0f;  // sgd, rmsprop
  bool nesterov = false;  // sgd
  float rho = 0.9f;       // rmsprop
  bool centered = false;  // rmsprop
  float beta_1 = 0.9f;    // adam, nadam
  float beta_2 = 0.999f;
  // 1 - beta in double, then rounded: 1 - 0.999 in float32 is off by 1e-5.
  float one_minus_beta_1 = 0.1f;
  float one_minus_beta_2 = 0.001f;
  float one_minus_rho = 0.1f;
  float epsilon = 1e-7f;
  bool amsgrad = false;  // adam
  Clip clip = Clip::none;
  float clip_limit = 0.0f;
  const double* chunk_sum = nullptr;  // from GradientNorm
};

// The square of the norm that the gradients of chunk c are clipped by: the sums of its parameter's chunks, or of
// all, in order, so that whoever asks finds the same.
DNNFAST_HD double clipped_square(const OptimizerStep& op, int64_t c) {
  const OptimizerArrays& arrays = op.arrays;
  int64_t begin = 0, end = arrays.chunk_count;
  if (op.clip == Clip::norm) {
    const int32_t segment = arrays.chunks[c].segment;
    for (begin = end = c; begin > 0 && arrays.chunks[begin - 1].segment == segment;) --begin;
    while (end < arrays.chunk_count && arrays.chunks[end].segment == segment) ++end;
  }
  double sum = 0;
  for (int64_t i = begin; i < end; ++i) sum += op.chunk_sum[i];
  return sum;
}

// The update of one parameter by the op that makes its gradient, while that is in cache. The op may
// leave the flat gradient array unwritten.
struct FusedUpdate {
  const OptimizerStep* step = nullptr;  // null: the gradient is stored for an op that comes later
  int32_t segment = 0;

  constexpr explicit operator bool() const { return step != nullptr; }
};

}  // namespace dnnfast::ops
