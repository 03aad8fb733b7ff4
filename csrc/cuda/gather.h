#pragma once
// Batches from the caller's arrays, which lie on the device, and back.

#include "cuda/block.h"
#include "math/convert.h"
#include "ops/gather.h"

namespace dnnfast::cuda {

using ops::DType;

__device__ inline const char* sample_address(const ops::Source& source,
                                             const ops::StepContext& context, int64_t s) {
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

__device__ __noinline__ inline float read_float(DType dtype, const char* p) {
  return with_element(dtype, p, [](auto value) { return math::to_float(value); });
}

__device__ inline int32_t read_label(const ops::Source& source, const ops::StepContext& context,
                                     int64_t s) {
  return with_element(source.dtype, sample_address(source, context, s),
                      [](auto value) { return math::to_label(value); });
}

// Elements `first` to first + 3 of a sample, zero beyond its end.
__device__ __noinline__ inline float4 read_four(const ops::Source& source,
                                                const ops::StepContext& context, int64_t sample,
                                                int64_t first) {
  const char* p = sample_address(source, context, sample) + first * source.column_stride;
  if (first + 4 <= source.columns) {
    const auto address = reinterpret_cast<uintptr_t>(p);
    if (source.dtype == DType::f32 && source.column_stride == 4 && address % 16 == 0)
      return *reinterpret_cast<const float4*>(p);
    if (source.dtype == DType::u8 && source.column_stride == 1 && address % 4 == 0) {
      const uint32_t bytes = *reinterpret_cast<const uint32_t*>(p);
      return make_float4(static_cast<float>(bytes & 0xff), static_cast<float>(bytes >> 8 & 0xff),
                         static_cast<float>(bytes >> 16 & 0xff), static_cast<float>(bytes >> 24));
    }
  }
  float v[4] = {};
  for (int i = 0; i < 4; ++i)
    if (first + i < source.columns) v[i] = read_float(source.dtype, p + i * source.column_stride);
  return make_float4(v[0], v[1], v[2], v[3]);
}

struct GatherRows {
  ops::GatherRows op;

  constexpr Extent extent() const { return {0, op.out.rows_per_sample, op.out.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::StepContext& context = block.context;
    const ops::Source& source = context.sources[op.source];
    const int64_t per_sample = op.out.rows_per_sample, cols = op.out.cols;
    for_quads(piece, false, [&](int64_t row, int64_t col) {
      float v[4] = {};
      if (per_sample == 1) {
        const float4 q = read_four(source, context, row, col);
        v[0] = q.x, v[1] = q.y, v[2] = q.z, v[3] = q.w;
      } else {
        const char* sample = sample_address(source, context, row / per_sample);
        const int64_t first = row % per_sample * cols + col;
        for (int i = 0; i < 4; ++i)
          if (col + i < cols)
            v[i] = read_float(source.dtype, sample + (first + i) * source.column_stride);
      }
      store4(op.out.row(row) + col, v);
    });
  }
};

struct GatherWeights {
  ops::GatherWeights op;

  constexpr Extent extent() const { return {0, 1, 1}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::Source& source = block.context.sources[op.source];
    for_elements(piece, [&](int64_t s, int64_t) {
      op.out[s] = read_float(source.dtype, sample_address(source, block.context, s));
    });
  }
};

struct ScatterRows {
  ops::ScatterRows op;

  constexpr Extent extent() const { return {0, op.y.rows_per_sample, op.y.padded_cols()}; }
  __device__ void operator()(const Piece& piece, const Block& block) const {
    const ops::StepContext& context = block.context;
    float* out = context.outputs[op.output] + context.first_row * op.y.rows_per_sample * op.y.cols;
    for_elements(piece, [&](int64_t row, int64_t col) {
      if (col < op.y.cols) out[row * op.y.cols + col] = op.y.row(row)[col];
    });
  }
};

}  // namespace dnnfast::cuda
