#include "cuda/sim/runtime.h"

#include <cstdlib>
#include <map>

#include "cuda/sim/schedule.h"

namespace dnnfast::cuda::sim {
namespace {

constexpr size_t kSharedBytes = 227 * 1024;  // of a block that asks for it, as on Hopper
constexpr size_t kSharedUnasked = 48 * 1024;
constexpr unsigned kMostThreads = 1024;
constexpr unsigned kMultiprocessorThreads = 2048;

template <class T>
void read_environment(const char* name, T& value) {
  if (const char* text = std::getenv(name); text && *text)
    value = static_cast<T>(std::strtoull(text, nullptr, 10));
}

std::map<const void*, size_t>& shared_limits() {
  static std::map<const void*, size_t> limits;
  return limits;
}

uint64_t volume(const dim3& extent) { return uint64_t{extent.x} * extent.y * extent.z; }

}  // namespace

Settings& settings() {
  static Settings instance = [] {
    Settings s;
    read_environment("DNNFAST_SIM_SEED", s.seed);
    read_environment("DNNFAST_SIM_DEVICES", s.devices);
    read_environment("DNNFAST_SIM_SMS", s.multiprocessors);
    read_environment("DNNFAST_SIM_MEMORY", s.memory);
    return s;
  }();
  return instance;
}

size_t shared_limit(const void* kernel) {
  const auto found = shared_limits().find(kernel);
  return found == shared_limits().end() ? kSharedUnasked : found->second;
}

void set_shared_limit(const void* kernel, size_t bytes) { shared_limits()[kernel] = bytes; }

int blocks_per_multiprocessor(unsigned threads, size_t shared_bytes) {
  if (threads == 0 || threads > kMostThreads || shared_bytes > kSharedBytes) return 0;
  const size_t by_threads = kMultiprocessorThreads / threads;
  const size_t by_shared = shared_bytes ? kSharedBytes / shared_bytes : by_threads;
  return static_cast<int>(by_threads < by_shared ? by_threads : by_shared);
}

cudaError_t enqueue_grid(const cudaLaunchConfig_t& config, const void* kernel,
                         std::function<void()> body) {
  GridShape shape{config.gridDim, config.blockDim, config.dynamicSmemBytes, false};
  for (unsigned i = 0; i < config.numAttrs; ++i)
    shape.cooperative =
        shape.cooperative ||
        (config.attrs[i].id == cudaLaunchAttributeCooperative && config.attrs[i].val.cooperative);
  const uint64_t blocks = volume(shape.blocks), threads = volume(shape.threads);
  if (blocks == 0 || threads == 0 || threads > kMostThreads || shape.shared_bytes > kSharedBytes ||
      shape.shared_bytes > shared_limit(kernel))
    return remember(cudaErrorInvalidConfiguration);
  const int resident =
      blocks_per_multiprocessor(static_cast<unsigned>(threads), shape.shared_bytes);
  if (shape.cooperative &&
      blocks > static_cast<uint64_t>(resident) * static_cast<uint64_t>(settings().multiprocessors))
    return remember(cudaErrorCooperativeLaunchTooLarge);
  return enqueue(config.stream, cudaGraphNodeTypeKernel,
                 [shape, body = std::move(body)] { return run_grid(shape, draw_seed(), body); });
}

}  // namespace dnnfast::cuda::sim

using namespace dnnfast::cuda::sim;

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle: return "cudaErrorInvalidResourceHandle";
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorCooperativeLaunchTooLarge: return "cudaErrorCooperativeLaunchTooLarge";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureUnmatched: return "cudaErrorStreamCaptureUnmatched";
    case cudaErrorStreamCaptureUnjoined: return "cudaErrorStreamCaptureUnjoined";
    case cudaErrorIllegalState: return "cudaErrorIllegalState";
  }
  return "unknown error";
}

const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorLaunchFailure && !failure().empty() ? failure().c_str()
                                                               : cudaGetErrorName(error);
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = settings().devices;
  return settings().devices > 0 ? cudaSuccess : remember(cudaErrorNoDevice);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (device < 0 || device >= settings().devices) return remember(cudaErrorInvalidDevice);
  *properties = {};
  std::strcpy(properties->name, "simulated on the host");
  properties->totalGlobalMem = settings().memory;
  properties->sharedMemPerBlockOptin = kSharedBytes;
  properties->sharedMemPerMultiprocessor = kSharedBytes;
  properties->major = 9;
  properties->multiProcessorCount = settings().multiprocessors;
  properties->maxThreadsPerBlock = static_cast<int>(kMostThreads);
  properties->maxThreadsPerMultiProcessor = static_cast<int>(kMultiprocessorThreads);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int device) {
  if (device < 0 || device >= settings().devices) return remember(cudaErrorInvalidDevice);
  *value = 1;
  return cudaSuccess;
}
