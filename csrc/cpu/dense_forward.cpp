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
int64_t col_units(const DenseForward& op) { return op.w.padded_out() / kUnitCols; }
int64_t row_units(int64_t rows) { return (rows + kUnitRows - 1) / kUnitRows; }

int64_t units(const DenseForward& op, const StepContext& context) {
  return row_units(rows_of(op, context)) * col_units(op);
}

// Whoever has some of the rows reads all weights; whoever has some of the columns, all of x.
bool rows_first(const DenseForward& op, const StepContext& context) {
  const int64_t rows = rows_of(op, context);
  return rows >= kRowsToDivide && rows > op.w.out;
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

// A row alone: the sums of one panel are too few to hide the latency of a multiply-add, so those of several
// panels are made at a time. Every sum is the same chain as in a tile.
constexpr int kPanelVectors = kPanelWidth / kLanes;
constexpr int kRowPanels = 12 / kPanelVectors;

struct RowJob {
  const float* x;
  const float* panel;
  int64_t panel_step;  // floats from one panel to the next
  int64_t depth;
  const float* bias;  // null means zero
  float* y;
};

template <int Panels>
void run_row(const RowJob& job) {
  vf acc[Panels][kPanelVectors];
#pragma GCC unroll 8
  for (int p = 0; p < Panels; ++p) {
#pragma GCC unroll 4
    for (int j = 0; j < kPanelVectors; ++j)
      acc[p][j] = job.bias ? load(job.bias + p * kPanelWidth + j * kLanes) : vf{};
  }
  for (int64_t k = 0; k < job.depth; ++k) {
    const vf xk = broadcast(job.x + k);
    const float* w = job.panel + k * kPanelWidth;
#pragma GCC unroll 8
    for (int p = 0; p < Panels; ++p) {
#pragma GCC unroll 4
      for (int j = 0; j < kPanelVectors; ++j)
        acc[p][j] += xk * load(w + p * job.panel_step + j * kLanes);
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < Panels; ++p) {
#pragma GCC unroll 4
    for (int j = 0; j < kPanelVectors; ++j) store(job.y + p * kPanelWidth + j * kLanes, acc[p][j]);
  }
}

template <int Panels = kRowPanels>
void run_row_of(int64_t panels, const RowJob& job) {
  if constexpr (Panels > 1) {
    if (panels < Panels) return run_row_of<Panels - 1>(panels, job);
  }
  run_row<Panels>(job);
}

// The whole panels of full width that a part of one row begins with. Returns the column after them.
int64_t run_one_row(const DenseForward& op, const StepContext& context, const Block3& part) {
  if (part.col_begin % kPanelWidth != 0) return part.col_begin;
  const int64_t first = part.col_begin / kPanelWidth, panels = part.col_end / kPanelWidth - first;
  if (panels < 2) return part.col_begin;
  const int64_t groups = (panels + kRowPanels - 1) / kRowPanels;
  Block3 block = part;
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t begin = first + panels * g / groups, end = first + panels * (g + 1) / groups;
    block.col_begin = begin * kPanelWidth;
    block.col_end = end * kPanelWidth;
    run_row_of(end - begin, {op.x.row(part.row_begin), op.w.panel(begin), kPanelWidth * op.w.in,
                             op.w.in, op.b ? op.b + block.col_begin : nullptr,
                             op.y.row(part.row_begin) + block.col_begin});
  }
  block.col_begin = part.col_begin;
  run_epilogue(op, context, block);
  return block.col_end;
}

struct BlockedForward {
  const DenseForward& op;
  const StepContext& context;
  static constexpr int64_t depth_block = kPanelDepth;

  void pack_rows(const Block3& b, float* to) const { pack_strips_of_rows(op.x, b, to); }
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
  for_each_rectangle(range, col_units(op), row_units(rows), [&](const Rectangle& unit) {
    Block3 part{unit.row_begin * kUnitRows,
                least(unit.row_end * kUnitRows, rows),
                unit.col_begin * kUnitCols,
                unit.col_end * kUnitCols,
                0,
                op.w.in};
    const int64_t col_end = part.col_end;
    if (part.row_end - part.row_begin >= kPackedRows &&
        col_end - part.col_begin >= kPackedPanels * op.w.width) {
      multiply_blocked(BlockedForward{op, context}, part, static_cast<float*>(scratch));
      return;
    }
    if (part.row_end - part.row_begin == 1) part.col_begin = run_one_row(op, context, part);
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
  table.dense_forward = {units, run, scratch_bytes, rows_first};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
