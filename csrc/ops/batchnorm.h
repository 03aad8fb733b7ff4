#pragma once
// Batch normalization over rows, per column, with a fused activation and dropout.
// Definitions are Keras's: biased variance, y = (x - mean) / sqrt(var + epsilon) * gamma + beta.

#include "core/tensor.h"
#include "ops/activation.h"
#include "ops/optimizer.h"

namespace dnnfast::ops {

// Training form. mean, rstd: [padded cols], written here and read by the backward and the update
// of the moving statistics (variance is recovered as 1 / rstd^2 - epsilon only there: `variance`
// keeps it exactly). gamma and beta may be null (1 and 0). saved: as in PointwiseForward, of the
// normalised and scaled value.
struct BatchNormForward {
  BatchMatrix x;
  BatchMatrix y;
  const float* gamma = nullptr;
  const float* beta = nullptr;
  float* mean = nullptr;
  float* variance = nullptr;
  float* rstd = nullptr;
  float epsilon = 1e-3f;
  Activation act;
  Dropout dropout;
  float* saved = nullptr;
};

// Inference form with the moving statistics. saved is used when a frozen layer is trained through;
// then rstd (or null) receives 1 / sqrt(moving_variance + epsilon) for the backward pass.
struct BatchNormInference {
  BatchMatrix x;
  BatchMatrix y;
  const float* gamma = nullptr;
  const float* beta = nullptr;
  const float* moving_mean = nullptr;
  const float* moving_variance = nullptr;
  float* rstd = nullptr;
  float epsilon = 1e-3f;
  Activation act;
  Dropout dropout;
  float* saved = nullptr;
};

// moving = moving * momentum + batch * (1 - momentum), for mean and (biased) variance. A step of
// its own so that a step whose loss is not finite changes nothing.
struct BatchNormUpdate {
  const float* mean = nullptr;
  const float* variance = nullptr;
  float* moving_mean = nullptr;
  float* moving_variance = nullptr;
  int64_t cols = 0;
  float momentum = 0.99f;
};

// dy is the gradient of the fused output; `gradient` turns it into the gradient dn of the scaled
// value. dgamma (+)= sum dn * xhat, dbeta (+)= sum dn (each may be null), and
//   training: dx (+)= gamma * rstd * (dn - mean(dn) - xhat * mean(dn * xhat))
//   frozen:   dx (+)= gamma * rstd * dn   (mean, rstd are the moving ones)
// dx may be null (first layer of a network) and may alias dy when accumulate is false. The gradients may be
// consumed at once by updates of gamma and beta, and `moving` (or nothing) be done beside them.
struct BatchNormBackward {
  BatchMatrix x;
  BatchMatrix dy;
  BatchMatrix dx;
  const float* gamma = nullptr;
  const float* mean = nullptr;
  const float* rstd = nullptr;
  float* dgamma = nullptr;
  float* dbeta = nullptr;
  PointwiseGradient gradient;
  bool training = true;
  bool accumulate = false;             // dx
  bool accumulate_parameters = false;  // dgamma, dbeta
  FusedUpdate update_gamma;
  FusedUpdate update_beta;
  BatchNormUpdate moving;  // empty when moving_mean is null
};

}  // namespace dnnfast::ops
