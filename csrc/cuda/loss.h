#pragma once
// Losses and their gradients. A warp a row; lane l has columns l, l + 32, ...

#include "math/loss.h"

#include "cuda/gather.h"
#include "ops/loss.h"

namespace dnnfast::cuda {

using ops::LossKind;

// Class labels: gathered, or read from the data set.
struct Labels {
  const int32_t* gathered = nullptr;
  int source = -1;

  __device__ int32_t at(int64_t s, const ops::StepContext& context) const {
    return source < 0 ? gathered[s] : read_label(context.sources[source], context, s);
  }
};

// One row's operands. gradient may be null, and may be x.
struct LossRow {
  const float* x;
  float* gradient;
  int64_t cols;
  float coefficient;  // of the row's loss in the step's
  int lane;
};

// The two kinds of target of a categorical loss.
struct LabelTarget {
  int64_t label;
  __device__ float at(int64_t c) const { return c == label ? 1.0f : 0.0f; }
  // A choice, so that an infinite logit of another class does no harm.
  __device__ float weigh(int64_t c, float v) const { return c == label ? v : 0.0f; }
};
struct VectorTarget {
  const float* t;
  float smoothing;
  float share;
  __device__ float at(int64_t c) const {
    return smoothing == 0.0f ? t[c] : math::smooth_label(t[c], smoothing, share);
  }
  __device__ float weigh(int64_t c, float v) const { return at(c) * v; }
};

template <class F>
__device__ float sum_columns(const LossRow& row, F term) {
  float sum = 0.0f;
  for (int64_t c = row.lane; c < row.cols; c += 32) sum += term(c);
  return warp_sum(sum);
}

// gradient[c] = value(c), zero in the padding. Every lane reads only what it writes, so x may be the gradient.
template <class F>
__device__ void write_gradient(const LossRow& row, F value) {
  if (!row.gradient) return;
  for (int64_t c = row.lane; c < round_up(row.cols, kColumnPadding); c += 32)
    row.gradient[c] = c < row.cols ? value(c) : 0.0f;
}

// -sum t log softmax(x); its gradient is softmax(x) sum(t) - t.
template <class Target>
__device__ float from_logits(const LossRow& row, const Target& target) {
  float largest = -INFINITY;
  for (int64_t c = row.lane; c < row.cols; c += 32)
    largest = row.x[c] > largest ? row.x[c] : largest;
  largest = warp_max(largest);
  const float total = sum_columns(row, [&](int64_t c) { return math::exp(row.x[c] - largest); });
  const float weight = sum_columns(row, [&](int64_t c) { return target.at(c); });
  const float weighted =
      sum_columns(row, [&](int64_t c) { return target.weigh(c, row.x[c] - largest); });
  const float scale = row.coefficient * weight / total;
  write_gradient(row, [&](int64_t c) {
    return math::exp(row.x[c] - largest) * scale - target.at(c) * row.coefficient;
  });
  return weight * math::log(total) - weighted;
}

// -sum t log clip(q) with q = p / sum(p). With s = -t / q where q is not clipped, else 0, the gradient is
// (s - sum(s q)) / sum(p).
template <class Target>
__device__ float from_probabilities(const LossRow& row, const Target& target) {
  const float total = sum_columns(row, [&](int64_t c) { return row.x[c]; });
  const float value = sum_columns(row, [&](int64_t c) {
    return -target.weigh(c, math::log(math::clip_probability(row.x[c] / total)));
  });
  const float projected = sum_columns(
      row, [&](int64_t c) { return -math::where_not_clipped(row.x[c] / total, target.at(c)); });
  const float scale = row.coefficient / total;
  write_gradient(row, [&](int64_t c) {
    const float q = row.x[c] / total;
    const float slope = math::where_not_clipped(q, -target.at(c) / math::clip_probability(q));
    return (slope - projected) * scale;
  });
  return value;
}

// The mean over columns of term(x, t).
template <class Term>
__device__ float mean_of_terms(const LossRow& row, const float* t, Term term) {
  const float scale = row.coefficient / static_cast<float>(row.cols);
  const float sum = sum_columns(row, [&](int64_t c) { return term(row.x[c], t[c]).value; });
  write_gradient(row, [&](int64_t c) { return term(row.x[c], t[c]).slope * scale; });
  return sum / static_cast<float>(row.cols);
}

struct Loss {
  ops::Loss op;
  Labels labels;

  constexpr Extent extent() const {
    return {0, op.prediction.rows_per_sample, op.prediction.padded_cols()};
  }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    for_rows(piece, [&](int64_t row, int lane) { run(row, lane, block.context); });
  }
  __device__ void run(int64_t r, int lane, const ops::StepContext& context) const {
    const int64_t per_sample = op.prediction.rows_per_sample;
    const double w = op.sample_weight ? static_cast<double>(op.sample_weight[r / per_sample]) : 1.0;
    const double share = static_cast<double>(op.weight) *
                         static_cast<double>(context.scalars[0].loss_scale) /
                         static_cast<double>(context.batch * per_sample);
    const LossRow row{op.prediction.row(r), op.gradient.data ? op.gradient.row(r) : nullptr,
                      op.prediction.cols, static_cast<float>(share * w), lane};
    const float loss = loss_of(row, r, context);
    if (lane == 0) op.row_loss[r] = loss;
  }

  __device__ float loss_of(const LossRow& row, int64_t r, const ops::StepContext& context) const {
    switch (op.kind) {
      case LossKind::sparse_categorical_crossentropy: return sparse(row, labels.at(r, context));
      case LossKind::categorical_crossentropy: {
        const VectorTarget target{op.target.row(r), op.label_smoothing,
                                  op.label_smoothing / static_cast<float>(row.cols)};
        return op.from_logits ? from_logits(row, target) : from_probabilities(row, target);
      }
      case LossKind::binary_crossentropy: return binary(row, op.target.row(r));
      case LossKind::mean_squared_error:
        return mean_of_terms(row, op.target.row(r),
                             [](float x, float t) { return math::squared_error(x, t); });
      case LossKind::mean_absolute_error:
        return mean_of_terms(row, op.target.row(r),
                             [](float x, float t) { return math::absolute_error(x, t); });
      case LossKind::values:
        return mean_of_terms(row, row.x,
                             [](float x, float) { return math::LossTerm<float>{x, 1.0f}; });
      case LossKind::count: break;
    }
    return 0.0f;
  }

  // A label that is no class gives NaN: the step is then refused, not applied.
  __device__ float sparse(const LossRow& row, int32_t label) const {
    const bool valid = label >= 0 && label < row.cols;
    const LabelTarget target{valid ? label : 0};
    const float loss = op.from_logits ? from_logits(row, target) : from_probabilities(row, target);
    return valid ? loss : NAN;
  }

  __device__ float binary(const LossRow& row, const float* t) const {
    const float smoothing = op.label_smoothing, share = 0.5f * smoothing;
    if (op.from_logits)
      return mean_of_terms(row, t, [=](float x, float target) {
        return math::binary_crossentropy_from_logits(x,
                                                     math::smooth_label(target, smoothing, share));
      });
    return mean_of_terms(row, t, [=](float p, float target) {
      return math::binary_crossentropy(p, math::smooth_label(target, smoothing, share));
    });
  }
};

}  // namespace dnnfast::cuda
