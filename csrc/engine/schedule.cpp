#include "engine/schedule.h"

#include <algorithm>
#include <cmath>

#include "engine/optimizer.h"

namespace dnnfast::engine {
namespace {

using Kind = ops::OptimizerKind;

float single(double value) { return static_cast<float>(value); }

// Momentum where the optimizer has it, else beta_1.
double momentum_of(const Optimizer& optimizer, const StepRate& rate) {
  if (!std::isnan(rate.momentum)) return rate.momentum;
  switch (optimizer.kind) {
    case Kind::sgd:
    case Kind::rmsprop: return optimizer.options.number("momentum", 0);
    case Kind::muon: return optimizer.options.number("momentum", 0.95);
    default: return optimizer.options.number("beta_1", 0.9);
  }
}

// Steps between two updates.
int64_t stride_of(const Optimizer& optimizer) {
  return std::max<int64_t>(
      1, static_cast<int64_t>(optimizer.options.number("gradient_accumulation_steps", 1)));
}

// Nadam's momentum coefficient of update t >= 1 (Keras 3: 0.96^t).
double nadam_u(double beta_1, double t) { return beta_1 * (1.0 - 0.5 * std::pow(0.96, t)); }

double adam_alpha(double rate, double beta_1, double beta_2, double t) {
  return rate * std::sqrt(1.0 - std::pow(beta_2, t)) / (1.0 - std::pow(beta_1, t));
}

void set_nadam(ops::OptimizerScalars& row, double rate, double beta_1, double t, double u_product) {
  const double u = nadam_u(beta_1, t), u_next = nadam_u(beta_1, t + 1.0);
  const double product = u_product * u;
  row.alpha = single(rate * u_next / (1.0 - product * u_next));
  row.gradient_alpha = single(rate * (1.0 - u) / (1.0 - product));
}

// Update t of a kind: t counts from 1.
void set_kind(ops::OptimizerScalars& row, const Optimizer& optimizer, double rate, double momentum,
              double t, double u_product) {
  const Attributes& options = optimizer.options;
  const double beta_2 = options.number("beta_2", 0.999);
  switch (optimizer.kind) {
    case Kind::adam: row.alpha = single(adam_alpha(rate, momentum, beta_2, t)); break;
    case Kind::nadam:
      set_nadam(row, rate, momentum, t, u_product);
      row.second_alpha = single(1.0 / (1.0 - std::pow(beta_2, t)));
      break;
    case Kind::adamax: row.alpha = single(rate / (1.0 - std::pow(momentum, t))); break;
    case Kind::lamb:
      row.alpha = single(1.0 / (1.0 - std::pow(momentum, t)));
      row.second_alpha = single(1.0 / (1.0 - std::pow(beta_2, t)));
      break;
    case Kind::ftrl:
      row.alpha = single(1.0 / rate);
      row.gradient_alpha = single(2.0 * options.number("l2_regularization_strength", 0) +
                                  options.number("beta", 0) / rate);
      break;
    case Kind::schedule_free_adamw: {
      const double warmup = options.number("warmup_steps", 0);
      row.learning_rate = single(warmup > 0 ? rate * std::min(t / warmup, 1.0) : rate);
      row.second_alpha = single(1.0 / (1.0 - std::pow(beta_2, t)));
      row.alpha = single(1.0 - 1.0 / t);
      row.gradient_alpha = single(1.0 - momentum + momentum / t);
      break;
    }
    case Kind::adafactor: {
      const double share = std::pow(t, options.number("beta_2_decay", -0.8));
      row.alpha = single(std::min(rate, 1.0 / std::sqrt(t)));
      row.second_alpha = single(1.0 - share);
      row.gradient_alpha = single(share);
      break;
    }
    case Kind::muon: {
      const double beta_1 = options.number("adam_beta_1", 0.9);
      row.alpha = single(adam_alpha(rate * options.number("adam_lr_ratio", 1), beta_1,
                                    options.number("adam_beta_2", 0.999), t));
      row.one_minus_momentum = single(1.0 - beta_1);
      break;
    }
    default: break;
  }
}

ops::OptimizerScalars scalars_of(const Optimizer& optimizer, const ScheduleState& state,
                                 const StepRate& rate, double u_product) {
  const int64_t stride = stride_of(optimizer), updates = state.iterations / stride;
  const double momentum = momentum_of(optimizer, rate);
  ops::OptimizerScalars row;
  row.learning_rate = row.decay_rate = single(rate.learning_rate);
  row.momentum = single(momentum);
  row.one_minus_momentum = single(1.0 - momentum);
  row.updates = (state.iterations + 1) % stride == 0;
  set_kind(row, optimizer, rate.learning_rate, momentum, static_cast<double>(updates) + 1.0,
           u_product);
  const double kept = optimizer.options.number("ema_momentum", 0.99);
  row.average_share = single(updates == 0 ? 1.0 : 1.0 - kept);
  const auto frequency =
      static_cast<int64_t>(optimizer.options.number("ema_overwrite_frequency", 0));
  row.overwrites = frequency > 0 && (updates + 1) % frequency == 0;
  const double fixed = optimizer.options.number("loss_scale_factor", 0);
  row.loss_scale = single(fixed > 0 ? fixed : state.loss_scale);
  return row;
}

// One step on.
void advance_one(const std::vector<Optimizer>& optimizers, ScheduleState& state,
                 const StepRate* rates) {
  for (size_t k = 0; k < optimizers.size(); ++k) {
    const Optimizer& optimizer = optimizers[k];
    const int64_t stride = stride_of(optimizer);
    if (optimizer.kind == Kind::nadam && (state.iterations + 1) % stride == 0)
      state.u_product[k] *= nadam_u(momentum_of(optimizer, rates[k]),
                                    static_cast<double>(state.iterations / stride) + 1.0);
  }
  ++state.iterations;
}

}  // namespace

ScheduleState::ScheduleState(const Graph& graph) : u_product(graph.optimizers.size(), 1.0) {
  if (scales_dynamically(graph))
    loss_scale = graph.optimizers.front().options.number("initial_scale", 32768);
}

std::vector<ops::OptimizerScalars> schedule(const std::vector<Optimizer>& optimizers,
                                            ScheduleState state,
                                            const std::vector<StepRate>& rates) {
  const size_t count = optimizers.size();
  std::vector<ops::OptimizerScalars> rows;
  rows.reserve(rates.size());
  for (size_t i = 0; i + count <= rates.size() && count > 0; i += count) {
    for (size_t k = 0; k < count; ++k)
      rows.push_back(scalars_of(optimizers[k], state, rates[i + k], state.u_product[k]));
    advance_one(optimizers, state, &rates[i]);
  }
  return rows;
}

void advance(const std::vector<Optimizer>& optimizers, ScheduleState& state,
             const std::vector<StepRate>& rates, int64_t steps) {
  for (int64_t i = 0; i < steps; ++i)
    advance_one(optimizers, state, &rates[static_cast<size_t>(i) * optimizers.size()]);
}

void adapt_loss_scale(const Graph& graph, ScheduleState& state, bool finite) {
  const double growth = graph.optimizers.front().options.number("dynamic_growth_steps", 2000);
  if (!finite) {
    state.loss_scale *= 0.5;
    state.good_steps = 0;
  } else if (static_cast<double>(++state.good_steps) >= growth) {
    state.loss_scale *= 2.0;
    state.good_steps = 0;
  }
}

}  // namespace dnnfast::engine
