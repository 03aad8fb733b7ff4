// Runs programs on a GPU: everything a step reads or writes lies on the device, kernels of all steps of a run are
// put on one stream as graphs, and the host waits once, at the end.

#include "cuda/backend.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

#include "cuda/described.h"
#include "cuda/feeder.h"
#include "cuda/graph.h"
#include "cuda/kernels.h"
#include "cuda/memory.h"
#include "cuda/planner.h"
#include "cuda/self_test.h"
#include "cuda/staging.h"

namespace dnnfast::cuda {
namespace {

using ops::StepContext;

bool variable(const char* name, bool otherwise) {
  const char* const text = std::getenv(name);
  return text && *text ? std::strcmp(text, "0") != 0 : otherwise;
}

// Whether to wait after every op, so that an error names its own: for debugging.
bool plain() {
  static const bool on = variable("DNNFAST_CUDA_PLAIN", false);
  return on;
}

// Whether several ops may share a kernel; the bits are the same.
bool fused() {
  static const bool on = variable("DNNFAST_CUDA_FUSED", true) && !plain();
  return on;
}
// Whether one kernel runs all steps, rather than graphs of kernels; the bits are the same.
bool one_kernel() {
  static const bool on = variable("DNNFAST_CUDA_RESIDENT", false) && !plain();
  return on;
}

constexpr int64_t kStepsOfResident = 1024;  // of one kernel
constexpr int64_t kStepsOfGraph = 16;

class CudaExecutable : public ops::Executable {
 public:
  CudaExecutable(std::shared_ptr<const Stream> stream, std::shared_ptr<Resident> resident,
                 ops::Program program, int64_t capacity, int processors)
      : stream_(std::move(stream)), resident_(std::move(resident)), program_(std::move(program)),
        capacity_(capacity), planned_(plan_program(program_, capacity, processors, fused())),
        step_(stream_, sizeof(Step)) {
    uses_.optimizers = program_.optimizers;
    for (auto* calls : {&program_.compute, &program_.repeated, &program_.finish, &program_.update})
      for (const ops::Call& call : *calls) {
        uses_.note(call.op);
        names_.push_back(call.name);
      }
    for (auto* launches : {&planned_.main, &planned_.repeated, &planned_.finish})
      for (PlannedLaunch& planned : *launches)
        for (Task& task : planned.launch.task) move_tables(task);
    if (one_kernel() && planned_.repeated.empty()) prepare_resident();
    stream_->wait("copying tables to the device");
  }

  std::string describe() const override {
    return cuda::describe(planned_, capacity_) +
           (resident_blocks_ > 0
                ? "all steps in one kernel of " + std::to_string(resident_blocks_) + " blocks\n"
                : "steps recorded as graphs of " + std::to_string(kStepsOfGraph) + "\n");
  }

  int64_t run(const StepContext& first, int64_t steps, int64_t row_end,
              const ops::OptimizerScalars* scalars) override {
    if (steps == 0) return 0;
    stream_->use();
    if (!has_room(first, steps, row_end)) return run_fed(first, steps, row_end, scalars);
    Staging staging(stream_, *resident_, uses_, first, steps, row_end);
    start(staging, first.samples, steps, scalars);
    return finish(staging, steps);
  }

 private:
  // For the arrays that the run reads; an earlier data set makes way.
  bool has_room(const StepContext& first, int64_t steps, int64_t row_end) {
    if (first.order && first.data_set != 0 && resident_->data_set == first.data_set) return true;
    if (!Feeder::needed(*stream_, first, uses_.sources, steps, row_end)) return true;
    *resident_ = {};
    stream_->wait("making room");
    return !Feeder::needed(*stream_, first, uses_.sources, steps, row_end);
  }
  // Puts all work on the stream.
  void start(Staging& staging, int64_t samples, int64_t steps,
             const ops::OptimizerScalars* scalars) {
    const Step step = staging.step(scalars);
    upload(*stream_, step_.data(), &step, sizeof step);
    if (plain() || !planned_.repeated.empty())
      for (int64_t i = 0; i < steps; ++i) put_steps(1, samples);
    else if (resident_blocks_ > 0)
      put_resident(steps);
    else
      put_graphs(steps);
  }
  // Waits for it. Returns the steps that were applied.
  int64_t finish(Staging& staging, int64_t steps) {
    Step step;
    download(*stream_, &step, step_.data(), sizeof step);
    const int64_t applied = step.stopped_at < 0 ? steps : step.stopped_at;
    staging.fetch(applied);
    return applied;
  }
  int64_t run_fed(const StepContext& first, int64_t steps, int64_t row_end,
                  const ops::OptimizerScalars* scalars) {
    Feeder feeder(stream_, first, uses_.sources, steps, row_end);
    int64_t applied = 0;
    for (Feeder::Part part = feeder.next(); part.steps > 0; part = feeder.next()) {
      std::vector<float*> outputs;
      for (size_t i = 0; i < uses_.outputs.size(); ++i)
        outputs.push_back(first.outputs[i] +
                          (first.first_row + part.begin * first.batch) * uses_.outputs[i]);
      part.context.outputs = outputs.data();
      Staging staging(stream_, *resident_, uses_, part.context, part.steps, part.rows,
                      part.sources);
      start(staging, first.samples, part.steps,
            scalars ? scalars + part.begin * program_.optimizers : nullptr);
      feeder.prefetch();
      const int64_t done = finish(staging, part.steps);
      applied += done;
      if (done < part.steps) break;
    }
    return applied;
  }

  // Tables of the optimizer and ops that a task points to are the host's until here.
  void move_tables(Task& task) {
    std::visit(
        [&](auto& t) {
          if constexpr (requires { t.partials; }) t.partials = partials(t.op, t);
          if constexpr (requires { *t.op; }) t.op = keep_op(*t.op);
          if constexpr (requires { t.op.arrays.chunks; }) move_tables(t.op.arrays);
          if constexpr (requires { t.step->arrays; }) {
            ops::OptimizerStep step = *t.step;
            move_tables(step.arrays);
            t.step = keep(&step, 1);
          }
        },
        task);
  }
  void move_tables(ops::OptimizerArrays& arrays) {
    arrays.chunks = keep_once(arrays.chunks, arrays.chunk_count);
    arrays.segments = keep_once(arrays.segments, arrays.segment_count);
  }
  // Tables that several tasks share.
  template <class T>
  const T* keep_once(const T* host, int64_t count) {
    const void*& device = kept_[host];
    if (!device) device = keep(host, count);
    return static_cast<const T*>(device);
  }
  template <class T>
  const T* keep(const T* host, int64_t count) {
    const size_t bytes = static_cast<size_t>(count) * sizeof(T);
    tables_.push_back(std::make_unique<DeviceMemory>(stream_, bytes));
    if (bytes > 0) upload(*stream_, tables_.back()->data(), host, bytes);
    return tables_.back()->as<const T>();
  }

  template <class Op>
  const Op* keep_op(Op op) {
    if constexpr (requires { op.tape; }) op.tape.code = keep(op.tape.code, op.tape.length);
    return keep(&op, 1);
  }
  // What the two tasks of an op share.
  template <class T>
  Total* partials(const ops::ArrayMap* op, const T& task) {
    DeviceMemory*& memory = partials_[op];
    if (!memory) {
      const auto totals = static_cast<size_t>(task.reduce.slabs * task.results);
      tables_.push_back(std::make_unique<DeviceMemory>(stream_, totals * sizeof(Total)));
      memory = tables_.back().get();
    }
    return memory->as<Total>();
  }

  void prepare_resident() {
    int64_t most = 1;
    std::vector<Launch> launches;
    for (const PlannedLaunch& planned : planned_.main) {
      most = std::max(most, planned.launch.pieces(capacity_));
      launches.push_back(planned.launch);
    }
    resident_blocks_ = std::min(most, cuda::resident_blocks(stream_->device()));
    resident_launches_ = keep(launches.data(), static_cast<int64_t>(launches.size()));
    tables_.push_back(std::make_unique<DeviceMemory>(stream_, sizeof(unsigned)));
    arrivals_ = tables_.back()->as<unsigned>();
  }
  void put_resident(int64_t steps) const {
    for (int64_t done = 0; done < steps; done += kStepsOfResident) {
      const int64_t count = std::min(kStepsOfResident, steps - done);
      check(cudaMemsetAsync(arrivals_, 0, sizeof(unsigned), stream_->handle()),
            "clearing the resident kernel's counter");
      run_resident(*stream_,
                   {resident_launches_, static_cast<int>(planned_.main.size()), count, arrivals_},
                   step_.as<Step>(), resident_blocks_);
      advance(*stream_, step_.as<Step>(), count);
    }
  }

  void put(const std::vector<PlannedLaunch>& launches, const Turn& turn) const {
    for (const PlannedLaunch& planned : launches) {
      const std::string& name = names_[static_cast<size_t>(planned.calls.front())];
      run_launch(*stream_, planned.launch, turn, step_.as<Step>(), planned.launch.pieces(capacity_),
                 name);
      if (plain()) stream_->wait(name);
    }
  }
  // The next `count` steps, one after the other.
  void put_steps(int64_t count, int64_t samples) const {
    for (int64_t i = 0; i < count; ++i) {
      put(planned_.main, {i, 0});
      for (int64_t s = 0; s < samples && !planned_.repeated.empty(); ++s)
        put(planned_.repeated, {i, s});
      put(planned_.finish, {i, 0});
    }
    advance(*stream_, step_.as<Step>(), count);
  }
  // The first step of all is not recorded: a kernel may be loaded when it is first launched, which no recording
  // can hold.
  void put_graphs(int64_t steps) {
    int64_t done = 0;
    if (!warm_) {
      put_steps(1, 1);
      warm_ = true;
      done = 1;
    }
    for (; steps - done >= kStepsOfGraph; done += kStepsOfGraph) launch(many_, kStepsOfGraph);
    for (; done < steps; ++done) launch(one_, 1);
  }
  void launch(Graph& graph, int64_t steps) {
    if (!graph) graph.capture(*stream_, [&] { put_steps(steps, 1); });
    graph.launch(*stream_);
  }

  std::shared_ptr<const Stream> stream_;
  std::shared_ptr<Resident> resident_;
  ops::Program program_;
  int64_t capacity_;
  PlannedProgram planned_;
  DeviceMemory step_;
  std::vector<std::unique_ptr<DeviceMemory>> tables_;
  std::map<const ops::ArrayMap*, DeviceMemory*> partials_;  // of the program's calls
  std::map<const void*, const void*> kept_;                 // by the host's table
  std::vector<std::string> names_;                          // of the program's calls
  Uses uses_;
  int64_t resident_blocks_ = 0;  // 0: steps are graphs
  const Launch* resident_launches_ = nullptr;
  unsigned* arrivals_ = nullptr;
  bool warm_ = false;  // a step has run
  Graph one_, many_;   // of a step, of kStepsOfGraph
};

class CudaBackend : public ops::Backend {
 public:
  explicit CudaBackend(int device) : stream_(std::make_shared<const Stream>(device)) {
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, device), "asking for the device's properties");
    name_ = text("cuda:", device, " (", properties.name, ")");
    processors_ = properties.multiProcessorCount;
    keep_freed_memory(device);
    test_device(stream_,
                text(name_, ", compute capability ", properties.major, ".", properties.minor));
  }

  std::string name() const override { return name_; }
  int64_t panel_width() const override { return kPanelWidth; }
  int phases_together() const override { return kPhasesTogether; }
  std::unique_ptr<ops::Memory> allocate(size_t bytes) override {
    return std::make_unique<DeviceMemory>(stream_, bytes);
  }
  void upload(void* device, const void* host, size_t bytes) override {
    cuda::upload(*stream_, device, host, bytes);
  }
  void download(void* host, const void* device, size_t bytes) override {
    cuda::download(*stream_, host, device, bytes);
  }
  void copy_rows(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t bytes,
                 int64_t rows) override {
    const std::string doing = text("copying ", rows, " rows of ", bytes, " bytes");
    stream_->use();
    check(cudaMemcpy2DAsync(to, std::max(to_pitch, bytes), from, std::max(from_pitch, bytes), bytes,
                            static_cast<size_t>(rows), cudaMemcpyDefault, stream_->handle()),
          doing);
    stream_->wait(doing);
  }
  void wait_for(uint64_t stream) override {
    stream_->use();
    cuda::wait_for(*stream_, stream);
  }
  std::unique_ptr<ops::Executable> compile(ops::Program program, int64_t capacity) override {
    return std::make_unique<CudaExecutable>(stream_, resident_, std::move(program), capacity,
                                            processors_);
  }

 private:
  std::shared_ptr<const Stream> stream_;
  std::shared_ptr<Resident> resident_ = std::make_shared<Resident>();
  std::string name_;
  int processors_ = 1;
};

}  // namespace

std::unique_ptr<ops::Backend> make_backend(int device) {
  if (device == ops::kDescribedDevice) return std::make_unique<DescribedBackend>();
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
