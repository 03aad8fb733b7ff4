// Runs a program with all threads inside one parallel region: every thread walks the whole program, does its
// share of each op, and meets the others at a barrier where the next op needs their results.

#include "cpu/backend.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/tensor.h"
#include "cpu/denormals.h"
#include "cpu/dispatch.h"
#include "cpu/memory.h"
#include "cpu/thread_choice.h"
#include "cpu/thread_pool.h"

namespace dnnfast::cpu {
namespace {

using ops::StepContext;

class HostMemory : public ops::Memory {
 public:
  explicit HostMemory(size_t bytes) : buffer_(allocate_zeroed(bytes)), bytes_(bytes) {}
  void* data() const override { return buffer_.get(); }
  size_t bytes() const override { return bytes_; }

 private:
  Buffer buffer_;
  size_t bytes_;
};

// Which kernel of the table runs an op.
template <class Op>
const Kernel<Op>& kernel_of(const KernelTable& table);
#define DNNFAST_KERNEL(Op, member)                                  \
  template <>                                                       \
  const Kernel<ops::Op>& kernel_of<ops::Op>(const KernelTable& t) { \
    return t.member;                                                \
  }
DNNFAST_KERNEL(GatherRows, gather_rows)
DNNFAST_KERNEL(GatherLabels, gather_labels)
DNNFAST_KERNEL(GatherWeights, gather_weights)
DNNFAST_KERNEL(ScatterRows, scatter_rows)
DNNFAST_KERNEL(DenseForward, dense_forward)
DNNFAST_KERNEL(DenseBackwardWeight, dense_backward_weight)
DNNFAST_KERNEL(DenseBackwardInput, dense_backward_input)
DNNFAST_KERNEL(PointwiseForward, pointwise_forward)
DNNFAST_KERNEL(PointwiseBackward, pointwise_backward)
DNNFAST_KERNEL(BatchNormForward, batchnorm_forward)
DNNFAST_KERNEL(BatchNormInference, batchnorm_inference)
DNNFAST_KERNEL(BatchNormBackward, batchnorm_backward)
DNNFAST_KERNEL(BatchNormUpdate, batchnorm_update)
DNNFAST_KERNEL(RowwiseForward, rowwise_forward)
DNNFAST_KERNEL(RowwiseBackward, rowwise_backward)
DNNFAST_KERNEL(Loss, loss)
DNNFAST_KERNEL(MetricRows, metric_rows)
DNNFAST_KERNEL(AccumulateRows, accumulate_rows)
DNNFAST_KERNEL(AccumulateLoss, accumulate_loss)
DNNFAST_KERNEL(FinishLoss, finish_loss)
DNNFAST_KERNEL(AddForward, add_forward)
DNNFAST_KERNEL(CopyColumns, copy_columns)
DNNFAST_KERNEL(Reshape, reshape)
DNNFAST_KERNEL(RegularizationPenalty, regularization_penalty)
DNNFAST_KERNEL(GradientNorm, gradient_norm)
DNNFAST_KERNEL(OptimizerStep, optimizer_step)
DNNFAST_KERNEL(FactoredMoments, factored_moments)
DNNFAST_KERNEL(OptimizerDirection, optimizer_direction)
DNNFAST_KERNEL(OrthogonalCopy, orthogonal_copy)
DNNFAST_KERNEL(MatrixProduct, matrix_product)
DNNFAST_KERNEL(AccumulateSamples, accumulate_samples)
DNNFAST_KERNEL(ScatterSamples, scatter_samples)
DNNFAST_KERNEL(ArrayMap, array_map)
DNNFAST_KERNEL(ArrayProduct, array_product)
DNNFAST_KERNEL(ArrayGather, array_gather)
DNNFAST_KERNEL(ArrayScatter, array_scatter)
DNNFAST_KERNEL(ArrayScan, array_scan)
DNNFAST_KERNEL(ArrayReshape, array_reshape)
DNNFAST_KERNEL(ArrayPanels, array_panels)
#undef DNNFAST_KERNEL

// An op with its kernel, the type forgotten.
struct BoundCall {
  const void* op;
  const void* kernel;
  void (*run)(const BoundCall&, const StepContext&, int thread, int threads, void* scratch);
  bool barrier;
  int64_t column_groups;  // see ops::Call
  bool follows;

  // Whether whole groups of columns give the threads nearly equal shares.
  bool by_columns(int threads) const {
    const int64_t most = (column_groups + threads - 1) / threads;
    return column_groups > 0 && most * threads * 4 <= column_groups * 5;
  }
};

template <class Op>
void run_share(const BoundCall& call, const StepContext& context, int thread, int threads,
               void* scratch) {
  const auto& kernel = *static_cast<const Kernel<Op>*>(call.kernel);
  const Op& op = *static_cast<const Op*>(call.op);
  const int64_t units = kernel.units(op, context);
  if (units == 0) return;
  const bool by_columns = call.by_columns(threads);
  const int64_t shares = by_columns ? call.column_groups : units;
  const UnitRange range{shares * thread / threads * (units / shares),
                        shares * (thread + 1) / threads * (units / shares),
                        !by_columns && kernel.rows_first && kernel.rows_first(op, context)};
  if (range.begin < range.end) kernel.run(op, context, range, scratch);
}

// The work of an op for each sample, roughly, in multiply-adds: see work_worth_threads().
template <class Op>
int64_t work_of(const Op& op) {
  constexpr int64_t kElement = 8;
  if constexpr (requires { op.y.cols; })
    return op.y.cols * op.y.rows_per_sample * kElement;
  else if constexpr (requires { op.dy.cols; })
    return op.dy.cols * op.dy.rows_per_sample * kElement;
  else
    return 0;
}
template <>
int64_t work_of(const ops::DenseForward& op) {
  return op.w.size() * op.x.rows_per_sample;
}
template <>
int64_t work_of(const ops::DenseBackwardInput& op) {
  return op.w.size() * op.dz.rows_per_sample;
}
template <>
int64_t work_of(const ops::DenseBackwardWeight& op) {
  return op.dw.size() * op.dz.rows_per_sample;
}

class HostExecutable : public ops::Executable {
 public:
  HostExecutable(ops::Program program, int64_t batch_capacity)
      : program_(std::move(program)), batch_capacity_(batch_capacity) {
    work_ += bind(program_.compute, compute_);
    work_ += bind(program_.finish, finish_);
    work_ += bind(program_.update, update_);
    repeated_work_ = bind(program_.repeated, repeated_);
  }

  int64_t run(const StepContext& first, int64_t steps, int64_t row_end,
              const ops::OptimizerScalars* scalars) override {
    // Passes may be many: their product could exceed an integer.
    const double passes = static_cast<double>(first.samples) * static_cast<double>(repeated_work_);
    if (static_cast<double>(first.batch) * (static_cast<double>(work_) + passes) <
        static_cast<double>(work_worth_threads())) {
      prepare_scratch(1);
      Barrier alone(1);
      return run_thread(0, 1, alone, first, steps, row_end, scalars);
    }
    int64_t applied = 0;
    with_pool([&](ThreadPool& pool) {
      while (applied < steps) {
        StepContext context = first;
        context.first_row += applied * first.batch;
        context.step += static_cast<uint64_t>(applied);
        const auto* stretch_scalars = scalars ? scalars + applied * program_.optimizers : nullptr;
        // With no bound on the work, a test wants to see all threads.
        ThreadChoice::Stretch stretch{pool.threads(), steps - applied};
        if (work_worth_threads() > 0) stretch = choice_.next(pool.threads(), steps - applied);
        const auto start = std::chrono::steady_clock::now();
        const int64_t done = run_on(pool, stretch, context, row_end, stretch_scalars);
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
        applied += done;
        if (done < stretch.steps) return;
        if (work_worth_threads() > 0) choice_.took(stretch, time.count());
      }
    });
    return applied;
  }

 private:
  // Returns the work of the calls for each sample.
  int64_t bind(const std::vector<ops::Call>& calls, std::vector<BoundCall>& bound) {
    int64_t work = 0;
    for (const ops::Call& call : calls) {
      std::visit(
          [&](const auto& op) {
            using Op = std::decay_t<decltype(op)>;
            const Kernel<Op>& kernel = kernel_of<Op>(kernels());
            work += work_of(op);
            bound.push_back(
                {&op, &kernel, run_share<Op>, call.barrier, call.column_groups, call.follows});
            if (kernel.scratch_bytes)
              scratch_bytes_ = std::max(scratch_bytes_, kernel.scratch_bytes(op, batch_capacity_));
          },
          call.op);
    }
    return work;
  }

  int64_t run_on(ThreadPool& pool, const ThreadChoice::Stretch& stretch, const StepContext& first,
                 int64_t row_end, const ops::OptimizerScalars* scalars) {
    const int threads = stretch.threads;
    prepare_scratch(threads);
    Barrier barrier(threads);
    if (threads == 1) return run_thread(0, 1, barrier, first, stretch.steps, row_end, scalars);
    int64_t applied = 0;
    pool.run([&](int thread) {
      if (thread >= threads) return;
      const int64_t done =
          run_thread(thread, threads, barrier, first, stretch.steps, row_end, scalars);
      if (thread == 0) applied = done;
    });
    return applied;
  }

  void prepare_scratch(int threads) {
    if (scratch_bytes_ == 0) return;
    while (static_cast<int>(scratch_.size()) < threads)
      scratch_.push_back(allocate_zeroed(static_cast<size_t>(scratch_bytes_)));
  }

  void run_calls(const std::vector<BoundCall>& calls, const StepContext& context, int thread,
                 int threads, Barrier& barrier) {
    void* scratch = scratch_bytes_ ? scratch_[static_cast<size_t>(thread)].get() : nullptr;
    for (const BoundCall& call : calls) {
      if (call.barrier && !(call.follows && call.by_columns(threads))) barrier.wait();
      call.run(call, context, thread, threads, scratch);
    }
  }

  // All passes over the repeated part of one step.
  void run_samples(StepContext context, int thread, int threads, Barrier& barrier) {
    const uint64_t step = context.step;
    if (!repeated_.empty()) {
      for (int64_t s = 0; s < context.samples; ++s) {
        context.sample = s;
        context.step = step + static_cast<uint64_t>(s) * context.sample_stride;
        barrier.wait();
        run_calls(repeated_, context, thread, threads, barrier);
      }
    }
    barrier.wait();
    run_calls(finish_, context, thread, threads, barrier);
  }

  int64_t run_thread(int thread, int threads, Barrier& barrier, const StepContext& first,
                     int64_t steps, int64_t row_end, const ops::OptimizerScalars* scalars) {
    const FlushDenormals flush;
    StepContext context = first;
    for (int64_t i = 0; i < steps; ++i) {
      context.first_row = first.first_row + i * first.batch;
      context.batch = std::min(first.batch, row_end - context.first_row);
      context.step = first.step + static_cast<uint64_t>(i);
      if (scalars) context.scalars = scalars + i * program_.optimizers;
      if (i > 0) barrier.wait();  // the last step's update
      run_calls(compute_, context, thread, threads, barrier);
      if (!finish_.empty()) run_samples(context, thread, threads, barrier);
      if (update_.empty() && !program_.step_loss) continue;
      barrier.wait();
      // Every thread reads the same value and takes the same decision; the next write to it comes
      // after another barrier.
      if (program_.step_loss && !update_.empty() && !std::isfinite(*program_.step_loss)) return i;
      run_calls(update_, context, thread, threads, barrier);
    }
    return steps;
  }

  ops::Program program_;
  int64_t batch_capacity_;
  std::vector<BoundCall> compute_, repeated_, finish_, update_;
  std::vector<Buffer> scratch_;
  ThreadChoice choice_;
  int64_t scratch_bytes_ = 0;
  int64_t work_ = 0;           // of a step, for each sample
  int64_t repeated_work_ = 0;  // of one of its passes
};

class CpuBackend : public ops::Backend {
 public:
  std::string name() const override { return std::string("cpu (") + kernels().isa + ")"; }
  int64_t panel_width() const override { return kernels().panel_width; }
  std::unique_ptr<ops::Memory> allocate(size_t bytes) override {
    return std::make_unique<HostMemory>(bytes);
  }
  void upload(void* device, const void* host, size_t bytes) override {
    std::memcpy(device, host, bytes);
  }
  void download(void* host, const void* device, size_t bytes) override {
    std::memcpy(host, device, bytes);
  }
  std::unique_ptr<ops::Executable> compile(ops::Program program, int64_t capacity) override {
    return std::make_unique<HostExecutable>(std::move(program), capacity);
  }
};

}  // namespace

std::unique_ptr<ops::Backend> make_backend() { return std::make_unique<CpuBackend>(); }

}  // namespace dnnfast::cpu
