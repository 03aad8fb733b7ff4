#pragma once
// The products of product.h on matrix units, for wide layers whose operands may be rounded: 64 or 128 rows x 128 columns a
// block, the depth in pieces of 16 through shared memory, where operands lie rounded, as words along the depth.

#include "cuda/matrix_unit.h"
#include "cuda/product.h"

namespace dnnfast::cuda {

template <int kTile, class Type>
struct WordShape {
  static constexpr int kDepth = 16;
  static constexpr int kWords = kDepth / Type::kPerWord;
  static constexpr int kPitch = kTile + 8;  // the lanes of a fragment then meet different banks
  static constexpr int kPiece = kWords * kPitch;
};

// This thread's quads of each piece of an operand, rounded on their way to staged[word][kPitch].
template <int kTile, bool kDepthLines, class Type, bool kFromSource = false>
class WordStager {
 public:
  using Shape = WordShape<kTile, Type>;
  static constexpr int kQuads = kTile * Shape::kDepth / 4 / kThreads;

  __device__ WordStager(const Lines& lines, int64_t edge, int64_t edge_end, int64_t depth)
      : step_(kDepthLines ? Shape::kDepth * lines.ld : Shape::kDepth) {
    for (int q = 0; q < kQuads; ++q) {
      const int64_t at = edge + (kDepthLines ? position(q) : line(q));
      const int64_t first = kDepthLines ? line(q) : position(q);
      next_[q] = lines.data + (kDepthLines ? first * lines.ld + at : at * lines.ld + first);
      left_[q] = at < edge_end ? static_cast<int>(depth - first) : 0;
    }
  }
  __device__ void take_from(const ops::Source* source, const ops::StepContext& context,
                            int64_t edge) {
    static_assert(kQuads == 1);
    from_.set(source, context, edge + line(0), position(0));
  }
  __device__ void fetch(float4 (&v)[kQuads]) {
    for (int q = 0; q < kQuads; ++q) {
      const bool inside = left_[q] > 0;
      if (kFromSource && from_.present())
        v[q] = from_.fetch(inside, Shape::kDepth);
      else
        v[q] = inside ? *reinterpret_cast<const float4*>(next_[q]) : nothing();
      next_[q] += step_;
      left_[q] -= Shape::kDepth;
    }
  }
  __device__ void stage(uint32_t* staged, const float4 (&v)[kQuads]) const {
    for (int q = 0; q < kQuads; ++q) {
      const int l = line(q), p = position(q);
      for (int i = 0; i < 4; ++i) {
        const int depth = kDepthLines ? l : p + i, place = kDepthLines ? p + i : l;
        const float x = element(v[q], i);
        uint32_t* word = staged + depth / Type::kPerWord * Shape::kPitch + place;
        if constexpr (Type::kPerWord == 1)
          *word = math::bits_as<uint32_t>(math::to_tf32(x));
        else
          reinterpret_cast<uint16_t*>(word)[depth % 2] = math::to_bfloat16(x);
      }
    }
  }

 private:
  static constexpr int kAlong = (kDepthLines ? kTile : Shape::kDepth) / 4;
  __device__ static int index(int q) { return static_cast<int>(threadIdx.x) + q * kThreads; }
  __device__ static int line(int q) { return index(q) / kAlong; }
  __device__ static int position(int q) { return index(q) % kAlong * 4; }

  const float* next_[kQuads];
  int left_[kQuads];
  int64_t step_;
  SourceLine from_;
};

inline constexpr int kUnitColumns = 128;  // of a block's tile

// Where a warp's results are in the tile: two warps below each other, four beside each other.
template <int kRows>
struct WarpTile {
  static constexpr int kDown = kRows / 2 / 16, kAcross = kUnitColumns / 4 / 8;  // instructions
  int row, col, g, t;

  __device__ WarpTile() {
    const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
    row = warp / 4 * (kRows / 2), col = warp % 4 * (kUnitColumns / 4);
    g = lane / 4, t = lane % 4;
  }
};

template <int kRows, class Type>
__device__ inline void multiply_words(
    const uint32_t* a, const uint32_t* b, const WarpTile<kRows>& tile,
    float (&sum)[WarpTile<kRows>::kDown][WarpTile<kRows>::kAcross][4]) {
  using ShapeA = WordShape<kRows, Type>;
  using ShapeB = WordShape<kUnitColumns, Type>;
#pragma unroll
  for (int w = 0; w < ShapeA::kWords; w += 8) {
    uint32_t right[WarpTile<kRows>::kAcross][2];
    for (int n = 0; n < WarpTile<kRows>::kAcross; ++n)
      for (int half = 0; half < 2; ++half)
        right[n][half] = b[(w + tile.t + 4 * half) * ShapeB::kPitch + tile.col + 8 * n + tile.g];
    for (int m = 0; m < WarpTile<kRows>::kDown; ++m) {
      uint32_t left[4];
      for (int i = 0; i < 4; ++i)
        left[i] =
            a[(w + tile.t + i / 2 * 4) * ShapeA::kPitch + tile.row + 16 * m + tile.g + i % 2 * 8];
      for (int n = 0; n < WarpTile<kRows>::kAcross; ++n)
        multiply_add<Type>(sum[m][n], left, right[n]);
    }
  }
}

// Two lanes put their pairs of columns together: the even one gets four columns of row g, the odd one of row g + 8.
template <class P>
__device__ inline void finish_pair(const P& p, const Piece& piece, const Block& block,
                                   const int64_t (&corner)[2], const float (&d)[4]) {
  const int lane = static_cast<int>(threadIdx.x) % 32, g = lane / 4, t = lane % 4;
  const bool odd = t % 2 != 0;
  const float first = __shfl_xor_sync(0xffffffffu, odd ? d[0] : d[2], 1);
  const float second = __shfl_xor_sync(0xffffffffu, odd ? d[1] : d[3], 1);
  float v[1][4] = {
      {odd ? first : d[0], odd ? second : d[1], odd ? d[2] : first, odd ? d[3] : second}};
  const int64_t row = corner[0] + g + (odd ? 8 : 0), col = corner[1] + t / 2 * 4;
  if (row < piece.row_end && col < piece.col_end) p.finish(row, 1, col, v, block);
}

template <int kRows, class Type, class P>
__device__ __noinline__ void matrix_units(const P& p, const Piece& piece, const Block& block) {
  constexpr bool kSource = may_read_source<kRows, P>();
  using StagerA = WordStager<kRows, P::kADepthLines, Type, kSource>;
  using StagerB = WordStager<kUnitColumns, P::kBDepthLines, Type>;
  constexpr int kSide = StagerA::Shape::kPiece + StagerB::Shape::kPiece;
  static_assert(2 * kSide * sizeof(uint32_t) <= sizeof(BlockShared::scratch));
  const int64_t depth = p.depth(block.context);
  const int64_t b_end = P::kBDepthLines || piece.col_end < p.cols() ? piece.col_end : p.cols();
  StagerA stage_a(p.a(), piece.row, piece.row_end, depth);
  if constexpr (kSource) stage_a.take_from(p.a_source(block.context), block.context, piece.row);
  StagerB stage_b(p.b(), piece.col, b_end, depth);
  const WarpTile<kRows> tile;
  const bool needed = piece.row + tile.row < piece.row_end && piece.col + tile.col < piece.col_end;
  float sum[WarpTile<kRows>::kDown][WarpTile<kRows>::kAcross][4] = {};
  float4 next_a[StagerA::kQuads], next_b[StagerB::kQuads];
  stage_a.fetch(next_a);
  stage_b.fetch(next_b);
  int side = 0;
  __syncthreads();  // the scratch memory is free
  for (int64_t k = 0; k < depth; k += StagerA::Shape::kDepth, side ^= 1) {
    uint32_t* a = reinterpret_cast<uint32_t*>(scratch()) + side * kSide;
    uint32_t* b = a + StagerA::Shape::kPiece;
    stage_a.stage(a, next_a);
    stage_b.stage(b, next_b);
    __syncthreads();  // the other side is used no more once all are here
    stage_a.fetch(next_a);
    stage_b.fetch(next_b);
    if (needed) multiply_words<kRows, Type>(a, b, tile, sum);
  }
  if (!needed) return;  // a whole warp
#pragma unroll
  for (int m = 0; m < WarpTile<kRows>::kDown; ++m)
#pragma unroll
    for (int n = 0; n < WarpTile<kRows>::kAcross; ++n)
      finish_pair(p, piece, block, {piece.row + tile.row + 16 * m, piece.col + tile.col + 8 * n},
                  sum[m][n]);
}

// --- any ---

enum class ProductForm : int {
  narrow_tall,
  narrow_flat,
  narrow_wide,
  outer,
  tiled_64,
  tiled_128,
  tf32_64,
  tf32_128,
  bfloat16_64,
  bfloat16_128
};

// Results of a piece that a form does at once: rows, columns.
struct PieceShape {
  int64_t rows;
  int64_t cols;
};
inline constexpr PieceShape piece_shape(ProductForm form) {
  switch (form) {
    case ProductForm::narrow_tall: return {32, 4};
    case ProductForm::narrow_flat: return {8, 16};
    case ProductForm::narrow_wide: return {32, 16};
    case ProductForm::outer:
    case ProductForm::tiled_64: return {64, 64};
    case ProductForm::tf32_64:
    case ProductForm::bfloat16_64: return {64, kUnitColumns};
    default: return {128, 128};
  }
}

// Products of a batch with weights.
template <class P>
__device__ void multiply(ProductForm form, const P& p, const Piece& piece, const Block& block) {
  if constexpr (P::kADepthLines && P::kBDepthLines) {
    if (form == ProductForm::outer) return outer(p, piece, block);
  } else {
    if (form == ProductForm::narrow_tall) return narrow<32, 4>(p, piece, block);
    if (form == ProductForm::narrow_flat) return narrow<8, 4>(p, piece, block);
    if (form == ProductForm::narrow_wide) return narrow<32, 16>(p, piece, block);
  }
  switch (form) {
    case ProductForm::tiled_64: return tiled<64>(p, piece, block);
    case ProductForm::tf32_64: return matrix_units<64, Tf32>(p, piece, block);
    case ProductForm::tf32_128: return matrix_units<128, Tf32>(p, piece, block);
    case ProductForm::bfloat16_64: return matrix_units<64, Bfloat16>(p, piece, block);
    case ProductForm::bfloat16_128: return matrix_units<128, Bfloat16>(p, piece, block);
    default: tiled<128>(p, piece, block);
  }
}

}  // namespace dnnfast::cuda
