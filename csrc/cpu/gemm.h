#pragma once
// The register tile that every matrix product of csrc/cpu is made of, and how units of work become
// rectangles of tiles. A product's element is one chain of multiply-adds over the depth in
// order, whatever tile it falls into: so the partition over threads never changes a bit.

#include "cpu/kernel.h"
#include "cpu/simd.h"
#include "math/optimizer.h"

namespace dnnfast::cpu::DNNFAST_ISA {

// Accumulators fill the register file: 8 x 3 of 32 registers with AVX-512 (one row costs a
// broadcast, one column vector a load), 6 x 2 of 16 otherwise.
#if defined(__AVX512F__)
inline constexpr int kTileRows = 8;
inline constexpr int kTileVectors = 3;
#else
inline constexpr int kTileRows = 6;
inline constexpr int kTileVectors = 2;
#endif
// The input gradient has the batch in its vectors; two vectors allow more rows.
inline constexpr int kTallRows = kTileVectors == 3 ? 12 : 6;
inline constexpr int kTallVectors = 2;
inline constexpr int kTallWidth = kTallVectors * kLanes;

inline constexpr int64_t kTileCols = kTileVectors * kLanes;
inline constexpr int64_t kPanelWidth = kTileCols < 16 ? 16 : kTileCols;

// One operand of a tile: element (row i, depth k) at data[i * row + k * step].
struct Strided {
  const float* data;
  int64_t row;
  int64_t step;
};

// acc[i][j] += sum_k a(i, k) * b[k * b_step + vector j].
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void multiply_add(vf (&acc)[Rows][Vectors], Strided a, const float* b,
                                                int64_t b_step, int64_t depth) {
  for (int64_t k = 0; k < depth; ++k) {
    vf bk[Vectors];
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) bk[j] = load(b + k * b_step + j * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      const vf ai = broadcast(a.data + i * a.row + k * a.step);
#pragma GCC unroll 4
      for (int j = 0; j < Vectors; ++j) acc[i][j] += ai * bk[j];
    }
  }
}

// What a tile's accumulators start from.
enum class Start { zero, bias, previous };

struct TileJob {
  Strided a;
  const float* b;
  int64_t b_step;
  int64_t depth;
  float* c;
  int64_t c_row;
  const float* bias;  // for Start::bias; null means zero
  Start start;
  float sgd_rate = 0.0f;  // if not 0, C holds weights, and the product is their gradient
};

template <int Rows, int Vectors>
void run_tile(const TileJob& job) {
  vf acc[Rows][Vectors];
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) {
      acc[i][j] = vf{};
      if (job.start == Start::previous) acc[i][j] = load(job.c + i * job.c_row + j * kLanes);
      if (job.start == Start::bias && job.bias) acc[i][j] = load(job.bias + j * kLanes);
    }
  }
  multiply_add<Rows, Vectors>(acc, job.a, job.b, job.b_step, job.depth);
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) {
      float* c = job.c + i * job.c_row + j * kLanes;
      store(c, job.sgd_rate == 0.0f ? acc[i][j] : math::sgd(load(c), acc[i][j], job.sgd_rate));
    }
  }
}

// run_tile for a number of rows and vectors known only at run time.
void run_tile_of(int64_t rows, int64_t vectors, const TileJob& job);

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// Memory that is wanted soon, asked for piece by piece between tiles: more at once would fill the core's
// queue of outstanding loads and stop it.
struct Prefetch {
  static constexpr int64_t kLine = 16;
  const float* array[6] = {};
  int arrays = 0;
  int64_t next = 0, end = 0;  // floats from the start of each array

  void step(int64_t lines) {
    for (; lines > 0 && next < end; --lines, next += kLine)
      for (int i = 0; i < arrays; ++i) __builtin_prefetch(array[i] + next, 0, 2);
  }
};

// Columns of a panel: with padding, and how many of them are not padding (or more than all).
struct PanelColumns {
  int64_t padded;
  int64_t live;
};

// Tiles over `rows` rows and the columns of one panel; `first` is the first of them. A lies in place
// (strip == 0) and tiles share the rows evenly, since one of few rows could not hide the latency of
// its sums; or A is packed and a tile's rows begin `strip` floats after the last tile's. Columns
// from `live` on are padding, and whole vectors of it are not computed.
inline void run_tiles(int64_t rows, PanelColumns columns, const TileJob& first, int64_t strip,
                      Prefetch* prefetch = nullptr) {
  const int64_t tiles = (rows + kTileRows - 1) / kTileRows;
  TileJob column = first;
  for (int64_t c = 0; c < columns.padded; c += kTileCols) {
    const int64_t all = least(kTileVectors, (columns.padded - c) / kLanes);
    const int64_t vectors = least(all, (columns.live - c + kLanes - 1) / kLanes);
    TileJob job = column;
    for (int64_t t = 0, r = 0; t < tiles; ++t) {
      const int64_t end = strip ? least(r + kTileRows, rows) : rows * (t + 1) / tiles;
      if (prefetch) prefetch->step(kTileRows * kTileCols / Prefetch::kLine);
      if (vectors > 0) run_tile_of(end - r, vectors, job);
      for (int64_t v = vectors < 0 ? 0 : vectors; v < all; ++v)
        for (int64_t i = 0; i < end - r; ++i) store(job.c + i * job.c_row + v * kLanes, vf{});
      job.a.data += strip ? strip : (end - r) * job.a.row;
      job.c += (end - r) * job.c_row;
      r = end;
    }
    column.b += kTileCols;
    column.c += kTileCols;
    if (column.bias) column.bias += kTileCols;
  }
}

// A rectangle of a grid of units.
struct Rectangle {
  int64_t col_begin, col_end, row_begin, row_end;
};

// Splits units [range.begin, range.end) of a grid of `cols` by `rows` into at most three rectangles and
// calls f on each.
template <class F>
inline void for_each_rectangle(UnitRange range, int64_t cols, int64_t rows, F f) {
  if (range.begin >= range.end) return;
  const int64_t minors = range.rows_first ? cols : rows;
  const auto call = [&](int64_t begin, int64_t end, int64_t minor_begin, int64_t minor_end) {
    if (begin >= end) return;
    if (range.rows_first)
      f(Rectangle{minor_begin, minor_end, begin, end});
    else
      f(Rectangle{begin, end, minor_begin, minor_end});
  };
  const int64_t first = range.begin / minors, first_minor = range.begin % minors;
  const int64_t last = (range.end - 1) / minors, last_minor = (range.end - 1) % minors + 1;
  if (first == last) return call(first, first + 1, first_minor, last_minor);
  const int64_t full_begin = first_minor == 0 ? first : first + 1;
  const int64_t full_end = last_minor == minors ? last + 1 : last;
  if (full_begin != first) call(first, first + 1, first_minor, minors);
  call(full_begin, full_end, 0, minors);
  if (full_end != last + 1) call(last, last + 1, 0, last_minor);
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
