#pragma once
// Losses: per-row value and, in training, the gradient of the weighted mean.

#include <cstdint>

#include "core/tensor.h"

namespace dnnfast::ops {

// The first two take logits (softmax fused) when from_logits, else probabilities; Keras clips
// probabilities to [1e-7, 1 - 1e-7], after dividing rows by their sums for the categorical ones.
enum class LossKind : int {
  sparse_categorical_crossentropy,
  categorical_crossentropy,
  binary_crossentropy,
  mean_squared_error,
  mean_absolute_error,
  values,  // the predictions are the losses: their mean over the columns
  count
};

// row_loss[r] = loss of row r (before weights). For the last axis as in Keras: categorical losses
// reduce over columns; binary and mean_* average over columns.
// gradient (null in evaluation) = d/dprediction of  weight * sum_r(sample_weight[r] * row_loss[r]) / rows.
// labels for the sparse kind, target otherwise. gradient may alias prediction.
struct Loss {
  LossKind kind = LossKind::mean_squared_error;
  BatchMatrix prediction;
  const int32_t* labels = nullptr;
  BatchMatrix target;
  const float* sample_weight = nullptr;  // one a sample, or null
  float* row_loss = nullptr;
  BatchMatrix gradient;
  bool from_logits = false;
  float label_smoothing = 0.0f;
  float weight = 1.0f;
};

}  // namespace dnnfast::ops
