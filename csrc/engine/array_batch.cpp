// Parts of a batch axis that do not start at its first position: where they lie depends on the samples of the step, which
// a view's address cannot. They are taken by an index that is computed in each step.

#include "core/error.h"
#include "engine/program_writer.h"

namespace dnnfast::engine {
namespace {

using ops::Instruction;
using ops::TapeOp;

size_t at(int i) { return static_cast<size_t>(i); }

Instruction constant_in(uint8_t to, int64_t value) {
  return {TapeOp::constant, to, 0, 0, 0, static_cast<float>(value)};
}

// A gather or scatter along an axis, by an index of one axis.
Node along_axis(const std::string& name, size_t axis) {
  Node node;
  node.name = name;
  node.attrs.set("axis", static_cast<double>(axis));
  return node;
}

// The axis of the result that runs along a batch axis of x from its end, or -1.
int axis_from_end(const ArrayView& x, const Node& node) {
  const auto source = node.attrs.integers("source"), start = node.attrs.integers("start");
  for (size_t a = 0; a < x.axes(); ++a) {
    if (start.at(a) >= 0 || x.size[a] >= 0) continue;
    for (size_t i = 0; i < source.size(); ++i)
      if (source[i] == static_cast<int64_t>(a)) return static_cast<int>(i);
    fail(ErrorKind::value, "view \"", node.name, "\": the last position of a batch axis is taken");
  }
  return -1;
}

}  // namespace

// The positions first + batches * (samples of the step) + i * step.
ArrayView ProgramWriter::positions_along(const BatchPositions& p, const std::string& name) {
  const std::vector<Instruction> tape{
      {TapeOp::coordinate, 0, 0, 0, 0, 0.0f},
      constant_in(1, p.step),
      {TapeOp::mul, 2, 0, 1, 0, 0.0f},
      {TapeOp::batch, 3, 0, 0, 0, 0.0f},
      constant_in(4, p.batches),
      {TapeOp::mul, 5, 3, 4, 0, 0.0f},
      {TapeOp::add, 6, 2, 5, 0, 0.0f},
      constant_in(7, p.first),
      {TapeOp::add, 8, 6, 7, 0, 0.0f},
  };
  const ArrayView index = temporary_array({p.size});
  map_array({tape, {}, {p.size}, 0, ops::Reduction::none, index, false, name, "positions"});
  return index;
}

// The positions of a view along its axis from the end of x's axis, and the part of x that they are positions of.
bool ProgramWriter::view_from_end(const Node& node, const ArrayView& x, const Shape& size,
                                  EndView& found) {
  const int axis = axis_from_end(x, node);
  if (axis < 0) return false;
  const int64_t source = node.attrs.integers("source")[at(axis)];
  const int64_t step = node.attrs.integers("step").at(at(axis));
  const int64_t whole = x.size[static_cast<size_t>(source)];
  found.gather = along_axis(node.name, at(axis));
  found.part = part_of(x, node, size);
  found.part.size[at(axis)] = whole;
  found.part.stride[at(axis)] = x.stride[static_cast<size_t>(source)];
  found.index = positions_along({size[at(axis)], step, -whole, -1}, node.name);
  return true;
}

void ProgramWriter::forward_view(const Node& node, const ArrayView& x, const ArrayView& y) {
  EndView end;
  if (view_from_end(node, x, y.size, end))
    gather_array(end.gather, end.part, end.index, y, false);
  else
    copy_array(part_of(x, node, y.size), y, false, node.name);
}

// An input of a join along a batch axis, behind `before` batches: into the result, or its gradient out of that.
void ProgramWriter::join_batches(const std::string& name, size_t axis, int64_t before,
                                 const ArrayView& x, const ArrayView& y) {
  const ArrayView index = positions_along({x.size[axis], 1, before, 0}, name);
  scatter_array(along_axis(name, axis), x, index, y);
}

void ProgramWriter::split_batches(const std::string& name, size_t axis, int64_t before,
                                  const ArrayView& dy, const GradientTerm& term) {
  const ArrayView index = positions_along({term.view.size[axis], 1, before, 0}, name);
  gather_array(along_axis(name, axis), dy, index, term.view, term.accumulate);
}

}  // namespace dnnfast::engine
