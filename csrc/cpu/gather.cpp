// Batches from the caller's arrays and back. Work per unit: one sample (labels and weights: 256).
// Memory: each element of the source is read once, where it lies; rows of a shuffled data set are
// fetched ahead, because no hardware prefetcher can guess the permutation.

#include "cpu/families.h"
#include "cpu/simd.h"
#include "math/convert.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using math::Half;
using math::read;
using math::to_float;
using math::to_label;
using ops::DType;
using ops::Source;
using ops::StepContext;

constexpr int64_t kUnitScalars = 256;
constexpr int64_t kCacheLine = 64;
constexpr int64_t kPrefetchBytes = 4096;  // of a sample; the hardware continues from there
constexpr int64_t kAheadBytes = 3072;     // on the way from memory at any time

// Calls f with a value of the element's type.
template <class F>
void with_type(DType dtype, F f) {
  switch (dtype) {
    case DType::f32: return f(float{});
    case DType::f64: return f(double{});
    case DType::f16: return f(Half{});
    case DType::u8: return f(uint8_t{});
    case DType::i8: return f(int8_t{});
    case DType::u16: return f(uint16_t{});
    case DType::i16: return f(int16_t{});
    case DType::u32: return f(uint32_t{});
    case DType::i32: return f(int32_t{});
    case DType::u64: return f(uint64_t{});
    case DType::i64: return f(int64_t{});
    case DType::boolean: return f(uint8_t{});
  }
}

const char* sample_address(const Source& source, const StepContext& context, int64_t s) {
  const int64_t position = context.first_row + s;
  const int64_t row = context.order ? context.order[position] : position;
  return static_cast<const char*>(source.data) + row * source.row_stride;
}

void prefetch(const char* p, int64_t bytes) {
  const int64_t end = bytes < kPrefetchBytes ? bytes : kPrefetchBytes;
  for (int64_t i = 0; i < end; i += kCacheLine) __builtin_prefetch(p + i);
}

// count elements, `stride` bytes apart.
template <class T>
void convert_span(const char* p, int64_t stride, int64_t count, float* out) {
  constexpr int64_t size = sizeof(T);
  if (stride != size) {
    for (int64_t i = 0; i < count; ++i) out[i] = to_float(read<T>(p + i * stride));
    return;
  }
  for (int64_t i = 0; i < count; ++i) out[i] = to_float(read<T>(p + i * size));
}
template <>
void convert_span<float>(const char* p, int64_t stride, int64_t count, float* out) {
  if (stride != static_cast<int64_t>(sizeof(float))) {
    for (int64_t i = 0; i < count; ++i) out[i] = read<float>(p + i * stride);
    return;
  }
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    store(out + i, read<vf>(p + i * static_cast<int64_t>(sizeof(float))));
  for (; i < count; ++i) out[i] = read<float>(p + i * static_cast<int64_t>(sizeof(float)));
}

template <class T>
void gather_samples(const ops::GatherRows& op, const StepContext& context, UnitRange range) {
  const Source& source = context.sources[op.source];
  const BatchMatrix& out = op.out;
  const int64_t stride = source.column_stride;
  const int64_t bytes = out.rows_per_sample * out.cols * static_cast<int64_t>(sizeof(T));
  const bool fetches = context.order && stride == static_cast<int64_t>(sizeof(T));
  const int64_t ahead = bytes < kAheadBytes ? kAheadBytes / bytes : 1;
  int64_t fetched = range.begin;
  for (int64_t s = range.begin; s < range.end; ++s) {
    for (; fetches && fetched < range.end && fetched <= s + ahead; ++fetched)
      prefetch(sample_address(source, context, fetched), bytes);
    const char* p = sample_address(source, context, s);
    for (int64_t i = 0; i < out.rows_per_sample; ++i, p += out.cols * stride) {
      float* row = out.row(s * out.rows_per_sample + i);
      convert_span<T>(p, stride, out.cols, row);
      for (int64_t c = out.cols; c < out.padded_cols(); ++c) row[c] = 0.0f;
    }
  }
}

int64_t gather_units(const ops::GatherRows&, const StepContext& context) { return context.batch; }

void gather_run(const ops::GatherRows& op, const StepContext& context, UnitRange range, void*) {
  with_type(context.sources[op.source].dtype,
            [&](auto type) { gather_samples<decltype(type)>(op, context, range); });
}

// One element of each sample of the range's units, through `convert`.
template <class T, class Out, class Convert>
void gather_scalars(const Source& source, const StepContext& context, UnitRange range, Out* out,
                    Convert convert) {
  const int64_t limit = range.end * kUnitScalars;
  const int64_t end = limit < context.batch ? limit : context.batch;
  for (int64_t s = range.begin * kUnitScalars; s < end; ++s)
    out[s] = convert(read<T>(sample_address(source, context, s)));
}

template <class Op>
int64_t scalar_units(const Op&, const StepContext& context) {
  return (context.batch + kUnitScalars - 1) / kUnitScalars;
}

void labels_run(const ops::GatherLabels& op, const StepContext& context, UnitRange range, void*) {
  const Source& source = context.sources[op.source];
  with_type(source.dtype, [&](auto type) {
    using T = decltype(type);
    gather_scalars<T>(source, context, range, op.out, [](T value) { return to_label(value); });
  });
}

void weights_run(const ops::GatherWeights& op, const StepContext& context, UnitRange range, void*) {
  const Source& source = context.sources[op.source];
  with_type(source.dtype, [&](auto type) {
    using T = decltype(type);
    gather_scalars<T>(source, context, range, op.out, [](T value) { return to_float(value); });
  });
}

int64_t scatter_units(const ops::ScatterRows&, const StepContext& context) { return context.batch; }

void scatter_run(const ops::ScatterRows& op, const StepContext& context, UnitRange range, void*) {
  const BatchMatrix& y = op.y;
  const int64_t end = range.end * y.rows_per_sample;
  float* out = context.outputs[op.output] + context.first_row * y.rows_per_sample * y.cols;
  for (int64_t r = range.begin * y.rows_per_sample; r < end; ++r)
    __builtin_memcpy(out + r * y.cols, y.row(r), static_cast<size_t>(y.cols) * sizeof(float));
}

}  // namespace

void register_gather(KernelTable& table) {
  table.gather_rows = {gather_units, gather_run, nullptr};
  table.gather_labels = {scalar_units, labels_run, nullptr};
  table.gather_weights = {scalar_units, weights_run, nullptr};
  table.scatter_rows = {scatter_units, scatter_run, nullptr};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
