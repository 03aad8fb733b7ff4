#pragma once
// Views of tensors of any number of axes, for the ops of ops/array.h.

#include <string>
#include <vector>

#include "engine/graph.h"
#include "ops/array.h"

namespace dnnfast::engine {

// A tensor's memory. Sizes as in full_shape(), strides in floats.
struct ArrayView {
  int buffer = -1;  // -1: memory of a parameter
  float* data = nullptr;
  Shape size, stride;
  int64_t padding = 0;  // behind each row of the last axis, to be kept zero

  size_t axes() const { return size.size(); }
};

// The padding behind each row of the last axis, if it lies where the axis ends.
inline int64_t row_padding(const ArrayView& view) {
  return view.axes() > 0 && view.stride.back() == 1 ? view.padding : 0;
}

// Row-major, without gaps but for those that round the rows up to `row` floats (0: none).
ArrayView dense_view(const Shape& size, int64_t row, int64_t batch_capacity);

// The view under a larger shape: axes are added in front, and axes of size 1 repeated.
ArrayView broadcast(const ArrayView& view, const Shape& shape);

// The view with only these axes, in this order.
ArrayView with_axes(const ArrayView& view, const std::vector<int>& axes);

// Positions [first, first + size) of an axis.
ArrayView slice_along(const ArrayView& view, size_t axis, int64_t first, int64_t size);
// What a "view" node of the given result shows of x; from the first position of a batch axis (see array_batch.cpp).
ArrayView part_of(const ArrayView& x, const Node& node, const Shape& size);
// The axes of the result y of a reduction of `space` that are not reduced (`gone`).
ArrayView kept_axes(const ArrayView& y, const Shape& space, const std::vector<int64_t>& gone);

// The axes of an index within the space of a gather's result.
ArrayView index_view(const Node& node, const ArrayView& index, const Shape& space);

// Positions along a batch axis: first + batches * (samples of the step) + i * step.
struct BatchPositions {
  int64_t size, step, batches, first;
};

// A view that starts at the end of a batch axis: positions along an axis of a part of its source.
struct EndView {
  Node gather;
  ArrayView part, index;
};

// The axes of a space with the reduced ones last.
struct SplitAxes {
  std::vector<int> order;
  int reduced = 0;
};
SplitAxes split_axes(size_t axes, const std::vector<int64_t>& gone);

ops::Operand operand(const ArrayView& view);
ops::Space space_of(const Shape& shape);

// One ArrayMap. The inputs and the space have the kept axes first; out has only those.
struct MapCall {
  std::vector<ops::Instruction> tape;
  std::vector<ArrayView> inputs;
  Shape space;
  int reduced = 0;
  ops::Reduction reduction = ops::Reduction::none;
  ArrayView out;
  bool accumulate = false;
  std::string name, reason;
};

// A tape from the integers of python/dnnfast/expressions.py. Throws Error(value) if it is not one.
std::vector<ops::Instruction> parse_tape(const std::vector<int64_t>& numbers);
bool looks_at_positions(const std::vector<ops::Instruction>& tape);

// Tapes that the engine itself needs: of operand 0, of a number, and of `op` on operands 0 and 1.
std::vector<ops::Instruction> tape_of_operand();
std::vector<ops::Instruction> tape_of_number(float value);
std::vector<ops::Instruction> tape_of(ops::TapeOp op);

}  // namespace dnnfast::engine
