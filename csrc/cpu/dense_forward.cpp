// y = dropout(f(x w + b)).
// Work per unit: 16 output columns x kUnitRows rows. Weights are read in place, once per block of
// rows; x is packed where it is large. y is written once per block of the depth, and the epilogue
// finds it in the first-level cache.

#include "cpu/families.h"
#include "cpu/gemm_blocked.h"
#include "cpu/pointwise.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::DenseForward;
using ops::StepContext;

constexpr int64_t kUnitRows = 2 * kTileRows;  // a multiple of 4: see pointwise.h
constexpr int64_t kUnitCols = kColumnPadding;
constexpr int64_t kRowBlock = 4 * kUnitRows;  // of one panel: stays in the first-level cache
// From how many rows and panels on x is packed.
constexpr int64_t kPackedRows = 64;
constexpr int64_t kPackedPanels = 8;

int64_t rows_of(const DenseForward& op, const StepContext& context) {
  return context.batch * op.x.rows_per_sample;
}
int64_t row_units(int64_t rows) { return (rows + kUnitRows - 1) / kUnitRows; }

int64_t units(const DenseForward& op, const StepContext& context) {
  return row_units(rows_of(op, context)) * (op.w.padded_out() / kUnitCols);
}

void run_epilogue(const DenseForward& op, const StepContext& context, const Block3& block) {
  const Plane y{op.y.data, op.y.ld};
  pointwise_forward_block(
      op.act, op.dropout, context, {y.data, y.ld}, y, op.saved,
      {block.row_begin, block.row_end, block.col_begin, block.col_end, op.y.cols});
}

// Tiles that read x in place, for the columns of one panel.
void run_direct(const DenseForward& op, const StepContext& context, const Block3& part) {
  const int64_t p = part.col_begin / op.w.width;
  const int64_t panel_cols = op.w.panel_width(p);
  const float* panel = op.w.panel(p) - p * op.w.width;
  Block3 block = part;
  for (int64_t begin = part.row_begin; begin < part.row_end; begin += kRowBlock) {
    block.row_begin = begin;
    block.row_end = least(begin + kRowBlock, part.row_end);
    run_tiles(block.row_end - begin, {part.col_end - part.col_begin, op.w.out - part.col_begin},
              {{op.x.row(begin), op.x.ld, 1},
               panel + part.col_begin,
               panel_cols,
               op.w.in,
               op.y.row(begin) + part.col_begin,
               op.y.ld,
               op.b ? op.b + part.col_begin : nullptr,
               Start::bias},
              0);
    run_epilogue(op, context, block);
  }
}

struct BlockedForward {
  const DenseForward& op;
  const StepContext& context;
  static constexpr int64_t depth_block = kPanelDepth;

  void pack_rows(const Block3& b, float* to) const {
    pack_strips_of_rows(op.x.row(b.row_begin) + b.depth_begin, op.x.ld, b.row_end - b.row_begin,
                        b.depth, to);
  }
  void pack_cols(const Block3&, float*) const {}
  PanelJob panel(const Block3& b, const float*, int64_t) const {
    const int64_t p = b.col_begin / op.w.width, cols = op.w.panel_width(p);
    return {op.w.panel(p) + b.depth_begin * cols + (b.col_begin - p * op.w.width),
            cols,
            op.y.row(b.row_begin) + b.col_begin,
            op.y.ld,
            op.b ? op.b + b.col_begin : nullptr,
            op.w.out - b.col_begin,
            b.depth_begin == 0 ? Start::bias : Start::previous,
            {}};
  }
  void finish(const Block3& b) const { run_epilogue(op, context, b); }
};

void run(const DenseForward& op, const StepContext& context, UnitRange range, void* scratch) {
  const int64_t rows = rows_of(op, context);
  for_each_rectangle(range, row_units(rows), [&](const Rectangle& unit) {
    Block3 part{unit.minor_begin * kUnitRows,
                least(unit.minor_end * kUnitRows, rows),
                unit.major_begin * kUnitCols,
                unit.major_end * kUnitCols,
                0,
                op.w.in};
    const int64_t col_end = part.col_end;
    if (part.row_end - part.row_begin >= kPackedRows &&
        col_end - part.col_begin >= kPackedPanels * op.w.width) {
      multiply_blocked(BlockedForward{op, context}, part, static_cast<float*>(scratch));
      return;
    }
    for (; part.col_begin < col_end; part.col_begin = part.col_end) {
      part.col_end = panel_end(part.col_begin, col_end);
      run_direct(op, context, part);
    }
  });
}

int64_t scratch_bytes(const DenseForward& op, int64_t batch_capacity) {
  if (batch_capacity * op.x.rows_per_sample < kPackedRows) return 0;
  return blocked_scratch_floats(0, op.w.in) * static_cast<int64_t>(sizeof(float));
}

}  // namespace

void register_dense_forward(KernelTable& table) {
  table.dense_forward = {units, run, scratch_bytes};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
