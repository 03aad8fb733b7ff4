#pragma once
// Runs a single op on NumPy arrays: puts them into the engine's padded layouts, runs a program of one call, and
// takes the result out again. For kernels.* and the microbenchmarks.

#include <memory>
#include <string>
#include <vector>

#include "bindings/array.h"
#include "bindings/device.h"
#include "core/error.h"
#include "math/activation_names.h"

namespace dnnfast::bindings {

// The device that kernels.* runs on; set by Python before a call.
std::string& kernel_device();

class Workbench {
 public:
  Workbench() : Workbench("cpu") {}
  explicit Workbench(const std::string& device) : backend_(make_device(device)) {}

  int64_t panel_width() const { return backend_->panel_width(); }

  float* vector(int64_t size) {
    memory_.push_back(backend_->allocate(static_cast<size_t>(round_up(size, 16) + 16) * 4));
    return static_cast<float*>(memory_.back()->data());
  }

  BatchMatrix matrix(int64_t rows, int64_t cols) {
    BatchMatrix m;
    m.cols = cols;
    m.ld = leading_dimension(cols);
    m.data = vector(rows * m.ld);
    return m;
  }

  PanelMatrix panels(int64_t in, int64_t out) {
    PanelMatrix w{nullptr, in, out, panel_width()};
    w.data = vector(w.size());
    return w;
  }

  // Copies in and out.
  BatchMatrix matrix(const FloatArray& x) {
    const BatchMatrix m = matrix(x.shape(0), x.shape(1));
    write(m.data, x.shape(0) * m.ld, [&](float* to) {
      for (int64_t r = 0; r < x.shape(0); ++r)
        std::copy_n(x.data() + r * m.cols, m.cols, to + r * m.ld);
    });
    return m;
  }

  PanelMatrix panels(const FloatArray& x) {
    const PanelMatrix w = panels(x.shape(0), x.shape(1));
    write(w.data, w.size(), [&](float* to) {
      PanelMatrix host = w;
      host.data = to;
      for (int64_t i = 0; i < w.in; ++i)
        for (int64_t o = 0; o < w.out; ++o) host.at(i, o) = x.data()[i * w.out + o];
    });
    return w;
  }

  float* vector(const FloatArray& x) {
    float* v = vector(x.size());
    write(v, x.size(), [&](float* to) { std::copy_n(x.data(), x.size(), to); });
    return v;
  }

  template <class T>
  const T* table(const std::vector<T>& values) {
    const size_t bytes = values.size() * sizeof(T);
    memory_.push_back(backend_->allocate(bytes));
    if (bytes > 0) backend_->upload(memory_.back()->data(), values.data(), bytes);
    return static_cast<const T*>(memory_.back()->data());
  }

  py::array_t<float> take(const BatchMatrix& m, int64_t rows) const {
    py::array_t<float> out({rows, m.cols});
    const std::vector<float> values = read(m.data, rows * m.ld);
    for (int64_t r = 0; r < rows; ++r)
      std::copy_n(values.data() + r * m.ld, m.cols, out.mutable_data() + r * m.cols);
    return out;
  }

  py::array_t<float> take(const PanelMatrix& w) const {
    py::array_t<float> out({w.in, w.out});
    std::vector<float> values = read(w.data, w.size());
    PanelMatrix host = w;
    host.data = values.data();
    for (int64_t i = 0; i < w.in; ++i)
      for (int64_t o = 0; o < w.out; ++o) out.mutable_data()[i * w.out + o] = host.at(i, o);
    return out;
  }

  py::array_t<float> take(const float* v, int64_t size) const {
    py::array_t<float> out(size);
    backend_->download(out.mutable_data(), v, static_cast<size_t>(size) * sizeof(float));
    return out;
  }

  std::unique_ptr<ops::Executable> compile(ops::Op op, int64_t batch) {
    ops::Program program;
    program.compute.push_back({std::move(op), "", ""});
    return backend_->compile(std::move(program), batch);
  }

  void run(ops::Op op, int64_t batch, const ops::StepContext& context = {}) {
    ops::StepContext first = context;
    first.batch = batch;
    auto executable = compile(std::move(op), batch);
    py::gil_scoped_release release;
    executable->run(first, 1, batch, nullptr);
  }

 private:
  template <class F>
  void write(float* to, int64_t floats, F fill) {
    std::vector<float> values(static_cast<size_t>(floats));
    fill(values.data());
    backend_->upload(to, values.data(), values.size() * sizeof(float));
  }
  std::vector<float> read(const float* from, int64_t floats) const {
    std::vector<float> values(static_cast<size_t>(floats));
    backend_->download(values.data(), from, values.size() * sizeof(float));
    return values;
  }

  std::unique_ptr<ops::Backend> backend_;
  std::vector<std::unique_ptr<ops::Memory>> memory_;
};

// Argument checks. Each names the argument, what was given and what was expected.
inline std::string shape_text(const py::array& a) {
  return engine::describe_shape({a.shape(), a.shape() + a.ndim()});
}

inline void need_matrix(const FloatArray& x, const char* name) {
  if (x.ndim() != 2 || x.shape(0) < 1 || x.shape(1) < 1)
    fail(ErrorKind::value, name, " has shape ", shape_text(x),
         "; expected a matrix (rows, columns) that is not empty");
}

inline void need_shape(const FloatArray& x, const char* name, const engine::Shape& shape) {
  if (engine::Shape(x.shape(), x.shape() + x.ndim()) != shape)
    fail(ErrorKind::value, name, " has shape ", shape_text(x), "; expected ",
         engine::describe_shape(shape));
}

inline ops::Activation activation_named(const std::string& kind, double alpha, double beta) {
  const auto found = math::activation_kind(kind);
  if (found == ops::ActivationKind::count)
    fail(ErrorKind::value, "unknown activation \"", kind, "\"");
  return {found, static_cast<float>(alpha), static_cast<float>(beta)};
}

inline ops::Dropout dropout_of(double rate, uint32_t stream) {
  if (!(rate >= 0 && rate < 1)) fail(ErrorKind::value, "rate must be in [0, 1); got ", rate);
  return {rate, stream};
}

}  // namespace dnnfast::bindings
