#pragma once
// What changes from step to step, on the device. Kernels get the same arguments every time, so that a graph can
// replay them; they look here for the rest, and the last kernel of a step moves it on.

#include "cuda/platform.h"
#include "ops/context.h"

namespace dnnfast::cuda {

struct Step {
  ops::StepContext context;                        // its pointers are the device's
  const ops::OptimizerScalars* scalars = nullptr;  // of all steps of the run, or null
  uint64_t first_step = 0;                         // context.step of the run's first step
  int64_t batch = 0;                               // samples of a full step
  int64_t row_end = 0;
  int64_t applied = 0;
  int32_t stopped = 0;  // a loss was not finite: nothing runs any more
};

}  // namespace dnnfast::cuda
