// Element-wise activations with dropout, forward and backward, and their kernels.

#include "math/activation.h"

#include "cpu/families.h"
#include "cpu/pointwise.h"
#include "cpu/simd.h"
#include "math/philox.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using math::ActivationKind;

// Rows that share the calls of the random generator, and the columns whose random words are made at
// a time: they stay in the level-1 cache.
constexpr int64_t kGroupRows = 4;
constexpr int64_t kWordColumns = 256;

// A rectangle of the matrices, from its first row and column on. Columns from `logical` on are
// padding. words (kWordColumns a row), threshold and scale are for dropout.
struct Tile {
  const float* in = nullptr;  // forward x, backward dy
  int64_t in_ld = 0;
  float* out = nullptr;  // forward y, backward dx
  int64_t out_ld = 0;
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t logical = 0;
  const uint32_t* words = nullptr;
  uint32_t threshold = 0;
  float scale = 1.0f;
};

struct ForwardExtra {
  math::Activation act;
  float* saved = nullptr;
  int64_t saved_ld = 0;
  bool save_output = false;
};

struct BackwardExtra {
  math::Activation act;
  const float* saved = nullptr;
  int64_t saved_ld = 0;
  bool accumulate = false;
};

vf drop(vf v, const Tile& tile, int64_t row, int64_t col) {
  const vu words = *reinterpret_cast<const vu*>(tile.words + row * kWordColumns + col);
  return words >= tile.threshold ? v * tile.scale : vf{};
}

template <ActivationKind K, bool kDrop>
void forward_tile(const Tile& tile, const ForwardExtra& extra) {
  for (int64_t row = 0; row < tile.rows; ++row) {
    const float* x = tile.in + row * tile.in_ld;
    float* y = tile.out + row * tile.out_ld;
    float* saved = extra.saved ? extra.saved + row * extra.saved_ld : nullptr;
    for (int64_t col = 0; col < tile.cols; col += kLanes) {
      vf before = load_unaligned(x + col);
      vf after = math::activation<K>(before, extra.act.alpha, extra.act.beta);
      if (col + kLanes > tile.logical) {
        before = keep_columns(before, col, tile.logical);
        after = keep_columns(after, col, tile.logical);
      }
      if (saved) store_unaligned(saved + col, extra.save_output ? after : before);
      store_unaligned(y + col, kDrop ? drop(after, tile, row, col) : after);
    }
  }
}

template <ActivationKind K, bool kDrop>
void backward_tile(const Tile& tile, const BackwardExtra& extra) {
  for (int64_t row = 0; row < tile.rows; ++row) {
    const float* dy = tile.in + row * tile.in_ld;
    float* dx = tile.out + row * tile.out_ld;
    const float* saved = extra.saved + row * extra.saved_ld;
    for (int64_t col = 0; col < tile.cols; col += kLanes) {
      vf d = load_unaligned(dy + col);
      if (kDrop) d = drop(d, tile, row, col);
      if constexpr (K != ActivationKind::linear)
        d *= math::derivative<K>(load_unaligned(saved + col), extra.act.alpha);
      if (col + kLanes > tile.logical) d = keep_columns(d, col, tile.logical);
      if (extra.accumulate) d += load_unaligned(dx + col);
      store_unaligned(dx + col, d);
    }
  }
}

struct ForwardTask {
  using Extra = ForwardExtra;
  template <ActivationKind K>
  static void run(const Tile& tile, const Extra& extra) {
    tile.words ? forward_tile<K, true>(tile, extra) : forward_tile<K, false>(tile, extra);
  }
};

struct BackwardTask {
  using Extra = BackwardExtra;
  template <ActivationKind K>
  static void run(const Tile& tile, const Extra& extra) {
    tile.words ? backward_tile<K, true>(tile, extra) : backward_tile<K, false>(tile, extra);
  }
};

template <class Task>
using TileFunction = void (*)(const Tile&, const typename Task::Extra&);

template <class Task, int kKind = 0>
TileFunction<Task> tile_function(ActivationKind kind) {
  if constexpr (kKind < static_cast<int>(ActivationKind::count)) {
    constexpr auto kThis = static_cast<ActivationKind>(kKind);
    if (kind == kThis) return Task::template run<kThis>;
    return tile_function<Task, kKind + 1>(kind);
  } else {
    return Task::template run<ActivationKind::linear>;
  }
}

// The random words of four rows from counter `first` on, for `cols` columns.
void make_words(const math::DropoutBits& bits, uint32_t first, int64_t cols, uint32_t* out) {
  const vu lanes = math::bits_as<vu>(lane_index());
  for (int64_t col = 0; col < cols; col += kLanes) {
    const vu counter = lanes + (first + static_cast<uint32_t>(col));
    const math::PhiloxWords<vu> words = math::philox(counter, bits.rest, bits.key);
    for (int i = 0; i < kGroupRows; ++i)
      *reinterpret_cast<vu*>(out + i * kWordColumns + col) = words.word[i];
  }
}

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// The rectangle of `whole` (whose pointers are row 0, column 0 of the matrices) that starts there.
Tile part(const Tile& whole, int64_t row, int64_t col) {
  Tile tile = whole;
  tile.in += row * tile.in_ld + col;
  tile.out += row * tile.out_ld + col;
  tile.logical -= col;
  return tile;
}

// Runs a task on a block: at once, or with dropout by pieces of at most four rows whose random
// words fit the buffer.
template <class Task>
void run_block(const Tile& whole, const typename Task::Extra& extra, const ops::Dropout& dropout,
               const ops::StepContext& context, const Block& block) {
  const TileFunction<Task> run = tile_function<Task>(extra.act.kind);
  auto piece = [&](int64_t row, int64_t row_end, int64_t col, int64_t col_end,
                   const uint32_t* words) {
    Tile tile = part(whole, row, col);
    tile.rows = row_end - row;
    tile.cols = col_end - col;
    tile.words = words;
    typename Task::Extra shifted = extra;
    if (shifted.saved) shifted.saved += row * extra.saved_ld + col;
    run(tile, shifted);
  };
  if (!dropout) {
    piece(block.row_begin, block.row_end, block.col_begin, block.col_end, nullptr);
    return;
  }
  const math::DropoutBits bits = math::dropout_bits(context.seed, context.step, dropout.stream);
  alignas(64) uint32_t words[kGroupRows * kWordColumns];
  for (int64_t row = block.row_begin, next; row < block.row_end; row = next) {
    next = smaller(block.row_end, (row / kGroupRows + 1) * kGroupRows);
    for (int64_t col = block.col_begin; col < block.col_end; col += kWordColumns) {
      const int64_t col_end = smaller(block.col_end, col + kWordColumns);
      make_words(bits, math::dropout_counter(row, col, block.cols), col_end - col, words);
      // The piece's rows are the last ones of a group when the block starts inside it.
      piece(row, next, col, col_end, words + row % kGroupRows * kWordColumns);
    }
  }
}

Tile whole_tile(ConstPlane in, Plane out, const ops::Dropout& dropout, int64_t cols) {
  Tile tile;
  tile.in = in.data;
  tile.in_ld = in.ld;
  tile.out = out.data;
  tile.out_ld = out.ld;
  tile.logical = cols;
  if (dropout) {
    tile.threshold = math::dropout_threshold(dropout.rate);
    tile.scale = math::dropout_scale(dropout.rate);
  }
  return tile;
}

// A unit of work is four rows by this many columns: enough units for many threads when the batch
// is small.
constexpr int64_t kUnitColumns = 128;

int64_t column_units(const BatchMatrix& m) {
  return (m.padded_cols() + kUnitColumns - 1) / kUnitColumns;
}

int64_t count_units(const BatchMatrix& m, const ops::StepContext& context) {
  const int64_t rows = context.batch * m.rows_per_sample;
  return (rows + kGroupRows - 1) / kGroupRows * column_units(m);
}

// Calls run(block) for the at most three rectangles that the units of a range form.
template <class Run>
void for_blocks(const BatchMatrix& m, const ops::StepContext& context, UnitRange range, Run run) {
  const int64_t rows = context.batch * m.rows_per_sample;
  const int64_t per_group = column_units(m);
  auto rectangle = [&](int64_t group, int64_t group_end, int64_t unit, int64_t unit_end) {
    if (group >= group_end || unit >= unit_end) return;
    run(Block{group * kGroupRows, smaller(rows, group_end * kGroupRows), unit * kUnitColumns,
              smaller(m.padded_cols(), unit_end * kUnitColumns), m.cols});
  };
  int64_t group = range.begin / per_group;
  const int64_t last = range.end / per_group;
  const int64_t unit = range.begin % per_group;
  const int64_t unit_end = range.end % per_group;
  if (group == last) {
    rectangle(group, group + 1, unit, unit_end);
    return;
  }
  if (unit > 0) {
    rectangle(group, group + 1, unit, per_group);
    ++group;
  }
  rectangle(group, last, 0, per_group);
  rectangle(last, last + 1, 0, unit_end);
}

int64_t forward_units(const ops::PointwiseForward& op, const ops::StepContext& context) {
  return count_units(op.y, context);
}

void forward_run(const ops::PointwiseForward& op, const ops::StepContext& context, UnitRange range,
                 void*) {
  for_blocks(op.y, context, range, [&](const Block& block) {
    pointwise_forward_block(op.act, op.dropout, context, {op.x.data, op.x.ld}, {op.y.data, op.y.ld},
                            op.saved, block);
  });
}

int64_t backward_units(const ops::PointwiseBackward& op, const ops::StepContext& context) {
  return count_units(op.dx, context);
}

void backward_run(const ops::PointwiseBackward& op, const ops::StepContext& context,
                  UnitRange range, void*) {
  for_blocks(op.dx, context, range, [&](const Block& block) {
    pointwise_backward_block(op.gradient, context, {op.dy.data, op.dy.ld},
                             {op.gradient.saved, op.gradient.saved_ld}, {op.dx.data, op.dx.ld},
                             op.accumulate, block);
  });
}

}  // namespace

void pointwise_forward_block(const ops::Activation& act, const ops::Dropout& dropout,
                             const ops::StepContext& context, ConstPlane x, Plane y, float* saved,
                             const Block& block) {
  ForwardExtra extra{act, saved, y.ld, math::derivative_from_output(act)};
  // What is saved may be an operand that already holds it.
  const bool in_x = saved == x.data && x.ld == y.ld && !extra.save_output;
  const bool in_y = saved == y.data && !dropout && extra.save_output;
  if (in_x || in_y) extra.saved = nullptr;
  const bool in_place = x.data == y.data && x.ld == y.ld;
  if (act.kind == ActivationKind::linear && !dropout && in_place && !extra.saved) return;
  run_block<ForwardTask>(whole_tile(x, y, dropout, block.cols), extra, dropout, context, block);
}

void pointwise_backward_block(const ops::PointwiseGradient& gradient,
                              const ops::StepContext& context, ConstPlane dy, ConstPlane saved,
                              Plane dx, bool accumulate, const Block& block) {
  const BackwardExtra extra{gradient.act, saved.data, saved.ld, accumulate};
  const bool in_place = dy.data == dx.data && dy.ld == dx.ld;
  if (gradient.act.kind == ActivationKind::linear && !gradient.dropout && in_place && !accumulate)
    return;
  run_block<BackwardTask>(whole_tile(dy, dx, gradient.dropout, block.cols), extra, gradient.dropout,
                          context, block);
}

void register_activation(KernelTable& table) {
  table.pointwise_forward = {forward_units, forward_run, nullptr};
  table.pointwise_backward = {backward_units, backward_run, nullptr};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
