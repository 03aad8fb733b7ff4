#pragma once
// What a step does to a piece of one parameter: the optimizers as function objects over vectors, what happens to
// gradients and weights before them, and the average after them.

#include "math/optimizer.h"

#include "cpu/simd.h"
#include "ops/optimizer.h"

namespace dnnfast::cpu::DNNFAST_ISA {

// Floats whose prepared gradient is kept on the stack, in the first cache level.
inline constexpr int64_t kPiece = 1024;

using Slots = vf[ops::kSlots];

// uses(k): whether slot k exists.

struct Sgd {
  float learning_rate;
  static constexpr bool uses(int) { return false; }
  vf operator()(vf w, vf g, Slots&) const { return math::sgd(w, g, learning_rate); }
};

template <bool kNesterov>
struct SgdMomentum {
  float learning_rate, momentum;
  static constexpr bool uses(int k) { return k == 0; }
  vf operator()(vf w, vf g, Slots& s) const {
    if constexpr (kNesterov) return math::sgd_nesterov(w, g, s[0], learning_rate, momentum);
    return math::sgd_momentum(w, g, s[0], learning_rate, momentum);
  }
};

template <bool kMomentum, bool kCentered>
struct Rmsprop {
  math::RmspropRates rates;
  float momentum;
  static constexpr bool uses(int k) { return k == 0 || (k == 1 ? kMomentum : kCentered); }
  vf operator()(vf w, vf g, Slots& s) const {
    vf step;
    if constexpr (kCentered)
      step = math::rmsprop_centered(g, s[0], s[2], rates);
    else
      step = math::rmsprop(g, s[0], rates);
    if constexpr (kMomentum) {
      s[1] = momentum * s[1] + step;
      step = s[1];
    }
    return w - step;
  }
};

template <bool kAmsgrad>
struct Adam {
  math::AdamRates rates;
  static constexpr bool uses(int k) { return k < 2 || kAmsgrad; }
  vf operator()(vf w, vf g, Slots& s) const {
    if constexpr (kAmsgrad) return math::adam_amsgrad(w, g, s[0], s[1], s[2], rates);
    return math::adam(w, g, s[0], s[1], rates);
  }
};

struct Nadam {
  math::AdamRates rates;
  static constexpr bool uses(int k) { return k < 2; }
  vf operator()(vf w, vf g, Slots& s) const { return math::nadam(w, g, s[0], s[1], rates); }
};

struct Adamax {
  math::AdamRates rates;
  float beta_2;
  static constexpr bool uses(int k) { return k < 2; }
  vf operator()(vf w, vf g, Slots& s) const {
    return math::adamax(w, g, s[0], s[1], rates, beta_2);
  }
};

struct Adagrad {
  float learning_rate, epsilon;
  static constexpr bool uses(int k) { return k == 0; }
  vf operator()(vf w, vf g, Slots& s) const {
    return math::adagrad(w, g, s[0], learning_rate, epsilon);
  }
};

struct Adadelta {
  math::RmspropRates rates;
  static constexpr bool uses(int k) { return k < 2; }
  vf operator()(vf w, vf g, Slots& s) const { return math::adadelta(w, g, s[0], s[1], rates); }
};

struct Lion {
  math::LionRates rates;
  static constexpr bool uses(int k) { return k == 0; }
  vf operator()(vf w, vf g, Slots& s) const { return math::lion(w, g, s[0], rates); }
};

struct Ftrl {
  math::FtrlRates rates;
  static constexpr bool uses(int k) { return k < 2; }
  vf operator()(vf w, vf g, Slots& s) const { return math::ftrl(w, g, s[0], s[1], rates); }
};

struct ScheduleFree {
  math::ScheduleFreeRates rates;
  static constexpr bool uses(int k) { return k < 2; }
  vf operator()(vf w, vf g, Slots& s) const { return math::schedule_free(w, g, s[0], s[1], rates); }
};

inline math::AdamRates adam_rates(const ops::OptimizerStep& op, const ops::OptimizerScalars& s) {
  return {s.alpha,   s.gradient_alpha, s.second_alpha, s.one_minus_momentum, op.one_minus_beta_2,
          op.epsilon};
}

template <class F>
void with_sgd(const ops::OptimizerStep& op, const ops::OptimizerScalars& s, F f) {
  if (!op.with_momentum) return f(Sgd{s.learning_rate});
  if (op.nesterov) return f(SgdMomentum<true>{s.learning_rate, s.momentum});
  f(SgdMomentum<false>{s.learning_rate, s.momentum});
}

template <class F>
void with_rmsprop(const ops::OptimizerStep& op, const ops::OptimizerScalars& s, F f) {
  const math::RmspropRates rates{s.learning_rate, op.rho, op.one_minus_rho, op.epsilon};
  if (op.with_momentum) {
    if (op.centered) return f(Rmsprop<true, true>{rates, s.momentum});
    return f(Rmsprop<true, false>{rates, s.momentum});
  }
  if (op.centered) return f(Rmsprop<false, true>{rates, 0.0f});
  f(Rmsprop<false, false>{rates, 0.0f});
}

// Calls f with the function object of the step's update; those that need a whole parameter have none.
template <class F>
void with_update(const ops::OptimizerStep& op, const ops::OptimizerScalars& s, F f) {
  using Kind = ops::OptimizerKind;
  switch (op.kind) {
    case Kind::sgd: return with_sgd(op, s, f);
    case Kind::rmsprop: return with_rmsprop(op, s, f);
    case Kind::muon: return f(Adam<false>{adam_rates(op, s)});
    case Kind::adam:
      if (op.amsgrad) return f(Adam<true>{adam_rates(op, s)});
      return f(Adam<false>{adam_rates(op, s)});
    case Kind::nadam: return f(Nadam{adam_rates(op, s)});
    case Kind::adamax: return f(Adamax{adam_rates(op, s), op.beta_2});
    case Kind::adagrad: return f(Adagrad{s.learning_rate, op.epsilon});
    case Kind::adadelta:
      return f(Adadelta{{s.learning_rate, op.rho, op.one_minus_rho, op.epsilon}});
    case Kind::lion:
      return f(Lion{
          {s.learning_rate, s.momentum, s.one_minus_momentum, op.beta_2, op.one_minus_beta_2}});
    case Kind::ftrl:
      return f(Ftrl{{s.alpha, op.l1, s.gradient_alpha, op.double_shrinkage, op.power}});
    case Kind::schedule_free_adamw:
      return f(ScheduleFree{{s.learning_rate, s.one_minus_momentum, op.one_minus_beta_2,
                             s.second_alpha, op.epsilon, s.alpha, s.gradient_alpha}});
    case Kind::lamb:
    case Kind::adafactor:
    case Kind::count: return;
  }
}

// `size` floats from `offset` on, with gradient g.
template <class Update>
void update_span(const Update& update, const ops::OptimizerArrays& arrays, int64_t offset,
                 int64_t size, const float* g) {
  float* const w = arrays.parameters + offset;
  float* slot[ops::kSlots] = {};
  for (int k = 0; k < ops::kSlots; ++k)
    if (Update::uses(k)) slot[k] = arrays.slots[k] + offset;
  for (int64_t i = 0; i < size; i += kLanes) {
    Slots s = {};
    for (int k = 0; k < ops::kSlots; ++k)
      if (Update::uses(k)) s[k] = load(slot[k] + i);
    const vf updated = update(load(w + i), load(g + i), s);
    for (int k = 0; k < ops::kSlots; ++k)
      if (Update::uses(k)) store(slot[k] + i, s[k]);
    store(w + i, updated);
  }
}

// What happens to a segment's gradient and weights before the update, and after it.
struct Preparation {
  bool regularise = false;
  float l1 = 0.0f, l2 = 0.0f;
  bool limit_value = false;
  float limit = 0.0f;
  float factor = 1.0f;   // of clipping by norm
  float unscale = 1.0f;  // before everything else
  bool accumulate = false;
  float share = 1.0f;  // of each accumulated gradient
  float decay = 0.0f;
  bool updates = true;
  bool average = false;
  float average_share = 0.0f;
  bool overwrites = false;

  bool changes_gradient() const {
    return regularise || limit_value || accumulate || factor != 1.0f || unscale != 1.0f;
  }
  bool plain() const { return updates && !changes_gradient() && decay == 0.0f && !average; }
};

inline bool regularised(const ops::Segment& segment) {
  return segment.l1 != 0.0f || segment.l2 != 0.0f;
}

// Everything but the factor of clipping by norm.
inline Preparation preparation_of(const ops::OptimizerStep& op, const ops::StepContext& context,
                                  const ops::Segment& segment) {
  const ops::OptimizerScalars& s = context.scalars[op.index];
  Preparation p;
  p.updates = s.updates;
  p.decay = segment.weight_decay * s.decay_rate;
  p.average = op.arrays.average != nullptr;
  p.average_share = s.average_share;
  p.overwrites = s.overwrites;
  if (op.prepared) return p;
  p.regularise = op.penalised && regularised(segment);
  p.l1 = segment.l1;
  p.l2 = segment.l2;
  p.limit_value = op.clip == ops::Clip::value;
  p.limit = op.clip_limit;
  if (op.scaled) p.unscale = 1.0f / s.loss_scale;
  p.accumulate = op.arrays.accumulator != nullptr;
  p.share = op.accumulated_share;
  return p;
}

// The gradient of `size` weights for the update, from g to out (which may be g). `sums`: where the gradients since the
// last update are added up.
inline void prepare_gradient(const Preparation& p, const float* w, const float* g, int64_t size,
                             float* sums, float* out) {
  if (p.unscale != 1.0f) {
    for (int64_t i = 0; i < size; i += kLanes) store(out + i, load(g + i) * p.unscale);
    g = out;
  }
  if (p.regularise) {
    for (int64_t i = 0; i < size; i += kLanes)
      store(out + i, load(g + i) + math::penalty_gradient(load(w + i), p.l1, p.l2));
    g = out;
  }
  if (p.accumulate) {
    for (int64_t i = 0; i < size; i += kLanes) {
      const vf sum = load(g + i) + load(sums + i);
      store(sums + i, p.updates ? vf{} : sum);
      store(out + i, sum * p.share);
    }
    g = out;
  }
  if (p.limit_value) {
    for (int64_t i = 0; i < size; i += kLanes)
      store(out + i, math::clip_value(load(g + i), p.limit));
  } else if (p.factor != 1.0f) {
    for (int64_t i = 0; i < size; i += kLanes) store(out + i, load(g + i) * p.factor);
  }
}

// The average of the weights after a step.
inline void average_span(const Preparation& p, float* w, float* average, int64_t size) {
  for (int64_t i = 0; i < size; i += kLanes) {
    vf mean = load(average + i);
    math::move_towards(mean, load(w + i), p.average_share);
    store(average + i, mean);
    if (p.overwrites) store(w + i, mean);
  }
}

inline void decay_span(float decay, float* w, int64_t size) {
  for (int64_t i = 0; i < size; i += kLanes) store(w + i, load(w + i) - load(w + i) * decay);
}

// What a step does to `size` floats from `offset` on that have gradient g.
template <class Update>
void update_range(const Update& update, const ops::OptimizerArrays& arrays, const Preparation& p,
                  int64_t offset, int64_t size, const float* g) {
  if (p.plain()) return update_span(update, arrays, offset, size, g);
  alignas(64) float prepared[kPiece];
  const bool changed = p.changes_gradient();
  for (int64_t begin = 0; begin < size; begin += kPiece) {
    const int64_t piece = begin + kPiece < size ? kPiece : size - begin, at = offset + begin;
    float* const w = arrays.parameters + at;
    if (changed)
      prepare_gradient(p, w, g + begin, piece, p.accumulate ? arrays.accumulator + at : nullptr,
                       prepared);
    if (p.updates) {
      if (p.decay != 0.0f) decay_span(p.decay, w, piece);
      update_span(update, arrays, at, piece, changed ? prepared : g + begin);
    }
    if (p.average) average_span(p, w, arrays.average + at, piece);
  }
}

// sum_i term(i) for i = 0, kLanes, ...: four interleaved float sums over each piece, pieces in double.
template <class Term>
double sum_terms(int64_t size, Term term) {
  double total = 0;
  for (int64_t begin = 0; begin < size; begin += kPiece) {
    const int64_t end = begin + kPiece < size ? begin + kPiece : size;
    vf sum[4] = {};
    int64_t i = begin;
    for (; i + 4 * kLanes <= end; i += 4 * kLanes)
      for (int k = 0; k < 4; ++k) sum[k] += term(i + k * kLanes);
    for (; i < end; i += kLanes) sum[0] += term(i);
    total += static_cast<double>(sum_lanes((sum[0] + sum[1]) + (sum[2] + sum[3])));
  }
  return total;
}

// What the gradients of chunk c are multiplied by when they are clipped by their norm.
inline float norm_factor(const ops::OptimizerStep& op, int64_t c) {
  if (!ops::clips_by_norm(op.clip)) return 1.0f;
  const double norm = __builtin_sqrt(ops::clipped_square(op, c));
  return static_cast<float>(math::clip_factor(norm, static_cast<double>(op.clip_limit)));
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
