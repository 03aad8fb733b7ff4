// dnnfast._core.kernels, second part: batch normalization, losses, metrics.

#include <pybind11/stl.h>

#include <cmath>
#include <optional>

#include "bindings/kernels.h"
#include "bindings/workbench.h"
#include "engine/graph.h"

namespace dnnfast::bindings {
namespace {

using MaybeArray = std::optional<FloatInput>;

const float* column_vector(Workbench& bench, const MaybeArray& v, const char* name, int64_t cols) {
  if (!v) return nullptr;
  need_shape(*v, name, {cols});
  return bench.vector(*v);
}

py::tuple batchnorm_forward(const FloatInput& x, const MaybeArray& gamma, const MaybeArray& beta,
                            float epsilon) {
  need_matrix(x, "x");
  const int64_t rows = x.shape(0), cols = x.shape(1);
  Workbench bench(kernel_device());
  ops::BatchNormForward op;
  op.x = bench.matrix(x);
  op.y = bench.matrix(rows, cols);
  op.gamma = column_vector(bench, gamma, "gamma", cols);
  op.beta = column_vector(bench, beta, "beta", cols);
  op.mean = bench.vector(cols);
  op.variance = bench.vector(cols);
  op.rstd = bench.vector(cols);
  op.epsilon = epsilon;
  bench.run(op, rows);
  return py::make_tuple(bench.take(op.y, rows), bench.take(op.mean, cols),
                        bench.take(op.variance, cols));
}

py::object batchnorm_inference(const FloatInput& x, const MaybeArray& gamma, const MaybeArray& beta,
                               const FloatInput& moving_mean, const FloatInput& moving_variance,
                               float epsilon) {
  need_matrix(x, "x");
  const int64_t rows = x.shape(0), cols = x.shape(1);
  Workbench bench(kernel_device());
  ops::BatchNormInference op;
  op.x = bench.matrix(x);
  op.y = bench.matrix(rows, cols);
  op.gamma = column_vector(bench, gamma, "gamma", cols);
  op.beta = column_vector(bench, beta, "beta", cols);
  op.moving_mean = column_vector(bench, moving_mean, "moving_mean", cols);
  op.moving_variance = column_vector(bench, moving_variance, "moving_variance", cols);
  op.epsilon = epsilon;
  bench.run(op, rows);
  return bench.take(op.y, rows);
}

py::tuple batchnorm_backward(const FloatInput& x, const MaybeArray& gamma, const FloatInput& dy,
                             float epsilon) {
  need_matrix(x, "x");
  const int64_t rows = x.shape(0), cols = x.shape(1);
  need_shape(dy, "dy", {rows, cols});
  Workbench bench(kernel_device());
  ops::BatchNormForward forward;
  forward.x = bench.matrix(x);
  forward.y = bench.matrix(rows, cols);
  forward.mean = bench.vector(cols);
  forward.variance = bench.vector(cols);
  forward.rstd = bench.vector(cols);
  forward.epsilon = epsilon;
  bench.run(forward, rows);
  ops::BatchNormBackward op;
  op.x = forward.x;
  op.dy = bench.matrix(dy);
  op.dx = bench.matrix(rows, cols);
  op.gamma = column_vector(bench, gamma, "gamma", cols);
  op.mean = forward.mean;
  op.rstd = forward.rstd;
  float* dgamma = bench.vector(cols);
  float* dbeta = bench.vector(cols);
  op.dgamma = dgamma;
  op.dbeta = dbeta;
  bench.run(op, rows);
  return py::make_tuple(bench.take(op.dx, rows), bench.take(dgamma, cols), bench.take(dbeta, cols));
}

// Labels for the sparse kinds, a matrix for the others.
struct Target {
  BatchMatrix matrix;
  std::vector<int32_t> labels;
};

Target target_of(Workbench& bench, const py::object& target, bool sparse, int64_t rows,
                 int64_t cols) {
  Target result;
  if (!sparse) {
    const auto values = target.cast<FloatInput>();
    need_shape(values, "target", {rows, cols});
    result.matrix = bench.matrix(values);
    return result;
  }
  const auto values =
      py::array_t<int64_t, py::array::c_style | py::array::forcecast>::ensure(target);
  if (!values) throw py::error_already_set();
  if (values.size() != rows)
    fail(ErrorKind::value, "target has ", values.size(), " labels; expected ", rows);
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t label = values.data()[r];
    if (label < 0 || label >= cols)
      fail(ErrorKind::value, "target[", r, "] is ", label, "; labels must be from 0 to ", cols - 1);
    result.labels.push_back(static_cast<int32_t>(label));
  }
  return result;
}

struct LossResult {
  py::object rows, gradient;
};

LossResult run_loss(const std::string& kind, const FloatInput& prediction, const py::object& target,
                    bool from_logits, float label_smoothing, const MaybeArray& sample_weight) {
  need_matrix(prediction, "prediction");
  const int64_t rows = prediction.shape(0), cols = prediction.shape(1);
  Workbench bench(kernel_device());
  ops::Loss op;
  op.kind = engine::loss_kind(kind);
  op.prediction = bench.matrix(prediction);
  const Target t = target_of(bench, target,
                             op.kind == ops::LossKind::sparse_categorical_crossentropy, rows, cols);
  op.target = t.matrix;
  op.labels = bench.table(t.labels);
  op.sample_weight = column_vector(bench, sample_weight, "sample_weight", rows);
  op.row_loss = bench.vector(rows);
  op.gradient = bench.matrix(rows, cols);
  op.from_logits = from_logits;
  op.label_smoothing = label_smoothing;
  bench.run(op, rows);
  return {bench.take(op.row_loss, rows), bench.take(op.gradient, rows)};
}

py::object metric_rows(const std::string& kind, const FloatInput& prediction,
                       const py::object& target) {
  need_matrix(prediction, "prediction");
  const int64_t rows = prediction.shape(0);
  Workbench bench(kernel_device());
  ops::MetricRows op;
  op.kind = engine::metric_kind(kind);
  op.prediction = bench.matrix(prediction);
  const Target t = target_of(bench, target, op.kind == ops::MetricKind::sparse_categorical_accuracy,
                             rows, prediction.shape(1));
  op.target = t.matrix;
  op.labels = bench.table(t.labels);
  op.row_value = bench.vector(rows);
  bench.run(op, rows);
  return bench.take(op.row_value, rows);
}

}  // namespace

void bind_batchnorm_kernels(py::module_& m) {
  m.def("batchnorm_forward", batchnorm_forward, py::arg("x"), py::arg("gamma") = py::none(),
        py::arg("beta") = py::none(), py::arg("epsilon") = 1e-3f);
  m.def("batchnorm_inference", batchnorm_inference, py::arg("x"), py::arg("gamma"), py::arg("beta"),
        py::arg("moving_mean"), py::arg("moving_variance"), py::arg("epsilon") = 1e-3f);
  m.def("batchnorm_backward", batchnorm_backward, py::arg("x"), py::arg("gamma"), py::arg("dy"),
        py::arg("epsilon") = 1e-3f);
}

void bind_loss_kernels(py::module_& m) {
  m.def(
      "loss_forward",
      [](const std::string& kind, const FloatInput& prediction, const py::object& target,
         bool from_logits, float label_smoothing) {
        return run_loss(kind, prediction, target, from_logits, label_smoothing, std::nullopt).rows;
      },
      py::arg("kind"), py::arg("prediction"), py::arg("target"), py::arg("from_logits") = false,
      py::arg("label_smoothing") = 0.0f);
  m.def(
      "loss_backward",
      [](const std::string& kind, const FloatInput& prediction, const py::object& target,
         bool from_logits, float label_smoothing, const MaybeArray& sample_weight) {
        return run_loss(kind, prediction, target, from_logits, label_smoothing, sample_weight)
            .gradient;
      },
      py::arg("kind"), py::arg("prediction"), py::arg("target"), py::arg("from_logits") = false,
      py::arg("label_smoothing") = 0.0f, py::arg("sample_weight") = py::none());
  m.def("metric_rows", metric_rows, py::arg("kind"), py::arg("prediction"), py::arg("target"));
}

void bind_kernels(py::module_& module) {
  py::module_ m = module.def_submodule("kernels", "The fused kernels on NumPy arrays.");
  m.def("set_device", [](const std::string& name) { kernel_device() = name; });
  bind_dense_kernels(m);
  bind_pointwise_kernels(m);
  bind_row_wise_kernels(m);
  bind_batchnorm_kernels(m);
  bind_loss_kernels(m);
  bind_optimizer_kernels(m);
  bind_samples_kernels(m);
}

}  // namespace dnnfast::bindings
