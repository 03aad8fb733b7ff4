// Element-wise activations with dropout. A thread an element, padding included: 4 bytes read and 4 to 8 written.

#include "cuda/families.h"
#include "cuda/pointwise.h"

namespace dnnfast::cuda {
namespace {

struct Forward {
  ops::PointwiseForward op;

  __device__ int64_t count(const ops::StepContext& context) const {
    return context.batch * op.y.rows_per_sample * op.y.padded_cols();
  }
  __device__ void operator()(int64_t i, const ops::StepContext& context) const {
    const int64_t width = op.y.padded_cols();
    const Place at{i / width, i % width, op.y.cols};
    op.y.row(at.row)[at.col] = pointwise_forward(op.act, op.dropout, context, at,
                                                 op.x.row(at.row)[at.col], op.saved, op.y.ld);
  }
};

struct Backward {
  ops::PointwiseBackward op;

  __device__ int64_t count(const ops::StepContext& context) const {
    return context.batch * op.dx.rows_per_sample * op.dx.padded_cols();
  }
  __device__ void operator()(int64_t i, const ops::StepContext& context) const {
    const int64_t width = op.dx.padded_cols();
    const Place at{i / width, i % width, op.dx.cols};
    const float d = pointwise_backward(op.gradient, context, at, op.dy.row(at.row)[at.col]);
    float& dx = op.dx.row(at.row)[at.col];
    dx = op.accumulate ? dx + d : d;
  }
};

}  // namespace

void enqueue(const ops::PointwiseForward& op, const Launcher& to) {
  for_elements(to, to.capacity * op.y.rows_per_sample * op.y.padded_cols(), Forward{op});
}
void enqueue(const ops::PointwiseBackward& op, const Launcher& to) {
  for_elements(to, to.capacity * op.dx.rows_per_sample * op.dx.padded_cols(), Backward{op});
}

}  // namespace dnnfast::cuda
