// Dense layers: forward, weight gradient, input gradient. All are the product of product.h; what is fused goes
// into `finish`, where each thread has its results in registers.

#include "cuda/families.h"
#include "cuda/pointwise.h"
#include "cuda/product.h"
#include "cuda/update.h"

namespace dnnfast::cuda {
namespace {

using ops::StepContext;

struct Forward {
  ops::DenseForward op;

  __device__ int64_t rows(const StepContext& c) const { return c.batch * op.x.rows_per_sample; }
  __device__ int64_t cols(const StepContext&) const { return op.w.padded_out(); }
  __device__ int64_t depth(const StepContext&) const { return op.w.in; }
  __device__ float a(int64_t i, int64_t k, const StepContext&) const { return op.x.row(i)[k]; }
  __device__ float b(int64_t k, int64_t j, const StepContext&) const { return op.w.at(k, j); }
  __device__ void finish(int64_t i, int64_t j, float sum, const StepContext& context) const {
    const float z = op.b ? op.b[j] + sum : sum;
    op.y.row(i)[j] =
        pointwise_forward(op.act, op.dropout, context, {i, j, op.y.cols}, z, op.saved, op.y.ld);
  }
};

// dw = x^T dz: the batch is the depth.
struct WeightGradient {
  ops::DenseBackwardWeight op;
  Update update;

  __device__ int64_t rows(const StepContext&) const { return op.dw.in; }
  __device__ int64_t cols(const StepContext&) const { return op.dw.padded_out(); }
  __device__ int64_t depth(const StepContext& c) const { return c.batch * op.x.rows_per_sample; }
  __device__ float a(int64_t i, int64_t k, const StepContext&) const { return op.x.row(k)[i]; }
  __device__ float b(int64_t k, int64_t j, const StepContext&) const { return op.dz.row(k)[j]; }
  __device__ void finish(int64_t i, int64_t j, float sum, const StepContext& context) const {
    float& dw = op.dw.at(i, j);
    if (update.present)
      update_element(update, context, &dw - op.dw.data, sum);
    else
      dw = op.accumulate ? dw + sum : sum;
  }
};

// db: a thread a column, rows in order.
struct BiasGradient {
  ops::DenseBackwardWeight op;
  Update update;

  __device__ int64_t count(const StepContext&) const { return op.dz.padded_cols(); }
  __device__ void operator()(int64_t col, const StepContext& context) const {
    const int64_t rows = context.batch * op.x.rows_per_sample;
    float sum = op.accumulate_bias ? op.db[col] : 0.0f;
    for (int64_t r = 0; r < rows; ++r) sum += op.dz.row(r)[col];
    if (update.present)
      update_element(update, context, col, sum);
    else
      op.db[col] = sum;
  }
};

struct InputGradient {
  ops::DenseBackwardInput op;

  __device__ int64_t rows(const StepContext& c) const { return c.batch * op.dz.rows_per_sample; }
  __device__ int64_t cols(const StepContext&) const { return op.dx.padded_cols(); }
  __device__ int64_t depth(const StepContext&) const { return op.w.out; }
  __device__ float a(int64_t i, int64_t k, const StepContext&) const { return op.dz.row(i)[k]; }
  __device__ float b(int64_t k, int64_t j, const StepContext&) const {
    return j < op.w.in ? op.w.at(j, k) : 0.0f;
  }
  __device__ void finish(int64_t i, int64_t j, float sum, const StepContext& context) const {
    const float d = pointwise_backward(op.gradient, context, {i, j, op.dx.cols}, sum);
    float& dx = op.dx.row(i)[j];
    dx = op.accumulate ? dx + d : d;
  }
};

}  // namespace

void enqueue(const ops::DenseForward& op, const Launcher& to) {
  multiply(to, to.capacity * op.x.rows_per_sample, op.w.padded_out(), Forward{op});
}
void enqueue(const ops::DenseBackwardWeight& op, const Launcher& to) {
  if (op.dw.data)
    multiply(to, op.dw.in, op.dw.padded_out(), WeightGradient{op, update_of(op.update_w)});
  if (op.db) for_elements(to, op.dz.padded_cols(), BiasGradient{op, update_of(op.update_b)});
}
void enqueue(const ops::DenseBackwardInput& op, const Launcher& to) {
  multiply(to, to.capacity * op.dz.rows_per_sample, op.dx.padded_cols(), InputGradient{op});
}

}  // namespace dnnfast::cuda
