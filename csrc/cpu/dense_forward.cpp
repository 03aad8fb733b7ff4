// y = dropout(f(x w + b)).
// Work per unit: 16 output columns x kUnitRows rows. Reads w once per kLargeRowBlock rows and x once per
// panel (from the second-level cache); y is written once per kDepthBlock input columns, and the
// epilogue finds it in the first-level cache.

#include "cpu/families.h"
#include "cpu/gemm.h"
#include "cpu/pointwise.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::DenseForward;
using ops::StepContext;

constexpr int64_t kUnitRows = 2 * kTileRows;  // a multiple of 4: see pointwise.h
constexpr int64_t kUnitCols = kColumnPadding;
constexpr int64_t kRowBlock = 4 * kUnitRows;  // of one panel: stays in the first-level cache
// A block of x, 512 rows by 512 columns (1 MB), stays in the second-level cache for all panels; beside
// it lies a panel's share of w.
constexpr int64_t kLargeRowBlock = 8 * kRowBlock;
constexpr int64_t kDepthBlock = 512;

int64_t rows_of(const DenseForward& op, const StepContext& context) {
  return context.batch * op.x.rows_per_sample;
}
int64_t row_units(int64_t rows) { return (rows + kUnitRows - 1) / kUnitRows; }

int64_t units(const DenseForward& op, const StepContext& context) {
  return row_units(rows_of(op, context)) * (op.w.padded_out() / kUnitCols);
}

// Columns of one panel by rows of one block, and the input columns summed now.
struct Piece {
  int64_t row_begin, row_end, col_begin, col_end, depth_begin, depth;
};

void multiply_piece(const DenseForward& op, const Piece& piece) {
  const int64_t p = piece.col_begin / op.w.width, k = piece.depth_begin;
  const int64_t panel_cols = op.w.panel_width(p);
  const float* panel = op.w.panel(p) + k * panel_cols - p * op.w.width;
  const Start start = k == 0 ? Start::bias : Start::previous;
  for (int64_t c = piece.col_begin; c < piece.col_end; c += kTileVectors * kLanes) {
    const int64_t vectors = least(kTileVectors, (piece.col_end - c) / kLanes);
    for (int64_t r = piece.row_begin; r < piece.row_end; r += kTileRows)
      run_tile_of(least(kTileRows, piece.row_end - r), vectors,
                  {{op.x.row(r) + k, op.x.ld, 1},
                   panel + c,
                   panel_cols,
                   piece.depth,
                   op.y.row(r) + c,
                   op.y.ld,
                   op.b ? op.b + c : nullptr,
                   start});
  }
}

// The piece's rows, block by block; the last depth is followed by the epilogue.
void run_piece(const DenseForward& op, const StepContext& context, const Piece& whole) {
  const Plane y{op.y.data, op.y.ld};
  for (int64_t r = whole.row_begin; r < whole.row_end; r += kRowBlock) {
    Piece piece = whole;
    piece.row_begin = r;
    piece.row_end = least(r + kRowBlock, whole.row_end);
    multiply_piece(op, piece);
    if (piece.depth_begin + piece.depth == op.w.in)
      pointwise_forward_block(
          op.act, op.dropout, context, {y.data, y.ld}, y, op.saved,
          {piece.row_begin, piece.row_end, piece.col_begin, piece.col_end, op.y.cols});
  }
}

void run(const DenseForward& op, const StepContext& context, UnitRange range, void*) {
  const int64_t rows = rows_of(op, context);
  for_each_rectangle(range, row_units(rows), [&](const Rectangle& part) {
    const int64_t row_end = least(part.minor_end * kUnitRows, rows);
    const int64_t col_end = part.major_end * kUnitCols;
    for (int64_t r = part.minor_begin * kUnitRows; r < row_end; r += kLargeRowBlock) {
      for (int64_t k = 0; k < op.w.in; k += kDepthBlock) {
        Piece piece{r, least(r + kLargeRowBlock, row_end), part.major_begin * kUnitCols, 0,
                    k, least(kDepthBlock, op.w.in - k)};
        for (; piece.col_begin < col_end; piece.col_begin = piece.col_end) {
          piece.col_end = least((piece.col_begin / op.w.width + 1) * op.w.width, col_end);
          run_piece(op, context, piece);
        }
      }
    }
  });
}

}  // namespace

void register_dense_forward(KernelTable& table) { table.dense_forward = {units, run, nullptr}; }

}  // namespace dnnfast::cpu::DNNFAST_ISA
