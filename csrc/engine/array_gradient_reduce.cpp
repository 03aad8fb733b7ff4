// The backward pass of reductions.

#include "core/error.h"
#include "engine/program_writer.h"

namespace dnnfast::engine {
namespace {

using ops::Instruction;
using ops::Reduction;
using ops::TapeOp;

size_t at(int i) { return static_cast<size_t>(i); }

// The sum's number of elements, as a factor and a power of the batch.
struct Count {
  double factor = 1;
  int batches = 0;
};

Count count_of(const Shape& space, const std::vector<int64_t>& axes) {
  Count count;
  for (int64_t a : axes) {
    const int64_t size = space[static_cast<size_t>(a)];
    count.factor *= static_cast<double>(size < 0 ? -size : size);
    count.batches += size < 0;
  }
  return count;
}

std::vector<Instruction> tape_of_mean(const Count& count) {
  std::vector<Instruction> tape = tape_of_operand();
  tape.push_back({TapeOp::constant, 1, 0, 0, 0, static_cast<float>(1 / count.factor)});
  tape.push_back({TapeOp::mul, 2, 0, 1, 0, 0.0f});
  for (int i = 0; i < count.batches; ++i) {
    tape.push_back({TapeOp::batch, static_cast<uint8_t>(3 + 2 * i), 0, 0, 0, 0.0f});
    tape.push_back({TapeOp::div, static_cast<uint8_t>(4 + 2 * i), 2 + 2 * i, 3 + 2 * i, 0, 0.0f});
  }
  return tape;
}

}  // namespace

void ProgramWriter::backward_reduce(const Group& group, const ArrayView& dy) {
  const Node& node = *group.node;
  const Shape space = node.attrs.integers("space");
  const auto gone = node.attrs.integers("axes");
  const std::string kind = node.attrs.string("kind", "");
  ArrayView scaled = kept_axes(dy, space, gone);
  if (kind == "mean") {
    const ArrayView mean = temporary_array(scaled.size);
    map_array({tape_of_mean(count_of(space, gone)),
               {scaled},
               scaled.size,
               0,
               Reduction::none,
               mean,
               false,
               group.name,
               "a share of the gradient"});
    scaled = mean;
  }
  ArrayView full = scaled;
  full.size = space;
  full.stride.assign(space.size(), 0);
  full.padding = 0;
  const SplitAxes split = split_axes(space.size(), gone);
  for (size_t a = 0; a < scaled.axes(); ++a) full.stride[at(split.order[a])] = scaled.stride[a];
  if (kind == "sum" || kind == "mean") return backward_map(group, full, space);
  if (!wants_gradient(group.inputs[0])) return;
  if (kind == "max" || kind == "min") return backward_extremum(group, full, space);
  if (kind == "product") backward_total_product(group, full, space);
}

// Elements that are the extremum share the gradient equally.
void ProgramWriter::backward_extremum(const Group& group, const ArrayView& dy, const Shape& space) {
  const auto gone = group.node->attrs.integers("axes");
  const SplitAxes split = split_axes(space.size(), gone);
  const ArrayView x = broadcast(read_array(group.inputs[0]), space);
  auto repeated = [&](const ArrayView& kept) {
    ArrayView full = kept;
    full.size = space;
    full.stride.assign(space.size(), 0);
    for (size_t a = 0; a < kept.axes(); ++a) full.stride[at(split.order[a])] = kept.stride[a];
    return full;
  };
  const ArrayView kept = kept_axes(array_in(group.output, value(group.output)), space, gone);
  const ArrayView y = repeated(kept);
  const ArrayView ties = temporary_array(kept.size);
  MapCall count{tape_of(TapeOp::equal),
                {with_axes(x, split.order), with_axes(y, split.order)},
                {},
                split.reduced,
                Reduction::sum,
                ties,
                false,
                group.name,
                "how many share it"};
  for (int a : split.order) count.space.push_back(space[at(a)]);
  map_array(count);
  // x == y ? dy / ties : 0
  std::vector<Instruction> tape = tape_of(TapeOp::equal);
  tape.push_back({TapeOp::input, 3, 2, 0, 0, 0.0f});
  tape.push_back({TapeOp::input, 4, 3, 0, 0, 0.0f});
  tape.push_back({TapeOp::div, 5, 3, 4, 0, 0.0f});
  tape.push_back({TapeOp::constant, 6, 0, 0, 0, 0.0f});
  tape.push_back({TapeOp::select, 7, 2, 5, 6, 0.0f});
  const GradientTerm term = begin_term(group.inputs[0]);
  map_array({tape,
             {x, y, dy, repeated(ties)},
             space,
             0,
             Reduction::none,
             term.view,
             term.accumulate,
             group.name,
             "gradient"});
  end_term(term);
}

// The product of the others is that of those before times that of those behind: right also where elements are 0.
void ProgramWriter::backward_total_product(const Group& group, const ArrayView& dy,
                                           const Shape& space) {
  const auto gone = group.node->attrs.integers("axes");
  if (gone.size() != 1)
    fail(ErrorKind::value, "prod over ", gone.size(),
         " axes at once has no gradient; take one axis after the other");
  const ArrayView x = read_array(group.inputs[0]);
  ArrayView sides[2];
  for (int side = 0; side < 2; ++side) {
    sides[side] = temporary_array(space);
    ops::ArrayScan scan;
    scan.kind = ops::Scan::product;
    scan.space = space_of(space);
    scan.axis = static_cast<int>(gone[0]);
    scan.reverse = side == 1;
    scan.exclusive = true;
    scan.x = operand(x);
    scan.y = operand(sides[side]);
    emit(scan, group.name, "product of the others", {x.buffer, sides[side].buffer});
  }
  std::vector<Instruction> tape = tape_of(TapeOp::mul);
  tape.push_back({TapeOp::input, 3, 2, 0, 0, 0.0f});
  tape.push_back({TapeOp::mul, 4, 2, 3, 0, 0.0f});
  const GradientTerm term = begin_term(group.inputs[0]);
  map_array({tape,
             {sides[0], sides[1], dy},
             space,
             0,
             Reduction::none,
             term.view,
             term.accumulate,
             group.name,
             "gradient"});
  end_term(term);
}

}  // namespace dnnfast::engine
