#pragma once
// What changes from step to step, on the device. Kernels get the same arguments every time, so that a graph can
// replay them; they look here for the rest.

#include "cuda/platform.h"
#include "ops/context.h"

namespace dnnfast::cuda {

struct Step {
  ops::StepContext context;  // of the run's first step; its pointers are the device's
  const ops::OptimizerScalars* scalars = nullptr;  // of all steps of the run, or null
  int64_t optimizers = 1;                          // rows of scalars a step
  int64_t row_end = 0;
  int64_t steps = 0;
  int64_t done = 0;         // steps before the one that a graph starts with
  int64_t stopped_at = -1;  // the step whose loss was not finite: nothing runs any more
};

// Which step and which pass of its repeated part a kernel works for, counted from Step::done.
struct Turn {
  int64_t step = 0;
  int64_t pass = 0;
};

// Whether there is such a step to run; if so, its context, with the scalars that are put beside it.
__device__ inline bool step_context(const Step& step, const Turn& turn, ops::StepContext& context,
                                    ops::OptimizerScalars* scalars) {
  const int64_t i = step.done + turn.step;
  if (i >= step.steps || step.stopped_at >= 0) return false;
  context = step.context;
  context.first_row += i * step.context.batch;
  const int64_t left = step.row_end - context.first_row;
  if (left < context.batch) context.batch = left;
  context.sample += turn.pass;
  context.step +=
      static_cast<uint64_t>(i) + static_cast<uint64_t>(turn.pass) * context.sample_stride;
  if (step.scalars) {
    for (int64_t k = 0; k < step.optimizers; ++k)
      scalars[k] = step.scalars[i * step.optimizers + k];
  } else {
    scalars[0] = {};
  }
  context.scalars = scalars;
  return true;
}

}  // namespace dnnfast::cuda
