#pragma once
// The kernel of the GPU part: it runs one launch, or all launches of many steps.

#include "cuda/launch.h"
#include "cuda/memory.h"

namespace dnnfast::cuda {

// One launch of one turn.
void run_launch(const Stream& stream, const Launch& launch, const Turn& turn, Step* step,
                int64_t pieces, const std::string& doing);
// How many blocks of the resident kernel the device holds at once; 0 if it cannot run such a kernel.
int64_t resident_blocks(int device);
// All launches of `steps` steps by one kernel of `blocks` blocks, which meet after each launch. `launches` and the
// counter that they meet at (one unsigned) are on the device.
struct ResidentRun {
  const Launch* launches = nullptr;
  int count = 0;
  int64_t steps = 0;
  unsigned* arrivals = nullptr;
};
void run_resident(const Stream& stream, const ResidentRun& run, Step* step, int64_t blocks);

// Step::done grows by as much: the steps of a graph have been put on the stream.
void advance(const Stream& stream, Step* step, int64_t steps);

}  // namespace dnnfast::cuda
