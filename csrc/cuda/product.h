#pragma once
// Matrix products of any shape in plain float32, for a piece of the result. A sum's terms are added in an order that
// depends on its depth and the form alone. P says what is multiplied:
//   kADepthLines, kBDepthLines   whether a line of the operand is one index of the depth, else a row or column of
//                                the result
//   cols(), depth(context)       columns of the result that exist, terms of a sum
//   a(), b()                     the operands; a line is zero beyond its end
//   a_line(line, position, context)   four elements of a, which `narrow` may take from elsewhere
//   a_source(context)            optional: the data set's array that small tiles take the lines of a from, or null
//   finish(row, rows, col, v, block)   takes rows x 4 results, v[r][c]; a call, so that it is compiled once
//
// Forms of plain arithmetic: `narrow` for few rows or columns: nothing is staged, the block's warps share the depth. `outer` for a
// short depth: a warp has 16 x 32 results, nothing is staged. `tiled` for the rest: 64 x 64 or 128 x 128 results a
// block, the depth in pieces through shared memory, the next one fetched while one is used.

#include "cuda/gather.h"
#include "cuda/pointwise.h"

namespace dnnfast::cuda {

__device__ inline float4 nothing() { return make_float4(0.0f, 0.0f, 0.0f, 0.0f); }

__device__ inline float element(const float4& v, int i) {
  return i == 0 ? v.x : i == 1 ? v.y : i == 2 ? v.z : v.w;
}

// A matrix as operand: its rows are the lines.
struct Lines {
  const float* data = nullptr;
  int64_t ld = 0;

  Lines() = default;
  explicit Lines(const BatchMatrix& m) : data(m.data), ld(m.ld) {}
  explicit Lines(const PanelMatrix& m) : data(m.data), ld(m.padded_out()) {}
  __device__ float4 at(int64_t line, int64_t position) const {
    return *reinterpret_cast<const float4*>(data + line * ld + position);
  }
};

// Of rows `row` to row + 3, how many there are.
__device__ inline int rows_of_four(int64_t row, const Piece& piece) {
  const int64_t left = piece.row_end - row;
  return static_cast<int>(left < 4 ? left : 4);
}

// --- narrow ---

// Four terms of the depth for each of four columns.
template <class P>
__device__ inline void add_four(const P& p, const ops::StepContext& context, const float4& a,
                                int64_t k, int64_t col, float (&sum)[4]) {
  if constexpr (P::kBDepthLines) {
    const int64_t depth = p.depth(context);
    for (int t = 0; t < 4; ++t) {
      const float4 b = k + t < depth ? p.b().at(k + t, col) : nothing();
      for (int c = 0; c < 4; ++c) sum[c] += element(a, t) * element(b, c);
    }
  } else {
    const int64_t cols = p.cols();
    for (int c = 0; c < 4; ++c) {
      const float4 b = col + c < cols ? p.b().at(col + c, k) : nothing();
      for (int t = 0; t < 4; ++t) sum[c] += element(a, t) * element(b, t);
    }
  }
}

// A lane has one row and kColumns columns, a warp kRows rows; warp w has terms 4 w to 4 w + 3 of every 32.
template <int kRows, int kColumns, class P>
__device__ __noinline__ void narrow(const P& p, const Piece& piece, const Block& block) {
  constexpr int kWidth = 32 / kRows * kColumns, kQuads = kColumns / 4;
  const ops::StepContext& context = block.context;
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const int64_t depth = p.depth(context);
  for (int64_t row0 = piece.row; row0 < piece.row_end; row0 += kRows) {
    for (int64_t col0 = piece.col; col0 < piece.col_end; col0 += kWidth) {
      const int64_t row = row0 + lane % kRows, col = col0 + lane / kRows * kColumns;
      float sum[kQuads][4] = {};
      if (row < piece.row_end && col < piece.col_end) {
#pragma unroll 4
        for (int64_t k = warp * 4; k < depth; k += 4 * kWarps) {
          const float4 a = p.a_line(row, k, context);
          for (int q = 0; q < kQuads; ++q) add_four(p, context, a, k, col + 4 * q, sum[q]);
        }
      }
      __syncthreads();  // the last results have been read
      float* mine = scratch() + (warp * kRows + lane % kRows) * kWidth + lane / kRows * kColumns;
      for (int q = 0; q < kQuads; ++q) store4(mine + 4 * q, sum[q]);
      __syncthreads();
      for (int i = static_cast<int>(threadIdx.x); i < kRows * kWidth / 4; i += kThreads) {
        const int64_t r = row0 + i / (kWidth / 4), c = col0 + i % (kWidth / 4) * 4;
        if (r >= piece.row_end || c >= piece.col_end) continue;
        float total[1][4] = {};
        for (int w = 0; w < kWarps; ++w) {
          float part[4];
          load4(scratch() + w * kRows * kWidth + i * 4, part);
          for (int n = 0; n < 4; ++n) total[0][n] += part[n];
        }
        p.finish(r, 1, c, total, block);
      }
    }
  }
}

// --- outer ---

inline constexpr int kOuterRows = 16, kOuterColumns = 32;  // of a warp

// Both operands have the depth as lines. A lane has 4 x 4 results.
template <class P>
__device__ __noinline__ void outer(const P& p, const Piece& piece, const Block& block) {
  static_assert(P::kADepthLines && P::kBDepthLines);
  const ops::StepContext& context = block.context;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int64_t depth = p.depth(context),
                across = (piece.cols() + kOuterColumns - 1) / kOuterColumns;
  const int64_t tiles = (piece.rows() + kOuterRows - 1) / kOuterRows * across;
  for (int64_t tile = threadIdx.x / 32; tile < tiles; tile += kWarps) {
    const int64_t row = piece.row + tile / across * kOuterRows + lane / 8 * 4;
    const int64_t col = piece.col + tile % across * kOuterColumns + lane % 8 * 4;
    if (row >= piece.row_end || col >= piece.col_end) continue;
    float sum[4][4] = {};
#pragma unroll 8
    for (int64_t k = 0; k < depth; ++k) {
      const float4 a = p.a().at(k, row), b = p.b().at(k, col);
      for (int r = 0; r < 4; ++r)
        for (int c = 0; c < 4; ++c) sum[r][c] += element(a, r) * element(b, c);
    }
    p.finish(row, rows_of_four(row, piece), col, sum, block);
  }
}

// --- tiled ---

// Tile edge kTile; the depth comes in pieces of kDepth, one float4 of either operand a thread.
template <int kTile>
struct TileShape {
  static constexpr int kDepth = 4 * kThreads / kTile;
  static constexpr int kPitch = kTile + 4;  // floats between rows of a staged piece
  static constexpr int kBlocks =
      kTile / 64;  // a thread has kBlocks x kBlocks blocks of 4 x 4 results
  static constexpr int kPiece = kDepth * kPitch;  // floats
  static_assert(4 * kPiece * sizeof(float) <= sizeof(BlockShared::scratch));
};

// A line taken from the data set as it is needed, for stagers.
class SourceLine {
 public:
  __device__ void set(const ops::Source* source, const ops::StepContext& context, int64_t line,
                      int64_t position) {
    source_ = source;
    context_ = &context;
    line_ = line;
    position_ = position;
  }
  __device__ bool present() const { return source_ != nullptr; }
  // Four elements, if they are inside; the next ones are `step` further.
  __device__ float4 fetch(bool inside, int step) {
    const float4 v = inside ? read_four(*source_, *context_, line_, position_) : nothing();
    position_ += step;
    return v;
  }

 private:
  const ops::Source* source_ = nullptr;
  const ops::StepContext* context_ = nullptr;
  int64_t line_ = 0, position_ = 0;
};

// Whether P's first operand may come from the data set in tiles of this many rows; larger ones have no registers
// for it.
template <int kRows, class P>
__device__ constexpr bool may_read_source() {
  return kRows == 64 &&
           requires(const P & p, const ops::StepContext & c)
  {
    p.a_source(c);
  };
}

// This thread's float4 of each piece of an operand, and where it goes: staged[depth][kPitch].
template <int kTile, bool kDepthLines, bool kFromSource = false>
class Stager {
 public:
  using Shape = TileShape<kTile>;

  // Of the tile that begins at `edge`; the operand ends at `edge_end` and `depth`.
  __device__ Stager(const Lines& lines, int64_t edge, int64_t edge_end, int64_t depth)
      : line_(static_cast<int>(threadIdx.x) / kAlong),
        position_(static_cast<int>(threadIdx.x) % kAlong * 4) {
    const int64_t at = edge + (kDepthLines ? position_ : line_);
    const int64_t first = kDepthLines ? line_ : position_;
    next_ = lines.data + (kDepthLines ? first * lines.ld + at : at * lines.ld + first);
    step_ = kDepthLines ? Shape::kDepth * lines.ld : Shape::kDepth;
    left_ = at < edge_end ? static_cast<int>(depth - first) : 0;
  }
  __device__ void take_from(const ops::Source* source, const ops::StepContext& context,
                            int64_t edge) {
    from_.set(source, context, edge + line_, position_);
  }
  // Of the next piece; zero beyond the end.
  __device__ float4 fetch() {
    const bool inside = left_ > 0;
    float4 v;
    if (kFromSource && from_.present())
      v = from_.fetch(inside, Shape::kDepth);
    else
      v = inside ? *reinterpret_cast<const float4*>(next_) : nothing();
    next_ += step_;
    left_ -= Shape::kDepth;
    return v;
  }
  __device__ void stage(float* staged, const float4& v) const {
    if constexpr (kDepthLines) {
      *reinterpret_cast<float4*>(staged + line_ * Shape::kPitch + position_) = v;
    } else {
      for (int i = 0; i < 4; ++i) staged[(position_ + i) * Shape::kPitch + line_] = element(v, i);
    }
  }

 private:
  static constexpr int kAlong = (kDepthLines ? kTile : Shape::kDepth) / 4;
  int line_, position_;
  int left_;
  const float* next_;
  int64_t step_;
  SourceLine from_;
};

template <int kTile>
__device__ inline void multiply_staged(
    const float* a, const float* b,
    float (&sum)[4 * TileShape<kTile>::kBlocks][4 * TileShape<kTile>::kBlocks]) {
  using Shape = TileShape<kTile>;
  constexpr int kMine = 4 * Shape::kBlocks;
  const int ty = static_cast<int>(threadIdx.x) / 16 * 4,
            tx = static_cast<int>(threadIdx.x) % 16 * 4;
#pragma unroll 2
  for (int d = 0; d < Shape::kDepth; ++d) {
    float av[Shape::kBlocks][4], bv[Shape::kBlocks][4];
    for (int n = 0; n < Shape::kBlocks; ++n) {
      load4(a + d * Shape::kPitch + 64 * n + ty, av[n]);
      load4(b + d * Shape::kPitch + 64 * n + tx, bv[n]);
    }
    for (int r = 0; r < kMine; ++r)
      for (int c = 0; c < kMine; ++c) sum[r][c] += av[r / 4][r % 4] * bv[c / 4][c % 4];
  }
}

template <int kTile, class P>
__device__ __noinline__ void tiled(const P& p, const Piece& piece, const Block& block) {
  using Shape = TileShape<kTile>;
  constexpr int kMine = 4 * Shape::kBlocks;
  const int64_t depth = p.depth(block.context);
  const int64_t b_end = P::kBDepthLines || piece.col_end < p.cols() ? piece.col_end : p.cols();
  constexpr bool kSource = may_read_source<kTile, P>();
  Stager<kTile, P::kADepthLines, kSource> stage_a(p.a(), piece.row, piece.row_end, depth);
  if constexpr (kSource) stage_a.take_from(p.a_source(block.context), block.context, piece.row);
  Stager<kTile, P::kBDepthLines> stage_b(p.b(), piece.col, b_end, depth);
  float sum[kMine][kMine] = {};
  float4 next_a = stage_a.fetch(), next_b = stage_b.fetch();
  int side = 0;
  __syncthreads();  // the scratch memory is free
  for (int64_t k = 0; k < depth; k += Shape::kDepth, side ^= 1) {
    float* a = scratch() + side * 2 * Shape::kPiece;
    float* b = a + Shape::kPiece;
    stage_a.stage(a, next_a);
    stage_b.stage(b, next_b);
    __syncthreads();  // the other side is used no more once all are here
    next_a = stage_a.fetch();
    next_b = stage_b.fetch();
    multiply_staged<kTile>(a, b, sum);
  }
  const int ty = static_cast<int>(threadIdx.x) / 16 * 4,
            tx = static_cast<int>(threadIdx.x) % 16 * 4;
#pragma unroll
  for (int m = 0; m < kMine; m += 4) {
#pragma unroll
    for (int n = 0; n < kMine; n += 4) {
      const int64_t row = piece.row + m * 16 + ty, col = piece.col + n * 16 + tx;
      float v[4][4];
      for (int r = 0; r < 4; ++r)
        for (int c = 0; c < 4; ++c) v[r][c] = sum[m + r][n + c];
      if (row < piece.row_end && col < piece.col_end)
        p.finish(row, rows_of_four(row, piece), col, v, block);
    }
  }
}

}  // namespace dnnfast::cuda
