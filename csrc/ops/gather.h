#pragma once
// Batch assembly: rows of the caller's arrays, through the permutation, converted on the way.

#include <cstdint>

#include "core/tensor.h"

namespace dnnfast::ops {

// out[s] = float32(sources[source][row(s)]), row-major over a sample's elements. A sample of
// rows_per_sample * cols elements fills rows_per_sample rows of out.
struct GatherRows {
  int source = 0;
  BatchMatrix out;
};

// out[s] = int32(sources[source][row(s)]) for class labels (one element a sample).
struct GatherLabels {
  int source = 0;
  int32_t* out = nullptr;
};

// out[s] = float32(sources[source][row(s)]) without padding: one weight a sample.
struct GatherWeights {
  int source = 0;
  float* out = nullptr;
};

// context.outputs[output][first_row + s] = y[s]: predictions leave in the order of the data,
// rows_per_sample * cols elements a sample, without padding.
struct ScatterRows {
  BatchMatrix y;
  int output = 0;
};

}  // namespace dnnfast::ops
