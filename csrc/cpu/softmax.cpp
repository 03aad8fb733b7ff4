// Row-wise activations: softmax, log-softmax and the gated linear unit. A unit of work is a row.

#include "ops/softmax.h"

#include "cpu/families.h"
#include "cpu/simd.h"
#include "math/elementary.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

// v in the logical columns, `other` in the padding.
vf in_columns(vf v, int64_t first, int64_t cols, float other) {
  const int64_t left = cols - first;
  if (left >= kLanes) return v;
  const vi inside = lane_index() < static_cast<int32_t>(left < 0 ? 0 : left);
  return inside ? v : vf{} + other;
}

// The first `count` (at most kLanes) floats at p, which may be the last ones of an array.
vf load_some(const float* p, int64_t count) {
  if (count >= kLanes) return load_unaligned(p);
  vf v{};
  for (int64_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
}

void store_some(float* p, vf v, int64_t count, bool accumulate) {
  if (count >= kLanes) {
    store_unaligned(p, accumulate ? load_unaligned(p) + v : v);
    return;
  }
  for (int64_t i = 0; i < count; ++i) p[i] = accumulate ? p[i] + v[i] : v[i];
}

// The padding lanes of the last vectors become zero whatever f gives there.
template <class F>
void write_row(float* out, int64_t cols, bool accumulate, F f) {
  for (int64_t c = 0; c < round_up(cols, kColumnPadding); c += kLanes) {
    const vf v = keep_columns(f(c), c, cols);
    store(out + c, accumulate ? load(out + c) + v : v);
  }
}

float row_max(const float* x, int64_t cols) {
  const float lowest = -__builtin_inff();
  vf m = vf{} + lowest;
  for (int64_t c = 0; c < cols; c += kLanes) {
    const vf v = in_columns(load(x + c), c, cols, lowest);
    m = v > m ? v : m;  // a NaN is dropped here and comes back through the exponentials
  }
  return max_lanes(m);
}

void softmax_row(const float* x, float* y, int64_t cols) {
  const float largest = row_max(x, cols);
  vf sums{};
  for (int64_t c = 0; c < cols; c += kLanes) {
    const vf e = keep_columns(math::exp(load(x + c) - largest), c, cols);
    sums += e;
    store(y + c, e);
  }
  const float scale = 1.0f / sum_lanes(sums);
  write_row(y, cols, false, [&](int64_t c) { return load(y + c) * scale; });
}

void log_softmax_row(const float* x, float* y, int64_t cols) {
  const float largest = row_max(x, cols);
  vf sums{};
  for (int64_t c = 0; c < cols; c += kLanes)
    sums += keep_columns(math::exp(load(x + c) - largest), c, cols);
  const float log_sum = math::log(sum_lanes(sums));
  write_row(y, cols, false, [&](int64_t c) { return (load(x + c) - largest) - log_sum; });
}

void glu_row(const float* x, float* y, int64_t cols) {
  write_row(y, cols, false, [&](int64_t c) {
    const int64_t left = cols - c;
    return load_some(x + c, left) * math::sigmoid(load_some(x + cols + c, left));
  });
}

void softmax_backward_row(const float* y, const float* dy, float* dx, int64_t cols,
                          bool accumulate) {
  vf dots{};
  for (int64_t c = 0; c < cols; c += kLanes) dots += load(y + c) * load(dy + c);
  const float dot = sum_lanes(dots);
  write_row(dx, cols, accumulate, [&](int64_t c) { return load(y + c) * (load(dy + c) - dot); });
}

void log_softmax_backward_row(const float* y, const float* dy, float* dx, int64_t cols,
                              bool accumulate) {
  vf sums{};
  for (int64_t c = 0; c < cols; c += kLanes) sums += load(dy + c);
  const float sum = sum_lanes(sums);
  write_row(dx, cols, accumulate,
            [&](int64_t c) { return load(dy + c) - math::exp(load(y + c)) * sum; });
}

// cols is that of dy. The two halves of dx meet inside a vector, so neither may write beyond
// itself.
void glu_backward_row(const float* x, const float* dy, float* dx, int64_t cols, bool accumulate) {
  for (int64_t c = 0; c < cols; c += kLanes) {
    const int64_t left = cols - c;
    const vf a = load_some(x + c, left);
    const vf gate = math::sigmoid(load_some(x + cols + c, left));
    const vf d = load(dy + c);
    store_some(dx + c, d * gate, left, accumulate);
    store_some(dx + cols + c, d * a * (gate * (1.0f - gate)), left, accumulate);
  }
  for (int64_t c = 2 * cols; c < round_up(2 * cols, kColumnPadding); ++c) dx[c] = 0.0f;
}

int64_t forward_units(const ops::RowwiseForward& op, const ops::StepContext& context) {
  return context.batch * op.y.rows_per_sample;
}

void forward_run(const ops::RowwiseForward& op, const ops::StepContext&, UnitRange range, void*) {
  for (int64_t r = range.begin; r < range.end; ++r) {
    const float* x = op.x.row(r);
    float* y = op.y.row(r);
    switch (op.kind) {
      case ops::RowwiseKind::softmax: softmax_row(x, y, op.y.cols); break;
      case ops::RowwiseKind::log_softmax: log_softmax_row(x, y, op.y.cols); break;
      case ops::RowwiseKind::glu: glu_row(x, y, op.y.cols); break;
    }
  }
}

int64_t backward_units(const ops::RowwiseBackward& op, const ops::StepContext& context) {
  return context.batch * op.dy.rows_per_sample;
}

void backward_run(const ops::RowwiseBackward& op, const ops::StepContext&, UnitRange range, void*) {
  for (int64_t r = range.begin; r < range.end; ++r) {
    const float* saved = op.saved.row(r);
    const float* dy = op.dy.row(r);
    float* dx = op.dx.row(r);
    switch (op.kind) {
      case ops::RowwiseKind::softmax:
        softmax_backward_row(saved, dy, dx, op.dy.cols, op.accumulate);
        break;
      case ops::RowwiseKind::log_softmax:
        log_softmax_backward_row(saved, dy, dx, op.dy.cols, op.accumulate);
        break;
      case ops::RowwiseKind::glu: glu_backward_row(saved, dy, dx, op.dy.cols, op.accumulate); break;
    }
  }
}

}  // namespace

void register_softmax(KernelTable& table) {
  table.rowwise_forward = {forward_units, forward_run, nullptr};
  table.rowwise_backward = {backward_units, backward_run, nullptr};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
