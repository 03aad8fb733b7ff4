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

// Of the host, and not to be moved: copies from it run beside what the host does.
class PinnedMemory {
 public:
  explicit PinnedMemory(size_t bytes) {
    check(cudaMallocHost(&data_, bytes), text("allocating ", bytes, " bytes of pinned memory"));
  }
  ~PinnedMemory() { cudaFreeHost(data_); }
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;

  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  void* data_ = nullptr;
};

// A point in a stream's work.
class Event {
 public:
  Event() { check(cudaEventCreateWithFlags(&handle_, cudaEventDisableTiming), "making an event"); }
  ~Event() { cudaEventDestroy(handle_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(const Stream& stream) {
    check(cudaEventRecord(handle_, stream.handle()), "recording an event");
  }
  // What comes on the stream waits for it.
  void hold(const Stream& stream) const {
    check(cudaStreamWaitEvent(stream.handle(), handle_, 0), "waiting for an event");
  }
  cudaEvent_t handle() const { return handle_; }
  void wait() const { check(cudaEventSynchronize(handle_), "waiting for an event"); }

 private:
  cudaEvent_t handle_ = nullptr;
};

// Lets a device keep freed memory for the next allocations, which would otherwise ask the system anew in every run.
void keep_freed_memory(int device);

// What comes on the stream waits for the work that is now on another one, given as in ops::Source::stream.
void wait_for(const Stream& stream, uint64_t other);

// Whether memory is of that device; it is an error if it is of another one.
bool on_device(const void* memory, int device);

void upload(const Stream& stream, void* device, const void* host, size_t bytes);
// Waits until the bytes are there.
void download(const Stream& stream, void* host, const void* device, size_t bytes);

}  // namespace dnnfast::cuda
