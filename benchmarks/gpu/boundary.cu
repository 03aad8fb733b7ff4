// What the boundary between two kernels, or two phases of one, costs: five numbers that decide how a training step
// of small layers is best put on a GPU. Prints one JSON object, in microseconds.
//
//   nvcc -O3 -std=c++17 -gencode arch=compute_90a,code=sm_90a -o boundary boundary.cu && ./boundary

#include <cooperative_groups.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace cg = cooperative_groups;

#define OK(call)                                                                              \
  do {                                                                                        \
    const cudaError_t error = (call);                                                         \
    if (error != cudaSuccess) {                                                               \
      std::fprintf(stderr, "%s: %s\n", #call, cudaGetErrorString(error));                     \
      std::exit(1);                                                                           \
    }                                                                                         \
  } while (false)

constexpr int kKernels = 256;  // of a graph, or phases of a kernel
constexpr int kThreads = 256;
constexpr int kRuns = 21;

// A phase touches one value a block, so that nothing can be left out.
__device__ void touch(float* x) {
  if (threadIdx.x == 0) x[blockIdx.x] += 1.0f;
}
__global__ void phase(float* x) { touch(x); }

// Starts while its predecessor ends.
__global__ void early_phase(float* x) {
#if __CUDA_ARCH__ >= 900
  cudaTriggerProgrammaticLaunchCompletion();
  cudaGridDependencySynchronize();
#endif
  touch(x);
}

__global__ void grid_phases(float* x) {
  for (int i = 0; i < kKernels; ++i) {
    touch(x);
    cg::this_grid().sync();
  }
}
__global__ void cluster_phases(float* x) {
  for (int i = 0; i < kKernels; ++i) {
    touch(x);
    cg::this_cluster().sync();
  }
}

struct Timer {
  cudaStream_t stream;
  cudaEvent_t begin, end;
  Timer() {
    OK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    OK(cudaEventCreate(&begin));
    OK(cudaEventCreate(&end));
  }
  // Median microseconds of one of the kKernels parts of what `work` puts on the stream.
  template <class Work>
  double operator()(Work work) {
    std::vector<double> times;
    for (int i = 0; i < kRuns; ++i) {
      OK(cudaEventRecord(begin, stream));
      work();
      OK(cudaEventRecord(end, stream));
      OK(cudaEventSynchronize(end));
      float milliseconds = 0;
      OK(cudaEventElapsedTime(&milliseconds, begin, end));
      times.push_back(1e3 * milliseconds / kKernels);
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }
};

void launch(void (*kernel)(float*), int blocks, cudaStream_t stream, float* x,
            cudaLaunchAttribute attribute, bool with_attribute) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(blocks);
  config.blockDim = dim3(kThreads);
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = with_attribute ? 1 : 0;
  OK(cudaLaunchKernelEx(&config, kernel, x));
}

double graph_time(Timer& timer, void (*kernel)(float*), int blocks, float* x, bool early) {
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  cudaGraph_t graph;
  cudaGraphExec_t exec;
  OK(cudaStreamBeginCapture(timer.stream, cudaStreamCaptureModeThreadLocal));
  for (int i = 0; i < kKernels; ++i) launch(kernel, blocks, timer.stream, x, attribute, early);
  OK(cudaStreamEndCapture(timer.stream, &graph));
  OK(cudaGraphInstantiate(&exec, graph, 0));
  const double time = timer([&] { OK(cudaGraphLaunch(exec, timer.stream)); });
  OK(cudaGraphExecDestroy(exec));
  OK(cudaGraphDestroy(graph));
  return time;
}

double phases_time(Timer& timer, void (*kernel)(float*), int blocks, float* x, int cluster) {
  cudaLaunchAttribute attribute = {};
  if (cluster > 0) {
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim.x = cluster;
    attribute.val.clusterDim.y = attribute.val.clusterDim.z = 1;
    if (cluster > 8)
      OK(cudaFuncSetAttribute(kernel, cudaFuncAttributeNonPortableClusterSizeAllowed, 1));
  } else {
    attribute.id = cudaLaunchAttributeCooperative;
    attribute.val.cooperative = 1;
  }
  return timer([&] { launch(kernel, blocks, timer.stream, x, attribute, true); });
}

int main() {
  cudaDeviceProp device;
  OK(cudaGetDeviceProperties(&device, 0));
  const int blocks = device.multiProcessorCount;
  float* x = nullptr;
  OK(cudaMalloc(&x, blocks * sizeof(float)));
  OK(cudaMemset(x, 0, blocks * sizeof(float)));
  Timer timer;
  const double plain = timer([&] {
    for (int i = 0; i < kKernels; ++i) launch(phase, blocks, timer.stream, x, {}, false);
  });
  std::printf("{\"gpu\": \"%s\", \"blocks\": %d, \"plain_launch\": %.3f", device.name, blocks, plain);
  std::printf(", \"graph_node\": %.3f", graph_time(timer, phase, blocks, x, false));
  std::printf(", \"graph_node_early\": %.3f", graph_time(timer, early_phase, blocks, x, true));
  std::printf(", \"grid_barrier\": %.3f", phases_time(timer, grid_phases, blocks, x, 0));
  std::printf(", \"cluster_barrier_8\": %.3f", phases_time(timer, cluster_phases, 8, x, 8));
  std::printf(", \"cluster_barrier_16\": %.3f}\n", phases_time(timer, cluster_phases, 16, x, 16));
  OK(cudaFree(x));
  return 0;
}
