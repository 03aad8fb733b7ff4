#pragma once
// Gather, scatter, and copies between shapes and layouts. A thread has an element; of a scatter, elements of y that no other
// thread adds to, so that what meets in one is added in the order of the positions.

#include "cuda/array_tape.h"

namespace dnnfast::cuda {

// The element that an index means, or -1. Also for NaN.
__device__ inline int64_t resolved_index(float index, int64_t size) {
  const auto limit = static_cast<float>(size);
  if (!(index >= -limit && index < limit)) return -1;
  const auto i = static_cast<int64_t>(index);
  return i < 0 ? i + size : i;
}

struct ArrayGather {
  const ops::ArrayGather* op = nullptr;  // of the program; on a device: a copy there
  Extent where;

  constexpr Extent extent() const { return where; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::ArrayGather& g = *op;
    const int axes = g.space.axes;
    const Grid grid(g.space, axes, row_axes(g.space, axes, g.y), block.context.batch);
    const int64_t size = ops::extent_of(g.axis_size, block.context.batch);
    for_elements(grid.inside(piece), [&](int64_t row, int64_t col) {
      int64_t at[ops::kMaxAxes];
      grid.at(row, col, at);
      const int64_t k = resolved_index(g.index.data[offset_of(g.index, grid.axes, at)], size);
      const float* x = g.x.data + offset_of(g.x, grid.axes, at);
      const float value = k < 0 ? NAN : x[k * g.axis_stride];
      float& y = g.y.data[offset_of(g.y, grid.axes, at)];
      y = g.accumulate ? y + value : value;
    });
    clear_padding(grid, g.y, g.padding, piece);
  }
};

// Positions along the axes where y moves are lanes; those along the others, which may meet in an element, run inside each lane.
// A column of the extent is a lane, a row an element of y's axis: a piece adds what goes to its own of both.
struct ArrayScatter {
  const ops::ArrayScatter* op = nullptr;
  Extent where;
  bool shared_index = false;  // the same for all lanes

  constexpr Extent extent() const { return where; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::ArrayScatter& s = *op;
    const int64_t batch = block.context.batch;
    ops::Space lanes = s.space, inside = s.space;
    for (int a = 0; a < s.space.axes; ++a) (s.y.stride[a] == 0 ? lanes : inside).size[a] = 1;
    const int64_t lane_count = ops::positions(lanes, batch), count = ops::positions(inside, batch);
    const int64_t size = ops::extent_of(s.axis_size, batch);
    const int64_t end = piece.col_end < lane_count ? piece.col_end : lane_count;
    const int warp = static_cast<int>(threadIdx.x / 32), lane = static_cast<int>(threadIdx.x % 32);
    // Warps take parts of the rows where all lanes look for the same, else lanes.
    const int64_t step = shared_index ? 32 : kThreads;
    const int64_t rows = shared_index ? (piece.rows() + kWarps - 1) / kWarps : piece.rows();
    const int64_t row = shared_index ? piece.row + warp * rows : piece.row;
    const int64_t row_end = row + rows < piece.row_end ? row + rows : piece.row_end;
    for (int64_t first = piece.col; first < end; first += step) {
      const int64_t column = first + (shared_index ? lane : static_cast<int>(threadIdx.x));
      int64_t at[ops::kMaxAxes] = {};
      if (column < end) place(lanes, batch, 0, s.space.axes, column, at);
      Lane mine{nullptr, nullptr, nullptr};
      if (column < end)
        mine = {s.values.data + offset_of(s.values, s.space.axes, at),
                s.index.data + offset_of(s.index, s.space.axes, at),
                s.y.data + offset_of(s.y, s.space.axes, at)};
      const Rows range{row, row_end, size};
      if (shared_index)
        add_together(inside, batch, count, range, mine);
      else if (column < end)
        add(inside, batch, count, range, mine);
    }
  }

  struct Lane {
    const float *values, *index;
    float* y;
  };
  struct Rows {
    int64_t begin, end, size;
    __device__ int64_t resolved(float index) const {
      const int64_t k = resolved_index(index, size);
      return k >= begin && k < end ? k : -1;
    }
  };

  __device__ void add(const ops::Space& inside, int64_t batch, int64_t count, const Rows& rows,
                      const Lane& lane) const {
    const int axes = inside.axes;
    for (int64_t p = 0; p < count; ++p) {
      int64_t at[ops::kMaxAxes] = {};
      place(inside, batch, 0, axes, p, at);
      const int64_t k = rows.resolved(lane.index[offset_of(op->index, axes, at)]);
      if (k >= 0) lane.y[k * op->axis_stride] += lane.values[offset_of(op->values, axes, at)];
    }
  }

  // A warp looks at 32 positions at a time and adds those that are its own, one after the other.
  __device__ void add_together(const ops::Space& inside, int64_t batch, int64_t count,
                               const Rows& rows, const Lane& lane) const {
    const int axes = inside.axes;
    for (int64_t first = 0; first < count; first += 32) {
      const int64_t p = first + threadIdx.x % 32;
      int64_t k = -1, from = 0;
      if (p < count) {
        int64_t at[ops::kMaxAxes] = {};
        place(inside, batch, 0, axes, p, at);
        k = rows.resolved(op->index.data[offset_of(op->index, axes, at)]);
        from = offset_of(op->values, axes, at);
      }
      for (unsigned mask = __ballot_sync(0xffffffffu, k >= 0); mask != 0; mask &= mask - 1) {
        const int source = __ffs(static_cast<int>(mask)) - 1;
        const int64_t to = __shfl_sync(0xffffffffu, k, source);
        const int64_t value = __shfl_sync(0xffffffffu, from, source);
        if (lane.y) lane.y[to * op->axis_stride] += lane.values[value];
      }
    }
  }
};

struct ArrayReshape {
  const ops::ArrayReshape* op = nullptr;
  Extent where;

  constexpr Extent extent() const { return where; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::ArrayReshape& r = *op;
    const Grid grid(r.to, r.to.axes, row_axes(r.to, r.to.axes, r.y), block.context.batch);
    for_elements(grid.inside(piece), [&](int64_t row, int64_t col) {
      int64_t from[ops::kMaxAxes], to[ops::kMaxAxes];
      grid.at(row, col, to);
      place(r.from, block.context.batch, 0, r.from.axes, row * grid.cols + col, from);
      const float value = r.x.data[offset_of(r.x, r.from.axes, from)];
      float& y = r.y.data[offset_of(r.y, grid.axes, to)];
      y = r.accumulate ? y + value : value;
    });
    clear_padding(grid, r.y, r.padding, piece);
  }
};

struct ArrayPanels {
  ops::ArrayPanels op;

  constexpr Extent extent() const {
    return {op.panels.in, 0, round_up(op.to_panels ? op.panels.out : op.ld, kColumnPadding)};
  }
  __device__ void operator()(const Piece& piece, const Block&) const {
    for_elements(piece, [&](int64_t i, int64_t o) {
      float* array = op.array + i * op.ld + o;
      if (o < op.panels.out) {
        float& w = op.panels.at(i, o);
        const float from = op.to_panels ? *array : w;
        float& to = op.to_panels ? w : *array;
        to = op.accumulate ? to + from : from;
      } else if (!op.to_panels && o < op.ld) {
        *array = 0.0f;
      }
    });
  }
};

}  // namespace dnnfast::cuda
