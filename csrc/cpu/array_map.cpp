// Maps and reductions. Work per unit: up to 256 neighbouring results, or one result where there are too few side by side; then
// the block runs along a reduced axis. Sums run in double over blocks, in the order of the positions.

#include "cpu/array_tape.h"
#include "cpu/families.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::ArrayMap;
using ops::extent_of;
using ops::Reduction;
using ops::StepContext;

constexpr int64_t kFew = 8;

struct Scratch {
  TapeRegisters registers;
  double sum[kTapeBlock];
  float best[kTapeBlock];
  int64_t place[kTapeBlock];
};

// The axis among [begin, end) that blocks run along: the last one, unless it is short and another is longer.
int block_axis(const ArrayMap& op, const StepContext& context, int begin, int end) {
  int axis = end - 1;
  int64_t longest = extent_of(op.space.size[axis], context.batch);
  if (longest >= kFew) return axis;
  for (int a = begin; a < end - 1; ++a) {
    const int64_t extent = extent_of(op.space.size[a], context.batch);
    if (extent > longest) {
      longest = extent;
      axis = a;
    }
  }
  return axis;
}

// Whether more operands lie in a row along the last reduced axis, and that is long enough, than along `axis`.
bool runs_better_inside(const ArrayMap& op, const StepContext& context, int axis) {
  const int last = op.space.axes - 1;
  if (extent_of(op.space.size[last], context.batch) < 2 * kFew) return false;
  int inside = 0;
  for (int i = 0; i < op.input_count; ++i)
    inside += (op.inputs[i].stride[last] == 1) - (op.inputs[i].stride[axis] == 1);
  return inside > 0;
}

// How an op is cut. along: the axis of the blocks among the kept axes; -1: a unit is one result.
struct Cut {
  int kept = 0;
  int along = -1;
  int64_t extent = 1;  // of that axis
  int64_t blocks = 1;  // along it
  int64_t units = 1;
};

Cut cut_of(const ArrayMap& op, const StepContext& context) {
  Cut cut;
  cut.kept = op.space.axes - op.reduced;
  for (int a = 0; a < cut.kept; ++a) cut.units *= extent_of(op.space.size[a], context.batch);
  if (cut.kept == 0 || cut.units == 0) return cut;
  const int axis = block_axis(op, context, 0, cut.kept);
  const int64_t extent = extent_of(op.space.size[axis], context.batch);
  if (op.reduced > 0 && (extent < kFew || runs_better_inside(op, context, axis))) return cut;
  cut.along = axis;
  cut.extent = extent;
  cut.blocks = (extent + kTapeBlock - 1) / kTapeBlock;
  cut.units = cut.units / extent * cut.blocks;
  return cut;
}

// Sets the kept coordinates of a unit.
void place_unit(const ArrayMap& op, const StepContext& context, const Cut& cut, int64_t unit,
                TapeBlock& block) {
  block.axis = cut.along < 0 ? 0 : cut.along;
  block.count = 1;
  if (cut.along >= 0) {
    const int64_t begin = unit % cut.blocks * kTapeBlock;
    unit /= cut.blocks;
    block.coordinate[cut.along] = begin;
    block.count = cut.extent - begin < kTapeBlock ? cut.extent - begin : kTapeBlock;
  }
  for (int a = cut.kept; a-- > 0;) {
    if (a == cut.along) continue;
    const int64_t extent = extent_of(op.space.size[a], context.batch);
    block.coordinate[a] = unit % extent;
    unit /= extent;
  }
}

void write(const ArrayMap& op, const StepContext& context, const Cut& cut, const TapeBlock& block,
           const float* values) {
  float* y = op.output.data;
  for (int a = 0; a < cut.kept; ++a) y += block.coordinate[a] * op.output.stride[a];
  const int64_t stride = cut.along < 0 ? 1 : op.output.stride[cut.along];
  if (op.accumulate) {
    for (int64_t i = 0; i < block.count; ++i) y[i * stride] += values[i];
  } else {
    for (int64_t i = 0; i < block.count; ++i) y[i * stride] = values[i];
  }
  if (op.padding == 0) return;
  const int last = cut.kept - 1;
  if (last == cut.along) {
    if (block.coordinate[last] + block.count == cut.extent)
      for (int64_t c = 0; c < op.padding; ++c) y[block.count + c] = 0.0f;
  } else if (last < 0 ||
             block.coordinate[last] + 1 == extent_of(op.space.size[last], context.batch)) {
    for (int64_t i = 0; i < block.count; ++i)
      for (int64_t c = 0; c < op.padding; ++c) y[i * stride + 1 + c] = 0.0f;
  }
}

// The running results of a block.
class Accumulator {
 public:
  Accumulator(const ArrayMap& op, Scratch& scratch, int64_t count)
      : kind_(op.reduction), scratch_(scratch), count_(count) {
    for (int64_t i = 0; i < count; ++i) {
      scratch.sum[i] = kind_ == Reduction::product ? 1.0 : 0.0;
      scratch.place[i] = -1;
    }
  }

  // The next position's value of result i.
  void take(int64_t i, float value, int64_t place) {
    switch (kind_) {
      case Reduction::sum:
      case Reduction::mean: scratch_.sum[i] += static_cast<double>(value); return;
      case Reduction::product: scratch_.sum[i] *= static_cast<double>(value); return;
      default: break;
    }
    const float best = scratch_.best[i];
    const bool larger = kind_ == Reduction::max || kind_ == Reduction::arg_max;
    const bool better = larger ? value > best : value < best;
    if (scratch_.place[i] >= 0 && !better && !(value != value && best == best)) return;
    if (scratch_.place[i] >= 0 && best != best) return;
    scratch_.best[i] = value;
    scratch_.place[i] = place;
  }

  // `many` values of result 0 that follow one another, whole vectors first.
  void take_run(const float* values, int64_t many, int64_t place) {
    if (kind_ != Reduction::sum && kind_ != Reduction::mean) {
      for (int64_t i = 0; i < many; ++i) take(0, values[i], place + i);
      return;
    }
    vf sums = {};
    int64_t i = 0;
    for (; i + kLanes <= many; i += kLanes) sums += load_unaligned(values + i);
    double sum = static_cast<double>(sum_lanes(sums));
    for (; i < many; ++i) sum += static_cast<double>(values[i]);
    scratch_.sum[0] += sum;
  }

  void take_block(const float* values, int64_t place) {
    if (kind_ == Reduction::sum || kind_ == Reduction::mean) {
      for (int64_t i = 0; i < count_; ++i) scratch_.sum[i] += static_cast<double>(values[i]);
    } else {
      for (int64_t i = 0; i < count_; ++i) take(i, values[i], place);
    }
  }

  const float* results(int64_t positions) {
    float* y = scratch_.registers.value[0];
    for (int64_t i = 0; i < count_; ++i) {
      switch (kind_) {
        case Reduction::sum:
        case Reduction::product: y[i] = static_cast<float>(scratch_.sum[i]); break;
        case Reduction::mean:
          y[i] = static_cast<float>(scratch_.sum[i] / static_cast<double>(positions));
          break;
        case Reduction::max:
        case Reduction::min: y[i] = scratch_.place[i] < 0 ? 0.0f : scratch_.best[i]; break;
        default: y[i] = static_cast<float>(scratch_.place[i] < 0 ? 0 : scratch_.place[i]);
      }
    }
    return y;
  }

 private:
  Reduction kind_;
  Scratch& scratch_;
  int64_t count_;
};

// Sets the coordinates of the reduced axes (but for `skip`) to those of a position.
void place_reduced(const ArrayMap& op, const StepContext& context, int kept, int skip,
                   int64_t position, TapeBlock& block) {
  for (int a = op.space.axes; a-- > kept;) {
    if (a == skip) continue;
    const int64_t extent = extent_of(op.space.size[a], context.batch);
    block.coordinate[a] = position % extent;
    position /= extent;
  }
}

const float* reduce(const ArrayMap& op, const StepContext& context, const Cut& cut, TapeBlock block,
                    Scratch& scratch) {
  int64_t positions = 1;
  for (int a = cut.kept; a < op.space.axes; ++a)
    positions *= extent_of(op.space.size[a], context.batch);
  Accumulator accumulator(op, scratch, block.count);
  if (cut.along >= 0) {
    for (int64_t p = 0; p < positions; ++p) {
      place_reduced(op, context, cut.kept, -1, p, block);
      accumulator.take_block(run_tape(op, context, block, scratch.registers), p);
    }
    return accumulator.results(positions);
  }
  // One result: blocks along the last reduced axis, so that positions stay in order.
  const int axis = op.space.axes - 1;
  const int64_t extent = extent_of(op.space.size[axis], context.batch);
  block.axis = axis;
  for (int64_t p = 0; p < positions; p += extent) {
    place_reduced(op, context, cut.kept, axis, p / extent, block);
    for (int64_t begin = 0; begin < extent; begin += kTapeBlock) {
      block.coordinate[axis] = begin;
      block.count = extent - begin < kTapeBlock ? extent - begin : kTapeBlock;
      accumulator.take_run(run_tape(op, context, block, scratch.registers), block.count, p + begin);
    }
  }
  return accumulator.results(positions);
}

int64_t map_units(const ArrayMap& op, const StepContext& context) {
  return cut_of(op, context).units;
}

void map_run(const ArrayMap& op, const StepContext& context, UnitRange range, void* memory) {
  Scratch& scratch = *static_cast<Scratch*>(memory);
  const Cut cut = cut_of(op, context);
  TapeBlock block;
  for (int64_t unit = range.begin; unit < range.end; ++unit) {
    place_unit(op, context, cut, unit, block);
    const float* values = op.reduction == Reduction::none
                              ? run_tape(op, context, block, scratch.registers)
                              : reduce(op, context, cut, block, scratch);
    write(op, context, cut, block, values);
  }
}

int64_t map_scratch(const ArrayMap&, int64_t) { return sizeof(Scratch); }

}  // namespace

void register_array_map(KernelTable& table) { table.array_map = {map_units, map_run, map_scratch}; }

}  // namespace dnnfast::cpu::DNNFAST_ISA
