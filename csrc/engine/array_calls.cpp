// Views of a graph's tensors, and the calls of array ops on them.

#include <algorithm>

#include "core/error.h"
#include "engine/program_writer.h"

namespace dnnfast::engine {
namespace {

using ops::Instruction;

size_t at(int i) { return static_cast<size_t>(i); }

}  // namespace

ArrayView ProgramWriter::array_in(int tensor, const Value& v) const {
  const Tensor& spec = graph_.tensors[at(tensor)];
  const BatchMatrix& m = v.matrix;
  ArrayView view = dense_view(full_shape(spec), kColumnPadding, request_.batch_capacity);
  view.buffer = v.buffer;
  view.data = m.data;
  if (!spec.batched) return view;
  int64_t step = m.ld;
  for (size_t i = view.axes() - 1; i-- > 1;) {
    view.stride[i] = step;
    step *= view.size[i];
  }
  view.stride[0] = m.rows_per_sample * m.ld;
  if (m.ld > 1) view.padding = m.padded_cols() - m.cols;
  return view;
}

ArrayView ProgramWriter::read_array(int tensor) {
  const Tensor& spec = graph_.tensors[at(tensor)];
  if (spec.kind != TensorKind::parameter) return array_in(tensor, value(tensor));
  ArrayView view = dense_view(spec.shape, 0, request_.batch_capacity);
  view.data = parameters_.parameter(at(spec.index));
  if (!parameters_.in_panels(at(spec.index))) return view;
  ArrayView copy = temporary_array(spec.shape);
  panels(spec.index, view.data, copy, false, false);
  return copy;
}

ArrayView ProgramWriter::temporary_array(const Shape& shape) {
  ArrayView view = dense_view(shape, kColumnPadding, request_.batch_capacity);
  const int64_t floats =
      shape.empty() ? 1 : ops::extent_of(shape[0], request_.batch_capacity) * view.stride[0];
  view.buffer = vector_buffer(round_up(floats, kColumnPadding));
  view.data = address(view.buffer);
  return view;
}

void ProgramWriter::panels(int parameter, float* data, const ArrayView& array, bool to_panels,
                           bool accumulate) {
  emit(ops::ArrayPanels{parameters_.panels(at(parameter), data), array.data, array.stride[0],
                        to_panels, accumulate},
       graph_.parameters[at(parameter)].name,
       to_panels ? "back into the layout of dense kernels" : "a plain copy of a layer's weights",
       {array.buffer});
}

ops::Tape ProgramWriter::keep_tape(std::vector<Instruction> code) {
  program_.tapes.push_back(std::make_shared<const std::vector<Instruction>>(std::move(code)));
  const auto& kept = *program_.tapes.back();
  int registers = 0;
  for (const Instruction& i : kept) registers = std::max(registers, i.to + 1);
  return {kept.data(), static_cast<int>(kept.size()), registers};
}

void ProgramWriter::map_array(const MapCall& call) {
  if (call.inputs.size() > ops::kMaxOperands)
    fail(ErrorKind::value, call.name, ": an element-wise function of ", call.inputs.size(),
         " tensors; at most ", ops::kMaxOperands - 1, " are supported");
  // Axes of size 1 are left out, unless the tape counts them. The last kept one stays: it has the padding.
  const size_t kept = call.space.size() - at(call.reduced);
  std::vector<int> axes;
  int reduced = 0;
  for (size_t a = 0; a < call.space.size(); ++a) {
    if (call.space[a] == 1 && a + 1 != kept && !looks_at_positions(call.tape)) continue;
    axes.push_back(static_cast<int>(a));
    reduced += a >= kept;
  }
  Shape space;
  for (int a : axes) space.push_back(call.space[at(a)]);
  std::vector<int> out_axes(axes.begin(), axes.end() - reduced);
  ArrayView out = with_axes(call.out, out_axes);
  // The rows of a tensor of one number a sample are its samples: they get an axis for their padding.
  const bool one_number = call.out.padding && (out.axes() == 0 || out.stride.back() != 1);
  if (one_number) {
    space.insert(space.end() - reduced, 1);
    out.size.push_back(1);
    out.stride.push_back(1);
  }
  // The one position among one.
  const bool first = reduced == 0 && (call.reduction == ops::Reduction::arg_max ||
                                      call.reduction == ops::Reduction::arg_min);
  ops::ArrayMap op;
  op.tape = keep_tape(first ? tape_of_number(0.0f) : call.tape);
  op.space = space_of(space);
  op.reduced = reduced;
  op.reduction = reduced ? call.reduction : ops::Reduction::none;
  std::vector<int> used{call.out.buffer};
  for (const ArrayView& input : call.inputs) {
    ArrayView x = with_axes(input, axes);
    if (one_number) {
      x.size.insert(x.size.end() - reduced, 1);
      x.stride.insert(x.stride.end() - reduced, 0);
    }
    op.inputs[op.input_count++] = operand(x);
    used.push_back(input.buffer);
  }
  op.output = operand(out);
  op.padding = call.out.padding;
  op.accumulate = call.accumulate;
  emit(op, call.name, call.reason, used);
}

void ProgramWriter::copy_array(const ArrayView& from, const ArrayView& to, bool accumulate,
                               const std::string& name) {
  map_array({tape_of_operand(),
             {from},
             to.size,
             0,
             ops::Reduction::none,
             to,
             accumulate,
             name,
             accumulate ? "adds to another term" : "a copy"});
}

void ProgramWriter::fill_array(const ArrayView& y, float number, const std::string& name) {
  map_array(
      {tape_of_number(number), {}, y.size, 0, ops::Reduction::none, y, false, name, "filled"});
}

// For ops that write elements in no order.
void ProgramWriter::clear_padding(const ArrayView& y, const std::string& name) {
  if (y.padding == 0) return;
  ArrayView padding = y;
  const bool rows = y.stride.back() == 1;
  if (rows) {
    padding.data += y.size.back();
    padding.size.back() = y.padding;
  } else {
    padding.data += 1;
    padding.size.push_back(y.padding);
    padding.stride.push_back(1);
  }
  padding.padding = 0;
  fill_array(padding, 0.0f, name);
}

void ProgramWriter::reshape_array(const ArrayView& x, const ArrayView& y, bool accumulate,
                                  const std::string& name) {
  const int64_t padding = accumulate ? 0 : row_padding(y);
  emit(ops::ArrayReshape{space_of(x.size), space_of(y.size), operand(x), operand(y), padding,
                         accumulate},
       name, "", {x.buffer, y.buffer});
  if (!accumulate && padding == 0) clear_padding(y, name);
}

// y (+)= a b over the last two axes; the axes before them are those of y.
void ProgramWriter::multiply_arrays(const ArrayView& a, const ArrayView& b, const ArrayView& y,
                                    bool accumulate, const std::string& name) {
  const size_t n = y.axes();
  Shape left = y.size, right = y.size;
  left[n - 1] = a.size.back();
  right[n - 2] = b.size[b.axes() - 2];
  ops::ArrayProduct op;
  op.space = space_of(Shape(y.size.begin(), y.size.end() - 2));
  op.rows = y.size[n - 2];
  op.inner = a.size.back();
  op.cols = y.size[n - 1];
  op.a = operand(broadcast(a, left));
  op.w = operand(broadcast(b, right));
  op.y = operand(y);
  op.padding = accumulate ? 0 : y.padding;
  op.accumulate = accumulate;
  emit(op, name, "", {a.buffer, b.buffer, y.buffer});
}

ArrayView index_view(const Node& node, const ArrayView& index, const Shape& space) {
  if (node.attrs.number("along", 0) != 0) return broadcast(index, space);
  ArrayView view = index;
  const auto axis = static_cast<size_t>(node.attrs.number("axis", 0));
  view.size = space;
  view.stride.assign(space.size(), 0);
  for (size_t a = 0; a < index.axes(); ++a) view.stride[axis + a] = index.stride[a];
  return view;
}

namespace {

// The axes of the array that is indexed: all but the one that the index runs along.
ArrayView indexed_view(const Node& node, const ArrayView& x, size_t index_axes,
                       const Shape& space) {
  ArrayView view = x;
  const bool along = node.attrs.number("along", 0) != 0;
  const auto axis = static_cast<size_t>(node.attrs.number("axis", 0));
  view.size = space;
  view.stride.assign(space.size(), 0);
  for (size_t a = 0; a < x.axes(); ++a) {
    if (a == axis) continue;
    view.stride[a < axis || along ? a : a + index_axes - 1] = x.stride[a];
  }
  return view;
}

}  // namespace

// y (+)= x at the index.
void ProgramWriter::gather_array(const Node& node, const ArrayView& x, const ArrayView& index,
                                 const ArrayView& y, bool accumulate) {
  const auto axis = static_cast<size_t>(node.attrs.number("axis", 0));
  ops::ArrayGather op;
  op.space = space_of(y.size);
  op.x = operand(indexed_view(node, x, index.axes(), y.size));
  op.index = operand(index_view(node, index, y.size));
  op.y = operand(y);
  op.axis_size = x.size.at(axis);
  op.axis_stride = x.stride.at(axis);
  op.padding = accumulate ? 0 : row_padding(y);
  op.accumulate = accumulate;
  emit(op, node.name, "", {x.buffer, index.buffer, y.buffer});
  if (!accumulate && op.padding == 0) clear_padding(y, node.name);
}

// y at the index += values.
void ProgramWriter::scatter_array(const Node& node, const ArrayView& values, const ArrayView& index,
                                  const ArrayView& y) {
  const auto axis = static_cast<size_t>(node.attrs.number("axis", 0));
  ops::ArrayScatter op;
  op.space = space_of(values.size);
  op.values = operand(values);
  op.index = operand(index_view(node, index, values.size));
  op.y = operand(indexed_view(node, y, index.axes(), values.size));
  op.axis_size = y.size.at(axis);
  op.axis_stride = y.stride.at(axis);
  emit(op, node.name, "one after the other where they meet",
       {values.buffer, index.buffer, y.buffer});
}

}  // namespace dnnfast::engine
