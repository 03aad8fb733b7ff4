// Optimizers that need a whole parameter: lamb, adafactor and muon. Their gradients are final in the flat array
// (GradientNorm); here is how the direction comes into their place. Work per unit: one chunk, 64 rows or 16 columns of
// a matrix's mean squares, or a block of a product. Every sum is taken by one unit, in a fixed order.

#include "cpu/families.h"
#include "cpu/gemm.h"
#include "cpu/optimizer_rules.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::Chunk;
using ops::MatrixShape;
using ops::OptimizerArrays;
using ops::OptimizerKind;
using ops::OptimizerStep;
using ops::Segment;
using ops::StepContext;

// --- adafactor: mean squares of rows and columns ---

constexpr int64_t kFactorRows = 64;
constexpr int64_t kFactorCols = kColumnPadding;

int64_t units_of(int64_t size, int64_t unit) { return (size + unit - 1) / unit; }

int64_t factor_units(const MatrixShape& m) {
  return units_of(m.all_rows(), kFactorRows) + m.count * units_of(m.cols, kFactorCols);
}

int64_t factored_units(const ops::FactoredMoments& op, const StepContext&) {
  const OptimizerArrays& arrays = op.step.arrays;
  int64_t units = 0;
  for (int64_t c = 0; c < arrays.chunk_count; ++c)
    if (c == 0 || arrays.chunks[c].segment != arrays.chunks[c - 1].segment)
      units += factor_units(arrays.segments[arrays.chunks[c].segment].matrix);
  return units;
}

// The gradients of one matrix parameter, clipped by their norm as they are read.
struct MatrixGradient {
  const float* g;
  MatrixShape shape;
  float factor;

  const float* at(int64_t row, int64_t col) const { return g + ops::index_in(shape, row, col); }
  double square(float v) const { return static_cast<double>((v * factor) * (v * factor)); }
};

struct FactorRates {
  float beta, one_minus_beta, epsilon;

  void move(float& mean, double sum, int64_t terms) const {
    const float square = static_cast<float>(sum / static_cast<double>(terms)) + epsilon;
    mean = beta * mean + one_minus_beta * square;
  }
};

void move_rows(const MatrixGradient& m, const FactorRates& rates, int64_t begin, float* factors) {
  const int64_t cols = m.shape.cols, width = m.shape.width ? m.shape.width : cols;
  for (int64_t row = begin; row < least(begin + kFactorRows, m.shape.all_rows()); ++row) {
    double sum = 0;
    for (int64_t col = 0; col < cols; col += width) {
      const float* const g = m.at(row, col);
      for (int64_t i = 0; i < least(width, cols - col); ++i) sum += m.square(g[i]);
    }
    rates.move(factors[row], sum, cols);
  }
}

// A group of columns lies in one panel.
void move_columns(const MatrixGradient& m, const FactorRates& rates, int64_t group,
                  float* factors) {
  const int64_t groups = units_of(m.shape.cols, kFactorCols);
  const int64_t matrix = group / groups, begin = group % groups * kFactorCols;
  const int64_t cols = least(kFactorCols, m.shape.cols - begin);
  double sums[kFactorCols] = {};
  for (int64_t row = matrix * m.shape.rows; row < (matrix + 1) * m.shape.rows; ++row) {
    const float* const g = m.at(row, begin);
    for (int64_t i = 0; i < cols; ++i) sums[i] += m.square(g[i]);
  }
  for (int64_t i = 0; i < cols; ++i)
    rates.move(factors[matrix * m.shape.cols + begin + i], sums[i], m.shape.rows);
}

void factored_run(const ops::FactoredMoments& op, const StepContext& context, UnitRange range,
                  void*) {
  const OptimizerStep& step = op.step;
  const OptimizerArrays& arrays = step.arrays;
  if (ops::holds(step, context)) return;
  const ops::OptimizerScalars& s = context.scalars[step.index];
  const FactorRates rates{s.second_alpha, s.gradient_alpha, step.epsilon};
  int64_t first = 0;
  for (int64_t c = 0; c < arrays.chunk_count; c = ops::chunks_of_parameter(arrays, c).end) {
    const Segment& segment = arrays.segments[arrays.chunks[c].segment];
    const int64_t row_units = units_of(segment.matrix.all_rows(), kFactorRows);
    const int64_t units = factor_units(segment.matrix), end = least(range.end, first + units);
    if (range.begin < end && end > first) {
      const MatrixGradient gradient{arrays.gradients + segment.offset, segment.matrix,
                                    norm_factor(step, c)};
      float* const rows = arrays.factors + segment.factors;
      float* const columns = rows + ops::row_factors(segment.matrix);
      for (int64_t u = range.begin > first ? range.begin : first; u < end; ++u) {
        if (u - first < row_units)
          move_rows(gradient, rates, (u - first) * kFactorRows, rows);
        else
          move_columns(gradient, rates, u - first - row_units, columns);
      }
    }
    first += units;
  }
}

// --- Directions ---

// The mean squares of a matrix's elements, from those of its rows and columns.
struct FactoredSquares {
  const float* rows;
  const float* columns;
  MatrixShape shape;
  double mean = 0;  // of the rows' mean squares of matrix `matrix`
  int64_t matrix = -1;

  void enter(int64_t number) {
    matrix = number;
    mean = 0;
    for (int64_t r = 0; r < shape.rows; ++r)
      mean += static_cast<double>(rows[number * shape.rows + r]);
    mean /= static_cast<double>(shape.rows);
  }
  float row_share(int64_t row) {
    if (row / shape.rows != matrix) enter(row / shape.rows);
    return static_cast<float>(static_cast<double>(rows[row]) / mean);
  }
  // Of floats i to i + kLanes - 1 of the segment; anything in the padding.
  vf at(int64_t i) {
    const ops::MatrixPlace place = ops::place_in(shape, i);
    if (shape.width > 0) return row_share(place.row) * load(columns + place.col);
    alignas(64) float v[kLanes] = {};
    for (int lane = 0; lane < kLanes; ++lane) {
      const ops::MatrixPlace here = ops::place_in(shape, i + lane);
      if (here.row >= shape.all_rows()) break;
      const float share = row_share(here.row);
      v[lane] = share * columns[matrix * shape.cols + here.col];
    }
    return load(v);
  }
};

// g of `size` floats from `at` on (in the segment) becomes the direction.
void direct_adafactor(const OptimizerStep& op, const ops::OptimizerScalars& s,
                      const Segment& segment, float factor, int64_t at, int64_t size) {
  float* const g = op.arrays.gradients + segment.offset + at;
  float* const factors = op.arrays.factors + segment.factors;
  if (!segment.matrix) {
    for (int64_t i = 0; i < size; i += kLanes) {
      const vf gi = load(g + i) * factor;
      const vf v =
          s.second_alpha * load(factors + at + i) + s.gradient_alpha * (gi * gi + op.epsilon);
      store(factors + at + i, v);
      store(g + i, math::adafactor(gi, v));
    }
    return;
  }
  FactoredSquares squares{factors, factors + ops::row_factors(segment.matrix), segment.matrix};
  for (int64_t i = 0; i < size; i += kLanes)
    store(g + i, math::adafactor(load(g + i) * factor, squares.at(at + i)));
}

void direct_lamb(const OptimizerStep& op, const ops::OptimizerScalars& s, float factor,
                 int64_t offset, int64_t size) {
  const math::AdamRates rates = adam_rates(op, s);
  float* const g = op.arrays.gradients + offset;
  float* const m = op.arrays.slots[0] + offset;
  float* const v = op.arrays.slots[1] + offset;
  for (int64_t i = 0; i < size; i += kLanes) {
    vf mi = load(m + i), velocity = load(v + i);
    store(g + i, math::lamb(load(g + i) * factor, mi, velocity, rates));
    store(m + i, mi);
    store(v + i, velocity);
  }
}

void direct_muon(const OptimizerStep& op, const ops::OptimizerScalars& s, float factor,
                 int64_t offset, int64_t size) {
  float* const g = op.arrays.gradients + offset;
  float* const m = op.arrays.slots[0] + offset;
  for (int64_t i = 0; i < size; i += kLanes) {
    vf mi = load(m + i);
    store(g + i, math::muon(load(g + i) * factor, mi, s.momentum, op.nesterov));
    store(m + i, mi);
  }
}

double sum_of_squares(const float* v, int64_t size) {
  return sum_terms(size, [&](int64_t i) { return load(v + i) * load(v + i); });
}

void direction_run(const ops::OptimizerDirection& op, const StepContext& context, UnitRange range,
                   void*) {
  const OptimizerStep& step = op.step;
  const OptimizerArrays& arrays = step.arrays;
  const ops::OptimizerScalars& s = context.scalars[step.index];
  if (ops::holds(step, context)) return;
  for (int64_t c = range.begin; c < range.end; ++c) {
    const Chunk& chunk = arrays.chunks[c];
    const Segment& segment = arrays.segments[chunk.segment];
    if (!needs_whole(step, segment)) continue;
    const float factor = norm_factor(step, c), decay = segment.weight_decay * s.decay_rate;
    float* const w = arrays.parameters + chunk.offset;
    if (decay != 0.0f) decay_span(decay, w, chunk.size);
    if (step.kind == OptimizerKind::adafactor)
      direct_adafactor(step, s, segment, factor, chunk.offset - segment.offset, chunk.size);
    else if (step.kind == OptimizerKind::lamb)
      direct_lamb(step, s, factor, chunk.offset, chunk.size);
    else
      direct_muon(step, s, factor, chunk.offset, chunk.size);
    op.direction_sum[2 * c] = sum_of_squares(w, chunk.size);
    op.direction_sum[2 * c + 1] = sum_of_squares(arrays.gradients + chunk.offset, chunk.size);
  }
}

int64_t direction_units(const ops::OptimizerDirection& op, const StepContext&) {
  return op.step.arrays.chunk_count;
}

// --- muon: from a matrix to the nearest orthogonal one ---

constexpr int64_t kCopyRows = 64;

int64_t copy_units(const ops::OrthogonalCopy& op, const StepContext&) {
  const MatrixShape& m = op.step.arrays.segments[op.segment].matrix;
  return units_of(m.rows > m.cols ? m.rows : m.cols, kCopyRows);
}

void copy_run(const ops::OrthogonalCopy& op, const StepContext& context, UnitRange range, void*) {
  const OptimizerArrays& arrays = op.step.arrays;
  if (ops::holds(op.step, context)) return;
  const Segment& segment = arrays.segments[op.segment];
  const MatrixShape& m = segment.matrix;
  const bool turned = m.rows < m.cols;
  const int64_t rows = turned ? m.cols : m.rows, cols = turned ? m.rows : m.cols;
  float* const g = arrays.gradients + segment.offset;
  float scale = 1.0f;
  if (!op.back) {
    const double norm = __builtin_sqrt(
        ops::direction_squares(op.step, ops::first_chunk_of(arrays, op.segment)).direction);
    scale = static_cast<float>(1.0 / (norm + 1e-7));
  }
  for (int64_t r = range.begin * kCopyRows; r < least(range.end * kCopyRows, rows); ++r) {
    float* const line = op.tall + r * op.ld;
    for (int64_t c = 0; c < cols; ++c) {
      float& element = g[turned ? ops::index_in(m, c, r) : ops::index_in(m, r, c)];
      if (op.back)
        element = line[c];
      else
        line[c] = element * scale;
    }
    if (!op.back)
      for (int64_t c = cols; c < op.ld; ++c) line[c] = 0.0f;
  }
}

constexpr int64_t kProductRows = 4 * kTileRows;
constexpr int64_t kProductCols = 4 * kTileCols;

int64_t product_columns(const ops::MatrixProduct& op) {
  return units_of(round_up(op.cols, kColumnPadding), kProductCols);
}

int64_t product_units(const ops::MatrixProduct& op, const StepContext&) {
  return units_of(op.rows, kProductRows) * product_columns(op);
}

void product_run(const ops::MatrixProduct& op, const StepContext&, UnitRange range, void*) {
  const int64_t across = product_columns(op), padded = round_up(op.cols, kColumnPadding);
  for (int64_t u = range.begin; u < range.end; ++u) {
    const int64_t row = u / across * kProductRows, col = u % across * kProductCols;
    const int64_t rows = least(kProductRows, op.rows - row),
                  cols = least(kProductCols, padded - col);
    float* const out = op.out + row * op.ld + col;
    const Strided left =
        op.transposed ? Strided{op.left + row, 1, op.ld} : Strided{op.left + row * op.ld, op.ld, 1};
    run_tiles(rows, {cols, op.cols - col},
              {left, op.right + col, op.ld, op.depth, out, op.ld, nullptr, Start::zero}, 0);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; c += kLanes) {
        vf v = load(out + r * op.ld + c) * op.factor;
        if (op.add) v += load(op.add + (row + r) * op.ld + col + c) * op.add_factor;
        store(out + r * op.ld + c, v);
      }
  }
}

}  // namespace

void register_optimizer_whole(KernelTable& table) {
  table.factored_moments = {factored_units, factored_run, nullptr};
  table.optimizer_direction = {direction_units, direction_run, nullptr};
  table.orthogonal_copy = {copy_units, copy_run, nullptr};
  table.matrix_product = {product_units, product_run, nullptr};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
