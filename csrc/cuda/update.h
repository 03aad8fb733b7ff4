#pragma once
// The optimizer's step on four neighbouring elements, for the task that has their gradients.

#include "cuda/block.h"
#include "math/optimizer.h"
#include "ops/optimizer.h"

namespace dnnfast::cuda {

// A fused update: what it is of. The optimizer is the block's, the same for a whole program.
struct Update {
  ops::Segment segment;
  bool present = false;

  Update() = default;
  explicit Update(const ops::FusedUpdate& fused) {
    if (!fused) return;
    segment = fused.step->arrays.segments[fused.segment];  // the host's table
    present = true;
  }
};

// Four elements of an array of state in registers; written back by store().
struct State {
  float* place;
  float v[4];

  __device__ State(float* array, int64_t at) : place(array + at) { load4(place, v); }
  __device__ void store() const { store4(place, v); }
};

// The gradient after regularization and clipping by value; clipping by a norm is a factor.
__device__ inline float prepared_gradient(const ops::OptimizerStep& op, const ops::Segment& segment,
                                          float w, float g, float factor) {
  if (!ops::clips_by_norm(op.clip)) g += math::penalty_gradient(w, segment.l1, segment.l2);
  if (op.clip == ops::Clip::value) return math::clip_value(g, op.clip_limit);
  return factor == 1.0f ? g : g * factor;
}

__device__ inline void sgd_step(const ops::OptimizerStep& op, int64_t at, float (&w)[4],
                                const float (&g)[4], float rate) {
  if (op.momentum == 0.0f) {
    for (int i = 0; i < 4; ++i) w[i] = math::sgd(w[i], g[i], rate);
    return;
  }
  State m(op.arrays.slots[0], at);
  for (int i = 0; i < 4; ++i)
    w[i] = op.nesterov ? math::sgd_nesterov(w[i], g[i], m.v[i], rate, op.momentum)
                       : math::sgd_momentum(w[i], g[i], m.v[i], rate, op.momentum);
  m.store();
}

__device__ inline void rmsprop_step(const ops::OptimizerStep& op, int64_t at, float (&w)[4],
                                    const float (&g)[4], float rate) {
  const math::RmspropRates rates{rate, op.rho, op.one_minus_rho, op.epsilon};
  float step[4];
  State velocity(op.arrays.slots[0], at);
  if (op.centered) {
    State average(op.arrays.slots[2], at);
    for (int i = 0; i < 4; ++i)
      step[i] = math::rmsprop_centered(g[i], velocity.v[i], average.v[i], rates);
    average.store();
  } else {
    for (int i = 0; i < 4; ++i) step[i] = math::rmsprop(g[i], velocity.v[i], rates);
  }
  velocity.store();
  if (op.momentum > 0.0f) {
    State m(op.arrays.slots[1], at);
    for (int i = 0; i < 4; ++i) step[i] = m.v[i] = op.momentum * m.v[i] + step[i];
    m.store();
  }
  for (int i = 0; i < 4; ++i) w[i] -= step[i];
}

__device__ inline void adam_step(const ops::OptimizerStep& op, int64_t at, float (&w)[4],
                                 const float (&g)[4], const ops::OptimizerScalars& s) {
  const math::AdamRates rates{
      s.alpha,   s.gradient_alpha, s.second_alpha, op.one_minus_beta_1, op.one_minus_beta_2,
      op.epsilon};
  State m(op.arrays.slots[0], at), v(op.arrays.slots[1], at);
  if (op.kind == ops::OptimizerKind::nadam) {
    for (int i = 0; i < 4; ++i) w[i] = math::nadam(w[i], g[i], m.v[i], v.v[i], rates);
  } else if (op.amsgrad) {
    State largest(op.arrays.slots[2], at);
    for (int i = 0; i < 4; ++i)
      w[i] = math::adam_amsgrad(w[i], g[i], m.v[i], v.v[i], largest.v[i], rates);
    largest.store();
  } else {
    for (int i = 0; i < 4; ++i) w[i] = math::adam(w[i], g[i], m.v[i], v.v[i], rates);
  }
  m.store();
  v.store();
}

// Elements `at` to at + 3 of the flat arrays, which belong to `segment`, with gradient g.
__device__ __noinline__ inline void update_quad(const ops::OptimizerStep& op,
                                                const ops::Segment& segment,
                                                const ops::OptimizerScalars& scalars, int64_t at,
                                                const float (&gradient)[4], float factor = 1.0f) {
  const float rate = scalars.learning_rate;
  const float decay = segment.weight_decay * rate;
  State w(op.arrays.parameters, at);
  float g[4];
  for (int i = 0; i < 4; ++i) {
    g[i] = prepared_gradient(op, segment, w.v[i], gradient[i], factor);
    if (decay != 0.0f) w.v[i] -= w.v[i] * decay;
  }
  switch (op.kind) {
    case ops::OptimizerKind::sgd: sgd_step(op, at, w.v, g, rate); break;
    case ops::OptimizerKind::rmsprop: rmsprop_step(op, at, w.v, g, rate); break;
    case ops::OptimizerKind::adam:
    case ops::OptimizerKind::nadam: adam_step(op, at, w.v, g, scalars); break;
    case ops::OptimizerKind::count: break;
  }
  w.store();
}

}  // namespace dnnfast::cuda
