#pragma once
// Runs the threads of a grid on the host, one at a time, in an order that is fixed or drawn at random.

#include <cstdint>
#include <functional>
#include <string>

#include "cuda/sim/device.h"

namespace dnnfast::cuda::sim {

struct GridShape {
  dim3 blocks;
  dim3 threads;
  size_t shared_bytes = 0;
  bool cooperative = false;  // every block is there from the start
};

// Calls `kernel` once for each thread. With a seed other than 0, blocks start in random order, some at a time, and who
// goes on is drawn anew whenever a thread waits or touches what others may. Returns what went wrong, or
// nothing: threads that wait for each other for ever, shared memory too small, a warp operation with
// lanes that disagree.
std::string run_grid(const GridShape& shape, uint64_t seed, const std::function<void()>& kernel);

}  // namespace dnnfast::cuda::sim
