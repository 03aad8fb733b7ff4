#include "engine/optimizer.h"

#include "core/error.h"

namespace dnnfast::engine {
namespace {

using Kind = ops::OptimizerKind;

float single(double value) { return static_cast<float>(value); }

void set_clip(const Attributes& options, ops::OptimizerStep& step) {
  const double value = options.number("clipvalue", 0), norm = options.number("clipnorm", 0),
               global = options.number("global_clipnorm", 0);
  if ((value > 0) + (norm > 0) + (global > 0) > 1)
    fail(ErrorKind::value, "only one of clipvalue, clipnorm and global_clipnorm can be set");
  if (value > 0) step.clip = ops::Clip::value;
  if (norm > 0) step.clip = ops::Clip::norm;
  if (global > 0) step.clip = ops::Clip::global_norm;
  step.clip_limit = single(value + norm + global);
}

double default_rho(Kind kind) { return kind == Kind::adadelta ? 0.95 : 0.9; }

double default_beta_2(Kind kind) { return kind == Kind::lion ? 0.99 : 0.999; }

double default_epsilon(Kind kind) {
  if (kind == Kind::adafactor) return 1e-30;
  return kind == Kind::schedule_free_adamw ? 1e-8 : 1e-7;
}

}  // namespace

ops::OptimizerStep optimizer_step(const Optimizer& optimizer) {
  const Attributes& options = optimizer.options;
  const Kind kind = optimizer.kind;
  ops::OptimizerStep step;
  step.kind = kind;
  step.with_momentum = options.number("momentum", 0) != 0;
  step.nesterov = options.number("nesterov", kind == Kind::muon) != 0;
  step.centered = options.number("centered", 0) != 0;
  step.amsgrad = options.number("amsgrad", 0) != 0;
  const double rho = options.number("rho", default_rho(kind));
  step.rho = single(rho);
  step.one_minus_rho = single(1 - rho);
  const double beta_2 =
      options.number(kind == Kind::muon ? "adam_beta_2" : "beta_2", default_beta_2(kind));
  step.beta_2 = single(beta_2);
  step.one_minus_beta_2 = single(1 - beta_2);
  const char* const epsilon = kind == Kind::adafactor ? "epsilon_1" : "epsilon";
  step.epsilon = single(options.number(epsilon, default_epsilon(kind)));
  step.l1 = single(options.number("l1_regularization_strength", 0));
  step.double_shrinkage = single(2 * options.number("l2_shrinkage_regularization_strength", 0));
  step.power = single(-options.number("learning_rate_power", -0.5));
  step.epsilon_2 = single(options.number("epsilon_2", 1e-3));
  step.clip_threshold = single(options.number("clip_threshold", 1));
  step.rms_rate = single(options.number("rms_rate", 0.2));
  step.accumulated_share = single(1 / options.number("gradient_accumulation_steps", 1));
  step.scaled =
      options.number("loss_scale_factor", 0) != 0 || options.number("dynamic_loss_scale", 0) != 0;
  set_clip(options, step);
  return step;
}

SlotMap slot_map(const Optimizer& optimizer) {
  const ops::OptimizerStep step = optimizer_step(optimizer);
  SlotMap map;
  auto add = [&](int& position, SlotArray array) {
    position = static_cast<int>(map.arrays.size());
    map.arrays.push_back(std::move(array));
  };
  auto slot = [&](int i, SlotArray array) { add(map.position[i], std::move(array)); };
  if (optimizer.options.number("use_ema", 0) != 0) add(map.average, {"average"});
  if (step.accumulated_share < 1) add(map.accumulator, {"gradient_accumulator"});
  const double initial = optimizer.options.number("initial_accumulator_value", 0.1);
  switch (optimizer.kind) {
    case Kind::sgd:
      if (step.with_momentum) slot(0, {"momentum"});
      break;
    case Kind::rmsprop:
      slot(0, {"velocity"});
      if (step.with_momentum) slot(1, {"momentum"});
      if (step.centered) slot(2, {"average_gradient"});
      break;
    case Kind::adagrad: slot(0, {"accumulator", initial}); break;
    case Kind::adadelta:
      slot(0, {"accumulated_grad"});
      slot(1, {"accumulated_delta_var"});
      break;
    case Kind::lion: slot(0, {"momentum"}); break;
    case Kind::ftrl:
      slot(0, {"accumulator", initial});
      slot(1, {"linear"});
      break;
    case Kind::adamax:
      slot(0, {"momentum"});
      slot(1, {"norm"});
      break;
    case Kind::adafactor: map.factored = true; break;
    default:
      slot(0, {"momentum", 0, optimizer.kind == Kind::schedule_free_adamw});
      slot(1, {"velocity", 0, false, optimizer.kind != Kind::muon});
      if (optimizer.kind == Kind::adam && step.amsgrad) slot(2, {"velocity_hat"});
  }
  return map;
}

bool takes_matrix(const Optimizer& optimizer, const Parameter& parameter) {
  if (optimizer.kind == Kind::muon) return parameter.orthogonal && parameter.shape.size() == 2;
  return optimizer.kind == Kind::adafactor && parameter.shape.size() >= 2;
}

double weight_decay(const Optimizer& optimizer, const Parameter& parameter) {
  if (!parameter.decay) return 0;
  const bool as_adam = optimizer.kind == Kind::muon && !takes_matrix(optimizer, parameter);
  return optimizer.options.number(as_adam ? "adam_weight_decay" : "weight_decay", 0);
}

bool scales_dynamically(const Graph& graph) {
  return graph.has_optimizer() &&
         graph.optimizers.front().options.number("dynamic_loss_scale", 0) != 0;
}

}  // namespace dnnfast::engine
