// dnnfast._core.kernels: the fused kernels one by one on NumPy arrays. The signatures are those of
// dnnfast.reference.

#include <pybind11/stl.h>

#include <optional>

#include "bindings/kernels.h"
#include "bindings/workbench.h"

namespace dnnfast::bindings {

std::string& kernel_device() {
  static std::string device = "cpu";
  return device;
}

namespace {

using MaybeArray = std::optional<FloatInput>;

struct RandomBits {
  double rate = 0;
  uint64_t seed = 0, step = 0;
  uint32_t stream = 0;

  ops::Dropout dropout() const { return dropout_of(rate, stream); }
  ops::StepContext context() const {
    ops::StepContext c;
    c.seed = seed;
    c.step = step;
    return c;
  }
};

py::object run_dense_forward(const FloatInput& x, const FloatInput& w, const MaybeArray& b,
                             const ops::Activation& act, const RandomBits& random) {
  need_matrix(x, "x");
  need_matrix(w, "w");
  need_shape(w, "w", {x.shape(1), w.shape(1)});
  Workbench bench(kernel_device());
  ops::DenseForward op;
  op.x = bench.matrix(x);
  op.w = bench.panels(w);
  if (b) {
    need_shape(*b, "b", {w.shape(1)});
    op.b = bench.vector(*b);
  }
  op.y = bench.matrix(x.shape(0), w.shape(1));
  op.act = act;
  op.dropout = random.dropout();
  bench.run(op, x.shape(0), random.context());
  return bench.take(op.y, x.shape(0));
}

// f'(z) and the dropout bits of a pointwise chain applied to dy, in a bench's memory.
BatchMatrix pointwise_gradient(Workbench& bench, const FloatInput& dy, const MaybeArray& z,
                               const ops::Activation& act, const RandomBits& random) {
  const int64_t rows = dy.shape(0);
  ops::PointwiseBackward op;
  op.dy = op.dx = bench.matrix(dy);
  op.gradient.act = act;
  op.gradient.dropout = random.dropout();
  BatchMatrix saved;
  if (act.kind != ops::ActivationKind::linear) {
    if (!z) fail(ErrorKind::value, "z (the pre-activation) is needed unless activation is linear");
    need_shape(*z, "z", {rows, dy.shape(1)});
    saved = bench.matrix(*z);
    BatchMatrix y = bench.matrix(rows, dy.shape(1));
    bench.run(ops::PointwiseForward{saved, y, act, {}, saved.data}, rows);
    op.gradient.saved = saved.data;
    op.gradient.saved_ld = saved.ld;
  }
  bench.run(op, rows, random.context());
  return op.dx;
}

py::tuple run_dense_backward(const FloatInput& x, const FloatInput& w, const FloatInput& dy,
                             bool bias, const ops::Activation& act, const MaybeArray& z,
                             const RandomBits& random) {
  need_matrix(x, "x");
  need_matrix(w, "w");
  need_shape(w, "w", {x.shape(1), w.shape(1)});
  need_shape(dy, "dy", {x.shape(0), w.shape(1)});
  const int64_t rows = x.shape(0);
  Workbench bench(kernel_device());
  const BatchMatrix dz = pointwise_gradient(bench, dy, z, act, random);
  ops::DenseBackwardWeight weight;
  weight.x = bench.matrix(x);
  weight.dz = dz;
  weight.dw = bench.panels(w.shape(0), w.shape(1));
  if (bias) weight.db = bench.vector(w.shape(1));
  bench.run(weight, rows);
  ops::DenseBackwardInput input;
  input.dz = dz;
  input.w = bench.panels(w);
  input.dx = bench.matrix(rows, x.shape(1));
  bench.run(input, rows);
  return py::make_tuple(bench.take(input.dx, rows), bench.take(weight.dw),
                        bias ? py::object(bench.take(weight.db, w.shape(1))) : py::none());
}

py::object run_pointwise_forward(const FloatInput& x, const ops::Activation& act,
                                 const RandomBits& random) {
  need_matrix(x, "x");
  Workbench bench(kernel_device());
  ops::PointwiseForward op;
  op.x = bench.matrix(x);
  op.y = bench.matrix(x.shape(0), x.shape(1));
  op.act = act;
  op.dropout = random.dropout();
  bench.run(op, x.shape(0), random.context());
  return bench.take(op.y, x.shape(0));
}

py::object run_pointwise_backward(const FloatInput& dy, const MaybeArray& x,
                                  const ops::Activation& act, const RandomBits& random) {
  need_matrix(dy, "dy");
  Workbench bench(kernel_device());
  return bench.take(pointwise_gradient(bench, dy, x, act, random), dy.shape(0));
}

py::object run_row_wise_forward(ops::RowwiseKind kind, const FloatInput& x) {
  need_matrix(x, "x");
  const bool halves = kind == ops::RowwiseKind::glu;
  if (halves && x.shape(1) % 2)
    fail(ErrorKind::value, "x has ", x.shape(1), " columns; glu needs an even number");
  Workbench bench(kernel_device());
  const ops::RowwiseForward op{kind, bench.matrix(x),
                               bench.matrix(x.shape(0), halves ? x.shape(1) / 2 : x.shape(1))};
  bench.run(op, x.shape(0));
  return bench.take(op.y, x.shape(0));
}

// saved: y, or x for glu.
py::object run_row_wise_backward(ops::RowwiseKind kind, const FloatInput& saved,
                                 const FloatInput& dy) {
  need_matrix(saved, kind == ops::RowwiseKind::glu ? "x" : "y");
  const int64_t cols = kind == ops::RowwiseKind::glu ? saved.shape(1) / 2 : saved.shape(1);
  need_shape(dy, "dy", {saved.shape(0), cols});
  Workbench bench(kernel_device());
  const ops::RowwiseBackward op{kind, bench.matrix(saved), bench.matrix(dy),
                                bench.matrix(saved.shape(0), saved.shape(1)), false};
  bench.run(op, saved.shape(0));
  return bench.take(op.dx, saved.shape(0));
}

// x: passes one after another, [passes * rows, cols].
py::tuple run_sample_moments(const FloatInput& x, int64_t passes) {
  need_matrix(x, "x");
  const int64_t rows = passes > 0 ? x.shape(0) / passes : 0, cols = x.shape(1);
  if (rows < 1 || rows * passes != x.shape(0))
    fail(ErrorKind::value, "x has ", x.shape(0), " rows; expected a multiple of ", passes,
         " passes");
  Workbench bench(kernel_device());
  const BatchMatrix all = bench.matrix(x);
  ops::ScatterSamples finish;
  finish.y = all;
  finish.sums.shift = bench.vector(rows * cols);
  finish.sums.sum = reinterpret_cast<double*>(bench.vector(2 * rows * cols));
  finish.sums.square = reinterpret_cast<double*>(bench.vector(2 * rows * cols));
  finish.deviation = 1;
  py::array_t<float> mean({rows, cols}), deviation({rows, cols});
  float* const outputs[] = {mean.mutable_data(), deviation.mutable_data()};
  ops::StepContext context;
  context.samples = passes;
  context.outputs = outputs;
  for (; context.sample < passes; ++context.sample) {
    BatchMatrix pass = all;
    pass.data = all.row(context.sample * rows);
    bench.run(ops::AccumulateSamples{pass, finish.sums}, rows, context);
  }
  bench.run(finish, rows, context);
  return py::make_tuple(mean, deviation);
}

}  // namespace

void bind_dense_kernels(py::module_& m) {
  m.def(
      "matmul",
      [](const FloatInput& x, const FloatInput& w) {
        return run_dense_forward(x, w, std::nullopt, {}, {});
      },
      py::arg("x"), py::arg("w"));
  m.def(
      "dense_forward",
      [](const FloatInput& x, const FloatInput& w, const MaybeArray& b, const std::string& act,
         double alpha, double beta, double rate, uint64_t seed, uint64_t step, uint32_t stream) {
        return run_dense_forward(x, w, b, activation_named(act, alpha, beta),
                                 {rate, seed, step, stream});
      },
      py::arg("x"), py::arg("w"), py::arg("b") = py::none(), py::arg("activation") = "linear",
      py::arg("alpha") = 0.0, py::arg("beta") = 0.0, py::arg("rate") = 0.0, py::arg("seed") = 0,
      py::arg("step") = 0, py::arg("stream") = 0);
  m.def(
      "dense_backward",
      [](const FloatInput& x, const FloatInput& w, const FloatInput& dy, bool b,
         const std::string& act, double alpha, double beta, const MaybeArray& z, double rate,
         uint64_t seed, uint64_t step, uint32_t stream) {
        return run_dense_backward(x, w, dy, b, activation_named(act, alpha, beta), z,
                                  {rate, seed, step, stream});
      },
      py::arg("x"), py::arg("w"), py::arg("dy"), py::arg("b") = true,
      py::arg("activation") = "linear", py::arg("alpha") = 0.0, py::arg("beta") = 0.0,
      py::arg("z") = py::none(), py::arg("rate") = 0.0, py::arg("seed") = 0, py::arg("step") = 0,
      py::arg("stream") = 0);
}

void bind_pointwise_kernels(py::module_& m) {
  m.def(
      "activation_forward",
      [](const FloatInput& x, const std::string& kind, double alpha, double beta) {
        return run_pointwise_forward(x, activation_named(kind, alpha, beta), {});
      },
      py::arg("x"), py::arg("kind"), py::arg("alpha") = 0.0, py::arg("beta") = 0.0);
  m.def(
      "activation_backward",
      [](const FloatInput& x, const FloatInput& dy, const std::string& kind, double alpha,
         double beta) {
        return run_pointwise_backward(dy, x, activation_named(kind, alpha, beta), {});
      },
      py::arg("x"), py::arg("dy"), py::arg("kind"), py::arg("alpha") = 0.0, py::arg("beta") = 0.0);
  auto dropout = [](bool backward) {
    return [backward](const FloatInput& x, double rate, uint64_t seed, uint64_t step,
                      uint32_t stream) {
      const RandomBits random{rate, seed, step, stream};
      return backward ? run_pointwise_backward(x, std::nullopt, {}, random)
                      : run_pointwise_forward(x, {}, random);
    };
  };
  m.def("dropout_forward", dropout(false), py::arg("x"), py::arg("rate"), py::arg("seed") = 0,
        py::arg("step") = 0, py::arg("stream") = 0);
  m.def("dropout_backward", dropout(true), py::arg("dy"), py::arg("rate"), py::arg("seed") = 0,
        py::arg("step") = 0, py::arg("stream") = 0);
}

void bind_samples_kernels(py::module_& m) {
  m.def("sample_moments", run_sample_moments, py::arg("x"), py::arg("passes"));
}

void bind_row_wise_kernels(py::module_& m) {
  using Kind = ops::RowwiseKind;
  auto forward = [](Kind kind) {
    return [kind](const FloatInput& x) { return run_row_wise_forward(kind, x); };
  };
  auto backward = [](Kind kind) {
    return [kind](const FloatInput& saved, const FloatInput& dy) {
      return run_row_wise_backward(kind, saved, dy);
    };
  };
  m.def("softmax_forward", forward(Kind::softmax), py::arg("x"));
  m.def("log_softmax_forward", forward(Kind::log_softmax), py::arg("x"));
  m.def("glu_forward", forward(Kind::glu), py::arg("x"));
  m.def("softmax_backward", backward(Kind::softmax), py::arg("y"), py::arg("dy"));
  m.def("log_softmax_backward", backward(Kind::log_softmax), py::arg("y"), py::arg("dy"));
  m.def("glu_backward", backward(Kind::glu), py::arg("x"), py::arg("dy"));
}

}  // namespace dnnfast::bindings
