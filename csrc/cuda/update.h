#pragma once
// The optimizer's step on four neighbouring elements, for the task that has their gradients.

#include "cuda/block.h"
#include "math/optimizer.h"
#include "ops/optimizer.h"

namespace dnnfast::cuda {

// What an update needs to know of its parameter. Of fused updates the optimizer is the block's, the same for a whole
// program.
struct Update {
  int64_t offset = 0;
  float l1 = 0.0f;
  float l2 = 0.0f;
  float weight_decay = 0.0f;
  bool present = false;

  Update() = default;
  __host__ __device__ explicit Update(const ops::Segment& segment)
      : offset(segment.offset), l1(segment.l1), l2(segment.l2), weight_decay(segment.weight_decay),
        present(true) {}
  explicit Update(const ops::FusedUpdate& fused) {
    if (fused) *this = Update(fused.step->arrays.segments[fused.segment]);  // the host's table
  }
};

// Four elements of an array of state in registers; written back by store().
struct State {
  float* place;
  float v[4];

  __device__ State(float* array, int64_t at) : place(array + at) { load4(place, v); }
  __device__ void store() const { store4(place, v); }
};

// The gradient as the optimizer wants it, but for clipping by a norm. Where gradients are accumulated, their sum goes
// on.
__device__ inline void prepare_quad(const ops::OptimizerStep& op, const Update& update,
                                    const ops::OptimizerScalars& s, int64_t at, const float (&w)[4],
                                    float (&g)[4]) {
  if (op.scaled) {
    const float unscale = 1.0f / s.loss_scale;
    for (int i = 0; i < 4; ++i) g[i] *= unscale;
  }
  if (op.penalised)
    for (int i = 0; i < 4; ++i) g[i] += math::penalty_gradient(w[i], update.l1, update.l2);
  if (op.arrays.accumulator) {
    State sum(op.arrays.accumulator, at);
    for (int i = 0; i < 4; ++i) {
      sum.v[i] += g[i];
      g[i] = sum.v[i] * op.accumulated_share;
      if (s.updates) sum.v[i] = 0.0f;
    }
    sum.store();
  }
  if (op.clip == ops::Clip::value)
    for (int i = 0; i < 4; ++i) g[i] = math::clip_value(g[i], op.clip_limit);
}

__device__ inline void sgd_step(const ops::OptimizerStep& op, int64_t at, float (&w)[4],
                                const float (&g)[4], const ops::OptimizerScalars& s) {
  if (!op.with_momentum) {
    for (int i = 0; i < 4; ++i) w[i] = math::sgd(w[i], g[i], s.learning_rate);
    return;
  }
  State m(op.arrays.slots[0], at);
  for (int i = 0; i < 4; ++i)
    w[i] = op.nesterov ? math::sgd_nesterov(w[i], g[i], m.v[i], s.learning_rate, s.momentum)
                       : math::sgd_momentum(w[i], g[i], m.v[i], s.learning_rate, s.momentum);
  m.store();
}

__device__ inline void rmsprop_step(const ops::OptimizerStep& op, int64_t at, float (&w)[4],
                                    const float (&g)[4], const ops::OptimizerScalars& s) {
  const math::RmspropRates rates{s.learning_rate, op.rho, op.one_minus_rho, op.epsilon};
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
  if (op.with_momentum) {
    State m(op.arrays.slots[1], at);
    for (int i = 0; i < 4; ++i) step[i] = m.v[i] = s.momentum * m.v[i] + step[i];
    m.store();
  }
  for (int i = 0; i < 4; ++i) w[i] -= step[i];
}

__device__ inline math::AdamRates adam_rates(const ops::OptimizerStep& op,
                                             const ops::OptimizerScalars& s) {
  return {s.alpha,   s.gradient_alpha, s.second_alpha, s.one_minus_momentum, op.one_minus_beta_2,
          op.epsilon};
}

__device__ inline void adam_step(const ops::OptimizerStep& op, int64_t at, float (&w)[4],
                                 const float (&g)[4], const ops::OptimizerScalars& s) {
  const math::AdamRates rates = adam_rates(op, s);
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

// The element i of a rarer optimizer, with state a and b.
__device__ inline float other_element(const ops::OptimizerStep& op, float w, float g, float& a,
                                      float& b, const ops::OptimizerScalars& s) {
  switch (op.kind) {
    case ops::OptimizerKind::adagrad: return math::adagrad(w, g, a, s.learning_rate, op.epsilon);
    case ops::OptimizerKind::adadelta:
      return math::adadelta(
          w, g, a, b, math::RmspropRates{s.learning_rate, op.rho, op.one_minus_rho, op.epsilon});
    case ops::OptimizerKind::adamax: return math::adamax(w, g, a, b, adam_rates(op, s), op.beta_2);
    case ops::OptimizerKind::lion:
      return math::lion(w, g, a,
                        math::LionRates{s.learning_rate, s.momentum, s.one_minus_momentum,
                                        op.beta_2, op.one_minus_beta_2});
    case ops::OptimizerKind::ftrl:
      return math::ftrl(
          w, g, a, b,
          math::FtrlRates{s.alpha, op.l1, s.gradient_alpha, op.double_shrinkage, op.power});
    case ops::OptimizerKind::schedule_free_adamw:
      return math::schedule_free(
          w, g, a, b,
          math::ScheduleFreeRates{s.learning_rate, s.one_minus_momentum, op.one_minus_beta_2,
                                  s.second_alpha, op.epsilon, s.alpha, s.gradient_alpha});
    default: return w;
  }
}

// The average of the weights after a step.
__device__ inline void average_quad(const ops::OptimizerStep& op, const ops::OptimizerScalars& s,
                                    int64_t at, float (&w)[4]) {
  if (!op.arrays.average) return;
  State average(op.arrays.average, at);
  for (int i = 0; i < 4; ++i) {
    math::move_towards(average.v[i], w[i], s.average_share);
    if (s.overwrites) w[i] = average.v[i];
  }
  average.store();
}

__device__ inline void other_step(const ops::OptimizerStep& op, int64_t at, float (&w)[4],
                                  const float (&g)[4], const ops::OptimizerScalars& s) {
  State a(op.arrays.slots[0], at);
  if (!op.arrays.slots[1]) {
    float none = 0.0f;
    for (int i = 0; i < 4; ++i) w[i] = other_element(op, w[i], g[i], a.v[i], none, s);
  } else {
    State b(op.arrays.slots[1], at);
    for (int i = 0; i < 4; ++i) w[i] = other_element(op, w[i], g[i], a.v[i], b.v[i], s);
    b.store();
  }
  a.store();
}

// Four elements with all that an update may ask for.
__device__ __noinline__ inline void rare_quad(const ops::OptimizerStep& op, const Update& update,
                                              const ops::OptimizerScalars& s, int64_t at,
                                              const float (&gradient)[4], float factor) {
  State w(op.arrays.parameters, at);
  float g[4];
  for (int i = 0; i < 4; ++i) g[i] = gradient[i];
  if (!op.prepared) prepare_quad(op, update, s, at, w.v, g);
  if (s.updates) {
    const float decay = update.weight_decay * s.decay_rate;
    for (int i = 0; i < 4; ++i) {
      if (factor != 1.0f) g[i] *= factor;
      if (decay != 0.0f) w.v[i] -= w.v[i] * decay;
    }
    switch (op.kind) {
      case ops::OptimizerKind::sgd: sgd_step(op, at, w.v, g, s); break;
      case ops::OptimizerKind::rmsprop: rmsprop_step(op, at, w.v, g, s); break;
      case ops::OptimizerKind::adam:
      case ops::OptimizerKind::muon:
      case ops::OptimizerKind::nadam: adam_step(op, at, w.v, g, s); break;
      default: other_step(op, at, w.v, g, s); break;
    }
  }
  average_quad(op, s, at, w.v);
  w.store();
}

// The commonest forms of sgd, rmsprop, adam and nadam: few registers, for products that have results in theirs.
__device__ __noinline__ inline void plain_quad(const ops::OptimizerStep& op, const Update& update,
                                               const ops::OptimizerScalars& s, int64_t at,
                                               const float (&gradient)[4]) {
  const float decay = update.weight_decay * s.decay_rate;
  State w(op.arrays.parameters, at);
  float g[4];
  for (int i = 0; i < 4; ++i) {
    g[i] = gradient[i] + math::penalty_gradient(w.v[i], update.l1, update.l2);
    if (op.clip == ops::Clip::value) g[i] = math::clip_value(g[i], op.clip_limit);
    if (decay != 0.0f) w.v[i] -= w.v[i] * decay;
  }
  switch (op.kind) {
    case ops::OptimizerKind::sgd: sgd_step(op, at, w.v, g, s); break;
    case ops::OptimizerKind::rmsprop: rmsprop_step(op, at, w.v, g, s); break;
    default: adam_step(op, at, w.v, g, s); break;
  }
  w.store();
}

// Elements `at` to at + 3 of the flat arrays, with gradient g (of which clipping by a norm leaves `factor`).
__device__ inline void update_quad(const ops::OptimizerStep& op, const Update& update,
                                   const ops::OptimizerScalars& s, int64_t at,
                                   const float (&gradient)[4], float factor = 1.0f) {
  if (op.rare)
    rare_quad(op, update, s, at, gradient, factor);
  else
    plain_quad(op, update, s, at, gradient);
}

}  // namespace dnnfast::cuda
