#pragma once
// What the device lends: streams and memory, given back by their owner's destructor.

#include <memory>

#include "cuda/error.h"
#include "ops/backend.h"

namespace dnnfast::cuda {

// On one device. A thread's calls go to the device that it chose last, so each way in from the engine starts with
// use().
class Stream {
 public:
  explicit Stream(int device) : device_(device) {
    use();
    check(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "making a stream");
  }
  ~Stream() { cudaStreamDestroy(handle_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int device() const { return device_; }
  cudaStream_t handle() const { return handle_; }
  void use() const { check(cudaSetDevice(device_), text("choosing cuda:", device_)); }
  void wait(const std::string& doing) const { check(cudaStreamSynchronize(handle_), doing); }

 private:
  int device_;
  cudaStream_t handle_ = nullptr;
};

// Zeroed. Keeps the stream alive for as long as something of it may still be used there.
class DeviceMemory : public ops::Memory {
 public:
  DeviceMemory(std::shared_ptr<const Stream> stream, size_t bytes);
  ~DeviceMemory() override;
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  void* data() const override { return data_; }
  size_t bytes() const override { return bytes_; }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  std::shared_ptr<const Stream> stream_;
  void* data_ = nullptr;
  size_t bytes_;
};

void upload(const Stream& stream, void* device, const void* host, size_t bytes);
// Waits until the bytes are there.
void download(const Stream& stream, void* host, const void* device, size_t bytes);

}  // namespace dnnfast::cuda
