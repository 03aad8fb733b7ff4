// y = dropout(f(x w + b)).
// Work per unit: 16 output columns x kUnitRows rows. Reads x once per panel and w once per kRowBlock rows;
// writes y once, and its pre-activation stays in the first-level cache until the epilogue.

#include "cpu/families.h"
#include "cpu/gemm.h"
#include "cpu/pointwise.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::DenseForward;
using ops::StepContext;

constexpr int64_t kUnitRows = 2 * kTileRows;  // a multiple of 4: see pointwise.h
constexpr int64_t kUnitCols = kColumnPadding;
constexpr int64_t kRowBlock = 4 * kUnitRows;
constexpr int64_t kDepthBlock = 512;  // 512 x one panel (96 KB) stays in the second-level cache

int64_t rows_of(const DenseForward& op, const StepContext& context) {
  return context.batch * op.x.rows_per_sample;
}
int64_t row_units(int64_t rows) { return (rows + kUnitRows - 1) / kUnitRows; }

int64_t units(const DenseForward& op, const StepContext& context) {
  return row_units(rows_of(op, context)) * (op.w.padded_out() / kUnitCols);
}

// Columns of one panel by rows of one block.
struct Piece {
  int64_t row_begin, row_end, col_begin, col_end;
};

void multiply_piece(const DenseForward& op, const Piece& piece) {
  const int64_t p = piece.col_begin / op.w.width;
  const int64_t panel_cols = op.w.panel_width(p);
  const float* panel = op.w.panel(p);
  for (int64_t k = 0; k < op.w.in; k += kDepthBlock) {
    const int64_t depth = least(kDepthBlock, op.w.in - k);
    for (int64_t c = piece.col_begin; c < piece.col_end; c += kTileVectors * kLanes) {
      const int64_t vectors = least(kTileVectors, (piece.col_end - c) / kLanes);
      for (int64_t r = piece.row_begin; r < piece.row_end; r += kTileRows) {
        const float* b = panel + k * panel_cols + (c - p * op.w.width);
        run_tile_of(least(kTileRows, piece.row_end - r), vectors,
                    {{op.x.row(r) + k, op.x.ld, 1},
                     b,
                     panel_cols,
                     depth,
                     op.y.row(r) + c,
                     op.y.ld,
                     op.b ? op.b + c : nullptr,
                     k == 0 ? Start::bias : Start::previous});
      }
    }
  }
}

void run(const DenseForward& op, const StepContext& context, UnitRange range, void*) {
  const int64_t rows = rows_of(op, context);
  const int64_t row_unit_count = row_units(rows);
  for_each_rectangle(range, row_unit_count, [&](const Rectangle& part) {
    const int64_t row_end = least(part.minor_end * kUnitRows, rows);
    const int64_t col_end = part.major_end * kUnitCols;
    for (int64_t c = part.major_begin * kUnitCols; c < col_end;) {
      const int64_t next = least((c / op.w.width + 1) * op.w.width, col_end);
      for (int64_t r = part.minor_begin * kUnitRows; r < row_end; r += kRowBlock) {
        const Piece piece{r, least(r + kRowBlock, row_end), c, next};
        multiply_piece(op, piece);
        pointwise_forward_block(op.act, op.dropout, context, {op.y.data, op.y.ld},
                                {op.y.data, op.y.ld}, op.saved,
                                {piece.row_begin, piece.row_end, c, next, op.y.cols});
      }
      c = next;
    }
  });
}

}  // namespace

void register_dense_forward(KernelTable& table) { table.dense_forward = {units, run, nullptr}; }

}  // namespace dnnfast::cpu::DNNFAST_ISA
