// The simulated runtime: streams, events, graphs and memory behave as a device's do at their worst.

#include <cmath>
#include <cstring>

#include "cuda_test.h"

namespace {

using namespace simulation_test;

__global__ void add_one(float* x, int n) {
  const int i = static_cast<int>(threadIdx.x);
  if (i < n) x[i] += 1.0f;
}

__global__ void twice(float* x, int n) {
  const int i = static_cast<int>(threadIdx.x);
  if (i < n) x[i] *= 2.0f;
}

// x + 1 in one stream, then 2x in the other; `waits` is how it should be.
float across_streams(bool waits) {
  Stream first, second;
  Event done;
  DeviceArray<float> x(1);
  x.fill({3.0f}, first.handle);
  cudaStreamSynchronize(first.handle);
  launch(add_one, {1, 1, 0, first.handle}, x.data, 1);
  cudaEventRecord(done.handle, first.handle);
  if (waits) cudaStreamWaitEvent(second.handle, done.handle);
  launch(twice, {1, 1, 0, second.handle}, x.data, 1);
  cudaDeviceSynchronize();
  return x.values(second.handle)[0];
}

void test_streams() {
  bool right = true, race_found = false;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    use_seed(seed);
    right = right && across_streams(true) == 8.0f;
    race_found = race_found || across_streams(false) != 8.0f;
  }
  expect(right, "an event orders two streams");
  expect(race_found, "a missing event is noticed in some order");
}

// Captures x[i] += 1 and then, in two branches, x[0] *= 2 and x[1] *= 2; `joins` is how it should be.
cudaError_t capture(cudaGraph_t* graph, float* x, cudaStream_t main, cudaStream_t branch,
                    bool joins) {
  Event fork, join;
  cudaStreamBeginCapture(main, cudaStreamCaptureModeThreadLocal);
  launch(add_one, {1, 2, 0, main}, x, 2);
  cudaEventRecord(fork.handle, main);
  cudaStreamWaitEvent(branch, fork.handle);
  launch(twice, {1, 1, 0, main}, x, 1);
  launch(twice, {1, 1, 0, branch}, x + 1, 1);
  cudaEventRecord(join.handle, branch);
  if (joins) cudaStreamWaitEvent(main, join.handle);
  expect(cudaStreamSynchronize(main) == cudaErrorStreamCaptureUnsupported,
         "nothing waits for a stream that is captured");
  return cudaStreamEndCapture(main, graph);
}

void test_graphs() {
  for (uint64_t seed = 0; seed <= 5; ++seed) {
    use_seed(seed);
    Stream main, branch;
    DeviceArray<float> x(2);
    x.fill({1.0f, 2.0f}, main.handle);
    cudaGraph_t graph = nullptr;
    expect(capture(&graph, x.data, main.handle, branch.handle, false) ==
               cudaErrorStreamCaptureUnjoined,
           "a branch that is not joined is an error");
    expect_ok(capture(&graph, x.data, main.handle, branch.handle, true), "capture");
    size_t count = 0;
    cudaGraphGetNodes(graph, nullptr, &count);
    expect(count == 3, "a node a launch");
    cudaGraphExec_t exec = nullptr;
    expect_ok(cudaGraphInstantiate(&exec, graph), "instantiate");
    cudaGraphDestroy(graph);
    for (int i = 0; i < 2; ++i) expect_ok(cudaGraphLaunch(exec, main.handle), "replay");
    cudaGraphExecDestroy(exec);
    expect(x.values(main.handle) == std::vector<float>({10.0f, 14.0f}), "a graph replays");
  }
  cudaGetLastError();
}

void test_memory() {
  use_seed(3);
  Stream stream;
  const size_t whole = sim::settings().memory;
  sim::settings().memory = 4096;
  void* memory = nullptr;
  expect(cudaMalloc(&memory, 5000) == cudaErrorMemoryAllocation && !memory, "memory runs out");
  expect_ok(cudaMalloc(&memory, 4000), "all of it");
  size_t free_bytes = 0, total = 0;
  cudaMemGetInfo(&free_bytes, &total);
  expect(free_bytes == 96 && total == 4096, "what is left");
  expect_ok(cudaFree(memory), "free");
  expect(cudaFree(memory) == cudaErrorInvalidValue, "freed twice");
  sim::settings().memory = whole;

  DeviceArray<float> x(4);
  expect(std::isnan(x.values(stream.handle)[2]), "unwritten memory is NaN");
  // The caller's array may change once the call has returned, whenever the copy is made.
  std::vector<float> host{1, 2, 3, 4};
  x.fill(host, stream.handle);
  host[0] = 9;
  expect(x.values(stream.handle)[0] == 1, "pageable memory is read at once");
  void* pinned = nullptr;
  cudaMallocHost(&pinned, 16);
  auto* values = static_cast<float*>(pinned);
  values[0] = 1;
  cudaMemcpyAsync(x.data, values, 16, cudaMemcpyHostToDevice, stream.handle);
  values[0] = 7;
  expect(x.values(stream.handle)[0] == 7, "pinned memory is read when the copy is made");
  cudaFreeHost(pinned);
  expect(cudaMemcpyAsync(host.data(), host.data() + 1, 4, cudaMemcpyHostToDevice, stream.handle) ==
             cudaErrorInvalidValue,
         "a copy to where no device memory is");
  cudaGetLastError();
}

}  // namespace

int main() {
  test_streams();
  test_graphs();
  test_memory();
  if (failures == 0) std::puts("runtime: all as expected");
  return failures == 0 ? 0 : 1;
}
