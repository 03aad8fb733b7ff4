#pragma once
// Metrics and the running totals of an epoch. A slot of StepContext::totals is one double; a mean is
// two slots: (weighted sum, sum of weights).

#include <cstdint>

#include "core/tensor.h"

namespace dnnfast::ops {

enum class MetricKind : int {
  sparse_categorical_accuracy,
  categorical_accuracy,
  binary_accuracy,  // threshold 0.5 on the prediction
  mean_squared_error,
  mean_absolute_error,
  values,  // the mean over the columns of the prediction; there is no target
  count
};

// row_value[r] = the metric of row r.
struct MetricRows {
  MetricKind kind = MetricKind::sparse_categorical_accuracy;
  BatchMatrix prediction;
  const int32_t* labels = nullptr;
  BatchMatrix target;
  float* row_value = nullptr;
};

// totals[slot] += sum_r w_r * row_value[r], totals[slot + 1] += sum_r w_r, in double and in row
// order; w is 1 without sample weights (a sample's weight holds for all its rows). A negative slot
// keeps no total.
struct AccumulateRows {
  const float* row_value = nullptr;
  const float* sample_weight = nullptr;
  int64_t rows_per_sample = 1;
  int slot = 0;
};

// The step's loss. Adds scale * mean where mean = sum_r(w_r row_value[r]) / rows (a loss divides by
// rows, not by the sum of weights) to *step_value, or sets it when `first`. When slot is not
// negative, totals[slot] += mean * batch and totals[slot + 1] += batch: Keras's average of a loss
// over an epoch.
struct AccumulateLoss {
  const float* row_value = nullptr;
  const float* sample_weight = nullptr;
  int64_t rows_per_sample = 1;
  double* step_value = nullptr;
  float scale = 1.0f;
  bool first = true;
  int slot = -1;
};

// Closes a step's loss: adds the penalties, then totals[slot] += step_value * batch, totals[slot + 1]
// += batch.
struct FinishLoss {
  double* step_value = nullptr;
  const double* chunk_sum = nullptr;  // from RegularizationPenalty, or null
  int64_t chunk_count = 0;
  int slot = 0;
};

}  // namespace dnnfast::ops
