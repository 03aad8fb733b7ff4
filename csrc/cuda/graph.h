#pragma once
// A recording of work on a stream, to be put there again with one call.

#include <utility>

#include "cuda/memory.h"

namespace dnnfast::cuda {

class Graph {
 public:
  Graph() = default;
  ~Graph() {
    if (exec_) cudaGraphExecDestroy(exec_);
  }
  Graph(Graph&& other) noexcept : exec_(std::exchange(other.exec_, nullptr)) {}
  Graph& operator=(Graph&& other) noexcept {
    std::swap(exec_, other.exec_);
    return *this;
  }

  explicit operator bool() const { return exec_ != nullptr; }
  // Kernels that `record` puts on the stream do not run; they become the graph.
  template <class Record>
  void capture(const Stream& stream, Record record);
  void launch(const Stream& stream) const {
    check(cudaGraphLaunch(exec_, stream.handle()), "running a recorded step");
  }

 private:
  cudaGraphExec_t exec_ = nullptr;
};

template <class Record>
void Graph::capture(const Stream& stream, Record record) {
  cudaGraph_t graph = nullptr;
  check(cudaStreamBeginCapture(stream.handle(), cudaStreamCaptureModeThreadLocal),
        "recording a step");
  try {
    record();
  } catch (...) {
    if (cudaStreamEndCapture(stream.handle(), &graph) == cudaSuccess) cudaGraphDestroy(graph);
    cudaGetLastError();
    throw;
  }
  check(cudaStreamEndCapture(stream.handle(), &graph), "recording a step");
  const cudaError_t error = cudaGraphInstantiate(&exec_, graph, 0);
  cudaGraphDestroy(graph);
  check(error, "recording a step");
}

}  // namespace dnnfast::cuda
