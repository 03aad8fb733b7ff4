// Runs programs on a GPU: everything a step reads or writes lies on the device, kernels of all steps of a run are
// put on one stream as graphs, and the host waits once, at the end.

#include "cuda/backend.h"

#include <cstdlib>
#include <cstring>
#include <vector>

#include "cuda/families.h"
#include "cuda/graph.h"
#include "cuda/memory.h"
#include "cuda/staging.h"

namespace dnnfast::cuda {
namespace {

using ops::StepContext;

// Weights lie as they are written in mathematics: all columns in one panel.
constexpr int64_t kPanelWidth = int64_t{1} << 24;

// Whether to wait after every op, so that an error names its own: DNNFAST_CUDA_PLAIN=1, for debugging.
bool plain() {
  static const char* const text = std::getenv("DNNFAST_CUDA_PLAIN");
  return text && *text && std::strcmp(text, "0") != 0;
}

class CudaExecutable : public ops::Executable {
 public:
  CudaExecutable(std::shared_ptr<const Stream> stream, std::shared_ptr<Resident> resident,
                 ops::Program program, int64_t capacity)
      : stream_(std::move(stream)), resident_(std::move(resident)), program_(std::move(program)),
        capacity_(capacity), step_(stream_, sizeof(Step)) {
    for (auto* calls :
         {&program_.compute, &program_.repeated, &program_.finish, &program_.update}) {
      for (ops::Call& call : *calls) {
        move_tables(call.op);
        uses_.note(call.op);
      }
    }
    stream_->wait("copying tables to the device");
  }

  int64_t run(const StepContext& first, int64_t steps, int64_t row_end,
              const ops::OptimizerScalars* scalars) override {
    if (steps == 0) return 0;
    stream_->use();
    Staging staging(stream_, *resident_, uses_, first, steps, row_end);
    Step step = staging.step(scalars);
    upload(*stream_, step_.data(), &step, sizeof step);
    if (plain() || !program_.repeated.empty())
      for (int64_t i = 0; i < steps; ++i) put_step(first.samples);
    else
      run_graph(steps);
    download(*stream_, &step, step_.data(), sizeof step);
    staging.fetch(step.applied);
    return step.applied;
  }

 private:
  // The optimizer's tables are the host's until here.
  void move_tables(ops::Op& op) {
    std::visit(
        [&](auto& o) {
          if constexpr (requires { o.arrays.chunks; }) {
            o.arrays.chunks = keep(o.arrays.chunks, o.arrays.chunk_count);
            o.arrays.segments = keep(o.arrays.segments, o.arrays.segment_count);
          }
        },
        op);
  }
  template <class T>
  const T* keep(const T* host, int64_t count) {
    const size_t bytes = static_cast<size_t>(count) * sizeof(T);
    tables_.push_back(std::make_unique<DeviceMemory>(stream_, bytes));
    if (bytes > 0) upload(*stream_, tables_.back()->data(), host, bytes);
    return tables_.back()->as<const T>();
  }

  Launcher launcher(const std::string& name) const {
    return {stream_->handle(), step_.as<const Step>(), capacity_, name};
  }
  void put(const std::vector<ops::Call>& calls) const {
    for (const ops::Call& call : calls) {
      std::visit([&](const auto& op) { enqueue(op, launcher(call.name)); }, call.op);
      if (plain()) stream_->wait(call.name);
    }
  }
  // The first step of all is not recorded: a kernel may be loaded when it is first launched, which no recording
  // can hold.
  void run_graph(int64_t steps) {
    int64_t done = 0;
    if (!graph_) {
      put_step(1);
      graph_.capture(*stream_, [&] { put_step(1); });
      done = 1;
    }
    for (; done < steps; ++done) graph_.launch(*stream_);
  }
  void put_step(int64_t samples) const {
    const Launcher to = launcher("a step's end");
    put(program_.compute);
    for (int64_t s = 0; s < samples && !program_.repeated.empty(); ++s) {
      enqueue_pass(s, to);
      put(program_.repeated);
    }
    put(program_.finish);
    if (program_.step_loss && !program_.update.empty()) enqueue_check(program_.step_loss, to);
    put(program_.update);
    enqueue_advance(to);
  }

  std::shared_ptr<const Stream> stream_;
  std::shared_ptr<Resident> resident_;
  ops::Program program_;
  int64_t capacity_;
  DeviceMemory step_;
  std::vector<std::unique_ptr<DeviceMemory>> tables_;
  Uses uses_;
  Graph graph_;  // of one step
};

class CudaBackend : public ops::Backend {
 public:
  explicit CudaBackend(int device) : stream_(std::make_shared<const Stream>(device)) {
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, device), "asking for the device's properties");
    name_ = text("cuda:", device, " (", properties.name, ")");
  }

  std::string name() const override { return name_; }
  int64_t panel_width() const override { return kPanelWidth; }
  std::unique_ptr<ops::Memory> allocate(size_t bytes) override {
    return std::make_unique<DeviceMemory>(stream_, bytes);
  }
  void upload(void* device, const void* host, size_t bytes) override {
    cuda::upload(*stream_, device, host, bytes);
  }
  void download(void* host, const void* device, size_t bytes) override {
    cuda::download(*stream_, host, device, bytes);
  }
  std::unique_ptr<ops::Executable> compile(ops::Program program, int64_t capacity) override {
    return std::make_unique<CudaExecutable>(stream_, resident_, std::move(program), capacity);
  }

 private:
  std::shared_ptr<const Stream> stream_;
  std::shared_ptr<Resident> resident_ = std::make_shared<Resident>();
  std::string name_;
};

}  // namespace

std::unique_ptr<ops::Backend> make_backend(int device) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess || count == 0) {
    cudaGetLastError();
    fail(ErrorKind::state, "no GPU can be used: ", cudaGetErrorString(error),
         ". Check the driver (nvidia-smi), or train on the CPU: "
         "dnnfast.config.set_device('cpu')");
  }
  if (device < 0 || device >= count)
    fail(ErrorKind::value, "there is no device cuda:", device, "; this machine has ", count,
         ", numbered from cuda:0");
  return std::make_unique<CudaBackend>(device);
}

}  // namespace dnnfast::cuda
