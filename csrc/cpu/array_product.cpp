// Products of arrays with any strides. Work per unit: one row of y in blocks of columns, summed over k in order. The
// weights of layers take the dense kernels instead (csrc/cpu/dense_forward.cpp).

#include "cpu/families.h"
#include "cpu/simd.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::ArrayProduct;
using ops::extent_of;
using ops::StepContext;

constexpr int64_t kColumns = 128;

struct Sizes {
  int64_t batches, rows, inner, cols;
};

Sizes sizes_of(const ArrayProduct& op, const StepContext& context) {
  return {ops::positions(op.space, context.batch), extent_of(op.rows, context.batch),
          extent_of(op.inner, context.batch), extent_of(op.cols, context.batch)};
}

int64_t product_units(const ArrayProduct& op, const StepContext& context) {
  const Sizes s = sizes_of(op, context);
  return s.batches * s.rows;
}

// sum[j] += a * w[j stride].
void add_row(float a, const float* w, int64_t stride, int64_t count, float* sum) {
  int64_t j = 0;
  if (stride == 1)
    for (; j + kLanes <= count; j += kLanes)
      store(sum + j, load(sum + j) + a * load_unaligned(w + j));
  for (; j < count; ++j) sum[j] += a * w[j * stride];
}

void product_run(const ArrayProduct& op, const StepContext& context, UnitRange range, void*) {
  const Sizes s = sizes_of(op, context);
  const int n = op.space.axes;
  alignas(64) float sum[kColumns];
  for (int64_t unit = range.begin; unit < range.end; ++unit) {
    const int64_t row = unit % s.rows;
    const float* a = op.a.data + row * op.a.stride[n];
    const float* w = op.w.data;
    float* y = op.y.data + row * op.y.stride[n];
    int64_t rest = unit / s.rows;
    for (int axis = n; axis-- > 0;) {
      const int64_t extent = extent_of(op.space.size[axis], context.batch);
      const int64_t at = rest % extent;
      rest /= extent;
      a += at * op.a.stride[axis];
      w += at * op.w.stride[axis];
      y += at * op.y.stride[axis];
    }
    const int64_t y_step = op.y.stride[n + 1];
    for (int64_t begin = 0; begin < s.cols; begin += kColumns) {
      const int64_t count = s.cols - begin < kColumns ? s.cols - begin : kColumns;
      for (int64_t j = 0; j < count; ++j) sum[j] = 0.0f;
      for (int64_t k = 0; k < s.inner; ++k)
        add_row(a[k * op.a.stride[n + 1]], w + k * op.w.stride[n] + begin * op.w.stride[n + 1],
                op.w.stride[n + 1], count, sum);
      float* to = y + begin * y_step;
      if (op.accumulate) {
        for (int64_t j = 0; j < count; ++j) to[j * y_step] += sum[j];
      } else {
        for (int64_t j = 0; j < count; ++j) to[j * y_step] = sum[j];
      }
    }
    for (int64_t c = 0; c < op.padding; ++c) y[s.cols + c] = 0.0f;
  }
}

}  // namespace

void register_array_product(KernelTable& table) {
  table.array_product = {product_units, product_run, nullptr};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
