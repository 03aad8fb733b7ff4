#pragma once
// Maps and reductions. A map: a thread has four neighbouring results. A reduction: `slices` threads share the positions of one
// result (Reduce::across: four neighbouring positions at a time along the last reduced axis) or of four neighbouring ones (a
// position of each at a time); what they found is joined as a tree. How many there are is fixed by the op and the capacity, so no
// sum depends on how results are cut into pieces. Where few results have very many positions, slabs of these are pieces of a
// first task, whose results a second one joins. Sums of four are float, the rest is double.

#include "cuda/array_tape.h"

namespace dnnfast::cuda {

using ops::Reduction;

// A map's results: the positions along the axes that are kept.
__device__ inline Grid kept_grid(const ops::ArrayMap& op, int64_t batch) {
  const int kept = op.space.axes - op.reduced;
  return Grid(op.space, kept, row_axes(op.space, kept, op.output), batch);
}

struct ArrayMap {
  const ops::ArrayMap* op = nullptr;  // of the program; on a device: a copy there
  Extent where;

  constexpr Extent extent() const { return where; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const Grid grid = kept_grid(*op, block.context.batch);
    for_quads(grid.inside(piece, 3), false, [&](int64_t row, int64_t col) {
      if (col >= grid.cols) return;
      TapeQuad quad;
      grid.at(row, col, quad.at);
      quad.axis = grid.axes > 0 ? grid.axes - 1 : 0;
      quad.count = grid.cols - col < 4 ? static_cast<int>(grid.cols - col) : 4;
      float v[4];
      run_tape(*op, block.context, quad, v);
      write_quad(op->output, grid.axes, quad, v, op->accumulate);
    });
    clear_padding(grid, op->output, op->padding, piece);
  }
};

// What some positions of a result come to. place: the number of the best one among all, or -1.
struct Total {
  double value = 0.0;
  int64_t place = -1;
};

__device__ inline bool is_sum(Reduction kind) {
  return kind == Reduction::sum || kind == Reduction::mean;
}

__device__ inline Total empty_total(Reduction kind) {
  return {kind == Reduction::product ? 1.0 : 0.0, -1};
}

__device__ inline Total joined(Reduction kind, const Total& a, const Total& b) {
  if (is_sum(kind)) return {a.value + b.value, -1};
  if (kind == Reduction::product) return {a.value * b.value, -1};
  if (a.place < 0 || b.place < 0) return a.place < 0 ? b : a;
  const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
  const bool first = a.place < b.place;
  if (a_nan || b_nan) return (a_nan && b_nan ? first : a_nan) ? a : b;
  if (a.value == b.value) return first ? a : b;
  const bool larger = kind == Reduction::max || kind == Reduction::arg_max;
  return (a.value > b.value) == larger ? a : b;
}

__device__ inline float result_of(Reduction kind, const Total& total, int64_t positions) {
  switch (kind) {
    case Reduction::sum:
    case Reduction::product: return static_cast<float>(total.value);
    case Reduction::mean: return static_cast<float>(total.value / static_cast<double>(positions));
    case Reduction::max:
    case Reduction::min: return total.place < 0 ? 0.0f : static_cast<float>(total.value);
    default: return static_cast<float>(total.place < 0 ? 0 : total.place);
  }
}

// How a reduction shares its work. A unit is what a thread does at a time: up to four positions of one result if
// `across`, else a position of each of four results.
struct Reduce {
  bool across = false;
  int slices = 1;          // a power of two, at most kThreads
  int64_t slabs = 1;       // of the units
  int64_t slab_units = 0;  // of each slab; 0: all there are
};

struct Units {
  int64_t begin = 0, end = 0;
};

// The units of a result, and of a slab of it.
__device__ inline int64_t units_of(const ops::ArrayMap& op, bool across, int64_t batch) {
  int64_t count = 1;
  for (int a = op.space.axes - op.reduced; a < op.space.axes; ++a) {
    const int64_t extent = ops::extent_of(op.space.size[a], batch);
    count *= across && a + 1 == op.space.axes ? (extent + 3) / 4 : extent;
  }
  return count;
}
__device__ inline Units units_of_slab(const ops::ArrayMap& op, const Reduce& reduce, int64_t slab,
                                      int64_t batch) {
  const int64_t all = units_of(op, reduce.across, batch);
  if (reduce.slab_units == 0) return {0, all};
  const int64_t begin = slab * reduce.slab_units, end = begin + reduce.slab_units;
  return {begin < all ? begin : all, end < all ? end : all};
}

inline constexpr int kResultsTogether = 4;  // results of a thread

// What this thread finds in every `slices`-th unit from `first` on, for the results at quad.at. A call, so that both kinds of
// reductions have one copy.
__device__ __noinline__ inline void run_units(const ops::ArrayMap& op, const Reduce& reduce,
                                              const ops::StepContext& context, const Units& units,
                                              TapeQuad& quad, Total (&total)[kResultsTogether]) {
  const int axes = op.space.axes, kept = axes - op.reduced;
  const Reduction kind = op.reduction;
  const int64_t last = ops::extent_of(op.space.size[axes - 1], context.batch);
  const int64_t across = (last + 3) / 4;
  for (int64_t u = units.begin; u < units.end; u += reduce.slices) {
    float v[4];
    if (!reduce.across) {
      place(op.space, context.batch, kept, axes, u, quad.at);
      run_tape(op, context, quad, v);
      for (int c = 0; c < kResultsTogether; ++c)
        if (c < quad.count)
          total[c] = joined(kind, total[c], {static_cast<double>(v[c]), is_sum(kind) ? -1 : u});
      continue;
    }
    const Divided line = op.reduced == 1 ? Divided{0, u} : divide(u, across);
    const int64_t begin = line.rest * 4;
    place(op.space, context.batch, kept, axes - 1, line.quotient, quad.at);
    quad.at[axes - 1] = begin;
    quad.count = last - begin < 4 ? static_cast<int>(last - begin) : 4;
    run_tape(op, context, quad, v);
    if (is_sum(kind)) {
      for (int i = 0; i < 4; ++i)
        if (i >= quad.count) v[i] = 0.0f;
      total[0].value += static_cast<double>((v[0] + v[1]) + (v[2] + v[3]));
    } else {
      for (int i = 0; i < 4; ++i)
        if (i < quad.count)
          total[0] =
              joined(kind, total[0], {static_cast<double>(v[i]), line.quotient * last + begin + i});
    }
  }
}

// Joins the totals of threads thread, thread + distance, ... of `slices`: the first one gets them all.
__device__ inline void join_slices(Reduction kind, int slices, int slice, int distance, int columns,
                                   Total (&total)[kResultsTogether]) {
  static_assert(kThreads * kResultsTogether * sizeof(Total) <= sizeof(BlockShared::scratch));
  if (slices == 1) return;
  auto* shared = reinterpret_cast<Total*>(scratch());
  const int thread = static_cast<int>(threadIdx.x);
  __syncthreads();  // what was there has been read
  for (int c = 0; c < columns; ++c) shared[c * kThreads + thread] = total[c];
  for (int half = slices / 2; half > 0; half /= 2) {
    __syncthreads();
    if (slice >= half) continue;
    for (int c = 0; c < columns; ++c) {
      total[c] = joined(kind, total[c], shared[c * kThreads + thread + half * distance]);
      shared[c * kThreads + thread] = total[c];
    }
  }
}

// put(row, col, total) for all results of a piece, from the units of a slab. All threads of the block come here.
template <class F>
__device__ void reduce_piece(const ops::ArrayMap& op, const Reduce& reduce, int64_t slab,
                             const Piece& piece, const Block& block, F put) {
  const ops::StepContext& context = block.context;
  const Grid grid = kept_grid(op, context.batch);
  const Piece part = grid.inside(piece);
  const int columns = reduce.across ? 1 : kResultsTogether;
  const int together = kThreads / reduce.slices, thread = static_cast<int>(threadIdx.x);
  // Neighbouring threads have neighbouring elements of the operands.
  const int slice = reduce.across ? thread % reduce.slices : thread / together;
  const int mine = reduce.across ? thread / reduce.slices : thread % together;
  const int64_t groups = (part.cols() + columns - 1) / columns, count = part.rows() * groups;
  Units units = units_of_slab(op, reduce, slab, context.batch);
  units.begin += slice;
  for (int64_t first = 0; first < count; first += together) {
    Total total[kResultsTogether];
    for (Total& t : total) t = empty_total(op.reduction);
    int64_t row = 0, col = 0;
    int found = 0;
    if (first + mine < count) {
      const Divided d = divide(first + mine, groups);
      row = part.row + d.quotient;
      col = part.col + d.rest * columns;
      found = part.col_end - col < columns ? static_cast<int>(part.col_end - col) : columns;
      TapeQuad quad;
      grid.at(row, col, quad.at);
      quad.axis = (reduce.across ? op.space.axes : grid.axes) - 1;
      quad.count = found;
      run_units(op, reduce, context, units, quad, total);
    }
    join_slices(op.reduction, reduce.slices, slice, reduce.across ? 1 : together, columns, total);
    if (slice > 0) continue;
    for (int c = 0; c < columns; ++c)
      if (c < found) put(row, col + c, total[c]);
  }
}

__device__ inline void write_result(const ops::ArrayMap& op, const Grid& grid, int64_t row,
                                    int64_t col, const Total& total) {
  int64_t at[ops::kMaxAxes], positions = 1;
  grid.at(row, col, at);
  for (int a = grid.axes; a < op.space.axes; ++a)
    positions *= ops::extent_of(op.space.size[a], grid.batch);
  float& y = op.output.data[offset_of(op.output, grid.axes, at)];
  const float v = result_of(op.reduction, total, positions);
  y = op.accumulate ? y + v : v;
}

struct ArrayReduce {
  const ops::ArrayMap* op = nullptr;
  Extent where;
  Reduce reduce;

  constexpr Extent extent() const { return where; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const Grid grid = kept_grid(*op, block.context.batch);
    reduce_piece(*op, reduce, 0, piece, block, [&](int64_t row, int64_t col, const Total& t) {
      write_result(*op, grid, row, col, t);
    });
    clear_padding(grid, op->output, op->padding, piece);
  }
};

// The totals of each slab: a row of this task's extent is one, with all results side by side.
struct ArrayPartial {
  const ops::ArrayMap* op = nullptr;
  Reduce reduce;
  Total* partials = nullptr;  // a row a slab; on the device
  int64_t results = 0;        // at most

  constexpr Extent extent() const { return {reduce.slabs, 0, round_up(results, kColumnPadding)}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const Grid grid = kept_grid(*op, block.context.batch);
    for (int64_t slab = piece.row; slab < piece.row_end; ++slab) {
      // Results are numbered row by row; a piece of them is whole rows or lies in the only one.
      const Piece all = grid.rows == 1 ? Piece{0, 1, piece.col, piece.col_end}
                                       : Piece{0, grid.rows, 0, grid.cols};
      reduce_piece(*op, reduce, slab, all, block, [&](int64_t row, int64_t col, const Total& t) {
        partials[slab * results + row * grid.cols + col] = t;
      });
    }
  }
};

// Joins the slabs in their order.
struct ArrayFinish {
  const ops::ArrayMap* op = nullptr;
  Extent where;
  Reduce reduce;
  const Total* partials = nullptr;
  int64_t results = 0;

  constexpr Extent extent() const { return where; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const Grid grid = kept_grid(*op, block.context.batch);
    for_elements(grid.inside(piece), [&](int64_t row, int64_t col) {
      Total total = empty_total(op->reduction);
      for (int64_t slab = 0; slab < reduce.slabs; ++slab)
        total = joined(op->reduction, total, partials[slab * results + row * grid.cols + col]);
      write_result(*op, grid, row, col, total);
    });
    clear_padding(grid, op->output, op->padding, piece);
  }
};

}  // namespace dnnfast::cuda
