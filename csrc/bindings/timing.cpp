// Times single kernels on the engine's own layouts, and the machine's peaks beside which they are read.

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>

#include <pybind11/stl.h>

#include "bindings/workbench.h"
#include "cpu/thread_pool.h"

namespace dnnfast::bindings {
namespace {

using Sizes = std::map<std::string, int64_t>;

int64_t size_of(const Sizes& sizes, const char* name) {
  const auto it = sizes.find(name);
  if (it == sizes.end() || it->second < 1)
    fail(ErrorKind::value, "sizes must give \"", name, "\", at least 1");
  return it->second;
}

void fill(float* p, int64_t n) {
  for (int64_t i = 0; i < n; ++i) p[i] = static_cast<float>(i % 17 - 8) * 0.0625f;
}

ops::Op op_named(Workbench& bench, const std::string& name, const Sizes& sizes) {
  const int64_t batch = size_of(sizes, "batch"), out = size_of(sizes, "out");
  BatchMatrix z = bench.matrix(batch, out), y = bench.matrix(batch, out);
  for (int64_t r = 0; r < batch; ++r) fill(z.row(r), out);
  if (name == "relu") return ops::PointwiseForward{z, y, {ops::ActivationKind::relu, 0, 0}, {}};
  if (name == "elu") return ops::PointwiseForward{z, y, {ops::ActivationKind::elu, 1, 0}, {}};
  if (name == "dropout") return ops::PointwiseForward{z, y, {}, {0.2, 0}};
  if (name == "softmax") return ops::RowwiseForward{ops::RowwiseKind::softmax, z, y};
  if (name == "batchnorm_forward") {
    ops::BatchNormForward op;
    op.x = z;
    op.y = y;
    op.mean = bench.vector(out);
    op.variance = bench.vector(out);
    op.rstd = bench.vector(out);
    return op;
  }
  const int64_t in = size_of(sizes, "in");
  BatchMatrix x = bench.matrix(batch, in);
  for (int64_t r = 0; r < batch; ++r) fill(x.row(r), in);
  PanelMatrix w = bench.panels(in, out);
  for (int64_t i = 0; i < in; ++i)
    for (int64_t o = 0; o < out; ++o) w.at(i, o) = static_cast<float>((i + o) % 13 - 6) * 0.03f;
  if (name == "dense_forward")
    return ops::DenseForward{x, w, bench.vector(out), y, {}, {}, nullptr};
  if (name == "dense_backward_weight") {
    ops::DenseBackwardWeight op;
    op.x = x;
    op.dz = z;
    op.dw = w;
    op.db = bench.vector(out);
    return op;
  }
  if (name == "dense_backward_input") {
    ops::DenseBackwardInput op;
    op.dz = z;
    op.w = w;
    op.dx = x;
    return op;
  }
  fail(ErrorKind::value, "unknown kernel \"", name,
       "\"; expected one of: batchnorm_forward, dense_backward_input, dense_backward_weight, "
       "dense_forward, dropout, elu, relu, softmax");
}

// The median over `repeats` runs of the time of one call. A run is many calls in one parallel region, as
// in training, so that the start of threads is not counted.
double time_kernel(const std::string& name, const Sizes& sizes, int repeats) {
  Workbench bench;
  const int64_t batch = size_of(sizes, "batch");
  auto executable = bench.compile(op_named(bench, name, sizes), batch);
  py::gil_scoped_release release;
  ops::StepContext context;
  context.batch = batch;
  auto run = [&](int64_t calls) {
    // Every step sees the same full batch: row_end is beyond the last step.
    const auto start = std::chrono::steady_clock::now();
    executable->run(context, calls, batch * calls, nullptr);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  int64_t calls = 1;
  while (run(calls) < 0.005 && calls < (int64_t{1} << 20)) calls *= 2;
  std::vector<double> times;
  for (int i = 0; i < std::max(1, repeats); ++i)
    times.push_back(run(calls) / static_cast<double>(calls));
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                   times.end());
  return times[times.size() / 2];
}

double gflops() {
  // A product whose operands stay in the second-level cache: the most that fused layers can reach.
  const Sizes sizes{{"batch", 192}, {"in", 256}, {"out", 384}};
  return 2.0 * 192 * 256 * 384 / time_kernel("dense_forward", sizes, 15) / 1e9;
}

double bandwidth() {
  constexpr int64_t kFloats = int64_t{1} << 25;  // 128 MB, beyond most caches
  std::vector<float> from(kFloats, 1.0f), to(kFloats, 0.0f);
  double best = 0;
  py::gil_scoped_release release;
  for (int i = 0; i < 4; ++i) {
    const auto start = std::chrono::steady_clock::now();
    cpu::with_pool([&](cpu::ThreadPool& pool) {
      pool.run([&](int thread) {
        const int64_t begin = kFloats * thread / pool.threads();
        const int64_t end = kFloats * (thread + 1) / pool.threads();
        std::copy(from.begin() + begin, from.begin() + end, to.begin() + begin);
      });
    });
    const double time =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, 2.0 * kFloats * sizeof(float) / time / 1e9);
  }
  return best;
}

py::dict measure_peak() {
  const int threads = cpu::thread_count();
  py::dict d;
  d["gflops"] = gflops();
  cpu::set_thread_count(1);
  d["gflops_one_thread"] = gflops();
  cpu::set_thread_count(threads);
  d["bandwidth"] = bandwidth();
  d["threads"] = threads;
  return d;
}

}  // namespace

void bind_timing(py::module_& module) {
  module.def("time_kernel", time_kernel, py::arg("name"), py::arg("sizes"), py::arg("repeats") = 9);
  module.def("measure_peak", measure_peak);
}

}  // namespace dnnfast::bindings
