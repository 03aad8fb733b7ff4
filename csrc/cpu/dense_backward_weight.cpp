// dw (+)= x^T dz and db (+)= column sums of dz.
// Work per unit: kUnitIn input rows x 16 output columns of dw. The depth is the batch. Up to kDirectDepth rows the
// tiles read x and dz in place; beyond, both are packed so that a tile walks contiguous memory.

#include "cpu/families.h"
#include "cpu/gemm.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::DenseBackwardWeight;
using ops::StepContext;

constexpr int64_t kUnitIn = 8 * kTileRows;
constexpr int64_t kUnitCols = kColumnPadding;
constexpr int64_t kDirectDepth = 64;
constexpr int64_t kDepthBlock = 512;  // most batches: each weight's gradient is written once
constexpr int64_t kPackedCols =
    10 * kPanelWidth;                      // with kDepthBlock rows: about 1 MB, second level
constexpr int64_t kStrip = 2 * kTileRows;  // input columns packed at a time: about a cache line

int64_t in_units(const DenseBackwardWeight& op) { return (op.dw.in + kUnitIn - 1) / kUnitIn; }

int64_t units(const DenseBackwardWeight& op, const StepContext&) {
  return in_units(op) * (op.dw.padded_out() / kUnitCols);
}

int64_t scratch_bytes(const DenseBackwardWeight& op, int64_t batch_capacity) {
  if (batch_capacity * op.x.rows_per_sample <= kDirectDepth) return 0;
  return (kPackedCols + kStrip) * kDepthBlock * static_cast<int64_t>(sizeof(float));
}

// A part of dw: input rows x output columns, and the batch rows summed into it now.
struct Part {
  int64_t in_begin, in_end, col_begin, col_end, depth_begin, depth;
  bool add;  // to what dw holds
};

// Calls f(panel, first column, end column) for each panel's share of [begin, end).
template <class F>
void for_each_panel(const PanelMatrix& w, int64_t begin, int64_t end, F f) {
  for (int64_t c = begin; c < end;) {
    const int64_t p = c / w.width;
    const int64_t next = least((p + 1) * w.width, end);
    f(p, c, next);
    c = next;
  }
}

// Tiles of one panel's columns [c, end): `a` gives x at the first input row, `b` dz at column c.
void tiles(const PanelMatrix& dw, int64_t p, int64_t c, int64_t end, int64_t in, int64_t in_end,
           const TileJob& operands) {
  const int64_t panel_cols = dw.panel_width(p);
  TileJob job = operands;
  for (; c < end; c += kTileVectors * kLanes, job.b += kTileVectors * kLanes) {
    const int64_t vectors = least(kTileVectors, (end - c) / kLanes);
    TileJob row = job;
    for (int64_t i = in; i < in_end; i += kTileRows, row.a.data += kTileRows) {
      row.c = dw.panel(p) + i * panel_cols + (c - p * dw.width);
      row.c_row = panel_cols;
      run_tile_of(least(kTileRows, in_end - i), vectors, row);
    }
  }
}

void run_direct(const DenseBackwardWeight& op, const Part& part) {
  const Start start = part.add ? Start::previous : Start::zero;
  for_each_panel(op.dw, part.col_begin, part.col_end, [&](int64_t p, int64_t c, int64_t end) {
    tiles(op.dw, p, c, end, part.in_begin, part.in_end,
          {{op.x.data + part.in_begin, 1, op.x.ld},
           op.dz.data + c,
           op.dz.ld,
           part.depth,
           nullptr,
           0,
           nullptr,
           start});
  });
}

void pack_columns(const float* from, int64_t ld, int64_t depth, int64_t cols, float* to) {
  for (int64_t r = 0; r < depth; ++r)
    for (int64_t c = 0; c < cols; c += kLanes) store(to + r * cols + c, load(from + r * ld + c));
}

void pack_strip(const float* from, int64_t ld, int64_t depth, int64_t cols, float* to) {
  for (int64_t r = 0; r < depth; ++r)
    for (int64_t c = 0; c < cols; ++c) to[r * kStrip + c] = from[r * ld + c];
}

void run_packed(const DenseBackwardWeight& op, const Part& part, float* scratch) {
  float* strip = scratch;
  float* packed = scratch + kStrip * kDepthBlock;
  const float* x = op.x.row(part.depth_begin);
  const float* dz = op.dz.row(part.depth_begin);
  const Start start = part.add ? Start::previous : Start::zero;
  for_each_panel(op.dw, part.col_begin, part.col_end, [&](int64_t, int64_t c, int64_t end) {
    pack_columns(dz + c, op.dz.ld, part.depth, end - c, packed + (c - part.col_begin) * part.depth);
  });
  for (int64_t i = part.in_begin; i < part.in_end; i += kStrip) {
    const int64_t strip_cols = least(kStrip, part.in_end - i);
    pack_strip(x + i, op.x.ld, part.depth, strip_cols, strip);
    for_each_panel(op.dw, part.col_begin, part.col_end, [&](int64_t p, int64_t c, int64_t end) {
      tiles(op.dw, p, c, end, i, i + strip_cols,
            {{strip, 1, kStrip},
             packed + (c - part.col_begin) * part.depth,
             end - c,
             part.depth,
             nullptr,
             0,
             nullptr,
             start});
    });
  }
}

void sum_columns(const DenseBackwardWeight& op, int64_t rows, int64_t begin, int64_t end) {
  for (int64_t c = begin; c < end; c += kLanes) {
    vf sum = op.accumulate_bias ? load(op.db + c) : vf{};
    for (int64_t r = 0; r < rows; ++r) sum += load(op.dz.row(r) + c);
    store(op.db + c, sum);
  }
}

void run(const DenseBackwardWeight& op, const StepContext& context, UnitRange range,
         void* scratch) {
  const int64_t rows = context.batch * op.x.rows_per_sample;
  for_each_rectangle(range, in_units(op), [&](const Rectangle& unit) {
    Part part{unit.minor_begin * kUnitIn,
              least(unit.minor_end * kUnitIn, op.dw.in),
              0,
              0,
              0,
              rows,
              op.accumulate};
    const int64_t col_begin = unit.major_begin * kUnitCols, col_end = unit.major_end * kUnitCols;
    if (op.db && unit.minor_begin == 0) sum_columns(op, rows, col_begin, col_end);
    if (!op.dw.data) return;
    if (rows <= kDirectDepth) {
      part.col_begin = col_begin;
      part.col_end = col_end;
      run_direct(op, part);
      return;
    }
    for (int64_t c = col_begin; c < col_end; c += kPackedCols) {
      part.col_begin = c;
      part.col_end = least(c + kPackedCols, col_end);
      for (int64_t d = 0; d < rows; d += kDepthBlock) {
        part.depth_begin = d;
        part.depth = least(kDepthBlock, rows - d);
        part.add = op.accumulate || d > 0;
        run_packed(op, part, static_cast<float*>(scratch));
      }
    }
  });
}

}  // namespace

void register_dense_backward_weight(KernelTable& table) {
  table.dense_backward_weight = {units, run, scratch_bytes};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
