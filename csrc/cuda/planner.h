#pragma once
// Decides which work runs in which kernel.

#include <string>
#include <vector>

#include "cuda/launch.h"
#include "cuda/work.h"

namespace dnnfast::cuda {

// A launch with the calls it came from, task by task.
struct PlannedLaunch {
  Launch launch;
  std::vector<int> calls;
};

// The launches of a step: `main`, then `repeated` for every pass, then `finish`. Programs that do not sample have the
// first only.
struct PlannedProgram {
  std::vector<PlannedLaunch> main, repeated, finish;
};

// Each task is in the earliest launch it can be in: after those that have what it needs or use what it changes, or
// in the chain of such a task, where a block needs nothing but its own piece of it. Not `fused`: every task has a
// launch of its own, and the same bits come out.
PlannedProgram plan_program(const ops::Program& program, int64_t capacity, int processors,
                            bool fused);

// A line a launch: how many pieces, which ops of the program.
std::string describe(const PlannedProgram& program, int64_t capacity);

}  // namespace dnnfast::cuda
