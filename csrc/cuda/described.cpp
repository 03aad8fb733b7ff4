#include "cuda/described.h"

#include <cstring>
#include <vector>

#include "core/error.h"
#include "cuda/planner.h"

namespace dnnfast::cuda {
namespace {

constexpr int kProcessors = 132;

class HostMemory : public ops::Memory {
 public:
  explicit HostMemory(size_t bytes) : values_((bytes + sizeof(Line) - 1) / sizeof(Line)) {}
  void* data() const override { return const_cast<Line*>(values_.data()); }
  size_t bytes() const override { return values_.size() * sizeof(Line); }

 private:
  struct alignas(64) Line {
    char bytes[64] = {};
  };
  std::vector<Line> values_;
};

class DescribedExecutable : public ops::Executable {
 public:
  DescribedExecutable(const ops::Program& program, int64_t capacity)
      : text_(cuda::describe(plan_program(program, capacity, kProcessors, true), capacity)) {}
  std::string describe() const override { return text_; }
  int64_t run(const ops::StepContext&, int64_t, int64_t, const ops::OptimizerScalars*) override {
    fail(ErrorKind::state,
         "\"cuda:described\" is a description of a GPU: models can be planned for it, not run");
  }

 private:
  std::string text_;
};

}  // namespace

std::unique_ptr<ops::Memory> DescribedBackend::allocate(size_t bytes) {
  return std::make_unique<HostMemory>(bytes);
}
void DescribedBackend::upload(void* device, const void* host, size_t bytes) {
  if (bytes > 0) std::memcpy(device, host, bytes);
}
void DescribedBackend::download(void* host, const void* device, size_t bytes) {
  if (bytes > 0) std::memcpy(host, device, bytes);
}
std::unique_ptr<ops::Executable> DescribedBackend::compile(ops::Program program, int64_t capacity) {
  return std::make_unique<DescribedExecutable>(program, capacity);
}

}  // namespace dnnfast::cuda
