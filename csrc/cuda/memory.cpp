#include "cuda/memory.h"

namespace dnnfast::cuda {

DeviceMemory::DeviceMemory(std::shared_ptr<const Stream> stream, size_t bytes)
    : stream_(std::move(stream)), bytes_(bytes) {
  if (bytes == 0) return;
  stream_->use();
  const cudaError_t error = cudaMallocAsync(&data_, bytes, stream_->handle());
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    size_t free_bytes = 0, total = 0;
    cudaMemGetInfo(&free_bytes, &total);
    fail(ErrorKind::value, "the device has no room for ", bytes, " bytes more: ", free_bytes,
         " of its ", total, " bytes are free. Use a smaller batch or model, or free other arrays");
  }
  check(error, text("allocating ", bytes, " bytes on the device"));
  check(cudaMemsetAsync(data_, 0, bytes, stream_->handle()), "clearing memory of the device");
}

DeviceMemory::~DeviceMemory() {
  if (!data_) return;
  cudaSetDevice(stream_->device());
  cudaFreeAsync(data_, stream_->handle());
}

void keep_freed_memory(int device) {
  cudaMemPool_t pool = nullptr;
  check(cudaDeviceGetDefaultMemPool(&pool, device), "asking for the device's memory pool");
  uint64_t kept = uint64_t{1} << 30;
  check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &kept),
        "setting what the device's memory pool keeps");
}

void wait_for(const Stream& stream, uint64_t other) {
  if (other == 0) return;
  const Event ready;
  check(cudaEventRecord(ready.handle(), reinterpret_cast<cudaStream_t>(other)),
        "waiting for the stream that an array comes from");
  ready.hold(stream);
}

bool on_device(const void* memory, int device) {
  cudaPointerAttributes attributes = {};
  check(cudaPointerGetAttributes(&attributes, memory), "asking where an array lies");
  if (attributes.type != cudaMemoryTypeDevice) return false;
  if (attributes.device != device)
    fail(ErrorKind::value, "an array lies on cuda:", attributes.device,
         ", but the model runs on cuda:", device, ". Copy the array there, or train on its device");
  return true;
}

void upload(const Stream& stream, void* device, const void* host, size_t bytes) {
  stream.use();
  check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream.handle()),
        text("copying ", bytes, " bytes to the device"));
}

void download(const Stream& stream, void* host, const void* device, size_t bytes) {
  const std::string doing = text("copying ", bytes, " bytes from the device");
  stream.use();
  check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream.handle()), doing);
  stream.wait(doing);
}

}  // namespace dnnfast::cuda
