#pragma once
// Optimizers on the flat parameter, gradient and state arrays. Element-wise ones take one pass, or none where the op
// that makes a gradient uses it up. Those that need a whole parameter take three: GradientNorm leaves the final
// gradient, OptimizerDirection puts the direction in its place, OptimizerStep takes the step.

#include <cstdint>

#include "core/macros.h"
#include "ops/context.h"

namespace dnnfast::ops {

enum class OptimizerKind : int {
  sgd,
  rmsprop,
  adam,
  nadam,
  adagrad,
  adadelta,
  adamax,
  lion,
  ftrl,
  schedule_free_adamw,
  lamb,
  adafactor,
  muon,
  count
};

// The logical shape of a parameter that is taken as a matrix, or as several one after the other.
struct MatrixShape {
  int64_t count = 0;  // 0: it is not
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t width = 0;  // of panels, see core/tensor.h; 0: rows without padding

  constexpr explicit operator bool() const { return count > 0; }
  constexpr int64_t all_rows() const { return count * rows; }
};

// One trainable parameter's place in the flat arrays, and what the step does to it.
struct Segment {
  int64_t offset = 0;  // floats from the start of each flat array
  int64_t size = 0;    // floats, padding included (padding has zero weight and gradient)
  float l1 = 0.0f;
  float l2 = 0.0f;
  float weight_decay = 0.0f;  // decoupled: w -= w * weight_decay * learning_rate
  int64_t elements = 0;       // without padding
  MatrixShape matrix;         // adafactor, muon; muon treats others as adam does
  int64_t factors = 0;        // adafactor: floats from the start of OptimizerArrays::factors
};

// Row (of all matrices) and column of the float number `i` of a matrix's segment; a column may be padding.
struct MatrixPlace {
  int64_t row, col;
};
constexpr MatrixPlace place_in(const MatrixShape& m, int64_t i) {
  if (m.width == 0) return {i / m.cols, i % m.cols};
  const int64_t padded = (m.cols + 15) / 16 * 16, panel = i / (m.rows * m.width);
  const int64_t rest = padded - panel * m.width, width = rest < m.width ? rest : m.width;
  const int64_t inside = i - panel * m.rows * m.width;
  return {inside / width, panel * m.width + inside % width};
}
// The same the other way round.
constexpr int64_t index_in(const MatrixShape& m, int64_t row, int64_t col) {
  if (m.width == 0) return row * m.cols + col;
  const int64_t padded = (m.cols + 15) / 16 * 16, panel = col / m.width;
  const int64_t rest = padded - panel * m.width, width = rest < m.width ? rest : m.width;
  return panel * m.rows * m.width + row * width + (col - panel * m.width);
}

// Adafactor's state: of a matrix the mean squares of its rows, then of its columns; else those of its elements.
constexpr int64_t row_factors(const MatrixShape& m) { return (m.all_rows() + 15) / 16 * 16; }
constexpr int64_t column_factors(const MatrixShape& m) { return (m.count * m.cols + 15) / 16 * 16; }

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

inline constexpr int kSlots = 3;

struct OptimizerArrays {
  float* parameters = nullptr;
  float* gradients = nullptr;
  float* slots[kSlots] = {nullptr, nullptr, nullptr};
  float* average = nullptr;  // of the weights over the steps; null: not kept
  float* accumulator =
      nullptr;               // the sum of gradients since the last update; null: every step updates
  float* factors = nullptr;  // adafactor
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

// Order of a step as in Keras: unscale, accumulate, clip, decoupled decay, update, average. Formulas and slots:
// math/optimizer.h.
struct OptimizerStep {
  OptimizerKind kind = OptimizerKind::sgd;
  int32_t index = 0;  // among the model's optimizers: which of StepContext::scalars are its own
  OptimizerArrays arrays;
  bool with_momentum = false;  // sgd, rmsprop
  bool nesterov = false;       // sgd, muon
  bool centered = false;       // rmsprop
  bool amsgrad = false;        // adam
  // 1 - beta in double, then rounded: 1 - 0.999 in float32 is off by 1e-5.
  float rho = 0.9f;  // rmsprop, adadelta
  float one_minus_rho = 0.1f;
  float beta_2 = 0.999f;
  float one_minus_beta_2 = 0.001f;
  float epsilon = 1e-7f;           // adafactor: epsilon_1
  float l1 = 0.0f;                 // ftrl
  float double_shrinkage = 0.0f;   // ftrl
  float power = 0.5f;              // ftrl
  float epsilon_2 = 1e-3f;         // adafactor
  float clip_threshold = 1.0f;     // adafactor
  float rms_rate = 0.0f;           // muon; 0: not used
  float accumulated_share = 1.0f;  // 1 / gradient_accumulation_steps
  Clip clip = Clip::none;
  float clip_limit = 0.0f;
  bool penalised = true;  // gradients lack those of the penalties
  bool scaled = false;    // loss gradients were multiplied by OptimizerScalars::loss_scale
  bool rare = false;  // more is asked for than the commonest forms of sgd, rmsprop, adam and nadam
  bool prepared = false;  // GradientNorm has left the final gradient, but for clipping by norm
  const double* chunk_sum = nullptr;      // from GradientNorm
  const double* direction_sum = nullptr;  // from OptimizerDirection
  // From GradientNorm of all optimizers: the step changes nothing unless they are 0. Null: no such check.
  const double* not_finite = nullptr;
  int64_t not_finite_count = 0;
};

// What comes before a step that needs more than one element of a gradient: unscales it, adds the regularization
// gradient (l1 * sign(w) + 2 * l2 * w), accumulates, clips by value, all in place. chunk_sum[c] = sum of squares of the
// result; not_finite[c] = 0 if every element is finite, else NaN (null: not asked for).
struct GradientNorm {
  OptimizerStep step;
  double* chunk_sum = nullptr;
  double* not_finite = nullptr;
};

// adafactor: moves the mean squares of rows and columns of all matrices.
struct FactoredMoments {
  OptimizerStep step;
};

// lamb, adafactor, and muon's matrices: decays the weights, moves the moments, and writes the direction of the step in
// the place of the gradient. direction_sum[2 c] and [2 c + 1]: the sums of squares of weights and direction in chunk c.
struct OptimizerDirection {
  OptimizerStep step;
  double* direction_sum = nullptr;
};

// muon: from the direction of a matrix to `tall` (its rows the longer side, rows ld floats apart), divided by its norm;
// or back, as it is.
struct OrthogonalCopy {
  OptimizerStep step;
  int32_t segment = 0;
  float* tall = nullptr;
  int64_t ld = 0;
  bool back = false;
};

// muon: out = add_factor * add + factor * left right, or left^T right. All have rows ld floats apart, with zeros from
// the last column on; depth is that of the sums. `add` may be null; nothing aliases.
struct MatrixProduct {
  const float* left = nullptr;
  const float* right = nullptr;
  const float* add = nullptr;
  float* out = nullptr;
  bool transposed = false;
  int64_t rows = 0, cols = 0, depth = 0;
  int64_t ld = 0;
  float factor = 1.0f;
  float add_factor = 0.0f;
};

// Whether the optimizer needs all of a parameter, not just an element.
inline constexpr bool needs_whole(OptimizerKind kind, bool matrix) {
  return kind == OptimizerKind::lamb || kind == OptimizerKind::adafactor ||
         (kind == OptimizerKind::muon && matrix);
}
inline constexpr bool needs_whole(const OptimizerStep& step, const Segment& segment) {
  return needs_whole(step.kind, static_cast<bool>(segment.matrix));
}

// Whether the gradients of this step are only accumulated, or not finite: then the weights stay.
DNNFAST_HD bool holds(const OptimizerStep& op, const StepContext& context) {
  double sum = 0;
  for (int64_t i = 0; i < op.not_finite_count; ++i) sum += op.not_finite[i];
  return !context.scalars[op.index].updates || !(sum == 0);
}

// The chunks of chunk c's parameter: [begin, end).
struct ChunkRange {
  int64_t begin, end;
};
DNNFAST_HD ChunkRange chunks_of_parameter(const OptimizerArrays& arrays, int64_t c) {
  const int32_t segment = arrays.chunks[c].segment;
  ChunkRange range{c, c};
  while (range.begin > 0 && arrays.chunks[range.begin - 1].segment == segment) --range.begin;
  while (range.end < arrays.chunk_count && arrays.chunks[range.end].segment == segment) ++range.end;
  return range;
}

DNNFAST_HD int64_t first_chunk_of(const OptimizerArrays& arrays, int32_t segment) {
  int64_t c = 0;
  while (arrays.chunks[c].segment != segment) ++c;
  return c;
}

// The square of the norm that the gradients of chunk c are clipped by: the sums of its parameter's chunks, or of
// all, in order, so that whoever asks finds the same.
DNNFAST_HD double clipped_square(const OptimizerStep& op, int64_t c) {
  ChunkRange range{0, op.arrays.chunk_count};
  if (op.clip == Clip::norm) range = chunks_of_parameter(op.arrays, c);
  double sum = 0;
  for (int64_t i = range.begin; i < range.end; ++i) sum += op.chunk_sum[i];
  return sum;
}

// Sums of squares of the weights and of the direction of chunk c's parameter.
struct DirectionSquares {
  double weights, direction;
};
DNNFAST_HD DirectionSquares direction_squares(const OptimizerStep& op, int64_t c) {
  const ChunkRange range = chunks_of_parameter(op.arrays, c);
  DirectionSquares sums{0, 0};
  for (int64_t i = range.begin; i < range.end; ++i) {
    sums.weights += op.direction_sum[2 * i];
    sums.direction += op.direction_sum[2 * i + 1];
  }
  return sums;
}

// The update of one parameter by the op that makes its gradient, while that is in cache. The op may
// leave the flat gradient array unwritten.
struct FusedUpdate {
  const OptimizerStep* step = nullptr;  // null: the gradient is stored for an op that comes later
  int32_t segment = 0;

  constexpr explicit operator bool() const { return step != nullptr; }
};

}  // namespace dnnfast::ops
