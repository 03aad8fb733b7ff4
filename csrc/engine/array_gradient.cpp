// The backward pass of array ops. Terms are added to gradients in the reverse order of the groups, as elsewhere.

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "engine/program_writer.h"

namespace dnnfast::engine {
namespace {

using ops::Instruction;
using ops::Reduction;
using ops::TapeOp;

size_t at(int i) { return static_cast<size_t>(i); }

// The axes of `shape` along which an operand of size `own` was repeated.
std::vector<int64_t> repeated_axes(const Shape& own, const Shape& shape) {
  std::vector<int64_t> axes;
  const size_t missing = shape.size() - own.size();
  for (size_t a = 0; a < shape.size(); ++a)
    if (a < missing || (own[a - missing] == 1 && shape[a] != 1))
      axes.push_back(static_cast<int64_t>(a));
  return axes;
}

// Operand 0 where operand 1 is a position along an axis, else 0.
std::vector<Instruction> tape_of_inside(int64_t size) {
  const double factor = static_cast<double>(size < 0 ? -size : size);
  std::vector<Instruction> tape{
      {TapeOp::constant, 0, 0, 0, 0, static_cast<float>(factor)},
      {TapeOp::batch, 1, 0, 0, 0, 0.0f},
      {TapeOp::mul, 2, 0, 1, 0, 0.0f},
      {TapeOp::input, 3, 1, 0, 0, 0.0f},
  };
  const int end = size < 0 ? 2 : 0;
  tape.push_back({TapeOp::neg, 4, end, 0, 0, 0.0f});
  tape.push_back({TapeOp::less_equal, 5, 4, 3, 0, 0.0f});
  tape.push_back({TapeOp::less, 6, 3, end, 0, 0.0f});
  tape.push_back({TapeOp::mul, 7, 5, 6, 0, 0.0f});
  tape.push_back({TapeOp::input, 8, 0, 0, 0, 0.0f});
  tape.push_back({TapeOp::constant, 9, 0, 0, 0, 0.0f});
  tape.push_back({TapeOp::select, 10, 7, 8, 9, 0.0f});
  return tape;
}

}  // namespace

bool ProgramWriter::wants_gradient(int tensor) const {
  const Tensor& spec = graph_.tensors[at(tensor)];
  if (spec.kind == TensorKind::parameter) return parameters_.trainable(at(spec.index));
  return needs_gradient(tensor);
}

// Where a term of a gradient goes. covers: it gives every element.
ProgramWriter::GradientTerm ProgramWriter::begin_term(int tensor, bool covers) {
  const Tensor& spec = graph_.tensors[at(tensor)];
  GradientTerm term;
  if (spec.kind == TensorKind::parameter) {
    settle();
    const auto p = at(spec.index);
    term.accumulate = accumulates(spec.index);
    if (parameters_.in_panels(p)) {
      term.parameter = spec.index;
      term.parameter_accumulate = term.accumulate;
      term.accumulate = false;
      term.view = temporary_array(spec.shape);
    } else {
      term.view = dense_view(spec.shape, 0, request_.batch_capacity);
      term.view.data = parameters_.gradient(p);
    }
  } else {
    term.accumulate = !first_contribution(tensor);
    term.view = array_in(tensor, gradient_of(tensor));
  }
  if (!covers && !term.accumulate) {
    fill_array(term.view, 0.0f, "gradient");
    term.accumulate = true;
  }
  return term;
}

void ProgramWriter::end_term(const GradientTerm& term) {
  if (term.parameter < 0) return;
  panels(term.parameter, parameters_.gradient(at(term.parameter)), term.view, true,
         term.parameter_accumulate);
}

void ProgramWriter::backward_array(size_t g) {
  const Group& group = lowered_.groups[g];
  const std::string& op = group.node->op;
  const ArrayView dy = array_in(group.output, gradient_of(group.output));
  if (op == "map") return backward_map(group, dy, dy.size);
  if (op == "reduce") return backward_reduce(group, dy);
  if (op == "view") return backward_view(group, dy);
  if (op == "product") return backward_product(group, dy);
  if (op == "join") return backward_join(group, dy);
  if (op != "regroup") return backward_index(group, dy);
  if (!wants_gradient(group.inputs[0])) return;
  const GradientTerm term = begin_term(group.inputs[0]);
  reshape_array(dy, term.view, term.accumulate, group.name);
  end_term(term);
}

// dy has the axes of the space, with strides of 0 where it is repeated.
void ProgramWriter::backward_map(const Group& group, const ArrayView& dy, const Shape& space) {
  std::vector<ArrayView> operands{dy};
  for (size_t i = 0; i < group.inputs.size(); ++i) {
    const bool first = operands.size() == 1;
    if (!wants_gradient(group.inputs[i]) || !group.node->attrs.has("gradient_" + std::to_string(i)))
      continue;
    if (first)
      for (int id : group.inputs) operands.push_back(broadcast(read_array(id), space));
    map_term(group, i, operands, space);
  }
}

void ProgramWriter::map_term(const Group& group, size_t input,
                             const std::vector<ArrayView>& operands, const Shape& space) {
  const int id = group.inputs[input];
  const auto tape = parse_tape(group.node->attrs.integers("gradient_" + std::to_string(input)));
  const GradientTerm term = begin_term(id);
  const auto repeated = repeated_axes(term.view.size, space);
  if (repeated.empty()) {
    map_array({tape, operands, space, 0, Reduction::none, term.view, term.accumulate, group.name,
               "gradient"});
  } else if (looks_at_positions(tape)) {
    const ArrayView all = temporary_array(space);
    map_array({tape, operands, space, 0, Reduction::none, all, false, group.name, "gradient"});
    sum_to(all, term, group.name);
  } else {
    const SplitAxes split = split_axes(space.size(), repeated);
    MapCall call{tape,
                 {},
                 {},
                 split.reduced,
                 Reduction::sum,
                 {},
                 term.accumulate,
                 group.name,
                 "gradient, summed over what was repeated"};
    for (int a : split.order) call.space.push_back(space[at(a)]);
    for (const ArrayView& x : operands) call.inputs.push_back(with_axes(x, split.order));
    call.out = kept_axes(broadcast(term.view, space), space, repeated);
    call.out.padding = term.view.padding;
    map_array(call);
  }
  end_term(term);
}

// Adds up the axes that the term's tensor was repeated along.
void ProgramWriter::sum_to(const ArrayView& from, const GradientTerm& term,
                           const std::string& name) {
  const auto repeated = repeated_axes(term.view.size, from.size);
  const SplitAxes split = split_axes(from.axes(), repeated);
  MapCall call{tape_of_operand(),
               {with_axes(from, split.order)},
               {},
               split.reduced,
               Reduction::sum,
               {},
               term.accumulate,
               name,
               "summed over what was repeated"};
  for (int a : split.order) call.space.push_back(from.size[at(a)]);
  call.out = kept_axes(broadcast(term.view, from.size), from.size, repeated);
  call.out.padding = term.view.padding;
  map_array(call);
}

void ProgramWriter::backward_view(const Group& group, const ArrayView& dy) {
  const int id = group.inputs[0];
  if (!wants_gradient(id)) return;
  const Node& node = *group.node;
  const auto source = node.attrs.integers("source"), start = node.attrs.integers("start");
  const Shape from = full_shape(graph_.tensors[at(id)]);
  for (size_t a = 0; a < source.size(); ++a)
    if (source[a] >= 0 && std::count(source.begin(), source.end(), source[a]) > 1)
      fail(ErrorKind::value, "view \"", node.name,
           "\": the gradient of windows that overlap is not known");
  // Elements that are shown several times are summed; those that are not shown get nothing.
  std::vector<int64_t> repeated;
  std::vector<bool> shown(from.size(), false);
  for (size_t a = 0; a < source.size(); ++a) {
    if (source[a] < 0)
      repeated.push_back(static_cast<int64_t>(a));
    else if (dy.size[a] == from[static_cast<size_t>(source[a])])
      shown[static_cast<size_t>(source[a])] = true;
  }
  bool covers = true;
  for (size_t a = 0; a < from.size(); ++a)
    covers = covers && (shown[a] || from[a] == 1) && (start.at(a) >= 0 || from[a] > 0);
  const GradientTerm term = begin_term(id, covers);
  EndView end;
  if (view_from_end(node, term.view, dy.size, end)) {
    scatter_array(end.gather, dy, end.index, end.part);
    return end_term(term);
  }
  ArrayView part = part_of(term.view, node, dy.size);
  const SplitAxes split = split_axes(dy.axes(), repeated);
  MapCall call{tape_of_operand(),
               {with_axes(dy, split.order)},
               {},
               split.reduced,
               Reduction::sum,
               kept_axes(part, dy.size, repeated),
               term.accumulate,
               group.name,
               "gradient"};
  for (int a : split.order) call.space.push_back(dy.size[at(a)]);
  if (split.reduced == 0) call.reduction = Reduction::none;
  map_array(call);
  if (!term.accumulate) clear_padding(term.view, group.name);
  end_term(term);
}

void ProgramWriter::backward_product(const Group& group, const ArrayView& dy) {
  auto transposed = [](ArrayView view) {
    std::swap(view.size[view.axes() - 1], view.size[view.axes() - 2]);
    std::swap(view.stride[view.axes() - 1], view.stride[view.axes() - 2]);
    view.padding = 0;
    return view;
  };
  if (wants_gradient(group.inputs[0]))
    product_term(group, 0, dy, transposed(read_array(group.inputs[1])));
  if (wants_gradient(group.inputs[1]))
    product_term(group, 1, transposed(read_array(group.inputs[0])), dy);
}

// The gradient of an input of a product is the product a b, summed over axes that the input was repeated along.
void ProgramWriter::product_term(const Group& group, size_t input, const ArrayView& a,
                                 const ArrayView& b) {
  Shape full = full_shape(graph_.tensors[at(group.output)]);
  full[full.size() - 2] = a.size[a.axes() - 2];
  full[full.size() - 1] = b.size.back();
  const GradientTerm term = begin_term(group.inputs[input]);
  if (term.view.size == full) {
    multiply_arrays(a, b, term.view, term.accumulate, group.name);
  } else {
    const ArrayView all = temporary_array(full);
    multiply_arrays(a, b, all, false, group.name);
    sum_to(all, term, group.name);
  }
  end_term(term);
}

void ProgramWriter::backward_index(const Group& group, const ArrayView& dy) {
  const Node& node = *group.node;
  if (!wants_gradient(group.inputs[0])) return;
  if (node.op == "scan") {
    const std::string kind = node.attrs.string("kind", "");
    if (kind == "arg_sort") return;
    if (kind != "sum")
      fail(ErrorKind::value, "layer \"", group.name, "\": a cumulative ", kind,
           " has no gradient; use cumsum, or stop_gradient around it");
    const GradientTerm term = begin_term(group.inputs[0]);
    ops::ArrayScan op;
    op.space = space_of(dy.size);
    op.axis = static_cast<int>(node.attrs.number("axis", 0));
    op.reverse = node.attrs.number("reverse", 0) == 0;
    op.exclusive = node.attrs.number("exclusive", 0) != 0;
    op.x = operand(dy);
    op.y = operand(term.view);
    op.accumulate = term.accumulate;
    emit(op, group.name, "gradient", {dy.buffer, term.view.buffer});
    if (!term.accumulate) clear_padding(term.view, group.name);
    return end_term(term);
  }
  const ArrayView index = read_array(group.inputs[1]);
  if (node.op == "gather") {
    const GradientTerm term = begin_term(group.inputs[0], false);
    scatter_array(node, dy, index, term.view);
    return end_term(term);
  }
  // What was not added has no gradient; a gather would say NaN.
  const GradientTerm term = begin_term(group.inputs[0]);
  const ArrayView taken = temporary_array(term.view.size);
  gather_array(node, dy, index, taken, false);
  const auto axis = static_cast<size_t>(node.attrs.number("axis", 0));
  map_array({tape_of_inside(dy.size.at(axis)),
             {taken, index_view(node, index, term.view.size)},
             term.view.size,
             0,
             Reduction::none,
             term.view,
             term.accumulate,
             group.name,
             "gradient"});
  end_term(term);
}

void ProgramWriter::backward_join(const Group& group, const ArrayView& dy) {
  const size_t axis = at(static_cast<int>(group.node->attrs.number("axis", 0)));
  int64_t first = 0;
  for (int id : group.inputs) {
    const int64_t size = full_shape(graph_.tensors[at(id)])[axis];
    if (wants_gradient(id)) {
      const GradientTerm term = begin_term(id);
      if (size < 0)
        split_batches(group.name, axis, -first, dy, term);
      else
        copy_array(slice_along(dy, axis, first, size), term.view, term.accumulate, group.name);
      end_term(term);
    }
    first += size;
  }
}

}  // namespace dnnfast::engine
