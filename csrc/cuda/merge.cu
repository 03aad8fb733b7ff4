// Joining and reshaping. A thread an element.

#include "cuda/families.h"

namespace dnnfast::cuda {
namespace {

using ops::StepContext;

struct Add {
  ops::AddForward op;
  __device__ int64_t count(const StepContext& context) const {
    return context.batch * op.y.rows_per_sample * op.y.padded_cols();
  }
  __device__ void operator()(int64_t i, const StepContext&) const {
    const int64_t row = i / op.y.padded_cols(), col = i % op.y.padded_cols();
    float sum = op.x[0].row(row)[col];
    for (int k = 1; k < op.count; ++k) sum += op.x[k].row(row)[col];
    op.y.row(row)[col] = sum;
  }
};

struct Copy {
  ops::CopyColumns op;
  int64_t width;  // columns to write: with the padding, where they reach the end
  __device__ int64_t count(const StepContext& context) const {
    return context.batch * op.y.rows_per_sample * width;
  }
  __device__ void operator()(int64_t i, const StepContext&) const {
    const int64_t row = i / width, col = i % width;
    float& y = op.y.row(row)[op.y_column + col];
    if (col >= op.columns) {
      y = 0.0f;
      return;
    }
    const float x = op.x.row(row)[op.x_column + col];
    y = op.accumulate ? y + x : x;
  }
};

struct Reshape {
  ops::Reshape op;
  __device__ int64_t count(const StepContext& context) const {
    return context.batch * op.y.rows_per_sample * op.y.padded_cols();
  }
  __device__ void operator()(int64_t i, const StepContext&) const {
    const int64_t row = i / op.y.padded_cols(), col = i % op.y.padded_cols();
    float& y = op.y.row(row)[col];
    if (col >= op.y.cols) {
      y = 0.0f;
      return;
    }
    const int64_t element = row % op.y.rows_per_sample * op.y.cols + col;
    const int64_t x_row = row / op.y.rows_per_sample * op.x.rows_per_sample + element / op.x.cols;
    const float x = op.x.row(x_row)[element % op.x.cols];
    y = op.accumulate ? y + x : x;
  }
};

}  // namespace

void enqueue(const ops::AddForward& op, const Launcher& to) {
  for_elements(to, to.capacity * op.y.rows_per_sample * op.y.padded_cols(), Add{op});
}
void enqueue(const ops::CopyColumns& op, const Launcher& to) {
  const bool reaches_end = op.y_column + op.columns == op.y.cols;
  const int64_t width = reaches_end ? op.y.padded_cols() - op.y_column : op.columns;
  for_elements(to, to.capacity * op.y.rows_per_sample * width, Copy{op, width});
}
void enqueue(const ops::Reshape& op, const Launcher& to) {
  for_elements(to, to.capacity * op.y.rows_per_sample * op.y.padded_cols(), Reshape{op});
}

}  // namespace dnnfast::cuda
