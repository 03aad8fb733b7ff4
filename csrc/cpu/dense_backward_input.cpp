// dx (+)= gradient(dz w^T), the epilogue being the derivative of the op that made x.
// Work per unit: kTallWidth batch rows x 16 input columns. The batch lies in the vectors: weights are
// broadcast from their panels as they are, dz is transposed first (a small matrix), and finished
// tiles are transposed back in registers.

#include "cpu/families.h"
#include "cpu/gemm.h"
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

int64_t units(const DenseBackwardInput& op, const StepContext& context) {
  const int64_t rows = context.batch * op.dz.rows_per_sample;
  return (rows + kTallWidth - 1) / kTallWidth * col_units(op);
}

// Row blocks that share a pass over the weights: as many as their dz^T fits the second-level cache.
constexpr int64_t kTransposedFloats = int64_t{1} << 18;
int64_t blocks_at_once(const DenseBackwardInput& op) {
  const int64_t fit = kTransposedFloats / (op.w.padded_out() * kTallWidth);
  return fit < 1 ? 1 : least(fit, 8);
}

// Layout of the scratch: a strip of dx^T [48][kTallWidth], that strip transposed [kTallWidth][48], and
// for each row block dz^T [padded out][kTallWidth].
int64_t scratch_bytes(const DenseBackwardInput& op, int64_t) {
  return (2 * kStripCols + blocks_at_once(op) * op.w.padded_out()) * kTallWidth *
         static_cast<int64_t>(sizeof(float));
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

void run_strip(const DenseBackwardInput& op, const StepContext& context, const Strip& strip,
               const float* dzt, float* scratch) {
  float* tall = scratch;
  float* wide = tall + kStripCols * kTallWidth;
  const int64_t cols = strip.col_end - strip.col_begin;
  const int64_t present = least(op.dx.cols - strip.col_begin, cols);
  for (int64_t i = 0; i < present; i += kTallRows)
    tall_tile_of(least(kTallRows, present - i), op.w, strip.col_begin + i, dzt,
                 tall + i * kTallWidth);
  for (int64_t i = present; i < cols; ++i)
    for (int64_t r = 0; r < kTallWidth; r += kLanes) store(tall + i * kTallWidth + r, vf{});
  for (int64_t i = 0; i < cols; i += kLanes)
    for (int64_t r = 0; r < kTallWidth; r += kLanes)
      transpose_block(tall + i * kTallWidth + r, kTallWidth, wide + r * kStripCols + i, kStripCols);
  pointwise_backward_block(
      op.gradient, context, {wide - strip.row * kStripCols - strip.col_begin, kStripCols},
      {op.gradient.saved, op.gradient.saved_ld}, {op.dx.data, op.dx.ld}, op.accumulate,
      {strip.row, strip.row + strip.rows, strip.col_begin, strip.col_end, op.dx.cols});
}

void run(const DenseBackwardInput& op, const StepContext& context, UnitRange range,
         void* scratch_memory) {
  const int64_t rows = context.batch * op.dz.rows_per_sample;
  float* scratch = static_cast<float*>(scratch_memory);
  float* dzt = scratch + 2 * kStripCols * kTallWidth;
  const int64_t block_floats = op.w.padded_out() * kTallWidth;
  for_each_rectangle(range, col_units(op), [&](const Rectangle& part) {
    const int64_t together = blocks_at_once(op), col_end = part.minor_end * kUnitCols;
    for (int64_t first = part.major_begin; first < part.major_end; first += together) {
      const int64_t count = least(together, part.major_end - first);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t row = (first + i) * kTallWidth;
        transpose_rows(op.dz, row, least(kTallWidth, rows - row), dzt + i * block_floats);
      }
      for (int64_t c = part.minor_begin * kUnitCols; c < col_end; c += kStripCols) {
        for (int64_t i = 0; i < count; ++i) {
          const int64_t row = (first + i) * kTallWidth;
          run_strip(op, context,
                    {row, least(kTallWidth, rows - row), c, least(c + kStripCols, col_end)},
                    dzt + i * block_floats, scratch);
        }
      }
    }
  });
}

}  // namespace

void register_dense_backward_input(KernelTable& table) {
  table.dense_backward_input = {units, run, scratch_bytes};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
