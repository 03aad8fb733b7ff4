#pragma once
// Dense layer: z = x w + b, y = dropout(f(z)), and its backward products.
//   x [rows, in], w [in, out] in panels, b [padded out], z, y [rows, out]; rows = batch * rows_per_sample.

#include "core/tensor.h"
#include "ops/activation.h"
#include "ops/optimizer.h"

namespace dnnfast::ops {

// What a device may round the operands of a product to, if it is faster with them: tf32 keeps 10 bits of the
// mantissa, bfloat16 7. Sums, results and everything else stay float32.
enum class Precision : int { float32, tf32, bfloat16, count };

// saved: as in PointwiseForward. y must not alias x. b may be null.
struct DenseForward {
  BatchMatrix x;
  PanelMatrix w;
  const float* b = nullptr;
  BatchMatrix y;
  Activation act;
  Dropout dropout;
  float* saved = nullptr;
  Precision precision = Precision::float32;
};

// dw (+)= x^T dz, db (+)= column sums of dz (either may be null). Sums run over rows in order. Either may be
// consumed at once by the update of its parameter; then it is not accumulated, and no op that still
// reads the parameter may run beside this one.
struct DenseBackwardWeight {
  BatchMatrix x;
  BatchMatrix dz;
  PanelMatrix dw;
  float* db = nullptr;
  bool accumulate = false;       // dw
  bool accumulate_bias = false;  // db
  FusedUpdate update_w;
  FusedUpdate update_b;
  Precision precision = Precision::float32;
};

// dx (+)= gradient(dz w^T): the epilogue is the derivative of the op that produced x, so that x's
// own pre-activation gradient comes out. dx must not alias dz.
struct DenseBackwardInput {
  BatchMatrix dz;
  PanelMatrix w;
  BatchMatrix dx;
  PointwiseGradient gradient;
  bool accumulate = false;
  Precision precision = Precision::float32;
};

}  // namespace dnnfast::ops
