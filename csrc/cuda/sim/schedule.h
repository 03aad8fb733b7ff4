#pragma once
// Inside the simulated runtime: work waits in streams and graphs, and is run when somebody waits for it.

#include <functional>
#include <string>

#include "cuda/sim/runtime.h"

namespace dnnfast::cuda::sim {

// A piece of work. Returns what went wrong, or nothing.
using Work = std::function<std::string()>;

// Appends work to a stream, or to the graph that the stream is being captured into.
cudaError_t enqueue(cudaStream_t stream, cudaGraphNodeType type, Work work);

// Runs everything that `stream` holds, and what it waits for; of all streams if null.
cudaError_t drain(cudaStream_t stream);

// Whether a stream is being captured: then nothing may wait.
bool capturing(cudaStream_t stream);

// Keeps an error for cudaGetLastError and returns it.
cudaError_t remember(cudaError_t error);

// A new seed for whoever draws at random; 0 if the order is fixed.
uint64_t draw_seed();

// Makes device memory accessible to the code that runs until the end of its life.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

}  // namespace dnnfast::cuda::sim
