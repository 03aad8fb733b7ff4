// Batches from the caller's arrays, which lie on the device, and back. A thread an element.

#include "cuda/families.h"
#include "math/convert.h"

namespace dnnfast::cuda {
namespace {

using ops::DType;
using ops::Source;
using ops::StepContext;

__device__ const char* sample_address(const Source& source, const StepContext& context, int64_t s) {
  const int64_t position = context.first_row + s;
  const int64_t row = context.order ? context.order[position] : position;
  return static_cast<const char*>(source.data) + row * source.row_stride;
}

// f of the element at p, read as its type.
template <class F>
__device__ auto with_element(DType dtype, const char* p, F f) {
  switch (dtype) {
    case DType::f32: return f(math::read<float>(p));
    case DType::f64: return f(math::read<double>(p));
    case DType::f16: return f(math::read<math::Half>(p));
    case DType::u8:
    case DType::boolean: return f(math::read<uint8_t>(p));
    case DType::i8: return f(math::read<int8_t>(p));
    case DType::u16: return f(math::read<uint16_t>(p));
    case DType::i16: return f(math::read<int16_t>(p));
    case DType::u32: return f(math::read<uint32_t>(p));
    case DType::i32: return f(math::read<int32_t>(p));
    case DType::u64: return f(math::read<uint64_t>(p));
    case DType::i64: break;
  }
  return f(math::read<int64_t>(p));
}

__device__ float read_float(DType dtype, const char* p) {
  return with_element(dtype, p, [](auto value) { return math::to_float(value); });
}

struct GatherRows {
  ops::GatherRows op;

  __device__ int64_t count(const StepContext& context) const {
    return context.batch * op.out.rows_per_sample * op.out.padded_cols();
  }
  __device__ void operator()(int64_t i, const StepContext& context) const {
    const int64_t width = op.out.padded_cols();
    const int64_t row = i / width, col = i % width;
    float value = 0.0f;
    if (col < op.out.cols) {
      const Source& source = context.sources[op.source];
      const int64_t sample = row / op.out.rows_per_sample;
      const int64_t element = row % op.out.rows_per_sample * op.out.cols + col;
      value = read_float(source.dtype,
                         sample_address(source, context, sample) + element * source.column_stride);
    }
    op.out.row(row)[col] = value;
  }
};

struct GatherLabels {
  ops::GatherLabels op;
  __device__ int64_t count(const StepContext& context) const { return context.batch; }
  __device__ void operator()(int64_t s, const StepContext& context) const {
    const Source& source = context.sources[op.source];
    op.out[s] = with_element(source.dtype, sample_address(source, context, s),
                             [](auto value) { return math::to_label(value); });
  }
};

struct GatherWeights {
  ops::GatherWeights op;
  __device__ int64_t count(const StepContext& context) const { return context.batch; }
  __device__ void operator()(int64_t s, const StepContext& context) const {
    const Source& source = context.sources[op.source];
    op.out[s] = read_float(source.dtype, sample_address(source, context, s));
  }
};

struct ScatterRows {
  ops::ScatterRows op;
  __device__ int64_t count(const StepContext& context) const {
    return context.batch * op.y.rows_per_sample * op.y.cols;
  }
  __device__ void operator()(int64_t i, const StepContext& context) const {
    const int64_t first = context.first_row * op.y.rows_per_sample * op.y.cols;
    context.outputs[op.output][first + i] = op.y.row(i / op.y.cols)[i % op.y.cols];
  }
};

}  // namespace

void enqueue(const ops::GatherRows& op, const Launcher& to) {
  for_elements(to, to.capacity * op.out.rows_per_sample * op.out.padded_cols(), GatherRows{op});
}
void enqueue(const ops::GatherLabels& op, const Launcher& to) {
  for_elements(to, to.capacity, GatherLabels{op});
}
void enqueue(const ops::GatherWeights& op, const Launcher& to) {
  for_elements(to, to.capacity, GatherWeights{op});
}
void enqueue(const ops::ScatterRows& op, const Launcher& to) {
  for_elements(to, to.capacity * op.y.rows_per_sample * op.y.cols, ScatterRows{op});
}

}  // namespace dnnfast::cuda
