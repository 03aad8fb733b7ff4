#pragma once
// Mean and spread of a prediction over many stochastic passes, without keeping the passes.

#include "core/tensor.h"

namespace dnnfast::ops {

// Running sums of a batch matrix over passes, element by element: [rows, cols] each, without padding. `shift` is
// the first pass's value (0 where that is not finite), and the sums are of d = y - shift: a spread
// that is small against the mean is not lost in the difference of large sums, and equal passes have
// exactly none.
struct SampleSums {
  float* shift = nullptr;
  double* sum = nullptr;     // of d
  double* square = nullptr;  // of d^2

  constexpr explicit operator bool() const { return shift != nullptr; }
};

// Adds pass StepContext::sample to the sums; pass 0 starts them.
struct AccumulateSamples {
  BatchMatrix y;
  SampleSums sums;
};

// With n = StepContext::samples, in the order of the data and without padding:
//   context.outputs[mean]      = shift + sum / n
//   context.outputs[deviation] = sqrt(square / n - (sum / n)^2)   (of the population)
// Without sums y is the same in every pass: it is the mean, and the deviation is 0.
struct ScatterSamples {
  BatchMatrix y;
  SampleSums sums;
  int mean = 0;
  int deviation = 0;
};

}  // namespace dnnfast::ops
