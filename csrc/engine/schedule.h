#pragma once
// The optimizer's scalars of each step, computed in double on the host.

#include <cstdint>
#include <vector>

#include "engine/graph.h"
#include "ops/context.h"

namespace dnnfast::engine {

// State that runs with the iterations: Nadam's product of momentum coefficients.
struct ScheduleState {
  int64_t iterations = 0;
  double u_product = 1.0;
};

// One row for each learning rate, for the steps after `state`; advances a copy of it only.
std::vector<ops::OptimizerScalars> schedule(const Optimizer& optimizer, ScheduleState state,
                                            const double* learning_rates, int64_t count);

// Moves the state over `steps` applied steps.
void advance(const Optimizer& optimizer, ScheduleState& state, int64_t steps);

}  // namespace dnnfast::engine
