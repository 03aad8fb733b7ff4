#pragma once
// Ops on arrays of any number of axes: what layers, losses, metrics, constraints and regularizers written with
// dnnfast.ops are made of. Operands are strided views, so a transpose, slice or broadcast is a choice of strides. Values
// are float32; indices and truth values are floats that hold whole numbers.

#include <cstdint>

#include "core/macros.h"
#include "core/tensor.h"

namespace dnnfast::ops {

inline constexpr int kMaxAxes = 6;
inline constexpr int kMaxOperands = 8;
inline constexpr int kMaxRegisters = 24;

// The number of elements along an axis: size, or where it is negative -size times the samples of the step.
DNNFAST_HD int64_t extent_of(int64_t size, int64_t batch) {
  return size < 0 ? -size * batch : size;
}

// The positions that an op goes through, in row-major order.
struct Space {
  int axes = 0;
  int64_t size[kMaxAxes] = {};
};

DNNFAST_HD int64_t positions(const Space& space, int64_t batch) {
  int64_t count = 1;
  for (int i = 0; i < space.axes; ++i) count *= extent_of(space.size[i], batch);
  return count;
}

// Strides are in floats, along the axes of the op's space; 0 where the operand has no such axis.
struct Operand {
  float* data = nullptr;
  int64_t stride[kMaxAxes] = {};
};

// In the order of TAPE_OPS in python/dnnfast/expressions.py. A truth value is 1 or 0; what is not 0 is true.
enum class TapeOp : uint8_t {
  input,
  constant,
  coordinate,
  batch,
  uniform,
  neg,
  abs,
  sign,
  sqrt,
  exp,
  expm1,
  log,
  log1p,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  erf,
  erfinv,
  sigmoid,
  softplus,
  floor,
  ceil,
  round,
  is_nan,
  is_finite,
  add,
  sub,
  mul,
  div,
  pow,
  mod,
  floor_div,
  max,
  min,
  atan2,
  less,
  less_equal,
  equal,
  select,
  count
};

// register[to] = op(register[a], register[b], register[c]). The first five take no registers:
// input: operand a; constant: value; coordinate: the position along axis a; batch: the samples of the step;
// uniform: word b of the random bits of stream a, the step and the position, as a number in [0, 1).
// to is none of a, b, c.
struct Instruction {
  TapeOp op = TapeOp::constant;
  uint8_t to = 0;
  int32_t a = 0, b = 0, c = 0;
  float value = 0.0f;
};

// A function of a position's operands: the value of the last instruction. The program owns the code.
struct Tape {
  const Instruction* code = nullptr;
  int length = 0;
  int registers = 0;
};

// arg_max and arg_min give the number (from 0) of the first such position among the reduced ones.
enum class Reduction : int { none, sum, mean, product, max, min, arg_max, arg_min, count };

// output (+)= the tape's value at each position, or its reduction over the last `reduced` axes of the space. A reduction
// of no positions is that of an empty sum. NaN stays in all of them. output may be an input of equal strides (no
// reduction).
struct ArrayMap {
  Tape tape;
  Space space;
  int reduced = 0;
  Reduction reduction = Reduction::none;
  Operand inputs[kMaxOperands];
  int input_count = 0;
  Operand output;  // strides along the axes that are kept
  int64_t padding =
      0;  // floats behind each row of the last kept axis (which has stride 1) that are cleared
  bool accumulate = false;
};

// y[b, i, j] (+)= sum_k a[b, i, k] w[b, k, j] over the axes of `space` (b, up to four of them). The strides of a, w and
// y are those of the space followed by their own two.
struct ArrayProduct {
  Space space;
  int64_t rows = 0, inner = 0, cols = 0;  // as the sizes of a space
  Operand a, w, y;
  int64_t padding = 0;
  bool accumulate = false;
};

// y[p] (+)= x[p, k] for k = index[p]: x's own strides, and k steps of axis_stride. Below 0 it counts from the end; outside
// of the axis y is NaN.
struct ArrayGather {
  Space space;
  Operand x, index, y;
  int64_t axis_size = 0;  // as the size of a space
  int64_t axis_stride = 0;
  int64_t padding = 0;
  bool accumulate = false;
};

// y[p, k] += values[p] for k = index[p], in the order of the positions; outside of the axis nothing is added.
// y's own strides and k steps of axis_stride. Where y's own stride is not 0, other positions are other elements.
struct ArrayScatter {
  Space space;
  Operand values, index, y;
  int64_t axis_size = 0;
  int64_t axis_stride = 0;
};

// sum and product: of all elements up to this one along the axis (exclusive: up to the one before). sort: ascending,
// NaN last; arg_sort: the positions of the sorted elements, equal ones in their order. reverse: from the end of the axis;
// of the sorts: descending.
enum class Scan : int { sum, product, max, sort, arg_sort, count };
struct ArrayScan {
  Scan kind = Scan::sum;
  Space space;
  int axis = 0;
  bool reverse = false;
  bool exclusive = false;
  Operand x, y;
  int64_t padding = 0;  // only where the axis is the last one, else the caller clears
  bool accumulate = false;
};

// The same elements in row-major order in another shape.
struct ArrayReshape {
  Space from, to;  // of equally many positions
  Operand x, y;    // strides along the axes of `from`, of `to`
  int64_t padding = 0;
  bool accumulate = false;
};

// A weight matrix between its panels and a plain array [in][out] (rows `ld` floats apart).
struct ArrayPanels {
  PanelMatrix panels;
  float* array = nullptr;
  int64_t ld = 0;
  bool to_panels = false;
  bool accumulate = false;
};

}  // namespace dnnfast::ops
