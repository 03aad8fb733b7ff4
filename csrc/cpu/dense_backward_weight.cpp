// dw (+)= x^T dz and db (+)= column sums of dz.
// Work per unit: kUnitIn input rows x 16 output columns of dw. The depth is the batch. Up to kDirectDepth rows the
// tiles read x and dz in place; beyond, both are packed so that a tile walks contiguous memory.

#include "cpu/families.h"
#include "cpu/gemm_blocked.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::DenseBackwardWeight;
using ops::StepContext;

constexpr int64_t kUnitIn = 8 * kTileRows;
constexpr int64_t kUnitCols = kColumnPadding;
constexpr int64_t kDirectDepth = 64;
constexpr int64_t kPackedDepth = 512;  // most batches: each weight's gradient is written once

int64_t in_units(const DenseBackwardWeight& op) { return (op.dw.in + kUnitIn - 1) / kUnitIn; }

int64_t units(const DenseBackwardWeight& op, const StepContext&) {
  return in_units(op) * (op.dw.padded_out() / kUnitCols);
}

int64_t scratch_bytes(const DenseBackwardWeight& op, int64_t batch_capacity) {
  const int64_t rows = batch_capacity * op.x.rows_per_sample;
  if (rows <= kDirectDepth) return 0;
  return blocked_scratch_floats(op.dw.out, least(rows, kPackedDepth)) *
         static_cast<int64_t>(sizeof(float));
}

// Tiles that read x and dz in place, for the columns of one panel.
void run_direct(const DenseBackwardWeight& op, const Block3& part) {
  const int64_t p = part.col_begin / op.dw.width, panel_cols = op.dw.panel_width(p);
  float* panel = op.dw.panel(p) + (part.col_begin - p * op.dw.width);
  run_tiles(part.row_end - part.row_begin, part.col_end - part.col_begin,
            {{op.x.data + part.row_begin, 1, op.x.ld},
             op.dz.data + part.col_begin,
             op.dz.ld,
             part.depth,
             panel + part.row_begin * panel_cols,
             panel_cols,
             nullptr,
             op.accumulate ? Start::previous : Start::zero},
            0);
}

struct BlockedWeight {
  const DenseBackwardWeight& op;
  static constexpr int64_t depth_block = kPackedDepth;

  void pack_rows(const Block3& b, float* to) const {
    pack_strips_of_columns(op.x.row(b.depth_begin) + b.row_begin, op.x.ld, b.row_end - b.row_begin,
                           b.depth, to);
  }
  // Panels of dz: [batch row][column].
  void pack_cols(const Block3& b, float* to) const {
    for (int64_t c = b.col_begin, end; c < b.col_end; c = end) {
      end = panel_end(c, b.col_end);
      for (int64_t k = 0; k < b.depth; ++k, to += end - c)
        for (int64_t j = 0; j < end - c; j += kLanes)
          store(to + j, load(op.dz.row(b.depth_begin + k) + c + j));
    }
  }
  PanelJob panel(const Block3& b, const float* packed, int64_t first) const {
    const int64_t p = b.col_begin / op.dw.width, panel_cols = op.dw.panel_width(p);
    return {packed + (b.col_begin - first) * b.depth,
            b.col_end - b.col_begin,
            op.dw.panel(p) + b.row_begin * panel_cols + (b.col_begin - p * op.dw.width),
            panel_cols,
            nullptr,
            op.accumulate || b.depth_begin > 0 ? Start::previous : Start::zero};
  }
  void finish(const Block3&) const {}
};

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
    Block3 part{unit.minor_begin * kUnitIn,
                least(unit.minor_end * kUnitIn, op.dw.in),
                unit.major_begin * kUnitCols,
                unit.major_end * kUnitCols,
                0,
                rows};
    const int64_t col_end = part.col_end;
    if (op.db && unit.minor_begin == 0) sum_columns(op, rows, part.col_begin, col_end);
    if (!op.dw.data) return;
    if (rows > kDirectDepth) {
      multiply_blocked(BlockedWeight{op}, part, static_cast<float*>(scratch));
      return;
    }
    for (; part.col_begin < col_end; part.col_begin = part.col_end) {
      part.col_end = panel_end(part.col_begin, col_end);
      run_direct(op, part);
    }
  });
}

}  // namespace

void register_dense_backward_weight(KernelTable& table) {
  table.dense_backward_weight = {units, run, scratch_bytes};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
