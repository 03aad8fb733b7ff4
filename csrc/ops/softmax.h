#pragma once
// Row-wise activations: softmax, log-softmax and the gated linear unit, over the last axis.

#include "core/tensor.h"

namespace dnnfast::ops {

enum class RowwiseKind : int { softmax, log_softmax, glu };

// softmax: y = exp(x - max) / sum; log_softmax: y = x - max - log(sum exp(x - max));
// glu: x = [a | b] with 2 * y.cols columns, y = a * sigmoid(b).
struct RowwiseForward {
  RowwiseKind kind = RowwiseKind::softmax;
  BatchMatrix x;
  BatchMatrix y;
};

// saved is y for softmax and log_softmax, x for glu. dx may alias dy (not for glu).
struct RowwiseBackward {
  RowwiseKind kind = RowwiseKind::softmax;
  BatchMatrix saved;
  BatchMatrix dy;
  BatchMatrix dx;
  bool accumulate = false;
};

}  // namespace dnnfast::ops
