// Batch normalization. Work per unit: all rows of 16 columns, so that a column's sums belong to
// one unit. Memory: x is read three times (mean, variance, result), from the first cache level
// after the first time for batches of up to some hundred rows: 16 columns are one cache line a
// row.

#include "math/batchnorm.h"

#include "cpu/families.h"
#include "cpu/pointwise.h"
#include "cpu/simd.h"
#include "cpu/update.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::BatchNormBackward;
using ops::BatchNormForward;
using ops::BatchNormInference;
using ops::StepContext;

constexpr int64_t kWidth = kColumnPadding;
constexpr int kVectors = kWidth / kLanes;
// Independent sums over rows: they hide the latency of addition where a row is few vectors.
constexpr int kInterleaved = kLanes / 4;
constexpr int64_t kBlockRows = 64;  // rows of a block, and blocks of a group of blocks

// The 16 columns of a unit.
struct Columns {
  vf v[kVectors];
};

Columns load_columns(const float* p) {
  Columns out;
  for (int j = 0; j < kVectors; ++j) out.v[j] = load(p + j * kLanes);
  return out;
}
Columns load_columns_or(float fill, const float* p, int64_t first) {
  if (p) return load_columns(p + first);
  Columns out;
  for (int j = 0; j < kVectors; ++j) out.v[j] = math::splat<vf>(fill);
  return out;
}
void store_columns(float* p, const Columns& c) {
  for (int j = 0; j < kVectors; ++j) store(p + j * kLanes, c.v[j]);
}
void store_or_add(float* p, Columns c, bool add) {
  for (int j = 0; j < kVectors; ++j) {
    if (add) c.v[j] += load(p + j * kLanes);
    store(p + j * kLanes, c.v[j]);
  }
}
void add_columns(Columns& sum, const Columns& c) {
  for (int j = 0; j < kVectors; ++j) sum.v[j] += c.v[j];
}

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// N sums over rows [begin, end), interleaved.
template <int N, class AddTerm>
void sum_block(int64_t begin, int64_t end, Columns (&total)[N], AddTerm add_term) {
  Columns part[kInterleaved][N] = {};
  int64_t row = begin;
  for (; row + kInterleaved <= end; row += kInterleaved)
    for (int k = 0; k < kInterleaved; ++k) add_term(row + k, part[k]);
  for (; row < end; ++row) add_term(row, part[0]);
  for (int n = 0; n < N; ++n)
    for (int k = 0; k < kInterleaved; ++k) add_columns(total[n], part[k][n]);
}

// total[n] = N sums over all rows, in a tree of fixed shape (rows, blocks, groups of blocks) so
// that rounding errors stay small for any number of rows. add_term(row, sums) adds a row's terms;
// before_block(begin, end) is called before those of a block.
template <int N, class BeforeBlock, class AddTerm>
void sum_rows(int64_t rows, Columns (&total)[N], BeforeBlock before_block, AddTerm add_term) {
  for (int n = 0; n < N; ++n) total[n] = Columns{};
  for (int64_t group = 0; group < rows; group += kBlockRows * kBlockRows) {
    const int64_t group_end = smaller(rows, group + kBlockRows * kBlockRows);
    Columns sum[N] = {};
    for (int64_t begin = group; begin < group_end; begin += kBlockRows) {
      const int64_t end = smaller(group_end, begin + kBlockRows);
      before_block(begin, end);
      sum_block<N>(begin, end, sum, add_term);
    }
    for (int n = 0; n < N; ++n) add_columns(total[n], sum[n]);
  }
}

struct Moments {
  Columns mean;
  Columns variance;
};

// Two passes: the variance of (x - mean) does not cancel.
Moments moments_of(const BatchMatrix& x, int64_t rows, int64_t first) {
  const auto nothing = [](int64_t, int64_t) {};
  const float count = static_cast<float>(rows);
  Columns sum[1];
  sum_rows<1>(rows, sum, nothing, [&](int64_t r, Columns(&s)[1]) {
    for (int j = 0; j < kVectors; ++j) s[0].v[j] += load(x.row(r) + first + j * kLanes);
  });
  Moments m;
  for (int j = 0; j < kVectors; ++j) m.mean.v[j] = sum[0].v[j] / count;
  sum_rows<1>(rows, sum, nothing, [&](int64_t r, Columns(&s)[1]) {
    for (int j = 0; j < kVectors; ++j) {
      const vf d = load(x.row(r) + first + j * kLanes) - m.mean.v[j];
      s[0].v[j] += d * d;
    }
  });
  for (int j = 0; j < kVectors; ++j) m.variance.v[j] = sum[0].v[j] / count;
  return m;
}

// 1 / sqrt(variance + epsilon), zero in padding columns, which keeps them zero whatever epsilon is.
Columns reciprocal_deviation(const Columns& variance, float epsilon, int64_t first, int64_t cols) {
  Columns out;
  for (int j = 0; j < kVectors; ++j)
    out.v[j] =
        keep_columns(math::reciprocal_deviation(variance.v[j], epsilon), first + j * kLanes, cols);
  return out;
}

// y = chain((x - mean) * gamma * rstd + beta) for one unit. Op is either forward form.
template <class Op>
void normalize_columns(const Op& op, const StepContext& context, int64_t first, const Columns& mean,
                       const Columns& rstd) {
  const int64_t rows = context.batch * op.y.rows_per_sample;
  const Columns beta = load_columns_or(0.0f, op.beta, first);
  Columns scale = load_columns_or(1.0f, op.gamma, first);
  for (int j = 0; j < kVectors; ++j) scale.v[j] *= rstd.v[j];
  for (int64_t begin = 0; begin < rows; begin += kBlockRows) {
    const int64_t end = smaller(rows, begin + kBlockRows);
    for (int64_t r = begin; r < end; ++r) {
      Columns c = load_columns(op.x.row(r) + first);
      for (int j = 0; j < kVectors; ++j)
        c.v[j] = math::normalize(c.v[j], mean.v[j], scale.v[j], beta.v[j]);
      store_columns(op.y.row(r) + first, c);
    }
    pointwise_forward_block(op.act, op.dropout, context, {op.y.data, op.y.ld}, {op.y.data, op.y.ld},
                            op.saved, {begin, end, first, first + kWidth, op.y.cols});
  }
}

int64_t column_units(const BatchMatrix& m) { return m.padded_cols() / kWidth; }

int64_t forward_units(const BatchNormForward& op, const StepContext&) { return column_units(op.y); }

void forward_run(const BatchNormForward& op, const StepContext& context, UnitRange range, void*) {
  const int64_t rows = context.batch * op.x.rows_per_sample;
  for (int64_t first = range.begin * kWidth; first < range.end * kWidth; first += kWidth) {
    const Moments m = moments_of(op.x, rows, first);
    const Columns rstd = reciprocal_deviation(m.variance, op.epsilon, first, op.x.cols);
    store_columns(op.mean + first, m.mean);
    store_columns(op.variance + first, m.variance);
    store_columns(op.rstd + first, rstd);
    normalize_columns(op, context, first, m.mean, rstd);
  }
}

int64_t inference_units(const BatchNormInference& op, const StepContext&) {
  return column_units(op.y);
}

void inference_run(const BatchNormInference& op, const StepContext& context, UnitRange range,
                   void*) {
  for (int64_t first = range.begin * kWidth; first < range.end * kWidth; first += kWidth) {
    const Columns mean = load_columns(op.moving_mean + first);
    const Columns rstd = reciprocal_deviation(load_columns(op.moving_variance + first), op.epsilon,
                                              first, op.x.cols);
    if (op.rstd) store_columns(op.rstd + first, rstd);
    normalize_columns(op, context, first, mean, rstd);
  }
}

// The gradient of the scaled value: where it comes from and, if the chain is more than the
// identity, where it is put first. dx serves, unless there is none or it holds another term.
struct ScaledGradient {
  ConstPlane dn;
  Plane target;
  bool computed;
};

ScaledGradient scaled_gradient(const BatchNormBackward& op, int64_t first, void* scratch) {
  if (op.gradient.act.kind == ops::ActivationKind::linear && !op.gradient.dropout)
    return {{op.dy.data, op.dy.ld}, {}, false};
  Plane target{op.dx.data, op.dx.ld};
  // Planes are addressed from column 0; scratch holds this unit's columns only.
  if (!op.dx || op.accumulate) target = {static_cast<float*>(scratch) - first, kWidth};
  return {{target.data, target.ld}, target, true};
}

// sums[0] = sum dn, sums[1] = sum dn * xhat.
void gradient_sums(const BatchNormBackward& op, const StepContext& context, int64_t first,
                   const ScaledGradient& source, Columns (&sums)[2]) {
  const int64_t rows = context.batch * op.x.rows_per_sample;
  const Columns mean = load_columns(op.mean + first), rstd = load_columns(op.rstd + first);
  const auto compute = [&](int64_t begin, int64_t end) {
    if (!source.computed) return;
    pointwise_backward_block(op.gradient, context, {op.dy.data, op.dy.ld},
                             {op.gradient.saved, op.gradient.saved_ld}, source.target, false,
                             {begin, end, first, first + kWidth, op.dy.cols});
  };
  sum_rows<2>(rows, sums, compute, [&](int64_t r, Columns(&s)[2]) {
    for (int j = 0; j < kVectors; ++j) {
      const int64_t c = first + j * kLanes;
      const vf dn = load(source.dn.data + r * source.dn.ld + c);
      s[0].v[j] += dn;
      s[1].v[j] += dn * (load(op.x.row(r) + c) - mean.v[j]);
    }
  });
  for (int j = 0; j < kVectors; ++j) sums[1].v[j] *= rstd.v[j];
}

void input_gradient(const BatchNormBackward& op, int64_t rows, int64_t first, ConstPlane dn,
                    const Columns (&sums)[2]) {
  const Columns gamma = load_columns_or(1.0f, op.gamma, first);
  const Columns mean = load_columns(op.mean + first), rstd = load_columns(op.rstd + first);
  const float count = static_cast<float>(rows);
  math::NormalizationSlope<vf> slope[kVectors];
  for (int j = 0; j < kVectors; ++j) {
    slope[j] = {mean.v[j], gamma.v[j] * rstd.v[j], vf{}, vf{}};
    if (!op.training) continue;
    slope[j].mean_dn = sums[0].v[j] / count;
    slope[j].projected = slope[j].scale * rstd.v[j] * (sums[1].v[j] / count);
  }
  for (int64_t r = 0; r < rows; ++r) {
    const Columns x = load_columns(op.x.row(r) + first);
    Columns c = load_columns(dn.data + r * dn.ld + first);
    for (int j = 0; j < kVectors; ++j)
      c.v[j] = op.training ? math::normalize_gradient(x.v[j], c.v[j], slope[j])
                           : slope[j].scale * c.v[j];
    store_or_add(op.dx.row(r) + first, c, op.accumulate);
  }
}

int64_t backward_units(const BatchNormBackward& op, const StepContext&) {
  return column_units(op.x);
}

void update_moving(const ops::BatchNormUpdate& op, int64_t first) {
  for (int64_t c = first; c < first + kWidth; c += kLanes) {
    store(op.moving_mean + c,
          math::moving_average(load(op.moving_mean + c), load(op.mean + c), op.momentum));
    store(op.moving_variance + c,
          math::moving_average(load(op.moving_variance + c), load(op.variance + c), op.momentum));
  }
}

void backward_run(const BatchNormBackward& op, const StepContext& context, UnitRange range,
                  void* scratch) {
  const int64_t rows = context.batch * op.x.rows_per_sample;
  for (int64_t first = range.begin * kWidth; first < range.end * kWidth; first += kWidth) {
    const ScaledGradient source = scaled_gradient(op, first, scratch);
    Columns sums[2];
    gradient_sums(op, context, first, source, sums);
    if (op.dbeta) store_or_add(op.dbeta + first, sums[0], op.accumulate_parameters);
    if (op.dgamma) store_or_add(op.dgamma + first, sums[1], op.accumulate_parameters);
    if (op.dx) input_gradient(op, rows, first, source.dn, sums);
    if (op.update_beta)
      update_block(op.update_beta, context, {first, 1, kWidth, kWidth, op.dbeta + first});
    if (op.update_gamma)
      update_block(op.update_gamma, context, {first, 1, kWidth, kWidth, op.dgamma + first});
    if (op.moving.moving_mean) update_moving(op.moving, first);
  }
}

int64_t backward_scratch(const BatchNormBackward& op, int64_t batch_capacity) {
  return batch_capacity * op.x.rows_per_sample * kWidth * static_cast<int64_t>(sizeof(float));
}

int64_t update_units(const ops::BatchNormUpdate& op, const StepContext&) {
  return round_up(op.cols, kWidth) / kWidth;
}

void update_run(const ops::BatchNormUpdate& op, const StepContext&, UnitRange range, void*) {
  for (int64_t unit = range.begin; unit < range.end; ++unit) update_moving(op, unit * kWidth);
}

}  // namespace

void register_batchnorm(KernelTable& table) {
  table.batchnorm_forward = {forward_units, forward_run, nullptr};
  table.batchnorm_inference = {inference_units, inference_run, nullptr};
  table.batchnorm_backward = {backward_units, backward_run, backward_scratch};
  table.batchnorm_update = {update_units, update_run, nullptr};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
