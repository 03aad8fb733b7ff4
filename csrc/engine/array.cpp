// The forward pass of array ops, and assignments.

#include "engine/array.h"

#include "core/error.h"
#include "engine/program_writer.h"

namespace dnnfast::engine {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }

template <class Kind, size_t N>
Kind kind_of(const Node& node, const char* const (&names)[N]) {
  static_assert(N == static_cast<size_t>(Kind::count));
  const std::string name = node.attrs.string("kind", "");
  for (size_t i = 0; i < N; ++i)
    if (name == names[i]) return static_cast<Kind>(i);
  fail(ErrorKind::value, node.op, " \"", node.name, "\": unknown kind \"", name, "\"");
}

const char* const kReductions[] = {"none", "sum", "mean",    "product",
                                   "max",  "min", "arg_max", "arg_min"};
const char* const kScans[] = {"sum", "product", "max", "sort", "arg_sort"};

}  // namespace

void ProgramWriter::forward_array(size_t g) {
  const Group& group = lowered_.groups[g];
  const Node& node = *group.node;
  if (node.op == "join") return forward_join(g);
  std::vector<ArrayView> x;
  for (int id : group.inputs) x.push_back(read_array(id));
  values_[at(group.output)] = make(group.output);
  const ArrayView y = array_in(group.output, value(group.output));
  const std::string& name = group.name;
  if (node.op == "map") {
    for (ArrayView& input : x) input = broadcast(input, y.size);
    return map_array({parse_tape(node.attrs.integers("tape")), x, y.size, 0, ops::Reduction::none,
                      y, false, name, ""});
  }
  if (node.op == "reduce") {
    const Shape space = node.attrs.integers("space");
    const SplitAxes split = split_axes(space.size(), node.attrs.integers("axes"));
    MapCall call{parse_tape(node.attrs.integers("tape")),
                 {},
                 {},
                 split.reduced,
                 kind_of<ops::Reduction>(node, kReductions),
                 kept_axes(y, space, node.attrs.integers("axes")),
                 false,
                 name,
                 ""};
    for (int a : split.order) call.space.push_back(space[at(a)]);
    for (const ArrayView& input : x)
      call.inputs.push_back(with_axes(broadcast(input, space), split.order));
    return map_array(call);
  }
  if (node.op == "view") return forward_view(node, x[0], y);
  if (node.op == "regroup") return reshape_array(x[0], y, false, name);
  if (node.op == "product") return multiply_arrays(x[0], x[1], y, false, name);
  forward_index(g, x, y);
}

// Gather, scatter, scan.
void ProgramWriter::forward_index(size_t g, const std::vector<ArrayView>& x, const ArrayView& y) {
  const Group& group = lowered_.groups[g];
  const Node& node = *group.node;
  if (node.op == "gather") {
    gather_array(node, x[0], x[1], y, false);
  } else if (node.op == "scatter") {
    fill_array(y, 0.0f, group.name);
    scatter_array(node, x[0], x[1], y);
  } else {
    ops::ArrayScan op;
    op.kind = kind_of<ops::Scan>(node, kScans);
    op.space = space_of(y.size);
    op.axis = static_cast<int>(node.attrs.number("axis", 0));
    op.reverse = node.attrs.number("reverse", 0) != 0;
    op.exclusive = node.attrs.number("exclusive", 0) != 0;
    op.x = operand(x[0]);
    op.y = operand(y);
    const bool along = static_cast<size_t>(op.axis) + 1 == y.axes();
    op.padding = along ? row_padding(y) : 0;
    emit(op, group.name, "", {x[0].buffer, y.buffer});
    if (op.padding == 0) clear_padding(y, group.name);
  }
}

void ProgramWriter::forward_join(size_t g) {
  const Group& group = lowered_.groups[g];
  values_[at(group.output)] = make(group.output);
  const ArrayView y = array_in(group.output, value(group.output));
  const size_t axis = at(static_cast<int>(group.node->attrs.number("axis", 0)));
  const bool batches = y.size[axis] < 0;
  if (batches) fill_array(y, 0.0f, group.name);
  int64_t first = 0;
  for (int id : group.inputs) {
    const ArrayView x = read_array(id);
    if (batches)
      join_batches(group.name, axis, -first, x, y);
    else
      copy_array(x, slice_along(y, axis, first, x.size[axis]), false, group.name);
    first += x.size[axis];
  }
  clear_padding(y, group.name);
}

void ProgramWriter::assign(AssignTime time) {
  for (const Assignment& assignment : lowered_.assignments) {
    if (assignment.time != time) continue;
    const Tensor& to = graph_.tensors[at(assignment.parameter)];
    const std::string& name = graph_.parameters[at(to.index)].name;
    const ArrayView from = read_array(assignment.value);
    if (parameters_.in_panels(at(to.index))) {
      ArrayView rows = from;
      if (rows.stride[1] != 1) {
        rows = temporary_array(from.size);
        copy_array(from, rows, false, name);
      }
      panels(to.index, parameters_.parameter(at(to.index)), rows, true, false);
    } else {
      ArrayView place = dense_view(to.shape, 0, request_.batch_capacity);
      place.data = parameters_.parameter(at(to.index));
      copy_array(from, place, false, name);
    }
  }
}

}  // namespace dnnfast::engine
