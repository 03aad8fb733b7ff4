#pragma once
// Runs a single op on NumPy arrays: puts them into the engine's padded layouts, runs a program of one call, and
// takes the result out again. For kernels.* and the microbenchmarks.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
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
  BatchMatrix matrix(const FloatInput& x) {
    const BatchMatrix m = matrix(x.shape(0), x.shape(1));
    copy_in(m.data, m.ld, x, 0, m.cols, x.shape(0));
    return m;
  }

  PanelMatrix panels(const FloatInput& x) {
    const PanelMatrix w = panels(x.shape(0), x.shape(1));
    for (int64_t p = 0; p < w.panels(); ++p)
      copy_in(w.panel(p), w.panel_width(p), x, p * w.width, std::min(w.width, w.out - p * w.width),
              w.in);
    return w;
  }

  float* vector(const FloatInput& x) {
    float* v = vector(x.size());
    copy_in(v, 0, x, 0, x.size(), 1);
    return v;
  }

  // Where an input lies, for whoever copies it: results are then where it is.
  const float* admit(const FloatInput& x) {
    on_gpu_ = on_gpu_ || x.on_gpu;
    if (x.stream != 0) backend_->wait_for(x.stream);
    return x.data();
  }

  template <class T>
  const T* table(const std::vector<T>& values) {
    const size_t bytes = values.size() * sizeof(T);
    memory_.push_back(backend_->allocate(bytes));
    if (bytes > 0) backend_->upload(memory_.back()->data(), values.data(), bytes);
    return static_cast<const T*>(memory_.back()->data());
  }

  // Results are where the inputs are.
  py::object take(const BatchMatrix& m, int64_t rows) const {
    Result out(on_gpu_, {rows, m.cols});
    copy(out.data, m.cols, m.data, m.ld, m.cols, rows);
    return out.array;
  }

  py::object take(const PanelMatrix& w) const {
    Result out(on_gpu_, {w.in, w.out});
    for (int64_t p = 0; p < w.panels(); ++p)
      copy(out.data + p * w.width, w.out, w.panel(p), w.panel_width(p),
           std::min(w.width, w.out - p * w.width), w.in);
    return out.array;
  }

  py::object take(const float* v, std::vector<py::ssize_t> shape) const {
    Result out(on_gpu_, std::move(shape));
    copy(out.data, 0, v, 0, out.size, 1);
    return out.array;
  }
  py::object take(const float* v, int64_t size) const {
    return take(v, std::vector<py::ssize_t>{size});
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
  // A new array of NumPy, or of CuPy on the GPU.
  struct Result {
    py::object array;
    float* data;
    int64_t size = 1;

    Result(bool on_gpu, std::vector<py::ssize_t> shape) {
      for (const py::ssize_t n : shape) size *= n;
      if (on_gpu) {
        array = py::module_::import("cupy").attr("empty")(py::tuple(py::cast(shape)), "float32");
        const py::dict interface = array.attr("__cuda_array_interface__");
        data = reinterpret_cast<float*>(interface["data"].cast<std::pair<uintptr_t, bool>>().first);
      } else {
        py::array_t<float> host(std::move(shape));
        data = host.mutable_data();
        array = std::move(host);
      }
    }
  };

  // Rows of floats; pitches in floats.
  void copy(float* to, int64_t to_pitch, const float* from, int64_t from_pitch, int64_t floats,
            int64_t rows) const {
    constexpr auto kBytes = sizeof(float);
    backend_->copy_rows(to, static_cast<size_t>(to_pitch) * kBytes, from,
                        static_cast<size_t>(from_pitch) * kBytes,
                        static_cast<size_t>(floats) * kBytes, rows);
  }
  void copy_in(float* to, int64_t to_pitch, const FloatInput& x, int64_t column, int64_t floats,
               int64_t rows) {
    on_gpu_ = on_gpu_ || x.on_gpu;
    if (x.stream != 0) backend_->wait_for(x.stream);
    copy(to, to_pitch, x.data() + column, x.ndim() > 1 ? x.shape(1) : 0, floats, rows);
  }

  bool on_gpu_ = false;  // an input
  std::unique_ptr<ops::Backend> backend_;
  std::vector<std::unique_ptr<ops::Memory>> memory_;
};

// Argument checks. Each names the argument, what was given and what was expected.
inline std::string shape_text(const FloatInput& x) {
  return engine::describe_shape({x.array.shape(), x.array.shape() + x.ndim()});
}

inline void need_matrix(const FloatInput& x, const char* name) {
  if (x.ndim() != 2 || x.shape(0) < 1 || x.shape(1) < 1)
    fail(ErrorKind::value, name, " has shape ", shape_text(x),
         "; expected a matrix (rows, columns) that is not empty");
}

inline void need_shape(const FloatInput& x, const char* name, const engine::Shape& shape) {
  if (engine::Shape(x.array.shape(), x.array.shape() + x.ndim()) != shape)
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
