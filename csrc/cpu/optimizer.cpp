// The optimizer and its companions. Work per unit: one chunk (at most 4096 floats, so that a
// chunk's arrays stay in the first two cache levels between passes). Memory: every array is read
// once and written once. Chunks are independent, and sums over them are taken in their order by
// whoever needs them.

#include "math/optimizer.h"

#include "cpu/families.h"
#include "cpu/simd.h"
#include "cpu/update.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::Chunk;
using ops::Clip;
using ops::OptimizerArrays;
using ops::OptimizerKind;
using ops::OptimizerStep;
using ops::Segment;
using ops::StepContext;

// Floats whose prepared gradient is kept on the stack, in the first cache level.
constexpr int64_t kPiece = 1024;

// sum_i term(i) for i = 0, kLanes, ...: four interleaved float sums over each piece, pieces in
// double.
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

bool regularised(const Segment& segment) { return segment.l1 != 0.0f || segment.l2 != 0.0f; }

void penalty_run(const ops::RegularizationPenalty& op, const StepContext&, UnitRange range, void*) {
  for (int64_t c = range.begin; c < range.end; ++c) {
    const Chunk& chunk = op.arrays.chunks[c];
    const Segment& segment = op.arrays.segments[chunk.segment];
    const float* w = op.arrays.parameters + chunk.offset;
    op.chunk_sum[c] = 0;
    if (regularised(segment))
      op.chunk_sum[c] = sum_terms(chunk.size, [&](int64_t i) {
        return math::penalty(load(w + i), segment.l1, segment.l2);
      });
  }
}

void gradient_norm_run(const ops::GradientNorm& op, const StepContext&, UnitRange range, void*) {
  for (int64_t c = range.begin; c < range.end; ++c) {
    const Chunk& chunk = op.arrays.chunks[c];
    const Segment& segment = op.arrays.segments[chunk.segment];
    const float* w = op.arrays.parameters + chunk.offset;
    float* g = op.arrays.gradients + chunk.offset;
    auto square = [](vf v) { return v * v; };
    if (!regularised(segment)) {
      op.chunk_sum[c] = sum_terms(chunk.size, [&](int64_t i) { return square(load(g + i)); });
      continue;
    }
    op.chunk_sum[c] = sum_terms(chunk.size, [&](int64_t i) {
      const vf sum = load(g + i) + math::penalty_gradient(load(w + i), segment.l1, segment.l2);
      store(g + i, sum);
      return square(sum);
    });
  }
}

// The updates, as function objects over vectors. uses(k): whether slot k exists.

struct Sgd {
  float learning_rate;
  static constexpr bool uses(int) { return false; }
  vf operator()(vf w, vf g, vf (&)[3]) const { return math::sgd(w, g, learning_rate); }
};

template <bool kNesterov>
struct SgdMomentum {
  float learning_rate, momentum;
  static constexpr bool uses(int k) { return k == 0; }
  vf operator()(vf w, vf g, vf (&s)[3]) const {
    if constexpr (kNesterov) return math::sgd_nesterov(w, g, s[0], learning_rate, momentum);
    return math::sgd_momentum(w, g, s[0], learning_rate, momentum);
  }
};

template <bool kMomentum, bool kCentered>
struct Rmsprop {
  math::RmspropRates rates;
  float momentum;
  static constexpr bool uses(int k) { return k == 0 || (k == 1 ? kMomentum : kCentered); }
  vf operator()(vf w, vf g, vf (&s)[3]) const {
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
  vf operator()(vf w, vf g, vf (&s)[3]) const {
    if constexpr (kAmsgrad) return math::adam_amsgrad(w, g, s[0], s[1], s[2], rates);
    return math::adam(w, g, s[0], s[1], rates);
  }
};

struct Nadam {
  math::AdamRates rates;
  static constexpr bool uses(int k) { return k < 2; }
  vf operator()(vf w, vf g, vf (&s)[3]) const { return math::nadam(w, g, s[0], s[1], rates); }
};

// `size` floats from `offset` on, with gradient g.
template <class Update>
void update_span(const Update& update, const OptimizerArrays& arrays, int64_t offset, int64_t size,
                 const float* g) {
  float* const w = arrays.parameters + offset;
  float* slot[3] = {};
  for (int k = 0; k < 3; ++k)
    if (Update::uses(k)) slot[k] = arrays.slots[k] + offset;
  for (int64_t i = 0; i < size; i += kLanes) {
    vf s[3] = {};
    for (int k = 0; k < 3; ++k)
      if (Update::uses(k)) s[k] = load(slot[k] + i);
    const vf updated = update(load(w + i), load(g + i), s);
    for (int k = 0; k < 3; ++k)
      if (Update::uses(k)) store(slot[k] + i, s[k]);
    store(w + i, updated);
  }
}

// What happens to a segment's gradient and weights before the update.
struct Preparation {
  bool regularise = false;
  float l1 = 0.0f, l2 = 0.0f;
  bool limit_value = false;
  float limit = 0.0f;
  float factor = 1.0f;
  float decay = 0.0f;

  bool changes_gradient() const { return regularise || limit_value || factor != 1.0f; }
};

void prepare_gradient(const Preparation& p, const float* w, const float* g, int64_t size,
                      float* out) {
  if (p.regularise) {
    for (int64_t i = 0; i < size; i += kLanes)
      store(out + i, load(g + i) + math::penalty_gradient(load(w + i), p.l1, p.l2));
    g = out;
  }
  if (p.limit_value) {
    for (int64_t i = 0; i < size; i += kLanes)
      store(out + i, math::clip_value(load(g + i), p.limit));
  } else if (p.factor != 1.0f) {
    for (int64_t i = 0; i < size; i += kLanes) store(out + i, load(g + i) * p.factor);
  }
}

// What a step does to `size` floats from `offset` on that have gradient g.
template <class Update>
void update_range(const Update& update, const OptimizerArrays& arrays, const Preparation& p,
                  int64_t offset, int64_t size, const float* g) {
  if (!p.changes_gradient() && p.decay == 0.0f) return update_span(update, arrays, offset, size, g);
  alignas(64) float prepared[kPiece];
  for (int64_t begin = 0; begin < size; begin += kPiece) {
    const int64_t piece = begin + kPiece < size ? kPiece : size - begin;
    float* w = arrays.parameters + offset + begin;
    const bool changed = p.changes_gradient();
    if (changed) prepare_gradient(p, w, g + begin, piece, prepared);
    if (p.decay != 0.0f)
      for (int64_t i = 0; i < piece; i += kLanes) store(w + i, load(w + i) - load(w + i) * p.decay);
    update_span(update, arrays, offset + begin, piece, changed ? prepared : g + begin);
  }
}

// Everything but the factor of clipping by norm.
Preparation preparation_of(const OptimizerStep& op, const StepContext& context, int32_t number) {
  const Segment& segment = op.arrays.segments[number];
  Preparation p;
  p.regularise = !ops::clips_by_norm(op.clip) && regularised(segment);
  p.l1 = segment.l1;
  p.l2 = segment.l2;
  p.limit_value = op.clip == Clip::value;
  p.limit = op.clip_limit;
  p.decay = segment.weight_decay * context.scalars.learning_rate;
  return p;
}

template <class F>
void with_sgd(const OptimizerStep& op, const StepContext& context, F f) {
  const float rate = context.scalars.learning_rate;
  if (op.momentum == 0.0f) return f(Sgd{rate});
  if (op.nesterov) return f(SgdMomentum<true>{rate, op.momentum});
  f(SgdMomentum<false>{rate, op.momentum});
}

template <class F>
void with_rmsprop(const OptimizerStep& op, const StepContext& context, F f) {
  const math::RmspropRates rates{context.scalars.learning_rate, op.rho, op.one_minus_rho,
                                 op.epsilon};
  if (op.momentum > 0.0f) {
    if (op.centered) return f(Rmsprop<true, true>{rates, op.momentum});
    return f(Rmsprop<true, false>{rates, op.momentum});
  }
  if (op.centered) return f(Rmsprop<false, true>{rates, 0.0f});
  f(Rmsprop<false, false>{rates, 0.0f});
}

// Calls f with the function object of the step's update.
template <class F>
void with_update(const OptimizerStep& op, const StepContext& context, F f) {
  const ops::OptimizerScalars& s = context.scalars;
  const math::AdamRates rates{
      s.alpha,   s.gradient_alpha, s.second_alpha, op.one_minus_beta_1, op.one_minus_beta_2,
      op.epsilon};
  switch (op.kind) {
    case OptimizerKind::sgd: return with_sgd(op, context, f);
    case OptimizerKind::rmsprop: return with_rmsprop(op, context, f);
    case OptimizerKind::adam:
      if (op.amsgrad) return f(Adam<true>{rates});
      return f(Adam<false>{rates});
    case OptimizerKind::nadam: return f(Nadam{rates});
    case OptimizerKind::count: return;
  }
}

void step_run(const OptimizerStep& op, const StepContext& context, UnitRange range, void*) {
  with_update(op, context, [&](const auto& update) {
    Preparation p;
    int32_t segment = -1;
    for (int64_t c = range.begin; c < range.end; ++c) {
      const Chunk& chunk = op.arrays.chunks[c];
      if (chunk.segment != segment) {
        p = preparation_of(op, context, chunk.segment);
        if (ops::clips_by_norm(op.clip))
          p.factor = static_cast<float>(math::clip_factor(
              __builtin_sqrt(ops::clipped_square(op, c)), static_cast<double>(op.clip_limit)));
      }
      segment = chunk.segment;
      update_range(update, op.arrays, p, chunk.offset, chunk.size,
                   op.arrays.gradients + chunk.offset);
    }
  });
}

template <class Op>
int64_t count_chunks(const Op& op, const StepContext&) {
  return op.arrays.chunk_count;
}

}  // namespace

void update_block(const ops::FusedUpdate& fused, const StepContext& context,
                  const UpdateBlock& block) {
  const OptimizerStep& op = *fused.step;
  const Preparation p = preparation_of(op, context, fused.segment);
  const int64_t first = weights_of(fused, block) - op.arrays.parameters;
  with_update(op, context, [&](const auto& update) {
    if (block.cols == block.stride)
      return update_range(update, op.arrays, p, first, block.rows * block.cols, block.gradient);
    for (int64_t r = 0; r < block.rows; ++r)
      update_range(update, op.arrays, p, first + r * block.stride, block.cols,
                   block.gradient + r * block.stride);
  });
}

float plain_sgd_rate(const ops::FusedUpdate& fused, const StepContext& context) {
  const OptimizerStep& op = *fused.step;
  const Preparation p = preparation_of(op, context, fused.segment);
  const bool plain = op.kind == OptimizerKind::sgd && op.momentum == 0.0f &&
                     !p.changes_gradient() && p.decay == 0.0f;
  return plain ? context.scalars.learning_rate : 0.0f;
}

float* weights_of(const ops::FusedUpdate& fused, const UpdateBlock& block) {
  const OptimizerArrays& arrays = fused.step->arrays;
  return arrays.parameters + arrays.segments[fused.segment].offset + block.offset;
}

Prefetch prefetch_update(const ops::FusedUpdate& fused, int64_t begin, int64_t end) {
  const OptimizerArrays& arrays = fused.step->arrays;
  const Segment& segment = arrays.segments[fused.segment];
  Prefetch prefetch;
  prefetch.array[prefetch.arrays++] = arrays.parameters + segment.offset;
  for (const float* slot : arrays.slots)
    if (slot) prefetch.array[prefetch.arrays++] = slot + segment.offset;
  prefetch.next = begin;
  prefetch.end = end < segment.size ? end : segment.size;
  return prefetch;
}

void register_optimizer(KernelTable& table) {
  table.regularization_penalty = {count_chunks, penalty_run, nullptr};
  table.gradient_norm = {count_chunks, gradient_norm_run, nullptr};
  table.optimizer_step = {count_chunks, step_run, nullptr};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
