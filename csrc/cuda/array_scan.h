#pragma once
// Cumulative sums, products and maxima, and sorts, of lines along an axis. Scans: a warp a line where its elements lie side by
// side, else a thread a line. Sorts: a block a line, in shared memory if it fits; of a longer one each thread counts what comes
// before its elements. The order is that of the CPU: equal elements as they stand, NaN last.

#include "cuda/array_tape.h"

namespace dnnfast::cuda {

using ops::Scan;

__device__ inline double identity_of(Scan kind) {
  if (kind == Scan::max) return -static_cast<double>(INFINITY);
  return kind == Scan::product ? 1.0 : 0.0;
}

__device__ inline double scan_joined(Scan kind, double total, double x) {
  if (kind == Scan::sum) return total + x;
  if (kind == Scan::product) return total * x;
  return total != total || total > x ? total : x;
}

// Whether element i of value a comes before element j of value b. Elements from `count` on are last.
struct SortOrder {
  bool reverse;
  int64_t count;

  __device__ bool before(float a, int64_t i, float b, int64_t j) const {
    if (i >= count || j >= count) return i < j;
    const bool a_nan = a != a, b_nan = b != b;
    if (a_nan || b_nan) return a_nan == b_nan ? i < j : b_nan;
    if (a == b) return i < j;
    return reverse ? a > b : a < b;
  }
};

struct ArrayScan {
  static constexpr int64_t kShared = 4096;  // elements of a line that is sorted in shared memory

  const ops::ArrayScan* op = nullptr;  // of the program; on a device: a copy there
  Extent where;

  constexpr Extent extent() const { return where; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::ArrayScan& s = *op;
    const Grid grid(s.space, s.space.axes, s.space.axes - 1, block.context.batch);
    const ScanLines lines(*this, grid, grid.inside(piece));
    if (s.kind == Scan::sort || s.kind == Scan::arg_sort) {
      for (int64_t l = 0; l < lines.count; ++l) {
        const Line line = lines.at(l);
        line.size <= kShared ? sort_shared(line) : sort_long(line);
      }
    } else if (lines.along) {
      for (int64_t l = threadIdx.x / 32; l < lines.count; l += kWarps) scan_together(lines.at(l));
    } else {
      for (int64_t l = threadIdx.x; l < lines.count; l += kThreads) scan(lines.at(l));
    }
    clear_padding(grid, s.y, s.padding, piece);
  }

  struct Line {
    const float* x;
    float* y;
    int64_t x_step, y_step, size;

    __device__ float from(int64_t i) const { return x[i * x_step]; }
    __device__ void put(int64_t i, float v, bool accumulate) const {
      y[i * y_step] = accumulate ? y[i * y_step] + v : v;
    }
  };

  // The lines of a piece: along the columns they are its rows, else all lines of its columns.
  struct ScanLines {
    const ArrayScan& task;
    const Grid& grid;
    Piece piece;
    bool along;
    int64_t size, count;

    __device__ ScanLines(const ArrayScan& t, const Grid& g, const Piece& p)
        : task(t), grid(g), piece(p), along(t.op->axis + 1 == g.axes),
          size(ops::extent_of(g.space.size[t.op->axis], g.batch)) {
      count = size == 0 ? 0 : along ? piece.rows() : piece.rows() / size * piece.cols();
    }
    __device__ Line at(int64_t l) const {
      const ops::ArrayScan& s = *task.op;
      int64_t at[ops::kMaxAxes];
      if (along) {
        grid.at(piece.row + l, 0, at);
      } else {
        const Divided d = divide(l, piece.cols());
        ops::Space others = grid.space;
        others.size[s.axis] = 1;
        place(others, grid.batch, 0, grid.axes - 1, d.quotient, at);
        at[grid.axes - 1] = piece.col + d.rest;
      }
      return {s.x.data + offset_of(s.x, grid.axes, at), s.y.data + offset_of(s.y, grid.axes, at),
              s.x.stride[s.axis], s.y.stride[s.axis], size};
    }
  };

  __device__ void scan(const Line& line) const {
    double total = identity_of(op->kind);
    for (int64_t j = 0; j < line.size; ++j) {
      const int64_t i = op->reverse ? line.size - 1 - j : j;
      const double next = scan_joined(op->kind, total, static_cast<double>(line.from(i)));
      line.put(i, static_cast<float>(op->exclusive ? total : next), op->accumulate);
      total = next;
    }
  }

  // 32 elements at a time, what came before in `total`.
  __device__ void scan_together(const Line& line) const {
    const int lane = static_cast<int>(threadIdx.x % 32);
    const Scan kind = op->kind;
    double total = identity_of(kind);
    for (int64_t first = 0; first < line.size; first += 32) {
      const int64_t j = first + lane, i = op->reverse ? line.size - 1 - j : j;
      const bool inside = j < line.size;
      double sum = inside ? static_cast<double>(line.from(i)) : identity_of(kind);
      for (int distance = 1; distance < 32; distance *= 2) {
        const double other = __shfl_up_sync(0xffffffffu, sum, distance);
        if (lane >= distance) sum = scan_joined(kind, other, sum);
      }
      double before = __shfl_up_sync(0xffffffffu, sum, 1);
      before = lane == 0 ? total : scan_joined(kind, total, before);
      const double until = scan_joined(kind, total, sum);
      if (inside) line.put(i, static_cast<float>(op->exclusive ? before : until), op->accumulate);
      total = __shfl_sync(0xffffffffu, until, 31);
    }
  }

  __device__ void put_sorted(const Line& line, int64_t rank, float value, int64_t position) const {
    line.put(rank, op->kind == Scan::sort ? value : static_cast<float>(position), op->accumulate);
  }

  // A bitonic network.
  __device__ void sort_shared(const Line& line) const {
    static_assert(kShared * 8 <= sizeof(BlockShared::scratch));
    const SortOrder order{op->reverse, line.size};
    const int count = static_cast<int>(line.size), thread = static_cast<int>(threadIdx.x);
    int width = 1;
    while (width < count) width *= 2;
    float* value = scratch();
    auto* position = reinterpret_cast<int*>(value + width);
    __syncthreads();  // the last line has been read
    for (int i = thread; i < width; i += kThreads) {
      value[i] = i < count ? line.from(i) : 0.0f;
      position[i] = i;
    }
    for (int run = 2; run <= width; run *= 2) {
      for (int distance = run / 2; distance > 0; distance /= 2) {
        __syncthreads();
        for (int n = thread; n < width / 2; n += kThreads) {
          const int i = n / distance * 2 * distance + n % distance, j = i + distance;
          const bool ascending = (i & run) == 0;
          if (order.before(value[j], position[j], value[i], position[i]) != ascending) continue;
          const float v = value[i];
          const int p = position[i];
          value[i] = value[j], position[i] = position[j];
          value[j] = v, position[j] = p;
        }
      }
    }
    __syncthreads();
    for (int i = thread; i < count; i += kThreads) put_sorted(line, i, value[i], position[i]);
  }

  // The square of its length in steps, shared by the block: better than one thread with any sort.
  __device__ void sort_long(const Line& line) const {
    const SortOrder order{op->reverse, line.size};
    for (int64_t i = threadIdx.x; i < line.size; i += kThreads) {
      const float value = line.from(i);
      int64_t rank = 0;
      for (int64_t j = 0; j < line.size; ++j) rank += order.before(line.from(j), j, value, i);
      put_sorted(line, rank, value, i);
    }
  }
};

}  // namespace dnnfast::cuda
