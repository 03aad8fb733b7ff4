// Views and tapes of array ops.

#include <algorithm>
#include <bit>

#include "core/error.h"
#include "engine/array.h"

namespace dnnfast::engine {
namespace {

using ops::Instruction;
using ops::TapeOp;

size_t at(int i) { return static_cast<size_t>(i); }

constexpr size_t kTapeNumbers = 6;  // of an instruction

}  // namespace

ArrayView dense_view(const Shape& size, int64_t row, int64_t batch_capacity) {
  ArrayView view;
  view.size = size;
  view.stride.assign(size.size(), 1);
  int64_t step = 1;
  for (size_t i = size.size(); i-- > 0;) {
    view.stride[i] = step;
    step *= ops::extent_of(size[i], batch_capacity);
    if (i + 1 == size.size() && row) step = round_up(step, row);
  }
  return view;
}

ArrayView broadcast(const ArrayView& view, const Shape& shape) {
  ArrayView result = view;
  result.size = shape;
  result.stride.assign(shape.size(), 0);
  const size_t missing = shape.size() - view.axes();
  for (size_t i = 0; i < view.axes(); ++i)
    if (view.size[i] != 1 || shape[missing + i] == 1) result.stride[missing + i] = view.stride[i];
  result.padding = 0;
  return result;
}

ArrayView with_axes(const ArrayView& view, const std::vector<int>& axes) {
  ArrayView result = view;
  result.size.clear();
  result.stride.clear();
  for (int a : axes) {
    result.size.push_back(view.size[at(a)]);
    result.stride.push_back(view.stride[at(a)]);
  }
  result.padding = 0;
  return result;
}

ops::Operand operand(const ArrayView& view) {
  ops::Operand result;
  result.data = view.data;
  for (size_t i = 0; i < view.axes(); ++i) result.stride[i] = view.stride[i];
  return result;
}

ops::Space space_of(const Shape& shape) {
  if (shape.size() > ops::kMaxAxes)
    fail(ErrorKind::value, "an op needs ", shape.size(), " axes; at most ", ops::kMaxAxes,
         " are supported: reshape to fewer");
  ops::Space space;
  for (int64_t size : shape) space.size[space.axes++] = size;
  return space;
}

std::vector<Instruction> parse_tape(const std::vector<int64_t>& numbers) {
  std::vector<Instruction> tape;
  if (numbers.size() < 1 + kTapeNumbers || (numbers.size() - 1) % kTapeNumbers != 0)
    fail(ErrorKind::value, "a tape of ", numbers.size(), " numbers is not one");
  for (size_t i = 1; i < numbers.size(); i += kTapeNumbers) {
    const int64_t* n = &numbers[i];
    if (n[0] < 0 || n[0] >= static_cast<int64_t>(TapeOp::count) || n[1] < 0 ||
        n[1] >= ops::kMaxRegisters)
      fail(ErrorKind::value, "a tape has the unknown instruction ", n[0]);
    Instruction instruction{
        static_cast<TapeOp>(n[0]),  static_cast<uint8_t>(n[1]),
        static_cast<int32_t>(n[2]), static_cast<int32_t>(n[3]),
        static_cast<int32_t>(n[4]), static_cast<float>(std::bit_cast<double>(n[5]))};
    const bool registers = instruction.op > TapeOp::uniform;
    for (int32_t number : {instruction.a, instruction.b, instruction.c})
      if (number < 0 || (registers && number >= ops::kMaxRegisters))
        fail(ErrorKind::value, "an instruction of a tape reads register ", number);
    tape.push_back(instruction);
  }
  return tape;
}

bool looks_at_positions(const std::vector<Instruction>& tape) {
  return std::any_of(tape.begin(), tape.end(), [](const Instruction& i) {
    return i.op == TapeOp::coordinate || i.op == TapeOp::uniform;
  });
}

std::vector<Instruction> tape_of_operand() { return {{TapeOp::input, 0, 0, 0, 0, 0.0f}}; }
std::vector<Instruction> tape_of_number(float value) {
  return {{TapeOp::constant, 0, 0, 0, 0, value}};
}
std::vector<Instruction> tape_of(TapeOp op) {
  return {
      {TapeOp::input, 0, 0, 0, 0, 0.0f}, {TapeOp::input, 1, 1, 0, 0, 0.0f}, {op, 2, 0, 1, 0, 0.0f}};
}

ArrayView slice_along(const ArrayView& view, size_t axis, int64_t first, int64_t size) {
  ArrayView part = view;
  part.data += first * view.stride[axis];
  part.size[axis] = size;
  part.padding = 0;
  return part;
}

ArrayView part_of(const ArrayView& x, const Node& node, const Shape& size) {
  const auto source = node.attrs.integers("source"), start = node.attrs.integers("start"),
             step = node.attrs.integers("step");
  if (source.size() != size.size() || step.size() != size.size() || start.size() != x.axes())
    fail(ErrorKind::value, "view \"", node.name, "\": its attributes do not fit its shapes");
  ArrayView part = x;
  for (size_t a = 0; a < x.axes(); ++a) {
    const int64_t end = x.size[a] < 0 ? 0 : x.size[a] - 1;
    part.data += (start[a] < 0 ? end : start[a]) * x.stride[a];
  }
  part.size = size;
  part.stride.assign(size.size(), 0);
  for (size_t a = 0; a < size.size(); ++a)
    if (source[a] >= 0) part.stride[a] = step[a] * x.stride.at(static_cast<size_t>(source[a]));
  part.padding = 0;
  return part;
}

ArrayView kept_axes(const ArrayView& y, const Shape& space, const std::vector<int64_t>& gone) {
  if (y.axes() != space.size()) return y;
  std::vector<int> kept;
  for (size_t a = 0; a < space.size(); ++a)
    if (std::find(gone.begin(), gone.end(), static_cast<int64_t>(a)) == gone.end())
      kept.push_back(static_cast<int>(a));
  ArrayView view = with_axes(y, kept);
  view.padding = y.padding;
  return view;
}

SplitAxes split_axes(size_t axes, const std::vector<int64_t>& gone) {
  SplitAxes split;
  for (size_t a = 0; a < axes; ++a)
    if (std::find(gone.begin(), gone.end(), static_cast<int64_t>(a)) == gone.end())
      split.order.push_back(static_cast<int>(a));
  split.reduced = static_cast<int>(axes - split.order.size());
  for (int64_t a : gone) split.order.push_back(static_cast<int>(a));
  return split;
}

}  // namespace dnnfast::engine
