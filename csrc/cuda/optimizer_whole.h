#pragma once
// Optimizers that need a whole parameter: lamb, adafactor and muon. Their gradients are final in the flat array; here
// is how the direction comes into their place. Every sum is in a fixed order.

#include "cuda/optimizer.h"
#include "cuda/product.h"

namespace dnnfast::cuda {

using ops::MatrixShape;

// --- adafactor: mean squares of rows and columns ---

// The gradients of one matrix parameter, clipped by their norm as they are read.
struct FactorPass {
  const ops::OptimizerStep* step = nullptr;
  int32_t segment = 0;
  MatrixShape shape;

  __device__ float factor() const {
    return norm_factor(*step, ops::first_chunk_of(step->arrays, segment));
  }
  __device__ double square(int64_t row, int64_t col, float factor) const {
    const float* const g = step->arrays.gradients + step->arrays.segments[segment].offset;
    const float v = g[ops::index_in(shape, row, col)] * factor;
    return static_cast<double>(v) * static_cast<double>(v);
  }
  __device__ float* rows() const {
    return step->arrays.factors + step->arrays.segments[segment].factors;
  }
  __device__ float* columns() const { return rows() + ops::row_factors(shape); }
  __device__ void move(float& mean, double sum, int64_t terms,
                       const ops::OptimizerScalars& s) const {
    const float square = static_cast<float>(sum / static_cast<double>(terms)) + step->epsilon;
    mean = s.second_alpha * mean + s.gradient_alpha * square;
  }
};

// A warp a row.
struct FactorRows : FactorPass {
  constexpr Extent extent() const { return {shape.all_rows(), 0, 1}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    if (ops::holds(*step, block.context)) return;
    const float clip = factor();
    for_rows(piece, [&](int64_t row, int lane) {
      double sum = 0;
      for (int64_t col = lane; col < shape.cols; col += 32) sum += square(row, col, clip);
      sum = warp_sum(sum);
      if (lane == 0) move(rows()[row], sum, shape.cols, block.context.scalars[step->index]);
    });
  }
};

// A thread a column of one of the matrices.
struct FactorColumns : FactorPass {
  constexpr Extent extent() const { return {1, 0, shape.count * shape.cols}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    if (ops::holds(*step, block.context)) return;
    const float clip = factor();
    for_elements(piece, [&](int64_t, int64_t column) {
      const int64_t matrix = column / shape.cols, col = column % shape.cols;
      double sum = 0;
      for (int64_t row = matrix * shape.rows; row < (matrix + 1) * shape.rows; ++row)
        sum += square(row, col, clip);
      move(columns()[column], sum, shape.rows, block.context.scalars[step->index]);
    });
  }
};

// --- Directions ---

struct Direction : OptimizerPass {
  double* direction_sum = nullptr;

  Direction() = default;
  explicit Direction(const ops::OptimizerDirection& op)
      : OptimizerPass(op.step), direction_sum(op.direction_sum) {}

  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::OptimizerStep& op = *step;
    if (ops::holds(op, block.context)) return;
    const ops::OptimizerScalars& s = block.context.scalars[op.index];
    for_chunks(piece, op.arrays, [&](int64_t c, const Chunk& chunk) {
      const ops::Segment& segment = op.arrays.segments[chunk.segment];
      if (!ops::needs_whole(op, segment)) return;
      if (op.kind == ops::OptimizerKind::adafactor)
        direct_adafactor(s, segment, norm_factor(op, c), chunk);
      else
        direct_by_moments(s, norm_factor(op, c), chunk);
      const float decay = segment.weight_decay * s.decay_rate;
      double weights = 0, direction = 0;
      for_chunk_quads(chunk, [&](int64_t at) {
        State w(op.arrays.parameters, at);
        for (int i = 0; i < 4; ++i) w.v[i] -= w.v[i] * decay;
        w.store();
        weights += square_quad(w.v);
        direction += square_quad(State(op.arrays.gradients, at).v);
      });
      put_block_sum(weights, direction_sum + 2 * c);
      put_block_sum(direction, direction_sum + 2 * c + 1);
    });
  }

  // lamb and muon
  __device__ void direct_by_moments(const ops::OptimizerScalars& s, float factor,
                                    const Chunk& chunk) const {
    const ops::OptimizerStep& op = *step;
    const math::AdamRates rates = adam_rates(op, s);
    const bool lamb = op.kind == ops::OptimizerKind::lamb;
    for_chunk_quads(chunk, [&](int64_t at) {
      State g(op.arrays.gradients, at), m(op.arrays.slots[0], at);
      if (lamb) {
        State v(op.arrays.slots[1], at);
        for (int i = 0; i < 4; ++i) g.v[i] = math::lamb(g.v[i] * factor, m.v[i], v.v[i], rates);
        v.store();
      } else {
        for (int i = 0; i < 4; ++i)
          g.v[i] = math::muon(g.v[i] * factor, m.v[i], s.momentum, op.nesterov);
      }
      m.store();
      g.store();
    });
  }

  // Every thread writes the quads that it reads afterwards.
  __device__ void direct_adafactor(const ops::OptimizerScalars& s, const ops::Segment& segment,
                                   float factor, const Chunk& chunk) const {
    const ops::OptimizerStep& op = *step;
    float* const factors = op.arrays.factors + segment.factors;
    const MatrixShape& shape = segment.matrix;
    if (!shape) {
      for_chunk_quads(chunk, [&](int64_t at) {
        State g(op.arrays.gradients, at), v(factors, at - segment.offset);
        for (int i = 0; i < 4; ++i) {
          const float gi = g.v[i] * factor;
          v.v[i] = s.second_alpha * v.v[i] + s.gradient_alpha * (gi * gi + op.epsilon);
          g.v[i] = math::adafactor(gi, v.v[i]);
        }
        v.store();
        g.store();
      });
      return;
    }
    const float* const columns = factors + ops::row_factors(shape);
    int64_t last = chunk.offset + chunk.size - segment.offset - 1;
    if (shape.width == 0 && last >= segment.elements) last = segment.elements - 1;
    const int64_t begin = ops::place_in(shape, chunk.offset - segment.offset).row / shape.rows;
    const int64_t end = ops::place_in(shape, last).row / shape.rows + 1;
    for (int64_t matrix = begin; matrix < end; ++matrix) {
      const double mean = mean_of(factors + matrix * shape.rows, shape.rows);
      for_chunk_quads(chunk, [&](int64_t at) {
        State g(op.arrays.gradients, at);
        for (int i = 0; i < 4; ++i) {
          const ops::MatrixPlace place = ops::place_in(shape, at + i - segment.offset);
          if (place.row / shape.rows != matrix || place.col >= shape.cols) continue;
          const float share = static_cast<float>(static_cast<double>(factors[place.row]) / mean);
          g.v[i] =
              math::adafactor(g.v[i] * factor, share * columns[matrix * shape.cols + place.col]);
        }
        g.store();
      });
    }
  }
  __device__ static double mean_of(const float* v, int64_t count) {
    double mine = 0;
    for (int64_t i = threadIdx.x; i < count; i += kThreads) mine += static_cast<double>(v[i]);
    return block_sum(mine) / static_cast<double>(count);
  }
};

// --- muon: from a matrix to the nearest orthogonal one ---

struct OrthogonalCopy {
  const ops::OptimizerStep* step = nullptr;
  int32_t segment = 0;
  MatrixShape shape;
  float* tall = nullptr;
  int64_t ld = 0;
  bool back = false;

  constexpr bool turned() const { return shape.rows < shape.cols; }
  constexpr Extent extent() const { return {turned() ? shape.cols : shape.rows, 0, ld}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::OptimizerArrays& arrays = step->arrays;
    if (ops::holds(*step, block.context)) return;
    float* const g = arrays.gradients + arrays.segments[segment].offset;
    const int64_t cols = turned() ? shape.rows : shape.cols;
    float scale = 1.0f;
    if (!back) {
      const double norm =
          ::sqrt(ops::direction_squares(*step, ops::first_chunk_of(arrays, segment)).direction);
      scale = static_cast<float>(1.0 / (norm + 1e-7));
    }
    for_elements(piece, [&](int64_t row, int64_t col) {
      float& element = tall[row * ld + col];
      if (col >= cols) {
        if (!back) element = 0.0f;
        return;
      }
      float& direction =
          g[turned() ? ops::index_in(shape, col, row) : ops::index_in(shape, row, col)];
      if (back)
        direction = element;
      else
        element = direction * scale;
    });
  }
};

// out = add_factor * add + factor * left right, or left^T right.
template <bool kTransposed>
struct MatrixProduct {
  static constexpr bool kADepthLines = kTransposed, kBDepthLines = true;

  Lines left, right;
  const float* add = nullptr;
  float* out = nullptr;
  int64_t rows = 0, columns = 0, terms = 0;
  float factor = 1.0f, add_factor = 0.0f;

  MatrixProduct() = default;
  explicit MatrixProduct(const ops::MatrixProduct& op)
      : add(op.add), out(op.out), rows(op.rows), columns(op.ld), terms(op.depth), factor(op.factor),
        add_factor(op.add_factor) {
    left.data = op.left;
    right.data = op.right;
    left.ld = right.ld = op.ld;
  }

  constexpr Extent extent() const { return {rows, 0, columns}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    tiled<64>(*this, piece, block);
  }

  __device__ int64_t cols() const { return columns; }
  __device__ int64_t depth(const ops::StepContext&) const { return terms; }
  __device__ const Lines& a() const { return left; }
  __device__ const Lines& b() const { return right; }
  __device__ __noinline__ void finish(int64_t row, int count, int64_t col, float (*v)[4],
                                      const Block&) const {
    for (int r = 0; r < count; ++r) {
      const int64_t at = (row + r) * columns + col;
      float sum[4] = {};
      if (add) load4(add + at, sum);
      for (int c = 0; c < 4; ++c) sum[c] = add_factor * sum[c] + factor * v[r][c];
      store4(out + at, sum);
    }
  }
};

}  // namespace dnnfast::cuda
