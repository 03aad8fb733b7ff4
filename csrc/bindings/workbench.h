#pragma once
// Runs a single op on NumPy arrays: puts them into the engine's padded layouts, runs a program of one call, and
// takes the result out again. For kernels.* and the microbenchmarks.

#include <memory>
#include <string>
#include <vector>

#include "bindings/array.h"
#include "core/error.h"
#include "cpu/backend.h"
#include "math/activation_names.h"

namespace dnnfast::bindings {

class Workbench {
 public:
  Workbench() : backend_(cpu::make_backend()) {}

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
    BatchMatrix m = matrix(x.shape(0), x.shape(1));
    for (int64_t r = 0; r < x.shape(0); ++r) std::copy_n(x.data() + r * m.cols, m.cols, m.row(r));
    return m;
  }

  PanelMatrix panels(const FloatArray& x) {
    PanelMatrix w = panels(x.shape(0), x.shape(1));
    for (int64_t i = 0; i < w.in; ++i)
      for (int64_t o = 0; o < w.out; ++o) w.at(i, o) = x.data()[i * w.out + o];
    return w;
  }

  float* vector(const FloatArray& x) {
    float* v = vector(x.size());
    std::copy_n(x.data(), x.size(), v);
    return v;
  }

  static py::array_t<float> take(const BatchMatrix& m, int64_t rows) {
    py::array_t<float> out({rows, m.cols});
    for (int64_t r = 0; r < rows; ++r)
      std::copy_n(m.row(r), m.cols, out.mutable_data() + r * m.cols);
    return out;
  }

  static py::array_t<float> take(const PanelMatrix& w) {
    py::array_t<float> out({w.in, w.out});
    for (int64_t i = 0; i < w.in; ++i)
      for (int64_t o = 0; o < w.out; ++o) out.mutable_data()[i * w.out + o] = w.at(i, o);
    return out;
  }

  static py::array_t<float> take(const float* v, int64_t size) {
    py::array_t<float> out(size);
    std::copy_n(v, size, out.mutable_data());
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
