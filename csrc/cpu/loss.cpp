// Losses and their gradients. Work per unit: four rows. Memory: a row of logits is read, and its
// gradient written, while both are in the first cache level; nothing else is stored. Sums over a
// row run in one fixed order, and a row belongs to one unit.

#include "math/loss.h"

#include "cpu/families.h"
#include "cpu/simd.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::Loss;
using ops::LossKind;
using ops::StepContext;

constexpr int64_t kUnitRows = 4;

// One row's operands. gradient may be null, and may be x.
struct Row {
  const float* x;
  float* gradient;
  int64_t cols;
  float coefficient;  // of the row's loss in the step's
};

vf load_or(float fill, const float* p, int64_t first, int64_t cols) {
  const vi inside =
      lane_index() < static_cast<int32_t>(cols - first < kLanes ? cols - first : kLanes);
  return inside ? load(p) : math::splat<vf>(fill);
}

// The two kinds of target of a categorical loss. weigh(c, v) is target * v in columns c, c + 1, ...

struct LabelTarget {
  static constexpr bool kOneHot = true;
  int32_t label;  // a column

  vf at(int64_t c) const { return weigh(c, math::splat<vf>(1.0f)); }
  // Selects, so that an infinite logit of another class does no harm.
  vf weigh(int64_t c, vf v) const {
    const vi here = lane_index() == static_cast<int32_t>(label - c);
    return here ? v : vf{};
  }
};

struct VectorTarget {
  static constexpr bool kOneHot = false;
  const float* t;
  int64_t cols;
  float smoothing;

  vf at(int64_t c) const {
    if (smoothing == 0.0f) return load(t + c);
    const float share = smoothing / static_cast<float>(cols);
    return keep_columns(math::smooth_label(load(t + c), smoothing, share), c, cols);
  }
  vf weigh(int64_t c, vf v) const { return at(c) * v; }
};

float row_maximum(const float* x, int64_t cols) {
  const float lowest = -__builtin_inff();
  vf largest = math::splat<vf>(lowest);
  for (int64_t c = 0; c < cols; c += kLanes) {
    const vf v = load_or(lowest, x + c, c, cols);
    largest = largest > v ? largest : v;
  }
  return max_lanes(largest);
}

// -sum t log softmax(x) = sum(t) log(sum e^(x - max)) - sum t (x - max); its gradient is
// softmax(x) sum(t) - t.
template <class Target>
float from_logits(const Row& row, const Target& target) {
  const float largest = row_maximum(row.x, row.cols);
  float weight = 1.0f, weighted = 0.0f;  // sum t, sum t (x - max)
  if constexpr (Target::kOneHot) weighted = row.x[target.label] - largest;
  vf sum = {}, weight_sum = {}, weighted_sum = {};
  for (int64_t c = 0; c < row.cols; c += kLanes) {
    const vf shifted = load(row.x + c) - largest;
    const vf e = keep_columns(math::exp(shifted), c, row.cols);
    sum += e;
    if constexpr (!Target::kOneHot) {
      weighted_sum += keep_columns(target.weigh(c, shifted), c, row.cols);
      weight_sum += target.at(c);
    }
    if (row.gradient) store(row.gradient + c, e);
  }
  const float total = sum_lanes(sum);
  if constexpr (!Target::kOneHot) {
    weight = sum_lanes(weight_sum);
    weighted = sum_lanes(weighted_sum);
  }
  if (row.gradient) {
    const float scale = row.coefficient * weight / total;
    for (int64_t c = 0; c < row.cols; c += kLanes)
      store(row.gradient + c, load(row.gradient + c) * scale - target.at(c) * row.coefficient);
  }
  return weight * math::log(total) - weighted;
}

// -sum t log clip(q) with q = p / sum(p). With s = -t / q where q is not clipped, else 0, the
// gradient is (s - sum(s q)) / sum(p).
template <class Target>
float from_probabilities(const Row& row, const Target& target) {
  vf sum = {};
  for (int64_t c = 0; c < row.cols; c += kLanes) sum += load_or(0.0f, row.x + c, c, row.cols);
  const float total = sum_lanes(sum);
  vf value = {}, projection = {};
  for (int64_t c = 0; c < row.cols; c += kLanes) {
    const vf q = load(row.x + c) / total;
    const vf t = target.at(c);
    value -= keep_columns(target.weigh(c, math::log(math::clip_probability(q))), c, row.cols);
    projection -= keep_columns(math::where_not_clipped(q, t), c, row.cols);
  }
  const float projected = sum_lanes(projection);
  if (row.gradient) {
    const float scale = row.coefficient / total;
    for (int64_t c = 0; c < row.cols; c += kLanes) {
      const vf q = load(row.x + c) / total;
      const vf slope = math::where_not_clipped(q, -target.at(c) / math::clip_probability(q));
      store(row.gradient + c, keep_columns((slope - projected) * scale, c, row.cols));
    }
  }
  return sum_lanes(value);
}

// The mean over columns of term(x, t).
template <class Term>
float mean_of_terms(const Row& row, const float* t, Term term) {
  const float scale = row.coefficient / static_cast<float>(row.cols);
  vf sum = {};
  for (int64_t c = 0; c < row.cols; c += kLanes) {
    const math::LossTerm<vf> result = term(load(row.x + c), load(t + c));
    sum += keep_columns(result.value, c, row.cols);
    if (row.gradient) store(row.gradient + c, keep_columns(result.slope * scale, c, row.cols));
  }
  return sum_lanes(sum) / static_cast<float>(row.cols);
}

// Zeroes the padding after the last vector that has a column.
void clear_padding(float* row, int64_t cols) {
  for (int64_t c = round_up(cols, kLanes); c < round_up(cols, kColumnPadding); c += kLanes)
    store(row + c, vf{});
}

// Calls loss_of(row, r) for every row of the range and stores what it returns.
template <class LossOf>
void for_rows(const Loss& op, const StepContext& context, UnitRange range, LossOf loss_of) {
  const int64_t per_sample = op.prediction.rows_per_sample;
  const int64_t rows = context.batch * per_sample;
  const int64_t end = range.end * kUnitRows < rows ? range.end * kUnitRows : rows;
  const double share = static_cast<double>(op.weight) *
                       static_cast<double>(context.scalars[0].loss_scale) /
                       static_cast<double>(rows);
  for (int64_t r = range.begin * kUnitRows; r < end; ++r) {
    const double w = op.sample_weight ? static_cast<double>(op.sample_weight[r / per_sample]) : 1.0;
    const Row row{op.prediction.row(r), op.gradient ? op.gradient.row(r) : nullptr,
                  op.prediction.cols, static_cast<float>(share * w)};
    op.row_loss[r] = loss_of(row, r);
    if (row.gradient) clear_padding(row.gradient, row.cols);
  }
}

// A label that is no class gives NaN: the step is then refused with a message, not applied.
void sparse_run(const Loss& op, const StepContext& context, UnitRange range) {
  for_rows(op, context, range, [&](const Row& row, int64_t r) {
    const int32_t label = op.labels[r];
    const bool valid = label >= 0 && label < row.cols;
    const LabelTarget target{valid ? label : 0};
    const float loss = op.from_logits ? from_logits(row, target) : from_probabilities(row, target);
    return valid ? loss : __builtin_nanf("");
  });
}

void categorical_run(const Loss& op, const StepContext& context, UnitRange range) {
  for_rows(op, context, range, [&](const Row& row, int64_t r) {
    const VectorTarget target{op.target.row(r), row.cols, op.label_smoothing};
    return op.from_logits ? from_logits(row, target) : from_probabilities(row, target);
  });
}

template <class Term>
void elementwise_run(const Loss& op, const StepContext& context, UnitRange range, Term term) {
  for_rows(op, context, range,
           [&](const Row& row, int64_t r) { return mean_of_terms(row, op.target.row(r), term); });
}

void binary_run(const Loss& op, const StepContext& context, UnitRange range) {
  const float smoothing = op.label_smoothing, share = 0.5f * smoothing;
  if (op.from_logits)
    elementwise_run(op, context, range, [=](vf x, vf t) {
      return math::binary_crossentropy_from_logits(x, math::smooth_label(t, smoothing, share));
    });
  else
    elementwise_run(op, context, range, [=](vf p, vf t) {
      return math::binary_crossentropy(p, math::smooth_label(t, smoothing, share));
    });
}

int64_t loss_units(const Loss& op, const StepContext& context) {
  return (context.batch * op.prediction.rows_per_sample + kUnitRows - 1) / kUnitRows;
}

void loss_run(const Loss& op, const StepContext& context, UnitRange range, void*) {
  switch (op.kind) {
    case LossKind::sparse_categorical_crossentropy: return sparse_run(op, context, range);
    case LossKind::categorical_crossentropy: return categorical_run(op, context, range);
    case LossKind::binary_crossentropy: return binary_run(op, context, range);
    case LossKind::mean_squared_error:
      return elementwise_run(op, context, range,
                             [](vf x, vf t) { return math::squared_error(x, t); });
    case LossKind::mean_absolute_error:
      return elementwise_run(op, context, range,
                             [](vf x, vf t) { return math::absolute_error(x, t); });
    case LossKind::values:
      return for_rows(op, context, range, [](const Row& row, int64_t) {
        return mean_of_terms(row, row.x,
                             [](vf x, vf) { return math::LossTerm<vf>{x, math::splat<vf>(1.0f)}; });
      });
    case LossKind::count: return;
  }
}

}  // namespace

void register_loss(KernelTable& table) { table.loss = {loss_units, loss_run, nullptr}; }

}  // namespace dnnfast::cpu::DNNFAST_ISA
