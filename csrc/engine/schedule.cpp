#include "engine/schedule.h"

#include <cmath>

namespace dnnfast::engine {
namespace {

// Nadam's momentum coefficient of step t >= 1 (Keras 3: 0.96^t).
double nadam_u(double beta_1, double t) { return beta_1 * (1.0 - 0.5 * std::pow(0.96, t)); }

ops::OptimizerScalars scalars_of(const Optimizer& optimizer, const ScheduleState& state,
                                 double learning_rate) {
  const double t = static_cast<double>(state.iterations) + 1.0;
  const double beta_1 = optimizer.options.number("beta_1", 0.9);
  const double beta_2 = optimizer.options.number("beta_2", 0.999);
  ops::OptimizerScalars row;
  row.learning_rate = static_cast<float>(learning_rate);
  if (optimizer.kind == ops::OptimizerKind::adam) {
    row.alpha = static_cast<float>(learning_rate * std::sqrt(1.0 - std::pow(beta_2, t)) /
                                   (1.0 - std::pow(beta_1, t)));
  } else if (optimizer.kind == ops::OptimizerKind::nadam) {
    const double u = nadam_u(beta_1, t), u_next = nadam_u(beta_1, t + 1.0);
    const double product = state.u_product * u;
    row.alpha = static_cast<float>(learning_rate * u_next / (1.0 - product * u_next));
    row.gradient_alpha = static_cast<float>(learning_rate * (1.0 - u) / (1.0 - product));
    row.second_alpha = static_cast<float>(1.0 / (1.0 - std::pow(beta_2, t)));
  }
  return row;
}

}  // namespace

std::vector<ops::OptimizerScalars> schedule(const Optimizer& optimizer, ScheduleState state,
                                            const double* learning_rates, int64_t count) {
  std::vector<ops::OptimizerScalars> rows;
  rows.reserve(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    rows.push_back(scalars_of(optimizer, state, learning_rates[i]));
    advance(optimizer, state, 1);
  }
  return rows;
}

void advance(const Optimizer& optimizer, ScheduleState& state, int64_t steps) {
  const double beta_1 = optimizer.options.number("beta_1", 0.9);
  for (int64_t i = 0; i < steps; ++i) {
    ++state.iterations;
    if (optimizer.kind == ops::OptimizerKind::nadam)
      state.u_product *= nadam_u(beta_1, static_cast<double>(state.iterations));
  }
}

}  // namespace dnnfast::engine
