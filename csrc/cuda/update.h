#pragma once
// The optimizer's step on one element, for the kernel that has its gradient.

#include "cuda/platform.h"
#include "math/optimizer.h"
#include "ops/context.h"
#include "ops/optimizer.h"

namespace dnnfast::cuda {

// What a kernel gets of an update: arrays of the device, and the segment itself.
struct Update {
  ops::OptimizerStep step;
  ops::Segment segment;
  bool present = false;
};

// A fused update as the kernel's argument; its segment table is the host's.
inline Update update_of(const ops::FusedUpdate& fused) {
  if (!fused) return {};
  return {*fused.step, fused.step->arrays.segments[fused.segment], true};
}

// The gradient after regularization and clipping by value; clipping by a norm is a factor.
__device__ inline float prepared_gradient(const Update& u, float w, float g, float factor) {
  const ops::OptimizerStep& op = u.step;
  if (!ops::clips_by_norm(op.clip)) g += math::penalty_gradient(w, u.segment.l1, u.segment.l2);
  if (op.clip == ops::Clip::value) return math::clip_value(g, op.clip_limit);
  return factor == 1.0f ? g : g * factor;
}

__device__ inline float sgd_step(const ops::OptimizerStep& op, float w, float g, int64_t i,
                                 float rate) {
  if (op.momentum == 0.0f) return math::sgd(w, g, rate);
  float& m = op.arrays.slots[0][i];
  return op.nesterov ? math::sgd_nesterov(w, g, m, rate, op.momentum)
                     : math::sgd_momentum(w, g, m, rate, op.momentum);
}

__device__ inline float rmsprop_step(const ops::OptimizerStep& op, float w, float g, int64_t i,
                                     float rate) {
  const math::RmspropRates rates{rate, op.rho, op.one_minus_rho, op.epsilon};
  float& velocity = op.arrays.slots[0][i];
  float step = op.centered ? math::rmsprop_centered(g, velocity, op.arrays.slots[2][i], rates)
                           : math::rmsprop(g, velocity, rates);
  if (op.momentum > 0.0f) {
    float& m = op.arrays.slots[1][i];
    m = op.momentum * m + step;
    step = m;
  }
  return w - step;
}

__device__ inline float adam_step(const ops::OptimizerStep& op, float w, float g, int64_t i,
                                  const ops::OptimizerScalars& s) {
  const math::AdamRates rates{
      s.alpha,   s.gradient_alpha, s.second_alpha, op.one_minus_beta_1, op.one_minus_beta_2,
      op.epsilon};
  float &m = op.arrays.slots[0][i], &v = op.arrays.slots[1][i];
  if (op.kind == ops::OptimizerKind::nadam) return math::nadam(w, g, m, v, rates);
  if (op.amsgrad) return math::adam_amsgrad(w, g, m, v, op.arrays.slots[2][i], rates);
  return math::adam(w, g, m, v, rates);
}

// Element `i` of the segment, with gradient g.
__device__ inline void update_element(const Update& u, const ops::StepContext& context, int64_t i,
                                      float g, float factor = 1.0f) {
  const ops::OptimizerStep& op = u.step;
  const int64_t at = u.segment.offset + i;
  const float rate = context.scalars.learning_rate;
  float w = op.arrays.parameters[at];
  g = prepared_gradient(u, w, g, factor);
  const float decay = u.segment.weight_decay * rate;
  if (decay != 0.0f) w -= w * decay;
  switch (op.kind) {
    case ops::OptimizerKind::sgd: w = sgd_step(op, w, g, at, rate); break;
    case ops::OptimizerKind::rmsprop: w = rmsprop_step(op, w, g, at, rate); break;
    case ops::OptimizerKind::adam:
    case ops::OptimizerKind::nadam: w = adam_step(op, w, g, at, context.scalars); break;
    case ops::OptimizerKind::count: break;
  }
  op.arrays.parameters[at] = w;
}

}  // namespace dnnfast::cuda
