#pragma once
// Batch normalization per element: y = (x - mean) / sqrt(variance + epsilon) * gamma + beta. V is a
// float or a vector of floats.

#include "core/macros.h"
#include "math/elementary.h"
#include "math/numeric.h"

namespace dnnfast::math {

template <class V>
DNNFAST_HD V reciprocal_deviation(V variance, float epsilon) {
  return rsqrt(variance + epsilon);
}

// scale = gamma * rstd. Subtracting first keeps the digits when the mean is far from zero.
template <class V>
DNNFAST_HD V normalize(V x, V mean, V scale, V beta) {
  return (x - mean) * scale + beta;
}

// What the input gradient needs of a column.
template <class V>
struct NormalizationSlope {
  V mean;       // of x
  V scale;      // gamma * rstd
  V mean_dn;    // mean of dn
  V projected;  // gamma * rstd * rstd * mean of dn * xhat
};

// dx = gamma rstd (dn - mean(dn) - xhat mean(dn xhat)) with xhat = (x - mean) rstd.
template <class V>
DNNFAST_HD V normalize_gradient(V x, V dn, const NormalizationSlope<V>& c) {
  return c.scale * (dn - c.mean_dn) - (x - c.mean) * c.projected;
}

template <class V>
DNNFAST_HD V moving_average(V moving, V batch, float momentum) {
  return moving * momentum + batch * (1.0f - momentum);
}

}  // namespace dnnfast::math
