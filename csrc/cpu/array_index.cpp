// Gather, scatter, scans, and copies between shapes and layouts. Work per unit: one element of a gather or reshape; one lane
// (all positions along the axes where elements of y may be hit twice) of a scatter; one line of a scan; one row of weights.

#include "cpu/families.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::extent_of;
using ops::Operand;
using ops::Space;
using ops::StepContext;

// The coordinates of a position, and where operands lie there.
struct Place {
  int64_t coordinate[ops::kMaxAxes] = {};

  Place(const Space& space, int64_t batch, int64_t position) {
    for (int a = space.axes; a-- > 0;) {
      const int64_t extent = extent_of(space.size[a], batch);
      coordinate[a] = position % extent;
      position /= extent;
    }
  }
  float* of(const Operand& x, int axes) const {
    float* p = x.data;
    for (int a = 0; a < axes; ++a) p += coordinate[a] * x.stride[a];
    return p;
  }
  bool row_ends(const Space& space, int64_t batch) const {
    const int last = space.axes - 1;
    return last < 0 || coordinate[last] + 1 == extent_of(space.size[last], batch);
  }
};

// The element that an index means, or -1. Also for NaN.
int64_t resolved(float index, int64_t size) {
  const float limit = static_cast<float>(size);
  if (!(index >= -limit && index < limit)) return -1;
  const int64_t i = static_cast<int64_t>(index);
  return i < 0 ? i + size : i;
}

void clear(float* y, int64_t padding) {
  for (int64_t c = 0; c < padding; ++c) y[1 + c] = 0.0f;
}

int64_t gather_units(const ops::ArrayGather& op, const StepContext& context) {
  return ops::positions(op.space, context.batch);
}

void gather_run(const ops::ArrayGather& op, const StepContext& context, UnitRange range, void*) {
  const int64_t size = extent_of(op.axis_size, context.batch);
  for (int64_t p = range.begin; p < range.end; ++p) {
    const Place at(op.space, context.batch, p);
    const int64_t k = resolved(*at.of(op.index, op.space.axes), size);
    const float* x = at.of(op.x, op.space.axes);
    const float value = k < 0 ? __builtin_nanf("") : x[k * op.axis_stride];
    float* y = at.of(op.y, op.space.axes);
    *y = op.accumulate ? *y + value : value;
    if (op.padding && at.row_ends(op.space, context.batch)) clear(y, op.padding);
  }
}

// The axes of a scatter along which y does not move but by the index run inside a unit.
Space scatter_lanes(const ops::ArrayScatter& op) {
  Space lanes = op.space;
  for (int a = 0; a < lanes.axes; ++a)
    if (op.y.stride[a] == 0) lanes.size[a] = 1;
  return lanes;
}
Space scatter_inside(const ops::ArrayScatter& op) {
  Space inside = op.space;
  for (int a = 0; a < inside.axes; ++a)
    if (op.y.stride[a] != 0) inside.size[a] = 1;
  return inside;
}

int64_t scatter_units(const ops::ArrayScatter& op, const StepContext& context) {
  return ops::positions(op.space, context.batch) == 0
             ? 0
             : ops::positions(scatter_lanes(op), context.batch);
}

void scatter_run(const ops::ArrayScatter& op, const StepContext& context, UnitRange range, void*) {
  const Space lanes = scatter_lanes(op), inside = scatter_inside(op);
  const int axes = op.space.axes;
  const int64_t size = extent_of(op.axis_size, context.batch);
  const int64_t count = ops::positions(inside, context.batch);
  for (int64_t p = 0; p < count; ++p) {
    const Place in(inside, context.batch, p);
    for (int64_t lane = range.begin; lane < range.end; ++lane) {
      Place at(lanes, context.batch, lane);
      for (int a = 0; a < axes; ++a) at.coordinate[a] += in.coordinate[a];
      const int64_t k = resolved(*at.of(op.index, axes), size);
      if (k >= 0) at.of(op.y, axes)[k * op.axis_stride] += *at.of(op.values, axes);
    }
  }
}

// Before, in the order of a sort: smaller (reverse: larger) first, NaN last, equal ones as they stand.
bool before(float a, int64_t i, float b, int64_t j, bool reverse) {
  const bool a_nan = a != a, b_nan = b != b;
  if (a_nan || b_nan) return a_nan == b_nan ? i < j : b_nan;
  if (a == b) return i < j;
  return reverse ? a > b : a < b;
}

struct Line {
  const float* x;
  int64_t step, size;
  float at(int64_t i) const { return x[i * step]; }
};

// Heap sort of positions: in place, and never worse than n log n.
void sift(const Line& line, int64_t* order, int64_t root, int64_t end, bool reverse) {
  for (int64_t child = 2 * root + 1; child < end; child = 2 * root + 1) {
    auto first = [&](int64_t i, int64_t j) {
      return before(line.at(order[i]), order[i], line.at(order[j]), order[j], reverse);
    };
    if (child + 1 < end && first(child, child + 1)) ++child;
    if (!first(root, child)) return;
    const int64_t moved = order[root];
    order[root] = order[child];
    order[child] = moved;
    root = child;
  }
}

void sort_positions(const Line& line, int64_t* order, bool reverse) {
  for (int64_t i = 0; i < line.size; ++i) order[i] = i;
  for (int64_t i = line.size / 2; i-- > 0;) sift(line, order, i, line.size, reverse);
  for (int64_t end = line.size; end-- > 1;) {
    const int64_t last = order[0];
    order[0] = order[end];
    order[end] = last;
    sift(line, order, 0, end, reverse);
  }
}

double identity_of(ops::Scan kind) {
  if (kind == ops::Scan::max) return -__builtin_inf();
  return kind == ops::Scan::product ? 1.0 : 0.0;
}

double joined(ops::Scan kind, double total, double x) {
  if (kind == ops::Scan::sum) return total + x;
  if (kind == ops::Scan::product) return total * x;
  return total != total || total > x ? total : x;
}

int64_t scan_units(const ops::ArrayScan& op, const StepContext& context) {
  Space lines = op.space;
  if (extent_of(lines.size[op.axis], context.batch) == 0) return 0;
  lines.size[op.axis] = 1;
  return ops::positions(lines, context.batch);
}

void write_scan(const ops::ArrayScan& op, const Line& line, float* y, int64_t* order) {
  const int64_t step = op.y.stride[op.axis];
  auto put = [&](int64_t i, float value) {
    y[i * step] = op.accumulate ? y[i * step] + value : value;
  };
  if (op.kind == ops::Scan::sort || op.kind == ops::Scan::arg_sort) {
    sort_positions(line, order, op.reverse);
    for (int64_t i = 0; i < line.size; ++i)
      put(i, op.kind == ops::Scan::sort ? line.at(order[i]) : static_cast<float>(order[i]));
    return;
  }
  double total = identity_of(op.kind);
  for (int64_t j = 0; j < line.size; ++j) {
    const int64_t i = op.reverse ? line.size - 1 - j : j;
    const double next = joined(op.kind, total, static_cast<double>(line.at(i)));
    put(i, static_cast<float>(op.exclusive ? total : next));
    total = next;
  }
}

void scan_run(const ops::ArrayScan& op, const StepContext& context, UnitRange range, void* memory) {
  Space lines = op.space;
  const int64_t size = extent_of(lines.size[op.axis], context.batch);
  lines.size[op.axis] = 1;
  for (int64_t unit = range.begin; unit < range.end; ++unit) {
    const Place at(lines, context.batch, unit);
    const Line line{at.of(op.x, op.space.axes), op.x.stride[op.axis], size};
    float* y = at.of(op.y, op.space.axes);
    write_scan(op, line, y, static_cast<int64_t*>(memory));
    for (int64_t c = 0; c < op.padding; ++c) y[size + c] = 0.0f;
  }
}

int64_t scan_scratch(const ops::ArrayScan& op, int64_t batch_capacity) {
  const bool sorts = op.kind == ops::Scan::sort || op.kind == ops::Scan::arg_sort;
  return sorts ? extent_of(op.space.size[op.axis], batch_capacity) * 8 : 0;
}

int64_t reshape_units(const ops::ArrayReshape& op, const StepContext& context) {
  return ops::positions(op.to, context.batch);
}

void reshape_run(const ops::ArrayReshape& op, const StepContext& context, UnitRange range, void*) {
  for (int64_t p = range.begin; p < range.end; ++p) {
    const Place from(op.from, context.batch, p), to(op.to, context.batch, p);
    float* y = to.of(op.y, op.to.axes);
    const float value = *from.of(op.x, op.from.axes);
    *y = op.accumulate ? *y + value : value;
    if (op.padding && to.row_ends(op.to, context.batch)) clear(y, op.padding);
  }
}

int64_t panels_units(const ops::ArrayPanels& op, const StepContext&) { return op.panels.in; }

void panels_run(const ops::ArrayPanels& op, const StepContext&, UnitRange range, void*) {
  for (int64_t i = range.begin; i < range.end; ++i) {
    float* row = op.array + i * op.ld;
    for (int64_t o = 0; o < op.panels.out; ++o) {
      float& w = op.panels.at(i, o);
      float& from = op.to_panels ? row[o] : w;
      float& to = op.to_panels ? w : row[o];
      to = op.accumulate ? to + from : from;
    }
    if (!op.to_panels)
      for (int64_t o = op.panels.out; o < op.ld; ++o) row[o] = 0.0f;
  }
}

}  // namespace

void register_array_index(KernelTable& table) {
  table.array_gather = {gather_units, gather_run, nullptr};
  table.array_scatter = {scatter_units, scatter_run, nullptr};
  table.array_scan = {scan_units, scan_run, scan_scratch};
  table.array_reshape = {reshape_units, reshape_run, nullptr};
  table.array_panels = {panels_units, panels_run, nullptr};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
