#pragma once
// Products too large for the first cache levels: both operands are packed block by block, so that a tile
// walks contiguous memory (after Goto and van de Geijn, "Anatomy of high-performance matrix
// multiplication", ACM TOMS 34, 2008). A block of A stays in the second cache level while every
// panel of B passes by; a panel's part of at most kPanelDepth stays in the first level while every
// strip of A passes by.

#include "cpu/gemm.h"
#include "cpu/transpose.h"

namespace dnnfast::cpu::DNNFAST_ISA {

inline constexpr int64_t kPanelDepth = kLanes == 16 ? 512 : 256;
inline constexpr int64_t kBlockRows = 192;  // with kPanelDepth: a block of A
inline constexpr int64_t kBlockFloats = kBlockRows * kPanelDepth;
inline constexpr int64_t kBlockCols = 960;  // of B
static_assert(kBlockRows % kTileRows == 0 && kBlockCols % kPanelWidth == 0);

// From how many rows the operands of a product weigh more than where the weights lie: below, each column of
// weights stays with one thread through all products and the update.
inline constexpr int64_t kRowsToDivide = 512;

// Floats behind a packed strip that packing may overwrite.
inline constexpr int64_t kPackingSlack = kLanes * kTileRows;

// Rows and columns of C that a block product computes now, and the depth that it sums.
struct Block3 {
  int64_t row_begin, row_end, col_begin, col_end, depth_begin, depth;
};

// A strip is kTileRows rows of A as [depth][kTileRows]; strips follow each other. Here A is the
// matrix itself:
inline void pack_strips_of_rows(const BatchMatrix& matrix, const Block3& block, float* to) {
  const int64_t rows = block.row_end - block.row_begin, depth = block.depth, ld = matrix.ld;
  const float* from = matrix.row(block.row_begin) + block.depth_begin;
  for (int64_t r = 0; r < rows; r += kTileRows, to += kTileRows * depth) {
    const int64_t present = least(kTileRows, rows - r);
    for (int64_t k = 0; k < depth; k += kLanes) {
      // Vectors shorter than a strip's row go twice, overlapping; longer ones run over into the
      // next depth, which is written after.
      for (int64_t base = 0;; base = kTileRows - kLanes) {
        vf v[kLanes];
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i)
          v[i] = base + i < present ? load(from + (r + base + i) * ld + k) : vf{};
        transpose_registers(v);
#pragma GCC unroll 16
        for (int i = 0; i < kLanes; ++i) store_unaligned(to + (k + i) * kTileRows + base, v[i]);
        if (base + kLanes >= kTileRows) break;
      }
    }
  }
}

// And here its transpose: a row of the matrix is one depth.
inline void pack_strips_of_columns(const BatchMatrix& matrix, const Block3& block, float* to) {
  const int64_t rows = block.row_end - block.row_begin, depth = block.depth, ld = matrix.ld;
  const float* from = matrix.row(block.depth_begin) + block.row_begin;
  for (int64_t k = 0; k < depth; ++k) {
    const float* source = from + k * ld;
    float* target = to + k * kTileRows;
    int64_t r = 0;
    for (; r + kTileRows <= rows; r += kTileRows, target += kTileRows * depth)
      __builtin_memcpy(target, source + r, kTileRows * sizeof(float));
    for (int64_t i = 0; r + i < rows; ++i) target[i] = source[r + i];
  }
}

// Where the panel that column c lies in ends, or `end` if that comes before.
inline int64_t panel_end(int64_t c, int64_t end) {
  return least((c / kPanelWidth + 1) * kPanelWidth, end);
}

// Calls f(begin, end) for parts of [begin, end) of nearly equal size, at most `most` and multiples
// of kPanelWidth but for the last.
template <class F>
inline void for_even_parts(int64_t begin, int64_t end, int64_t most, F f) {
  const int64_t parts = (end - begin + most - 1) / most;
  if (parts == 0) return;
  const int64_t size = round_up((end - begin + parts - 1) / parts, kPanelWidth);
  for (int64_t b = begin; b < end; b += size) f(b, least(b + size, end));
}

// Floats of scratch for a product: a block of A and one of B.
inline int64_t blocked_scratch_floats(int64_t cols, int64_t depth) {
  return kBlockFloats + kPackingSlack +
         least(kBlockCols, round_up(cols, kPanelWidth)) * round_up(depth, kLanes);
}

// Where a panel of a product's C and B is.
struct PanelJob {
  const float* b;
  int64_t b_step;
  float* c;  // at the block's first row and the panel's first column
  int64_t c_row;
  const float* bias;
  int64_t live;  // see PanelColumns
  Start start;
  Prefetch prefetch;
};

// C (+)= A B for the rows of a block and the columns [col_begin, col_end) of one panel, from packed strips of A.
inline void multiply_panel(const float* strips, const Block3& block, int64_t cols, PanelJob job) {
  for (int64_t k = 0; k < block.depth; k += kPanelDepth)
    run_tiles(block.row_end - block.row_begin, {cols, job.live},
              {{strips + k * kTileRows, 1, kTileRows},
               job.b + k * job.b_step,
               job.b_step,
               least(kPanelDepth, block.depth - k),
               job.c,
               job.c_row,
               job.bias,
               k == 0 ? job.start : Start::previous},
              kTileRows * block.depth, &job.prefetch);
}

// Runs a product over rows and columns [.._begin, .._end) of `whole` and all its depth. Product has
//   depth_block            the depth that is packed at a time
//   pack_rows(block, to)   strips of A
//   pack_cols(block, to)   panels of B (or nothing, if they lie in memory as they should)
//   panel(block, to)       the PanelJob of the panel that block's columns are in
//   finish(block)          after the last depth: one panel's rows
template <class Product>
void multiply_blocked(const Product& product, const Block3& whole, float* scratch) {
  const int64_t row_block = least(
      kBlockRows, kBlockFloats / least(product.depth_block, whole.depth) / kTileRows * kTileRows);
  float* const a = scratch;
  float* const b = scratch + kBlockFloats + kPackingSlack;
  for_even_parts(whole.col_begin, whole.col_end, kBlockCols, [&](int64_t c, int64_t c_end) {
    for (int64_t k = 0; k < whole.depth; k += product.depth_block) {
      Block3 block{0, 0, c, c_end, k, least(product.depth_block, whole.depth - k)};
      product.pack_cols(block, b);
      for (int64_t r = whole.row_begin; r < whole.row_end; r += row_block) {
        block.row_begin = r;
        block.row_end = least(r + row_block, whole.row_end);
        product.pack_rows(block, a);
        Block3 part = block;
        for (part.col_begin = c; part.col_begin < c_end; part.col_begin = part.col_end) {
          part.col_end = panel_end(part.col_begin, c_end);
          multiply_panel(a, part, part.col_end - part.col_begin, product.panel(part, b, c));
          if (k + block.depth == whole.depth) product.finish(part);
        }
      }
    }
  });
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
