#pragma once
// The two kernels of the GPU part.

#include "cuda/launch.h"
#include "cuda/memory.h"

namespace dnnfast::cuda {

// One launch of one turn.
void run_launch(const Stream& stream, const Launch& launch, const Turn& turn, Step* step,
                int64_t pieces, const std::string& doing);
// Step::done grows by as much: the steps of a graph have been put on the stream.
void advance(const Stream& stream, Step* step, int64_t steps);

}  // namespace dnnfast::cuda
