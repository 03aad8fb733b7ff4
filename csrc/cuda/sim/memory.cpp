// Allocations and copies of the simulated runtime.

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "cuda/sim/schedule.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define DNNFAST_SIM_HIDE(memory, bytes) ASAN_POISON_MEMORY_REGION(memory, bytes)
#define DNNFAST_SIM_SHOW(memory, bytes) ASAN_UNPOISON_MEMORY_REGION(memory, bytes)
#else
#define DNNFAST_SIM_HIDE(memory, bytes) ((void)(memory), (void)(bytes))
#define DNNFAST_SIM_SHOW(memory, bytes) ((void)(memory), (void)(bytes))
#endif

namespace dnnfast::cuda::sim {
namespace {

constexpr size_t kAlignment = 256;

struct Space {
  std::map<char*, size_t> device, pinned;  // by first byte
  size_t used = 0;                         // of the device
  int accesses = 0;                        // DeviceAccess objects alive
};

Space& space() {
  static Space instance;
  return instance;
}

// The allocation that holds a byte, or null.
char* allocation_of(std::map<char*, size_t>& allocations, const void* p) {
  auto* byte = static_cast<char*>(const_cast<void*>(p));
  auto after = allocations.upper_bound(byte);
  if (after == allocations.begin()) return nullptr;
  --after;
  return byte < after->first + after->second ? after->first : nullptr;
}

// Device memory gets its exact size, so that the sanitizer sees the first byte beyond.
char* allocate(std::map<char*, size_t>& allocations, size_t bytes) {
  void* memory = nullptr;
  if (posix_memalign(&memory, kAlignment, bytes) != 0) return nullptr;
  std::memset(memory, 0xff, bytes);
  allocations[static_cast<char*>(memory)] = bytes;
  return static_cast<char*>(memory);
}

std::string copy(void* to, const void* from, size_t bytes) {
  std::memmove(to, from, bytes);
  return {};
}

cudaError_t release(void* memory) {
  const auto found = space().device.find(static_cast<char*>(memory));
  if (found == space().device.end()) return remember(cudaErrorInvalidValue);
  space().used -= found->second;
  DNNFAST_SIM_SHOW(found->first, found->second);
  std::free(found->first);
  space().device.erase(found);
  return cudaSuccess;
}

}  // namespace

DeviceAccess::DeviceAccess() {
  if (space().accesses++ > 0) return;
  for (const auto& [memory, bytes] : space().device) DNNFAST_SIM_SHOW(memory, bytes);
}

DeviceAccess::~DeviceAccess() {
  if (--space().accesses > 0) return;
  for (const auto& [memory, bytes] : space().device) DNNFAST_SIM_HIDE(memory, bytes);
}

}  // namespace dnnfast::cuda::sim

using namespace dnnfast::cuda::sim;

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* memory) {
  *attributes = {cudaMemoryTypeUnregistered, 0};
  cudaGetDevice(&attributes->device);
  if (allocation_of(space().device, memory)) attributes->type = cudaMemoryTypeDevice;
  if (allocation_of(space().pinned, memory)) attributes->type = cudaMemoryTypeHost;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  *memory = nullptr;
  if (bytes == 0) return cudaSuccess;
  if (bytes > settings().memory - space().used) return remember(cudaErrorMemoryAllocation);
  char* p = allocate(space().device, bytes);
  if (!p) return remember(cudaErrorMemoryAllocation);
  DNNFAST_SIM_HIDE(p, bytes);
  space().used += bytes;
  *memory = p;
  return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
  if (!memory) return cudaSuccess;
  const cudaError_t error = drain(nullptr);
  const cudaError_t freed = release(memory);
  return error != cudaSuccess ? error : freed;
}

cudaError_t cudaMallocAsync(void** memory, size_t bytes, cudaStream_t stream) {
  if (capturing(stream)) return remember(cudaErrorStreamCaptureUnsupported);
  return cudaMalloc(memory, bytes);
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  if (!memory) return cudaSuccess;
  if (capturing(stream)) return remember(cudaErrorStreamCaptureUnsupported);
  return enqueue(stream, cudaGraphNodeTypeHost, [memory] {
    return std::string(release(memory) == cudaSuccess ? "" : "memory is freed twice");
  });
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  *memory = allocate(space().pinned, bytes);
  return *memory ? cudaSuccess : remember(cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeHost(void* memory) {
  if (!memory) return cudaSuccess;
  if (space().pinned.erase(static_cast<char*>(memory)) == 0) return remember(cudaErrorInvalidValue);
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *total = settings().memory;
  *free = settings().memory - space().used;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  const bool from_device = allocation_of(space().device, from) != nullptr;
  const bool to_device = allocation_of(space().device, to) != nullptr;
  if ((kind == cudaMemcpyHostToDevice && (from_device || !to_device)) ||
      (kind == cudaMemcpyDeviceToHost && (!from_device || to_device)) ||
      (kind == cudaMemcpyDeviceToDevice && !(from_device && to_device)))
    return remember(cudaErrorInvalidValue);
  // Memory that is not pinned is read before the call returns, and has been written when it does.
  if (!from_device && !allocation_of(space().pinned, from)) {
    if (capturing(stream)) return remember(cudaErrorStreamCaptureUnsupported);
    const char* first = static_cast<const char*>(from);
    return enqueue(stream, cudaGraphNodeTypeMemcpy,
                   [to, bytes, values = std::vector<char>(first, first + bytes)] {
                     return copy(to, values.data(), bytes);
                   });
  }
  const bool waits = !to_device && !allocation_of(space().pinned, to);
  if (waits && capturing(stream)) return remember(cudaErrorStreamCaptureUnsupported);
  const cudaError_t error =
      enqueue(stream, cudaGraphNodeTypeMemcpy, [to, from, bytes] { return copy(to, from, bytes); });
  return error == cudaSuccess && waits ? drain(stream) : error;
}

cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                              size_t width, size_t height, cudaMemcpyKind kind,
                              cudaStream_t stream) {
  if (to_pitch < width || from_pitch < width) return remember(cudaErrorInvalidValue);
  for (size_t r = 0; r < height; ++r) {
    const cudaError_t error =
        cudaMemcpyAsync(static_cast<char*>(to) + r * to_pitch,
                        static_cast<const char*>(from) + r * from_pitch, width, kind, stream);
    if (error != cudaSuccess) return error;
  }
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  if (bytes == 0) return cudaSuccess;
  if (!allocation_of(space().device, memory)) return remember(cudaErrorInvalidValue);
  return enqueue(stream, cudaGraphNodeTypeMemset, [memory, value, bytes] {
    std::memset(memory, value, bytes);
    return std::string();
  });
}

// For tests, which have no other way to an array on the simulated device.
#define DNNFAST_SIM_EXPORT extern "C" __attribute__((visibility("default")))

DNNFAST_SIM_EXPORT void* dnnfast_sim_upload(const void* host, size_t bytes) {
  void* memory = nullptr;
  if (cudaMalloc(&memory, bytes) != cudaSuccess) return nullptr;
  const DeviceAccess access;
  return std::memcpy(memory, host, bytes);
}

DNNFAST_SIM_EXPORT void dnnfast_sim_download(void* host, const void* memory, size_t bytes) {
  cudaDeviceSynchronize();
  const DeviceAccess access;
  std::memcpy(host, memory, bytes);
}
