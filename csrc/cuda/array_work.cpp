// Ops on arrays as work: how results are cut into pieces, which memory a piece touches, how sums are shared.

#include <algorithm>

#include "cuda/work.h"

namespace dnnfast::cuda {
namespace {

constexpr int64_t kSplitValues =
    65536;  // of a reduction to few results: its positions become slabs
constexpr int64_t kMostSlabs = 64;
constexpr int64_t kSlabUnits = 512;  // at least
constexpr int64_t kLittleWork = 4096;
constexpr int64_t kManyResults = 65536;  // keep all threads of a device busy
// Elements of an operand up to which a block takes whole rows of a product, so that what follows by rows runs in the same
// kernel.
constexpr int64_t kWeightsOfRows = 16384;
// Warps share the depth from here on, if there are few tiles.
constexpr int64_t kDeep = 64, kFewTiles = 64;

size_t at(int i) { return static_cast<size_t>(i); }

// The axes of an operand: of a space's, the first `rows` are rows and those before `kept` columns.
std::vector<Axis> axes_of(const ops::Operand& x, const ops::Space& space, int rows, int kept) {
  std::vector<Axis> axes;
  for (int a = 0; a < space.axes; ++a) {
    const Role role = a < rows ? Role::row : a < kept ? Role::column : Role::inner;
    axes.push_back({space.size[a], x.stride[a], role});
  }
  return axes;
}

// The same for what is touched anywhere.
std::vector<Axis> any_axes(const ops::Operand& x, const ops::Space& space) {
  return axes_of(x, space, 0, 0);
}

// Floats between rows if these follow one another evenly, else 0.
int64_t pitch_of_rows(const std::vector<Axis>& axes) {
  int64_t pitch = 0, next = 0;
  bool open = false;  // how many rows lie inside is not known
  for (size_t i = axes.size(); i-- > 0;) {
    const Axis& axis = axes[i];
    if (axis.role != Role::row || axis.size == 1) continue;
    if (open || axis.stride <= 0 || (pitch > 0 && axis.stride != next)) return 0;
    if (pitch == 0) pitch = axis.stride;
    next = axis.stride * axis.size;
    open = axis.size < 0;
  }
  return pitch;
}

bool one_row(const std::vector<Axis>& axes) {
  return std::all_of(axes.begin(), axes.end(),
                     [](const Axis& a) { return a.role != Role::row || a.size == 1; });
}

// Whether elements of different columns lie in different columns of a matrix of this pitch (0: of one row).
bool apart_by_column(const std::vector<Axis>& axes, int64_t pitch, int64_t across) {
  bool columns = false;
  for (const Axis& axis : axes) {
    columns |= axis.role == Role::column;
    if (axis.size == 1) continue;
    if (axis.role == Role::column) {
      if (axis.stride != 1 || (pitch > 0 && across > pitch)) return false;
    } else if (axis.stride != 0 && (pitch == 0 || axis.stride % pitch != 0)) {
      return false;
    }
  }
  return columns;
}

// The smallest step but for the columns'.
int64_t least_stride(const std::vector<Axis>& axes) {
  int64_t least = 0;
  for (const Axis& axis : axes)
    if (axis.role != Role::column && axis.size != 1 && axis.stride > 0)
      least = least == 0 ? axis.stride : std::min(least, axis.stride);
  return least;
}

// The axes before those whose positions make `count` elements; none if no axes do.
int axes_before(const ops::Space& space, int64_t count) {
  int64_t found = 1;
  for (int a = space.axes; a > 0; --a) {
    if (found == count) return a;
    found *= space.size[a - 1];
    if (found < 0) break;
  }
  return 0;
}

// How work on so many elements may be cut: not at all either, where a block is soon done.
unsigned array_cuts(int64_t elements) {
  return elements <= kLittleWork ? kAnyCut | kWhole : kAnyCut;
}

}  // namespace

// Memory of an operand whose first element is *data. padding: floats behind its columns that are touched too.
WorkList& WorkList::array(const float* data, const std::vector<Axis>& axes, int64_t padding,
                          bool write) {
  int64_t low = 0, high = padding, width = 1 + padding, across = 1 + padding;
  for (const Axis& axis : axes) {
    const int64_t extent = ops::extent_of(axis.size, capacity_);
    if (extent == 0) return *this;
    const int64_t span = (extent - 1) * axis.stride;
    (span < 0 ? low : high) += span;
    if (axis.role != Role::row) width += span;
    if (axis.role == Role::column) across += span;
  }
  constexpr auto kFloat = static_cast<int64_t>(sizeof(float));
  memory(data + low, (high - low + 1) * kFloat, write);
  if (low < 0) return *this;
  Access& access = works_.back().accesses.back();
  const int64_t pitch = pitch_of_rows(axes), least = least_stride(axes);
  const bool even = pitch > 0 && width <= pitch;
  access.ld = even ? pitch : least;
  access.width = width;
  access.by_column = apart_by_column(axes, access.ld, across);
  access.by_row = even || (one_row(axes) && least == 0 && access.by_column);
  return *this;
}

// The columns are along axis `down` of the first `axes` ones, if there is one; the rows are of the axes before it.
Extent WorkList::results(const ops::Space& space, int down, int axes, int64_t padding) const {
  int64_t rows = 1, most = 1;
  int batched = 0;
  for (int a = 0; a < down; ++a) {
    batched += space.size[a] < 0;
    rows *= std::abs(space.size[a]);
    most *= ops::extent_of(space.size[a], capacity_);
  }
  const int64_t cols = down < axes ? ops::extent_of(space.size[down], capacity_) : 1;
  const int64_t padded = round_up(cols + padding, kColumnPadding);
  if (batched == 1) return {0, rows, padded};
  return {most, 0, padded};  // at most
}

// About four pieces a processor, none of little work.
PieceShape WorkList::array_shape(const Extent& extent, int64_t most_rows) const {
  const int64_t rows = extent.rows(capacity_), many = rows / (4 * processors_);
  if (rows == 1) return {1, 1024};
  const int64_t height = std::clamp(round_up(many, 8), int64_t{8}, most_rows);
  const int64_t wide = rows / height * extent.cols / (4 * processors_);
  return {height, std::clamp(round_up(wide, 64), int64_t{64}, int64_t{1024})};
}

// --- Maps and reductions ---

// What the threads of a block do at a time, and more where there is much.
PieceShape WorkList::reduction_shape(const Extent& extent, const Reduce& reduce) const {
  const int64_t together = kThreads / reduce.slices;
  if (reduce.across) {
    if (together < kWarps) return {together, 64};
    return array_shape(extent, together);
  }
  const int64_t cols = std::min(extent.cols, std::max(kResultsTogether * together, kColumnPadding));
  const int64_t rows = std::max<int64_t>(1, kResultsTogether * together / extent.cols);
  const int64_t pieces =
      (extent.rows(capacity_) + rows - 1) / rows * ((extent.cols + cols - 1) / cols);
  return {rows * std::max<int64_t>(1, pieces / (4 * processors_)), cols};
}

Reduce WorkList::reduction(const ops::ArrayMap& op) const {
  const int axes = op.space.axes, kept = axes - op.reduced;
  const auto extent = [&](int a) { return ops::extent_of(op.space.size[a], capacity_); };
  int64_t all = 1, positions = 1;
  for (int a = 0; a < kept; ++a) all *= extent(a);
  for (int a = kept; a < axes; ++a) positions *= extent(a);
  int by_position = 0, by_result = 0;  // operands whose neighbours are those
  for (int i = 0; i < op.input_count; ++i) {
    by_position += op.inputs[i].stride[axes - 1] == 1;
    by_result += kept > 0 && op.inputs[i].stride[kept - 1] == 1;
  }
  Reduce reduce;
  const int down = row_axes(op.space, kept, op.output);
  const bool few = down == kept || extent(down) < kResultsTogether;
  reduce.across = few || by_position >= by_result;
  int64_t units = positions, most = kThreads;
  if (reduce.across) {
    if (extent(axes - 1) > 0) units = positions / extent(axes - 1) * ((extent(axes - 1) + 3) / 4);
    if (all >= kWarps) most = all >= kManyResults ? kWarps : 32;
  } else {
    for (int64_t quads = 1; quads < 8 && quads * kResultsTogether < all; quads *= 2) most /= 2;
    most = std::max<int64_t>(1, std::min(most, kManyResults * kResultsTogether / all));
  }
  while (2 * reduce.slices <= most && 4 * reduce.slices <= units) reduce.slices *= 2;
  const int64_t most_results = reduce.across ? 2 * kWarps : 256;
  if (all <= most_results && units >= 2 * kSlabUnits && all * positions >= kSplitValues) {
    reduce.slab_units =
        std::max(kSlabUnits, round_up((units + kMostSlabs - 1) / kMostSlabs, int64_t{kThreads}));
    reduce.slabs = (units + reduce.slab_units - 1) / reduce.slab_units;
  }
  return reduce;
}

void WorkList::partial_reduction(const ops::ArrayMap& op, const Extent& where,
                                 const Reduce& reduce) {
  int64_t all = 1;
  for (int a = 0; a < op.space.axes - op.reduced; ++a)
    all *= ops::extent_of(op.space.size[a], capacity_);
  // The op stands for the memory that the two tasks share.
  task(ArrayPartial{&op, reduce, nullptr, all}, kTiles).memory(&op, 1, true);
  works_.back().shape = {1, where.rows(capacity_) == 1 ? 32 : round_up(all, kColumnPadding)};
  for (int i = 0; i < op.input_count; ++i)
    array(op.inputs[i].data, any_axes(op.inputs[i], op.space), 0, false);
  task(ArrayFinish{&op, where, reduce, nullptr, all}, array_cuts(all)).memory(&op, 1, false);
}

void WorkList::op(const ops::ArrayMap& op) {
  const int kept = op.space.axes - op.reduced, down = row_axes(op.space, kept, op.output);
  const Extent where = results(op.space, down, kept, op.padding);
  if (where.rows(capacity_) * where.cols == 0) return;
  const bool reduces = op.reduction != ops::Reduction::none;
  const Reduce reduce = reduces ? reduction(op) : Reduce{};
  if (reduce.slabs > 1) {
    partial_reduction(op, where, reduce);
  } else {
    if (reduces)
      task(ArrayReduce{&op, where, reduce}, array_cuts(ops::positions(op.space, capacity_) / 4));
    else
      task(ArrayMap{&op, where}, array_cuts(where.rows(capacity_) * where.cols));
    for (int i = 0; i < op.input_count; ++i)
      array(op.inputs[i].data, axes_of(op.inputs[i], op.space, down, kept), 0, false);
    works_.back().shape = reduces ? reduction_shape(where, reduce) : array_shape(where, 64);
  }
  ops::Space space = op.space;
  space.axes = kept;
  array(op.output.data, axes_of(op.output, space, down, kept), op.padding, true);
}

// --- Products ---

void WorkList::op(const ops::ArrayProduct& op) {
  const int n = op.space.axes;
  const auto with = [&](const ops::Operand& x, int64_t first, Role first_role, int64_t second,
                        Role second_role) {
    std::vector<Axis> axes;
    for (int a = 0; a < n; ++a) axes.push_back({op.space.size[a], x.stride[a], Role::row});
    axes.push_back({first, x.stride[n], first_role});
    axes.push_back({second, x.stride[n + 1], second_role});
    return axes;
  };
  ops::Space space = op.space;
  space.size[space.axes++] = op.rows;
  space.size[space.axes++] = op.cols;
  const Extent where = results(space, n + 1, n + 2, op.padding);
  const int64_t all = where.rows(capacity_), inner = ops::extent_of(op.inner, capacity_);
  if (all * where.cols == 0) return;
  const auto tiles = [&](int64_t rows, int64_t cols) {
    return (all + rows - 1) / rows * ((where.cols + cols - 1) / cols);
  };
  constexpr int64_t kTile = ArrayProduct::kTile;
  const bool deep = inner >= kDeep && tiles(kTile, kTile) < kFewTiles;
  const bool by_rows = inner * where.cols <= kWeightsOfRows || all >= 4 * kWarps * processors_;
  unsigned cuts = by_rows ? kTiles | kRows : unsigned{kTiles};
  if (all * inner * where.cols <= kLittleWork * kWarps) cuts |= kWhole;
  task(ArrayProduct{&op, where, deep}, cuts);
  array(op.a.data, with(op.a, op.rows, Role::row, op.inner, Role::inner), 0, false);
  // A row of the result needs all of its matrix.
  std::vector<Axis> w = with(op.w, op.inner, Role::inner, op.cols, Role::column);
  for (int a = 0; a < n; ++a) w[at(a)].role = Role::inner;
  array(op.w.data, w, 0, false);
  array(op.y.data, with(op.y, op.rows, Role::row, op.cols, Role::column), op.padding, true);
  if (deep) {
    works_.back().shape = {kWarps, ArrayProduct::kDeepColumns};
    return;
  }
  // Large tiles where they occupy the device, whole matrices where these are small.
  int64_t height = kTile;
  while (height > kWarps && tiles(height, kTile) < processors_) height /= 2;
  if (n > 0 && op.rows > 0 && op.rows <= kTile / 2) {
    height = op.rows;
    while (height % 4 != 0) height += op.rows;
  }
  works_.back().shape = {height, std::min<int64_t>(where.cols, kTile)};
}

// --- By index ---

void WorkList::op(const ops::ArrayGather& op) {
  const int axes = op.space.axes, down = row_axes(op.space, axes, op.y);
  const Extent where = results(op.space, down, axes, op.padding);
  if (where.rows(capacity_) * where.cols == 0) return;
  task(ArrayGather{&op, where}, array_cuts(where.rows(capacity_) * where.cols));
  std::vector<Axis> x = axes_of(op.x, op.space, down, axes);
  x.push_back({op.axis_size, op.axis_stride, Role::inner});
  array(op.x.data, x, 0, false);
  array(op.index.data, axes_of(op.index, op.space, down, axes), 0, false);
  array(op.y.data, axes_of(op.y, op.space, down, axes), op.padding, true);
  works_.back().shape = array_shape(where, 64);
}

void WorkList::op(const ops::ArrayScatter& op) {
  int64_t lanes = 1;
  bool shared_index = true;
  for (int a = 0; a < op.space.axes; ++a) {
    if (op.y.stride[a] == 0) continue;
    lanes *= ops::extent_of(op.space.size[a], capacity_);
    shared_index &= op.index.stride[a] == 0 || op.space.size[a] == 1;
  }
  const int64_t size = ops::extent_of(op.axis_size, capacity_);
  if (ops::positions(op.space, capacity_) == 0 || size == 0) return;
  task(ArrayScatter{&op, {size, 0, lanes}, shared_index}, kTiles);
  array(op.values.data, any_axes(op.values, op.space), 0, false);
  array(op.index.data, any_axes(op.index, op.space), 0, false);
  std::vector<Axis> y = any_axes(op.y, op.space);
  y.push_back({op.axis_size, op.axis_stride, Role::inner});
  array(op.y.data, y, 0, true);
  const int64_t across = (lanes + 31) / 32, pieces = std::max<int64_t>(1, 2 * processors_ / across);
  works_.back().shape = {size, kThreads};
  if (shared_index) works_.back().shape = {round_up((size + pieces - 1) / pieces, kWarps), 32};
}

void WorkList::op(const ops::ArrayScan& op) {
  const int axes = op.space.axes;
  const Extent where = results(op.space, axes - 1, axes, op.padding);
  if (where.rows(capacity_) * where.cols == 0) return;
  task(ArrayScan{&op, where}, op.axis + 1 == axes ? kRows : kColumns);
  array(op.x.data, axes_of(op.x, op.space, axes - 1, axes), 0, false);
  array(op.y.data, axes_of(op.y, op.space, axes - 1, axes), op.padding, true);
}

void WorkList::op(const ops::ArrayReshape& op) {
  const int down = row_axes(op.to, op.to.axes, op.y);
  const Extent where = results(op.to, down, op.to.axes, op.padding);
  if (where.rows(capacity_) * where.cols == 0) return;
  task(ArrayReshape{&op, where}, array_cuts(where.rows(capacity_) * where.cols));
  const int rows = axes_before(op.from, down < op.to.axes ? op.to.size[down] : 1);
  array(op.x.data, axes_of(op.x, op.from, rows, 0), 0, false);
  array(op.y.data, axes_of(op.y, op.to, down, op.to.axes), op.padding, true);
  works_.back().shape = array_shape(where, 64);
}

void WorkList::op(const ops::ArrayPanels& op) {
  task(ArrayPanels{op}, kAnyCut);
  memory(op.panels.data, op.panels.size() * static_cast<int64_t>(sizeof(float)), op.to_panels);
  const int64_t cols = op.to_panels ? op.panels.out : op.ld;
  array(op.array, {{op.panels.in, op.ld, Role::row}, {cols, 1, Role::column}}, 0, !op.to_panels);
}

}  // namespace dnnfast::cuda
