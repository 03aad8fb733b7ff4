// Batch normalization. A block 32 columns, eight threads each, which share the rows and add their sums in a fixed
// order. Memory: x is read three times, from cache after the first for batches of some hundred rows.

#include "math/batchnorm.h"

#include "cuda/families.h"
#include "cuda/pointwise.h"
#include "cuda/update.h"

namespace dnnfast::cuda {
namespace {

using ops::StepContext;

constexpr int kColumns = 32;
constexpr int kSharers = static_cast<int>(kThreads) / kColumns;

struct Shared {
  float part[2][kSharers][kColumns];
};

// Column sums of term(row) over all rows, for every thread of the column.
template <class Term>
__device__ void sum_rows(int64_t rows, Term term, float (&total)[2]) {
  Shared& s = shared_memory<Shared>();
  const int column = static_cast<int>(threadIdx.x) % kColumns;
  const int sharer = static_cast<int>(threadIdx.x) / kColumns;
  float sum[2] = {};
  for (int64_t r = sharer; r < rows; r += kSharers) term(r, sum);
  __syncthreads();  // the last sums have been read
  for (int n = 0; n < 2; ++n) s.part[n][sharer][column] = sum[n];
  __syncthreads();
  for (int n = 0; n < 2; ++n) {
    total[n] = 0.0f;
    for (int i = 0; i < kSharers; ++i) total[n] += s.part[n][i][column];
  }
}

__device__ int64_t my_column() {
  return static_cast<int64_t>(blockIdx.x) * kColumns + threadIdx.x % kColumns;
}
__device__ int64_t my_first_row() { return threadIdx.x / kColumns; }

__device__ float element_or(float other, const float* p, int64_t i) { return p ? p[i] : other; }

// y = chain((x - mean) * gamma * rstd + beta) for one column. Op is either forward form.
template <class Op>
__device__ void normalize_column(const Op& op, const StepContext& context, int64_t col, float mean,
                                 float rstd) {
  const int64_t rows = context.batch * op.x.rows_per_sample;
  const float scale = element_or(1.0f, op.gamma, col) * rstd;
  const float beta = element_or(0.0f, op.beta, col);
  for (int64_t r = my_first_row(); r < rows; r += kSharers) {
    const float n = math::normalize(op.x.row(r)[col], mean, scale, beta);
    op.y.row(r)[col] =
        pointwise_forward(op.act, op.dropout, context, {r, col, op.y.cols}, n, op.saved, op.y.ld);
  }
}

__global__ void __launch_bounds__(kThreads) forward(ops::BatchNormForward op, const Step* step) {
  if (step->stopped) return;
  const int64_t rows = step->context.batch * op.x.rows_per_sample, col = my_column();
  const bool here = col < op.x.padded_cols();
  const float count = static_cast<float>(rows);
  float total[2];
  sum_rows(
      rows, [&](int64_t r, float (&sum)[2]) { sum[0] += here ? op.x.row(r)[col] : 0.0f; }, total);
  const float mean = total[0] / count;
  sum_rows(
      rows,
      [&](int64_t r, float (&sum)[2]) {
        const float d = here ? op.x.row(r)[col] - mean : 0.0f;
        sum[0] += d * d;
      },
      total);
  if (!here) return;
  const float variance = total[0] / count;
  // Zero in padding columns, which keeps them zero whatever epsilon is.
  const float rstd = col < op.x.cols ? math::reciprocal_deviation(variance, op.epsilon) : 0.0f;
  if (my_first_row() == 0) {
    op.mean[col] = mean;
    op.variance[col] = variance;
    op.rstd[col] = rstd;
  }
  normalize_column(op, step->context, col, mean, rstd);
}

__global__ void __launch_bounds__(kThreads)
    inference(ops::BatchNormInference op, const Step* step) {
  if (step->stopped) return;
  const int64_t col = my_column();
  if (col >= op.x.padded_cols()) return;
  const float rstd =
      col < op.x.cols ? math::reciprocal_deviation(op.moving_variance[col], op.epsilon) : 0.0f;
  if (op.rstd && my_first_row() == 0) op.rstd[col] = rstd;
  normalize_column(op, step->context, col, op.moving_mean[col], rstd);
}

struct Backward {
  ops::BatchNormBackward op;
  Update update_gamma;
  Update update_beta;
};

__device__ void update_moving(const ops::BatchNormUpdate& op, int64_t col) {
  op.moving_mean[col] = math::moving_average(op.moving_mean[col], op.mean[col], op.momentum);
  op.moving_variance[col] =
      math::moving_average(op.moving_variance[col], op.variance[col], op.momentum);
}

// The gradients of gamma or beta: used up by an update, or stored.
__device__ void finish_gradient(const Update& update, const StepContext& context, int64_t col,
                                float g, float* stored, bool add) {
  if (update.present)
    update_element(update, context, col, g);
  else if (stored)
    stored[col] = add ? stored[col] + g : g;
}

__device__ void input_gradient(const ops::BatchNormBackward& op, const StepContext& context,
                               int64_t col, const float (&sums)[2]) {
  const int64_t rows = context.batch * op.x.rows_per_sample;
  const float count = static_cast<float>(rows), rstd = op.rstd[col];
  math::NormalizationSlope<float> slope{op.mean[col], element_or(1.0f, op.gamma, col) * rstd, 0.0f,
                                        0.0f};
  if (op.training) {
    slope.mean_dn = sums[0] / count;
    slope.projected = slope.scale * rstd * (sums[1] / count);
  }
  for (int64_t r = my_first_row(); r < rows; r += kSharers) {
    const float dn =
        pointwise_backward(op.gradient, context, {r, col, op.dy.cols}, op.dy.row(r)[col]);
    const float d =
        op.training ? math::normalize_gradient(op.x.row(r)[col], dn, slope) : slope.scale * dn;
    float& dx = op.dx.row(r)[col];
    dx = op.accumulate ? dx + d : d;
  }
}

__global__ void __launch_bounds__(kThreads) backward(Backward b, const Step* step) {
  if (step->stopped) return;
  const ops::BatchNormBackward& op = b.op;
  const StepContext& context = step->context;
  const int64_t rows = context.batch * op.x.rows_per_sample, col = my_column();
  const bool here = col < op.x.padded_cols();
  float sums[2];
  sum_rows(
      rows,
      [&](int64_t r, float (&sum)[2]) {
        if (!here) return;
        const float dn =
            pointwise_backward(op.gradient, context, {r, col, op.dy.cols}, op.dy.row(r)[col]);
        sum[0] += dn;
        sum[1] += dn * (op.x.row(r)[col] - op.mean[col]);
      },
      sums);
  if (here) sums[1] *= op.rstd[col];
  if (here && op.dx) input_gradient(op, context, col, sums);
  __syncthreads();  // gamma has been read
  if (!here || my_first_row() != 0) return;
  finish_gradient(b.update_beta, context, col, sums[0], op.dbeta, op.accumulate_parameters);
  finish_gradient(b.update_gamma, context, col, sums[1], op.dgamma, op.accumulate_parameters);
  if (op.moving.moving_mean) update_moving(op.moving, col);
}

struct Moving {
  ops::BatchNormUpdate op;
  __device__ int64_t count(const StepContext&) const { return round_up(op.cols, kColumnPadding); }
  __device__ void operator()(int64_t col, const StepContext&) const { update_moving(op, col); }
};

int64_t column_blocks(const BatchMatrix& m) { return (m.padded_cols() + kColumns - 1) / kColumns; }

}  // namespace

void enqueue(const ops::BatchNormForward& op, const Launcher& to) {
  to(forward, column_blocks(op.x), kThreads, sizeof(Shared), op, to.step);
}
void enqueue(const ops::BatchNormInference& op, const Launcher& to) {
  to(inference, column_blocks(op.x), kThreads, 0, op, to.step);
}
void enqueue(const ops::BatchNormBackward& op, const Launcher& to) {
  to(backward, column_blocks(op.x), kThreads, sizeof(Shared),
     Backward{op, update_of(op.update_gamma), update_of(op.update_beta)}, to.step);
}
void enqueue(const ops::BatchNormUpdate& op, const Launcher& to) {
  for_elements(to, round_up(op.cols, kColumnPadding), Moving{op});
}

}  // namespace dnnfast::cuda
