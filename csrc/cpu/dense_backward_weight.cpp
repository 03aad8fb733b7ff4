// dw (+)= x^T dz and db (+)= column sums of dz.
// Work per unit: kUnitIn input rows x 16 output columns of dw. The depth is the batch. Up to kDirectDepth rows the
// tiles read x and dz in place; beyond, both are packed. A gradient that an update consumes stays in
// cache: a block of it is made in scratch and used up before the next.

#include "cpu/families.h"
#include "cpu/gemm_blocked.h"
#include "cpu/update.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::DenseBackwardWeight;
using ops::StepContext;

constexpr int64_t kUnitIn = 8 * kTileRows;
constexpr int64_t kUnitCols = kColumnPadding;
constexpr int64_t kDirectDepth = 64;
constexpr int64_t kPackedDepth = 512;  // most batches: each weight's gradient is written once

int64_t out_units(const DenseBackwardWeight& op) { return op.dw.padded_out() / kUnitCols; }
int64_t in_units(const DenseBackwardWeight& op) { return (op.dw.in + kUnitIn - 1) / kUnitIn; }

int64_t units(const DenseBackwardWeight& op, const StepContext&) {
  return in_units(op) * out_units(op);
}

bool rows_first(const DenseBackwardWeight& op, const StepContext& context) {
  return context.batch * op.x.rows_per_sample >= kRowsToDivide && op.dw.in > op.dw.out;
}

// A block of the gradient before its update: [rows][panel columns].
constexpr int64_t kUsedFloats = kBlockRows * kPanelWidth;

int64_t scratch_bytes(const DenseBackwardWeight& op, int64_t batch_capacity) {
  const int64_t rows = batch_capacity * op.x.rows_per_sample;
  int64_t floats = kUsedFloats;
  if (rows > kDirectDepth) floats += blocked_scratch_floats(op.dw.out, least(rows, kPackedDepth));
  return floats * static_cast<int64_t>(sizeof(float));
}

// Where the gradient of a block of one panel goes: into dw, or into scratch if an update uses it up.
UpdateBlock target_of(const DenseBackwardWeight& op, const Block3& b, float* scratch) {
  const int64_t p = b.col_begin / op.dw.width, stride = op.dw.panel_width(p);
  const int64_t offset =
      op.dw.panel(p) - op.dw.data + b.row_begin * stride + (b.col_begin - p * op.dw.width);
  return {offset, b.row_end - b.row_begin, b.col_end - b.col_begin, stride,
          scratch ? scratch : op.dw.data + offset};
}

// The gradient of one row, x^T dz: a tile of a single product an element would be mostly overhead.
void multiply_row(const float* x, const float* dz, const UpdateBlock& target, float sgd_rate) {
  for (int64_t col = 0; col < target.cols; col += kUnitCols) {
    vf z[kUnitCols / kLanes];
    for (int j = 0; j < kUnitCols / kLanes; ++j) z[j] = load(dz + col + j * kLanes);
    for (int64_t i = 0; i < target.rows; ++i) {
      const vf xi = broadcast(x + i);
      float* const row = target.gradient + i * target.stride + col;
#pragma GCC unroll 4
      for (int j = 0; j < kUnitCols / kLanes; ++j) {
        float* c = row + j * kLanes;
        const vf g = xi * z[j];
        store(c, sgd_rate == 0.0f ? g : math::sgd(load(c), g, sgd_rate));
      }
    }
  }
}

// Products that read x and dz in place, for the columns of one panel. Plain SGD is done by the tile that has
// the gradient in registers; other updates find it in cache.
void run_direct(const DenseBackwardWeight& op, const StepContext& context, const Block3& part,
                float* scratch) {
  const float sgd_rate = op.update_w ? plain_sgd_rate(op.update_w, context) : 0.0f;
  const PanelColumns columns{part.col_end - part.col_begin, op.dw.out - part.col_begin};
  const float* const dz = op.dz.data + part.col_begin;
  Block3 block = part;
  for (int64_t i = part.row_begin; i < part.row_end; i += kBlockRows) {
    block.row_begin = i;
    block.row_end = least(i + kBlockRows, part.row_end);
    UpdateBlock target = target_of(op, block, op.update_w ? scratch : nullptr);
    if (sgd_rate != 0.0f) target.gradient = weights_of(op.update_w, target);
    if (part.depth == 1 && !op.accumulate)
      multiply_row(op.x.data + i, dz, target, sgd_rate);
    else
      run_tiles(target.rows, columns,
                {{op.x.data + i, 1, op.x.ld},
                 dz,
                 op.dz.ld,
                 part.depth,
                 target.gradient,
                 target.stride,
                 nullptr,
                 op.accumulate ? Start::previous : Start::zero,
                 sgd_rate},
                0);
    if (op.update_w && sgd_rate == 0.0f) update_block(op.update_w, context, target);
  }
}

struct BlockedWeight {
  const DenseBackwardWeight& op;
  const StepContext& context;
  float* used;  // scratch for a gradient that is used up, if one block of depth makes it
  static constexpr int64_t depth_block = kPackedDepth;

  void pack_rows(const Block3& b, float* to) const { pack_strips_of_columns(op.x, b, to); }
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
    const UpdateBlock target = target_of(op, b, used);
    Prefetch next;  // of the panel after this one
    if (op.update_w) {
      const int64_t begin = target.offset + op.dw.in * target.stride;
      next = prefetch_update(op.update_w, begin, begin + target.rows * target.stride);
    }
    return {packed + (b.col_begin - first) * b.depth,
            b.col_end - b.col_begin,
            target.gradient,
            target.stride,
            nullptr,
            op.dw.out - b.col_begin,
            op.accumulate || b.depth_begin > 0 ? Start::previous : Start::zero,
            next};
  }
  void finish(const Block3& b) const {
    if (op.update_w) update_block(op.update_w, context, target_of(op, b, used));
  }
};

void sum_columns(const DenseBackwardWeight& op, const StepContext& context, int64_t begin,
                 int64_t end) {
  const int64_t rows = context.batch * op.x.rows_per_sample;
  for (int64_t c = begin; c < end; c += kLanes) {
    vf sum = op.accumulate_bias ? load(op.db + c) : vf{};
    for (int64_t r = 0; r < rows; ++r) sum += load(op.dz.row(r) + c);
    store(op.db + c, sum);
  }
  if (op.update_b)
    update_block(op.update_b, context, {begin, 1, end - begin, end - begin, op.db + begin});
}

void run(const DenseBackwardWeight& op, const StepContext& context, UnitRange range,
         void* scratch_memory) {
  float* const scratch = static_cast<float*>(scratch_memory);
  const int64_t rows = context.batch * op.x.rows_per_sample;
  for_each_rectangle(range, out_units(op), in_units(op), [&](const Rectangle& unit) {
    Block3 part{unit.row_begin * kUnitIn,
                least(unit.row_end * kUnitIn, op.dw.in),
                unit.col_begin * kUnitCols,
                unit.col_end * kUnitCols,
                0,
                rows};
    const int64_t col_end = part.col_end;
    if (op.db && unit.row_begin == 0) sum_columns(op, context, part.col_begin, col_end);
    if (!op.dw.data) return;
    if (rows > kDirectDepth) {
      const bool uses_up = op.update_w && rows <= kPackedDepth;
      multiply_blocked(BlockedWeight{op, context, uses_up ? scratch : nullptr}, part,
                       scratch + kUsedFloats);
      return;
    }
    for (; part.col_begin < col_end; part.col_begin = part.col_end) {
      part.col_end = panel_end(part.col_begin, col_end);
      run_direct(op, context, part, scratch);
    }
  });
}

}  // namespace

void register_dense_backward_weight(KernelTable& table) {
  table.dense_backward_weight = {units, run, scratch_bytes, rows_first};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
