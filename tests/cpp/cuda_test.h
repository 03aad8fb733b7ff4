#pragma once
// What the tests of the simulated GPU share.

#include <cstdio>
#include <vector>

#include "cuda/platform.h"

namespace simulation_test {

using namespace dnnfast::cuda;

inline int failures = 0;

inline void expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "failed: %s\n", what);
  ++failures;
}

inline void expect_ok(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "failed: %s: %s\n", what, cudaGetErrorString(error));
  ++failures;
}

inline constexpr uint64_t kSeeds = 20;

inline void use_seed(uint64_t seed) {
  sim::settings().seed = seed;
  sim::recover();
}

struct Stream {
  cudaStream_t handle = nullptr;
  Stream() { cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking); }
  ~Stream() { cudaStreamDestroy(handle); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
};

struct Event {
  cudaEvent_t handle = nullptr;
  Event() { cudaEventCreateWithFlags(&handle, cudaEventDisableTiming); }
  ~Event() { cudaEventDestroy(handle); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
};

template <class T>
struct DeviceArray {
  T* data = nullptr;
  size_t size;
  explicit DeviceArray(size_t n) : size(n) {
    void* memory = nullptr;
    cudaMalloc(&memory, n * sizeof(T));
    data = static_cast<T*>(memory);
  }
  ~DeviceArray() { cudaFree(data); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  void fill(const std::vector<T>& values, cudaStream_t stream) {
    cudaMemcpyAsync(data, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice, stream);
  }
  std::vector<T> values(cudaStream_t stream) const {
    std::vector<T> out(size);
    cudaMemcpyAsync(out.data(), data, size * sizeof(T), cudaMemcpyDeviceToHost, stream);
    return out;
  }
};

}  // namespace simulation_test
