#pragma once
// Where the positions of an array op lie, and the interpreter of tapes (ops/array.h): a thread runs a tape on four
// neighbouring positions, so that the cost of looking at an instruction is spread over them. All threads of a block run the
// same instruction. Memory: operands are read once, registers stay in the first cache level.

#include "cuda/block.h"
#include "math/array.h"
#include "ops/array.h"

namespace dnnfast::cuda {

using ops::Instruction;
using ops::TapeOp;

struct Divided {
  int64_t quotient, rest;
};

// Of numbers that are not negative; mostly they are short.
__device__ inline Divided divide(int64_t x, int64_t by) {
  if ((static_cast<uint64_t>(x | by) >> 32) != 0) return {x / by, x % by};
  const auto n = static_cast<uint32_t>(x), d = static_cast<uint32_t>(by);
  return {n / d, n % d};
}

// Sets the coordinates along the axes [begin, end) to those of a position among them.
__device__ inline void place(const ops::Space& space, int64_t batch, int begin, int end,
                             int64_t position, int64_t* at) {
  for (int a = end; a-- > begin;) {
    if (a == begin) {
      at[a] = position;
      return;
    }
    const Divided d = divide(position, ops::extent_of(space.size[a], batch));
    at[a] = d.rest;
    position = d.quotient;
  }
}

__device__ inline int64_t offset_of(const ops::Operand& x, int axes, const int64_t* at) {
  int64_t offset = 0;
  for (int a = 0; a < axes; ++a) offset += at[a] * x.stride[a];
  return offset;
}

// Results as rows and columns: of the `axes` axes of a space that a result y has, the last is the columns and the others'
// positions are the rows. Numbers that are one a sample, or that lie apart, are rows of one column.
constexpr int row_axes(const ops::Space& space, int axes, const ops::Operand& y) {
  if (axes == 1 && (space.size[0] == -1 || (space.size[0] < 0 && y.stride[0] != 1))) return 1;
  return axes > 0 ? axes - 1 : 0;
}

struct Grid {
  const ops::Space& space;
  int axes = 0, down = 0;  // of these the rows'
  int64_t batch = 0;
  int64_t rows = 1, cols = 1;

  __device__ Grid(const ops::Space& s, int n, int n_rows, int64_t b)
      : space(s), axes(n), down(n_rows), batch(b) {
    for (int a = 0; a < down; ++a) rows *= ops::extent_of(s.size[a], b);
    if (down < n) cols = ops::extent_of(s.size[down], b);
  }
  // What exists of a piece, with so many columns of padding.
  __device__ Piece inside(Piece piece, int64_t padding = 0) const {
    if (piece.row_end > rows) piece.row_end = rows;
    if (piece.row > piece.row_end) piece.row = piece.row_end;
    if (piece.col_end > cols + padding) piece.col_end = cols + padding;
    if (piece.col > piece.col_end) piece.col = piece.col_end;
    return piece;
  }
  __device__ void at(int64_t row, int64_t col, int64_t* coordinates) const {
    place(space, batch, 0, down, row, coordinates);
    if (down < axes) coordinates[down] = col;
  }
};

// The padding of a piece becomes zero.
__device__ inline void clear_padding(const Grid& grid, const ops::Operand& y, int64_t padding,
                                     const Piece& piece) {
  if (padding == 0 || piece.col_end <= grid.cols) return;
  Piece part = grid.inside(piece, padding);
  if (part.col < grid.cols) part.col = grid.cols;
  for_elements(part, [&](int64_t row, int64_t col) {
    int64_t at[ops::kMaxAxes];
    grid.at(row, 0, at);
    y.data[offset_of(y, grid.axes, at) + col] = 0.0f;
  });
}

// Up to four positions that follow one another along an axis; the coordinates are those of the first.
struct TapeQuad {
  int64_t at[ops::kMaxAxes];
  int axis = 0;
  int count = 0;
};

__device__ inline void read_quad(const ops::Operand& x, int axes, const TapeQuad& quad, float* to) {
  const float* from = x.data + offset_of(x, axes, quad.at);
  const int64_t stride = axes > 0 ? x.stride[quad.axis] : 0;
  float v[4] = {};
  if (stride == 1 && quad.count == 4 && (reinterpret_cast<uintptr_t>(from) & 15) == 0) {
    load4(from, v);
  } else {
    for (int i = 0; i < 4; ++i)
      if (i < quad.count) v[i] = from[i * stride];
  }
  store4(to, v);
}

// *y (+)= the quad's values.
__device__ inline void write_quad(const ops::Operand& y, int axes, const TapeQuad& quad,
                                  const float (&v)[4], bool accumulate) {
  float* to = y.data + offset_of(y, axes, quad.at);
  const int64_t stride = axes > 0 ? y.stride[quad.axis] : 0;
  if (stride == 1 && quad.count == 4 && (reinterpret_cast<uintptr_t>(to) & 15) == 0)
    return put4(to, v, accumulate);
  for (int i = 0; i < 4; ++i)
    if (i < quad.count) to[i * stride] = accumulate ? to[i * stride] + v[i] : v[i];
}

__device__ inline void random_quad(const ops::ArrayMap& op, const ops::StepContext& context,
                                   const Instruction& instruction, const TapeQuad& quad,
                                   float* to) {
  uint64_t position = 0, step = 1, stride = 1;
  for (int a = op.space.axes; a-- > 0;) {
    position += static_cast<uint64_t>(quad.at[a]) * stride;
    if (a == quad.axis) step = stride;
    stride *= static_cast<uint64_t>(ops::extent_of(op.space.size[a], context.batch));
  }
  const math::DropoutBits bits =
      math::dropout_bits(context.seed, context.step, static_cast<uint32_t>(instruction.a));
#pragma unroll 1
  for (uint64_t i = 0; i < 4; ++i) to[i] = math::uniform(bits, position + i * step, instruction.b);
}

// A result, and the registers that an instruction may read.
struct Frame {
  float* to;
  const float *a, *b, *c;
};

template <class F>
__device__ inline void unary(const Frame& f, F apply) {
  float v[4];
  load4(f.a, v);
  for (int i = 0; i < 4; ++i) v[i] = apply(v[i]);
  store4(f.to, v);
}

template <class F>
__device__ inline void binary(const Frame& f, F apply) {
  float v[4], w[4];
  load4(f.a, v);
  load4(f.b, w);
  for (int i = 0; i < 4; ++i) v[i] = apply(v[i], w[i]);
  store4(f.to, v);
}

// Long functions: one copy of the code.
template <class F>
__device__ inline void scalar(const Frame& f, F apply) {
#pragma unroll 1
  for (int i = 0; i < 4; ++i) f.to[i] = apply(f.a[i], f.b[i]);
}

__device__ __noinline__ inline bool run_library(TapeOp op, const Frame& f) {
  switch (op) {
    case TapeOp::sin: scalar(f, [](float x, float) { return math::sin(x); }); return true;
    case TapeOp::cos: scalar(f, [](float x, float) { return math::cos(x); }); return true;
    case TapeOp::tan: scalar(f, [](float x, float) { return math::tan(x); }); return true;
    case TapeOp::asin: scalar(f, [](float x, float) { return math::asin(x); }); return true;
    case TapeOp::acos: scalar(f, [](float x, float) { return math::acos(x); }); return true;
    case TapeOp::atan: scalar(f, [](float x, float) { return math::atan(x); }); return true;
    case TapeOp::sinh: scalar(f, [](float x, float) { return math::sinh(x); }); return true;
    case TapeOp::cosh: scalar(f, [](float x, float) { return math::cosh(x); }); return true;
    case TapeOp::asinh: scalar(f, [](float x, float) { return math::asinh(x); }); return true;
    case TapeOp::acosh: scalar(f, [](float x, float) { return math::acosh(x); }); return true;
    case TapeOp::atanh: scalar(f, [](float x, float) { return math::atanh(x); }); return true;
    case TapeOp::erfinv: scalar(f, [](float x, float) { return math::erfinv(x); }); return true;
    case TapeOp::pow:
      scalar(f, [](float x, float y) { return y == 2.0f ? x * x : math::pow(x, y); });
      return true;
    case TapeOp::mod:
      scalar(f, [](float x, float y) { return math::floor_mod(x, y); });
      return true;
    case TapeOp::atan2: scalar(f, [](float y, float x) { return math::atan2(y, x); }); return true;
    default: return false;
  }
}

__device__ inline bool run_elementary(TapeOp op, const Frame& f) {
  switch (op) {
    case TapeOp::neg: unary(f, [](float x) { return -x; }); return true;
    case TapeOp::abs: unary(f, [](float x) { return math::abs(x); }); return true;
    case TapeOp::sign: unary(f, [](float x) { return math::sign(x); }); return true;
    case TapeOp::sqrt: unary(f, [](float x) { return math::sqrt(x); }); return true;
    case TapeOp::exp: unary(f, [](float x) { return math::exp(x); }); return true;
    case TapeOp::expm1: unary(f, [](float x) { return math::expm1(x); }); return true;
    case TapeOp::log: unary(f, [](float x) { return math::log(x); }); return true;
    case TapeOp::log1p: unary(f, [](float x) { return math::log1p(x); }); return true;
    case TapeOp::tanh: unary(f, [](float x) { return math::tanh(x); }); return true;
    case TapeOp::erf: unary(f, [](float x) { return math::erf(x); }); return true;
    case TapeOp::sigmoid: unary(f, [](float x) { return math::sigmoid(x); }); return true;
    case TapeOp::softplus: unary(f, [](float x) { return math::softplus(x); }); return true;
    case TapeOp::floor: unary(f, [](float x) { return math::floor(x); }); return true;
    case TapeOp::ceil: unary(f, [](float x) { return math::ceil(x); }); return true;
    case TapeOp::round: unary(f, [](float x) { return math::rint(x); }); return true;
    case TapeOp::is_nan: unary(f, [](float x) { return math::truth<float>(x != x); }); return true;
    case TapeOp::is_finite:
      unary(f, [](float x) { return math::truth<float>(x - x == 0.0f); });
      return true;
    default: return false;
  }
}

__device__ inline void run_binary(TapeOp op, const Frame& f) {
  switch (op) {
    case TapeOp::add: return binary(f, [](float a, float b) { return a + b; });
    case TapeOp::sub: return binary(f, [](float a, float b) { return a - b; });
    case TapeOp::mul: return binary(f, [](float a, float b) { return a * b; });
    case TapeOp::div: return binary(f, [](float a, float b) { return a / b; });
    case TapeOp::floor_div: return binary(f, [](float a, float b) { return math::floor(a / b); });
    case TapeOp::max: return binary(f, [](float a, float b) { return math::maximum(a, b); });
    case TapeOp::min: return binary(f, [](float a, float b) { return math::minimum(a, b); });
    case TapeOp::less: return binary(f, [](float a, float b) { return math::truth<float>(a < b); });
    case TapeOp::less_equal:
      return binary(f, [](float a, float b) { return math::truth<float>(a <= b); });
    case TapeOp::equal:
      return binary(f, [](float a, float b) { return math::truth<float>(a == b); });
    default: {  // select
      float c[4], v[4], w[4];
      load4(f.a, c);
      load4(f.b, v);
      load4(f.c, w);
      for (int i = 0; i < 4; ++i) v[i] = c[i] != 0.0f ? v[i] : w[i];
      store4(f.to, v);
    }
  }
}

// The tape's values; those from quad.count on mean nothing. A call: the registers are an array that the functions around it do
// not have.
__device__ __noinline__ inline void run_tape(const ops::ArrayMap& op,
                                             const ops::StepContext& context, const TapeQuad& quad,
                                             float (&result)[4]) {
  alignas(16) float value[ops::kMaxRegisters][4];
  int last = 0;
  for (int k = 0; k < op.tape.length; ++k) {
    const Instruction instruction = op.tape.code[k];
    last = instruction.to;
    float* to = value[last];
    switch (instruction.op) {
      case TapeOp::input: read_quad(op.inputs[instruction.a], op.space.axes, quad, to); break;
      case TapeOp::constant:
      case TapeOp::batch: {
        const float v =
            instruction.op == TapeOp::batch ? static_cast<float>(context.batch) : instruction.value;
        store4(to, {v, v, v, v});
        break;
      }
      case TapeOp::coordinate:
        for (int i = 0; i < 4; ++i)
          to[i] = static_cast<float>(quad.at[instruction.a] + (instruction.a == quad.axis ? i : 0));
        break;
      case TapeOp::uniform: random_quad(op, context, instruction, quad, to); break;
      default: {
        const Frame frame{to, value[instruction.a], value[instruction.b], value[instruction.c]};
        if (!run_elementary(instruction.op, frame) && !run_library(instruction.op, frame))
          run_binary(instruction.op, frame);
      }
    }
  }
  load4(value[last], result);
}

}  // namespace dnnfast::cuda
