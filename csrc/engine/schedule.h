#pragma once
// The optimizers' scalars of each step, computed in double on the host.

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/graph.h"
#include "ops/context.h"

namespace dnnfast::engine {

// What the caller says about one step of one optimizer.
struct StepRate {
  double learning_rate = 0.0;
  double momentum =
      std::numeric_limits<double>::quiet_NaN();  // or beta_1; NaN: the optimizer's own
};

// State that runs with the iterations.
struct ScheduleState {
  int64_t iterations = 0;
  std::vector<double> u_product;  // Nadam's product of momentum coefficients, by optimizer
  double loss_scale =
      1.0;  // what the loss is multiplied by, where that is found as training goes on
  int64_t good_steps = 0;  // since it was changed

  ScheduleState() = default;
  explicit ScheduleState(const Graph& graph);
};

// `rates` has a row for each step, with one entry an optimizer; so has the result. Advances a copy of the state.
std::vector<ops::OptimizerScalars> schedule(const std::vector<Optimizer>& optimizers,
                                            ScheduleState state,
                                            const std::vector<StepRate>& rates);

// Moves the state over the steps of these rates that were applied.
void advance(const std::vector<Optimizer>& optimizers, ScheduleState& state,
             const std::vector<StepRate>& rates, int64_t steps);

// After a step whose loss was scaled: doubles the scale after enough good steps, halves it after a bad one.
void adapt_loss_scale(const Graph& graph, ScheduleState& state, bool finite);

}  // namespace dnnfast::engine
