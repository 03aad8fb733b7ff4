// The engine's Session for Python. Long calls release the GIL; a lock keeps two Python threads from running
// one model at the same time.

#include "engine/session.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "bindings/array.h"
#include "bindings/device.h"
#include "core/error.h"

namespace dnnfast::bindings {
namespace {

engine::Shape shape_of(const py::handle& object) { return object.cast<engine::Shape>(); }

engine::Attributes attributes_of(const py::handle& mapping) {
  engine::Attributes attrs;
  for (const auto& [key, value] : mapping.cast<py::dict>()) {
    const auto name = key.cast<std::string>();
    if (value.is_none()) continue;
    if (py::isinstance<py::str>(value))
      attrs.set(name, value.cast<std::string>());
    else if (py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value))
      attrs.set(name, value.cast<std::vector<int64_t>>());
    else
      attrs.set(name, value.cast<double>());
  }
  return attrs;
}

engine::Tensor tensor_of(const py::handle& object) {
  const auto kind = object.attr("kind").cast<std::string>();
  engine::Tensor tensor;
  tensor.kind = kind == "input"       ? engine::TensorKind::input
                : kind == "parameter" ? engine::TensorKind::parameter
                : kind == "target"    ? engine::TensorKind::target
                : kind == "weight"    ? engine::TensorKind::weight
                                      : engine::TensorKind::node;
  tensor.index = object.attr("index").cast<int>();
  tensor.shape = shape_of(object.attr("shape"));
  tensor.batched = object.attr("batched").cast<bool>();
  return tensor;
}

engine::Parameter parameter_of(const py::handle& object) {
  return {object.attr("name").cast<std::string>(), shape_of(object.attr("shape")),
          object.attr("trainable").cast<bool>(),   object.attr("l1").cast<double>(),
          object.attr("l2").cast<double>(),        object.attr("decay").cast<bool>()};
}

engine::Loss loss_of(const py::handle& object) {
  return {engine::loss_kind(object.attr("kind").cast<std::string>()),
          object.attr("prediction").cast<int>(),
          object.attr("target").cast<int>(),
          object.attr("weight").cast<double>(),
          object.attr("from_logits").cast<bool>(),
          object.attr("label_smoothing").cast<double>()};
}

engine::Graph graph_of(const py::object& object) {
  engine::Graph graph;
  for (const py::handle& tensor : object.attr("tensors"))
    graph.tensors.push_back(tensor_of(tensor));
  graph.inputs = object.attr("inputs").cast<std::vector<std::string>>();
  for (const py::handle& parameter : object.attr("parameters"))
    graph.parameters.push_back(parameter_of(parameter));
  for (const py::handle& node : object.attr("nodes"))
    graph.nodes.push_back({node.attr("op").cast<std::string>(),
                           node.attr("name").cast<std::string>(),
                           node.attr("inputs").cast<std::vector<int>>(),
                           attributes_of(node.attr("attrs")), node.attr("output").cast<int>()});
  graph.outputs = object.attr("outputs").cast<std::vector<int>>();
  for (const py::handle& loss : object.attr("losses")) graph.losses.push_back(loss_of(loss));
  for (const py::handle& metric : object.attr("metrics"))
    graph.metrics.push_back({engine::metric_kind(metric.attr("kind").cast<std::string>()),
                             metric.attr("prediction").cast<int>(),
                             metric.attr("target").cast<int>(),
                             metric.attr("weighted").cast<bool>()});
  for (const py::handle& assignment : object.attr("assignments"))
    graph.assignments.push_back({assignment.attr("parameter").cast<int>(),
                                 assignment.attr("value").cast<int>(),
                                 engine::assign_time(assignment.attr("time").cast<std::string>())});
  const py::object optimizer = object.attr("optimizer");
  graph.has_optimizer = !optimizer.is_none();
  if (graph.has_optimizer)
    graph.optimizer = {engine::optimizer_kind(optimizer.attr("kind").cast<std::string>()),
                       attributes_of(optimizer.attr("options"))};
  return graph;
}

// A session, and the lock that its calls take after letting the GIL go.
class PySession {
 public:
  PySession(const py::object& graph, const std::string& device)
      : session_(graph_of(graph), make_device(device)), on_gpu_(device != "cpu") {}

  // The data of a call. A CPU cannot read what lies on a GPU.
  const engine::DataView& view(const Dataset& data) const {
    need_readable(data.on_gpu(), "the data set holds");
    return data.view();
  }
  void need_readable(bool array_on_gpu, const char* what) const {
    if (array_on_gpu && !on_gpu_)
      fail(ErrorKind::type, what, " an array on a GPU; this model is on the CPU");
  }

  template <class F>
  auto locked(F f) {
    py::gil_scoped_release release;
    std::lock_guard lock(mutex_);
    return f(session_);
  }

  const engine::Shape& shape(size_t i) const {
    const auto& parameters = session_.graph().parameters;
    if (i >= parameters.size())
      fail(ErrorKind::value, "parameter ", i, " does not exist; the model has ", parameters.size());
    return parameters[i].shape;
  }

  FloatArray checked(size_t i, const FloatArray& values) const {
    const engine::Shape given(values.shape(), values.shape() + values.ndim());
    if (given != shape(i))
      fail(ErrorKind::value, "parameter \"", session_.graph().parameters[i].name, "\" has shape ",
           engine::describe_shape(shape(i)), "; got an array of shape ",
           engine::describe_shape(given));
    return values;
  }

  size_t slot(const std::string& name) const {
    const auto& names = session_.slot_names();
    for (size_t s = 0; s < names.size(); ++s)
      if (names[s] == name) return s;
    fail(ErrorKind::value, "the optimizer has no state named \"", name, "\"");
  }

  engine::Session& session() { return session_; }

 private:
  std::mutex mutex_;
  engine::Session session_;
  bool on_gpu_;
};

using Order = std::optional<py::array_t<int64_t, py::array::c_style>>;

// Checks the part of the order that these steps read.
void check_order(const py::array_t<int64_t, py::array::c_style>& order, int64_t rows,
                 const engine::StepRange& range) {
  if (order.ndim() != 1 || order.shape(0) != rows)
    fail(ErrorKind::value, "order must be a vector of ", rows, " row numbers");
  const int64_t* p = order.data();
  const int64_t first = std::max<int64_t>(range.begin, 0) * std::max<int64_t>(range.batch, 1);
  const int64_t last = std::min(rows, first + range.count * range.batch);
  for (int64_t i = first; i < last; ++i)
    if (p[i] < 0 || p[i] >= rows)
      fail(ErrorKind::value, "order[", i, "] is ", p[i], "; the data has ", rows, " rows");
}

int64_t train(PySession& self, const Dataset& data, const Order& order, int64_t begin,
              int64_t count, int64_t batch,
              const py::array_t<double, py::array::forcecast>& rates) {
  if (rates.ndim() != 1 || rates.shape(0) != count)
    fail(ErrorKind::value, "expected ", count, " learning rates; got ", rates.size());
  const engine::StepRange range{begin, count, batch};
  if (order) check_order(*order, data.view().rows, range);
  const int64_t* rows = order ? order->data() : nullptr;
  const double* learning_rates = rates.data();
  self.locked([&](engine::Session& s) { s.train(self.view(data), rows, range, learning_rates); });
  return count;
}

using Outputs = std::vector<py::object>;

// Appends where each output array lies, after a check of its type and size.
void add_pointers(PySession& self, const Dataset& data, const Outputs& outputs,
                  std::vector<float*>& pointers) {
  const engine::Graph& graph = self.session().graph();
  for (size_t i = 0; i < outputs.size(); ++i) {
    GivenArray given(outputs[i]);
    self.need_readable(given.on_gpu, "output is");
    const bool floats = py::isinstance<py::array_t<float, py::array::c_style>>(given.array);
    if (!floats || !given.array.writeable())
      fail(ErrorKind::type, "output array ", i,
           " must be a contiguous array of float32 that can be written to");
    if (i < graph.outputs.size()) {
      const auto& shape = graph.tensors[static_cast<size_t>(graph.outputs[i])].shape;
      if (given.array.size() < data.view().rows * engine::elements(shape))
        fail(ErrorKind::value, "output array ", i, " is too small for ", data.view().rows,
             " samples of shape ", engine::describe_shape(shape));
    }
    pointers.push_back(static_cast<float*>(given.array.mutable_data()));
  }
}

void predict(PySession& self, const Dataset& data, int64_t begin, int64_t count, int64_t batch,
             const Outputs& outputs, bool training, uint64_t step) {
  std::vector<float*> pointers;
  add_pointers(self, data, outputs, pointers);
  self.locked([&](engine::Session& s) {
    s.predict(self.view(data), {begin, count, batch}, pointers, training, step);
  });
}

// One batch in one call: for a single row, every crossing from Python counts.
std::vector<py::array_t<float>> predict_batch(PySession& self, const std::vector<py::array>& inputs,
                                              bool training, uint64_t step) {
  const Dataset data({inputs.begin(), inputs.end()}, {}, {});
  const int64_t rows = data.view().rows;
  const engine::Graph& graph = self.session().graph();
  std::vector<py::array_t<float>> outputs;
  std::vector<float*> pointers;
  for (int id : graph.outputs) {
    std::vector<py::ssize_t> shape = numpy_shape(graph.tensors[static_cast<size_t>(id)].shape);
    shape.insert(shape.begin(), rows);
    outputs.emplace_back(std::move(shape));
    pointers.push_back(outputs.back().mutable_data());
  }
  self.locked(
      [&](engine::Session& s) { s.predict(data.view(), {0, 1, rows}, pointers, training, step); });
  return outputs;
}

void predict_samples(PySession& self, const Dataset& data, int64_t begin, int64_t count,
                     int64_t batch, const Outputs& means, const Outputs& deviations,
                     int64_t samples, uint64_t step, uint64_t stride) {
  if (means.size() != deviations.size())
    fail(ErrorKind::value, "got ", means.size(), " arrays for means and ", deviations.size(),
         " for deviations; expected one of each for every output");
  std::vector<float*> pointers;
  add_pointers(self, data, means, pointers);
  add_pointers(self, data, deviations, pointers);
  self.locked([&](engine::Session& s) {
    s.predict_samples(self.view(data), {begin, count, batch}, pointers, {samples, step, stride});
  });
}

py::array_t<float> fetch(PySession& self, size_t i,
                         void (*get)(engine::Session&, size_t, float*, size_t), size_t slot = 0) {
  py::array_t<float> values(numpy_shape(self.shape(i)));
  float* out = values.mutable_data();
  self.locked([&](engine::Session& s) { get(s, i, out, slot); });
  return values;
}

engine::ProgramKind program_kind(const std::string& name) {
  using Kind = engine::ProgramKind;
  for (auto kind : {Kind::train, Kind::evaluate, Kind::predict, Kind::predict_samples})
    if (name == engine::name_of(kind)) return kind;
  fail(ErrorKind::value, "unknown program \"", name,
       "\"; expected train, evaluate, predict or predict_samples");
}

void bind_state(py::class_<PySession>& c) {
  c.def("set_parameter", [](PySession& self, size_t i, const FloatArray& values) {
    const float* p = self.checked(i, values).data();
    self.locked([&](engine::Session& s) { s.set_parameter(i, p); });
  });
  c.def("get_parameter", [](PySession& self, size_t i) {
    return fetch(self, i,
                 [](engine::Session& s, size_t i, float* out, size_t) { s.get_parameter(i, out); });
  });
  c.def("get_gradient", [](PySession& self, size_t i) {
    return fetch(self, i,
                 [](engine::Session& s, size_t i, float* out, size_t) { s.get_gradient(i, out); });
  });
  c.def_property_readonly("slot_names",
                          [](PySession& self) { return self.session().slot_names(); });
  c.def("get_slot", [](PySession& self, const std::string& name, size_t i) {
    return fetch(
        self, i,
        [](engine::Session& s, size_t i, float* out, size_t slot) { s.get_slot(slot, i, out); },
        self.slot(name));
  });
  c.def("set_slot",
        [](PySession& self, const std::string& name, size_t i, const FloatArray& values) {
          const float* p = self.checked(i, values).data();
          const size_t slot = self.slot(name);
          self.locked([&](engine::Session& s) { s.set_slot(slot, i, p); });
        });
  c.def_property(
      "iterations", [](PySession& self) { return self.session().schedule_state().iterations; },
      [](PySession& self, int64_t n) { self.session().schedule_state().iterations = n; });
  c.def_property(
      "u_product", [](PySession& self) { return self.session().schedule_state().u_product; },
      [](PySession& self, double value) { self.session().schedule_state().u_product = value; });
  c.def_property(
      "seed", [](PySession& self) { return self.session().seed; },
      [](PySession& self, uint64_t seed) { self.session().seed = seed; });
}

void bind_runs(py::class_<PySession>& c) {
  c.def("train", train, py::arg("dataset"), py::arg("order"), py::arg("begin"), py::arg("count"),
        py::arg("batch"), py::arg("learning_rates"));
  c.def("predict", predict, py::arg("dataset"), py::arg("begin"), py::arg("count"),
        py::arg("batch"), py::arg("outputs"), py::arg("training") = false, py::arg("step") = 0);
  c.def("predict_batch", predict_batch, py::arg("inputs"), py::arg("training") = false,
        py::arg("step") = 0);
  c.def("predict_samples", predict_samples, py::arg("dataset"), py::arg("begin"), py::arg("count"),
        py::arg("batch"), py::arg("means"), py::arg("deviations"), py::arg("samples"),
        py::arg("step") = 0, py::arg("stride") = 1);
  c.def(
      "evaluate",
      [](PySession& self, const Dataset& data, int64_t begin, int64_t count, int64_t batch) {
        self.locked(
            [&](engine::Session& s) { s.evaluate(self.view(data), {begin, count, batch}); });
      },
      py::arg("dataset"), py::arg("begin"), py::arg("count"), py::arg("batch"));
  c.def(
      "compute_gradients",
      [](PySession& self, const Dataset& data, int64_t begin, int64_t batch) {
        self.locked(
            [&](engine::Session& s) { s.compute_gradients(self.view(data), {begin, 1, batch}); });
      },
      py::arg("dataset"), py::arg("begin"), py::arg("batch"));
  c.def("reset_totals",
        [](PySession& self) { self.locked([](engine::Session& s) { s.reset_totals(); }); });
  c.def("totals",
        [](PySession& self) { return self.locked([](engine::Session& s) { return s.totals(); }); });
  c.def(
      "describe",
      [](PySession& self, int64_t batch, const std::string& program) {
        const auto kind = program_kind(program);
        return self.locked([&](engine::Session& s) { return s.describe(kind, batch); });
      },
      py::arg("batch"), py::arg("program") = "train");
  c.def(
      "activation_bytes",
      [](PySession& self, int64_t batch, const std::string& program) {
        const auto kind = program_kind(program);
        return self.locked([&](engine::Session& s) { return s.activation_bytes(kind, batch); });
      },
      py::arg("batch"), py::arg("program") = "train");
  c.def_property_readonly(
      "parameter_bytes", [](PySession& self) { return self.session().parameters().total_bytes(); });
}

}  // namespace

void bind_session(py::module_& module) {
  py::class_<PySession> c(module, "Session", "A model on the CPU: variables, state and programs.");
  c.def(py::init<const py::object&, const std::string&>(), py::arg("graph"),
        py::arg("device") = "cpu");
  bind_state(c);
  bind_runs(c);
  module.def(
      "infer_shape",
      [](const std::string& op, const std::vector<engine::Shape>& shapes, const py::dict& attrs) {
        return py::tuple(py::cast(engine::infer_shape(op, shapes, attributes_of(attrs))));
      },
      py::arg("op"), py::arg("shapes"), py::arg("attrs") = py::dict());
}

}  // namespace dnnfast::bindings
