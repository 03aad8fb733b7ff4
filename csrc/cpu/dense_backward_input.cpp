// dx (+)= gradient(dz w^T), the epilogue being the derivative of the op that made x.
// Small batches: the batch lies in the vectors; weights are broadcast from their panels as they are, dz is
// transposed first (a small matrix), and finished tiles are transposed back in registers. Larger
// ones repay a transposed copy of the weights, a block at a time.
// Work per unit: kTallWidth batch rows x 16 input columns.

#include "cpu/families.h"
#include "cpu/gemm_blocked.h"
#include "cpu/pointwise.h"
#include "cpu/transpose.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::DenseBackwardInput;
using ops::StepContext;

constexpr int64_t kUnitCols = kColumnPadding;
constexpr int64_t kStripCols = 48;  // a multiple of kTallRows and of kUnitCols
static_assert(kStripCols % kTallRows == 0 && kStripCols % kUnitCols == 0);

int64_t col_units(const DenseBackwardInput& op) { return op.dx.padded_cols() / kUnitCols; }

int64_t row_units(int64_t rows) { return (rows + kTallWidth - 1) / kTallWidth; }

int64_t units(const DenseBackwardInput& op, const StepContext& context) {
  return row_units(context.batch * op.dz.rows_per_sample) * col_units(op);
}

bool rows_first(const DenseBackwardInput& op, const StepContext& context) {
  const int64_t rows = context.batch * op.dz.rows_per_sample;
  return rows >= kRowsToDivide && rows > op.dx.cols;
}

// Row blocks that share a pass over the weights: as many as their dz^T fits the second-level cache.
constexpr int64_t kTransposedFloats = int64_t{1} << 17;
int64_t blocks_at_once(const DenseBackwardInput& op) {
  const int64_t fit = kTransposedFloats / (op.w.padded_out() * kTallWidth);
  return fit < 1 ? 1 : least(fit, 8);
}

// Layout of the scratch: a strip of dx^T [48][kTallWidth], that strip transposed [kTallWidth][48], and
// for each row block dz^T [padded out][kTallWidth].
int64_t scratch_bytes(const DenseBackwardInput& op, int64_t) {
  const int64_t tall = (2 * kStripCols + blocks_at_once(op) * op.w.padded_out()) * kTallWidth;
  const int64_t blocked = blocked_scratch_floats(op.dx.cols, least(kPanelDepth, op.w.out));
  return (tall > blocked ? tall : blocked) * static_cast<int64_t>(sizeof(float));
}

void transpose_rows(const BatchMatrix& dz, int64_t first, int64_t rows, float* out) {
  for (int64_t r = 0; r < kTallWidth; r += kLanes) {
    const int64_t present = least(kLanes, rows - r);
    for (int64_t c = 0; c < dz.padded_cols(); c += kLanes) {
      float* to = out + c * kTallWidth + r;
      if (present == kLanes) {
        transpose_block(dz.row(first + r) + c, dz.ld, to, kTallWidth);
      } else {
        transpose_block_rows(dz.data + (first + (present > 0 ? r : 0)) * dz.ld + c, dz.ld,
                             present > 0 ? present : 0, to, kTallWidth);
      }
    }
  }
}

// Rows [i, i + Rows) of dx^T: the sum over outputs runs through the panels in order.
template <int Rows>
void tall_tile(const PanelMatrix& w, int64_t i, const float* dzt, float* out) {
  vf acc[Rows][kTallVectors];
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int j = 0; j < kTallVectors; ++j) acc[r][j] = vf{};
  }
  for (int64_t p = 0; p < w.panels(); ++p) {
    const int64_t cols = w.panel_width(p);
    multiply_add<Rows, kTallVectors>(acc, {w.panel(p) + i * cols, cols, 1},
                                     dzt + p * w.width * kTallWidth, kTallWidth,
                                     least(cols, w.out - p * w.width));
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int j = 0; j < kTallVectors; ++j) store(out + r * kTallWidth + j * kLanes, acc[r][j]);
  }
}

template <int Rows = kTallRows>
void tall_tile_of(int64_t rows, const PanelMatrix& w, int64_t i, const float* dzt, float* out) {
  if constexpr (Rows > 1) {
    if (rows < Rows) return tall_tile_of<Rows - 1>(rows, w, i, dzt, out);
  }
  tall_tile<Rows>(w, i, dzt, out);
}

struct Strip {
  int64_t row, rows, col_begin, col_end;
};

// A strip of one row: the vectors that the batch cannot fill hold inputs, and weights are transposed to them
// in registers. Every sum is the same chain as in a tile.
void multiply_row(const PanelMatrix& w, const float* dz, int64_t begin, int64_t end, float* out) {
  for (int64_t i = begin; i < end; i += kLanes) {
    const int64_t present = w.in - i;
    vf sum = {};
    for (int64_t p = 0; p < w.panels(); ++p) {
      const int64_t cols = w.panel_width(p);
      const float* from = w.panel(p) + i * cols;
      for (int64_t o = 0; o < cols; o += kLanes) {
        vf v[kLanes];
#pragma GCC unroll 16
        for (int r = 0; r < kLanes; ++r) v[r] = r < present ? load(from + r * cols + o) : vf{};
        transpose_registers(v);
#pragma GCC unroll 16
        for (int j = 0; j < kLanes; ++j) sum += broadcast(dz + p * w.width + o + j) * v[j];
      }
    }
    store(out + i - begin, sum);
  }
}

void run_strip(const DenseBackwardInput& op, const StepContext& context, const Strip& strip,
               const float* dzt, float* scratch) {
  float* tall = scratch;
  float* wide = tall + kStripCols * kTallWidth;
  const int64_t cols = strip.col_end - strip.col_begin;
  const int64_t present = least(op.dx.cols - strip.col_begin, cols);
  if (strip.rows == 1) {
    multiply_row(op.w, op.dz.row(strip.row), strip.col_begin, strip.col_end, wide);
  } else {
    for (int64_t i = 0; i < present; i += kTallRows)
      tall_tile_of(least(kTallRows, present - i), op.w, strip.col_begin + i, dzt,
                   tall + i * kTallWidth);
    for (int64_t i = present; i < cols; ++i)
      for (int64_t r = 0; r < kTallWidth; r += kLanes) store(tall + i * kTallWidth + r, vf{});
    for (int64_t i = 0; i < cols; i += kLanes)
      for (int64_t r = 0; r < kTallWidth; r += kLanes)
        transpose_block(tall + i * kTallWidth + r, kTallWidth, wide + r * kStripCols + i,
                        kStripCols);
  }
  pointwise_backward_block(
      op.gradient, context, {wide - strip.row * kStripCols - strip.col_begin, kStripCols},
      {op.gradient.saved, op.gradient.saved_ld}, {op.dx.data, op.dx.ld}, op.accumulate,
      {strip.row, strip.row + strip.rows, strip.col_begin, strip.col_end, op.dx.cols});
}

struct BlockedInput {
  const DenseBackwardInput& op;
  const StepContext& context;
  static constexpr int64_t depth_block = kPanelDepth;

  void pack_rows(const Block3& b, float* to) const { pack_strips_of_rows(op.dz, b, to); }
  // Panels of w^T: input columns of kPanelWidth, [output][column].
  void pack_cols(const Block3& b, float* to) const {
    const int64_t depth = round_up(b.depth, kLanes);
    for (int64_t k = 0; k < depth; k += kLanes) {
      const int64_t p = (b.depth_begin + k) / op.w.width, ld = op.w.panel_width(p);
      const float* from = op.w.panel(p) + (b.depth_begin + k - p * op.w.width);
      for (int64_t c = b.col_begin, end; c < b.col_end; c = end) {
        end = panel_end(c, b.col_end);
        float* panel = to + (c - b.col_begin) * depth + k * (end - c);
        for (int64_t i = c; i < end; i += kLanes) {
          const int64_t present = op.w.in - i;
          if (present >= kLanes)
            transpose_block(from + i * ld, ld, panel + (i - c), end - c);
          else
            transpose_block_rows(from + (present > 0 ? i * ld : 0), ld, present, panel + (i - c),
                                 end - c);
        }
      }
    }
  }
  PanelJob panel(const Block3& b, const float* packed, int64_t first) const {
    return {packed + (b.col_begin - first) * round_up(b.depth, kLanes),
            b.col_end - b.col_begin,
            op.dx.row(b.row_begin) + b.col_begin,
            op.dx.ld,
            nullptr,
            op.dx.cols - b.col_begin,
            b.depth_begin == 0 ? Start::zero : Start::previous,
            {}};
  }
  void finish(const Block3& b) const {
    pointwise_backward_block(op.gradient, context, {op.dx.data, op.dx.ld},
                             {op.gradient.saved, op.gradient.saved_ld}, {op.dx.data, op.dx.ld},
                             false, {b.row_begin, b.row_end, b.col_begin, b.col_end, op.dx.cols});
  }
};

// With the batch in the vectors; `part` is column units by row blocks.
void run_tall(const DenseBackwardInput& op, const StepContext& context, const Rectangle& part,
              float* scratch) {
  const int64_t rows = context.batch * op.dz.rows_per_sample;
  float* dzt = scratch + 2 * kStripCols * kTallWidth;
  const int64_t block_floats = op.w.padded_out() * kTallWidth;
  const int64_t together = blocks_at_once(op), col_end = part.col_end * kUnitCols;
  for (int64_t first = part.row_begin; first < part.row_end; first += together) {
    const int64_t count = least(together, part.row_end - first);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = (first + i) * kTallWidth;
      transpose_rows(op.dz, row, least(kTallWidth, rows - row), dzt + i * block_floats);
    }
    for (int64_t c = part.col_begin * kUnitCols; c < col_end; c += kStripCols) {
      for (int64_t i = 0; i < count; ++i) {
        const int64_t row = (first + i) * kTallWidth;
        run_strip(op, context,
                  {row, least(kTallWidth, rows - row), c, least(c + kStripCols, col_end)},
                  dzt + i * block_floats, scratch);
      }
    }
  }
}

// From how many rows the weights are copied. A gradient that adds to another term needs the sum apart.
constexpr int64_t kBlockedRows = 64;

void run(const DenseBackwardInput& op, const StepContext& context, UnitRange range, void* scratch) {
  const int64_t rows = context.batch * op.dz.rows_per_sample;
  const bool blocked = rows >= kBlockedRows && !op.accumulate;
  for_each_rectangle(range, col_units(op), row_units(rows), [&](const Rectangle& part) {
    if (!blocked) return run_tall(op, context, part, static_cast<float*>(scratch));
    multiply_blocked(BlockedInput{op, context},
                     {part.row_begin * kTallWidth, least(part.row_end * kTallWidth, rows),
                      part.col_begin * kUnitCols, part.col_end * kUnitCols, 0, op.w.out},
                     static_cast<float*>(scratch));
  });
}

}  // namespace

void register_dense_backward_input(KernelTable& table) {
  table.dense_backward_input = {units, run, scratch_bytes, rows_first};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
