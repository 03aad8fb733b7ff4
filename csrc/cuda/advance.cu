// Between ops and steps: one thread that decides whether and how the run goes on.

#include "cuda/families.h"

namespace dnnfast::cuda {
namespace {

__global__ void check_loss(const double* step_loss, Step* step) {
  const double loss = *step_loss;
  if (!(loss - loss == 0.0)) step->stopped = 1;
}

__global__ void set_pass(int64_t sample, Step* step) {
  if (step->stopped) return;
  ops::StepContext& c = step->context;
  const uint64_t clock = step->first_step + static_cast<uint64_t>(step->applied);
  c.sample = sample;
  c.step = clock + static_cast<uint64_t>(sample) * c.sample_stride;
}

__global__ void advance(Step* step) {
  if (step->stopped) return;
  ops::StepContext& c = step->context;
  ++step->applied;
  c.first_row += step->batch;
  const int64_t left = step->row_end - c.first_row;
  c.batch = step->batch < left ? step->batch : left;
  c.step = step->first_step + static_cast<uint64_t>(step->applied);
  c.sample = 0;
  if (step->scalars && left > 0) c.scalars = step->scalars[step->applied];
}

Step* writable(const Launcher& to) { return const_cast<Step*>(to.step); }

}  // namespace

void enqueue_check(const double* step_loss, const Launcher& to) {
  to(check_loss, 1, 1, 0, step_loss, writable(to));
}
void enqueue_pass(int64_t sample, const Launcher& to) {
  to(set_pass, 1, 1, 0, sample, writable(to));
}
void enqueue_advance(const Launcher& to) { to(advance, 1, 1, 0, writable(to)); }

}  // namespace dnnfast::cuda
