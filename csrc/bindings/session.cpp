// The engine's Session for Python. Long calls release the GIL; a lock keeps two Python threads from running
// one model at the same time.

#include "engine/session.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <mutex>
#include <optional>

#include "bindings/array.h"
#include "bindings/device.h"
#include "bindings/graph.h"
#include "core/error.h"

namespace dnnfast::bindings {
namespace {

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

  engine::Slot slot(const std::string& name, size_t i) const {
    shape(i);  // a check
    for (engine::Slot& slot : session_.slots(i))
      if (slot.name == name) return slot;
    fail(ErrorKind::value, "the optimizer has no state named \"", name, "\" for parameter \"",
         session_.graph().parameters[i].name, "\"");
  }

  engine::Session& session() { return session_; }
  bool on_gpu() const { return on_gpu_; }
  const engine::Graph& graph() const { return session_.graph(); }

 private:
  std::mutex mutex_;
  engine::Session session_;
  bool on_gpu_;
};

using Order = std::optional<py::array_t<int64_t, py::array::c_style>>;

// Checks the part of the order that these steps read.
void check_order(const py::array_t<int64_t, py::array::c_style>& order, int64_t rows,
                 const engine::StepRange& range) {
  if (order.ndim() != 1 || order.shape(0) > rows)
    fail(ErrorKind::value, "order must be a vector of at most ", rows, " row numbers");
  const int64_t* p = order.data();
  const int64_t first = std::max<int64_t>(range.begin, 0) * std::max<int64_t>(range.batch, 1);
  const int64_t last = std::min<int64_t>(order.shape(0), first + range.count * range.batch);
  for (int64_t i = first; i < last; ++i)
    if (p[i] < 0 || p[i] >= rows)
      fail(ErrorKind::value, "order[", i, "] is ", p[i], "; the data has ", rows, " rows");
}

using Rates = py::array_t<double, py::array::c_style | py::array::forcecast>;

// Learning rates of `steps` steps: [step], or [step][optimizer][rate, momentum] with NaN for the optimizer's own
// momentum.
std::vector<engine::StepRate> rates_of(const PySession& self, const Rates& rates, int64_t steps) {
  const auto optimizers = static_cast<int64_t>(self.graph().optimizers.size());
  const bool full = rates.ndim() == 3 && rates.shape(1) == optimizers && rates.shape(2) == 2;
  if (!(full || rates.ndim() == 1) || rates.shape(0) != steps)
    fail(ErrorKind::value, "expected ", steps, " learning rates, or an array of shape (", steps,
         ", ", optimizers, ", 2); got ", rates.ndim() > 0 ? rates.shape(0) : 0, " in ",
         rates.ndim(), " dimensions");
  std::vector<engine::StepRate> result;
  const double* p = rates.data();
  for (int64_t i = 0; i < steps; ++i)
    for (int64_t k = 0; k < optimizers; ++k) {
      engine::StepRate rate{full ? p[2 * (i * optimizers + k)] : p[i]};
      if (full) rate.momentum = p[2 * (i * optimizers + k) + 1];
      result.push_back(rate);
    }
  return result;
}

int64_t train(PySession& self, const Dataset& data, const Order& order, int64_t begin,
              int64_t count, int64_t batch, const Rates& learning_rates) {
  const std::vector<engine::StepRate> rates = rates_of(self, learning_rates, count);
  const engine::StepRange range{begin, count, batch};
  if (order) check_order(*order, data.view().rows, range);
  const int64_t* rows = order ? order->data() : nullptr;
  engine::DataView view = self.view(data);
  if (order) view.rows = order->shape(0);
  self.locked([&](engine::Session& s) { s.train(view, rows, range, rates); });
  return count;
}

// exchange(gradients, rows, finite) -> finite everywhere: see engine::Exchange. gradients: a vector of float32 to change in
// place; with `on_device`, of a GPU, its address and its length.
void set_exchange(PySession& self, const py::object& exchange, bool on_device) {
  if (exchange.is_none()) {
    self.session().exchange = nullptr;
    return;
  }
  ops::Backend& backend = self.session().backend();
  const bool in_place = !self.on_gpu(), by_address = on_device && self.on_gpu();
  self.session().exchange = [exchange, in_place, by_address, &backend](
                                float* gradients, int64_t floats, int64_t rows, bool finite) {
    const auto bytes = static_cast<size_t>(floats) * sizeof(float);
    py::gil_scoped_acquire held;
    if (by_address) {
      const auto given = py::make_tuple(reinterpret_cast<uintptr_t>(gradients), floats);
      return exchange(given, rows, finite).cast<bool>();
    }
    if (in_place) {
      const py::array_t<float> given(floats, gradients, py::capsule(gradients, [](void*) {}));
      return exchange(given, rows, finite).cast<bool>();
    }
    py::array_t<float> copy(floats);
    backend.download(copy.mutable_data(), gradients, bytes);
    const bool all = exchange(copy, rows, finite).cast<bool>();
    if (all) backend.upload(gradients, copy.data(), bytes);
    return all;
  };
}

// One gradient a parameter, or None.
void apply(PySession& self, const std::vector<std::optional<FloatArray>>& gradients,
           const Rates& learning_rates) {
  const std::vector<engine::StepRate> rates = rates_of(self, learning_rates, 1);
  if (gradients.size() != self.graph().parameters.size())
    fail(ErrorKind::value, "got ", gradients.size(), " gradients; the model has ",
         self.graph().parameters.size(), " parameters");
  std::vector<const float*> pointers;
  for (size_t i = 0; i < gradients.size(); ++i)
    pointers.push_back(gradients[i] ? self.checked(i, *gradients[i]).data() : nullptr);
  self.locked([&](engine::Session& s) { s.apply(pointers, rates); });
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

template <class Get>
py::array_t<float> fetch(PySession& self, const engine::Shape& shape, Get get) {
  py::array_t<float> values(numpy_shape(shape));
  float* out = values.mutable_data();
  self.locked([&](engine::Session& s) { get(s, out); });
  return values;
}

engine::ProgramKind program_kind(const std::string& name) {
  using Kind = engine::ProgramKind;
  for (auto kind : {Kind::train, Kind::evaluate, Kind::predict, Kind::predict_samples})
    if (name == engine::name_of(kind)) return kind;
  fail(ErrorKind::value, "unknown program \"", name,
       "\"; expected train, evaluate, predict or predict_samples");
}

void bind_slots(py::class_<PySession>& c) {
  c.def("slots", [](PySession& self, size_t i) {
    self.shape(i);  // a check
    std::vector<std::pair<std::string, py::tuple>> found;
    for (const engine::Slot& slot : self.session().slots(i))
      found.emplace_back(slot.name, py::tuple(py::cast(slot.shape)));
    return found;
  });
  c.def("get_slot", [](PySession& self, const std::string& name, size_t i) {
    const engine::Slot slot = self.slot(name, i);
    return fetch(self, slot.shape,
                 [&](engine::Session& s, float* out) { s.get_slot(i, slot, out); });
  });
  c.def(
      "set_slot", [](PySession& self, const std::string& name, size_t i, const FloatArray& values) {
        const engine::Slot slot = self.slot(name, i);
        const engine::Shape given(values.shape(), values.shape() + values.ndim());
        if (given != slot.shape)
          fail(ErrorKind::value, "state \"", name, "\" of parameter \"",
               self.graph().parameters[i].name, "\" has shape ", engine::describe_shape(slot.shape),
               "; got an array of shape ", engine::describe_shape(given));
        const float* p = values.data();
        self.locked([&](engine::Session& s) { s.set_slot(i, slot, p); });
      });
}

// State that runs with the steps.
void bind_schedule(py::class_<PySession>& c) {
  using engine::ScheduleState;
  auto state = [](PySession& self) -> ScheduleState& { return self.session().schedule_state(); };
  c.def_property(
      "iterations", [state](PySession& self) { return state(self).iterations; },
      [state](PySession& self, int64_t n) { state(self).iterations = n; });
  c.def_property(
      "u_products", [state](PySession& self) { return state(self).u_product; },
      [state](PySession& self, const std::vector<double>& values) {
        if (values.size() != state(self).u_product.size())
          fail(ErrorKind::value, "expected ", state(self).u_product.size(), " products; got ",
               values.size());
        state(self).u_product = values;
      });
  c.def_property(
      "loss_scale", [state](PySession& self) { return state(self).loss_scale; },
      [state](PySession& self, double value) { state(self).loss_scale = value; });
  c.def_property(
      "good_steps", [state](PySession& self) { return state(self).good_steps; },
      [state](PySession& self, int64_t n) { state(self).good_steps = n; });
}

void bind_state(py::class_<PySession>& c) {
  c.def("set_parameter", [](PySession& self, size_t i, const FloatArray& values) {
    const float* p = self.checked(i, values).data();
    self.locked([&](engine::Session& s) { s.set_parameter(i, p); });
  });
  c.def("get_parameter", [](PySession& self, size_t i) {
    return fetch(self, self.shape(i),
                 [&](engine::Session& s, float* out) { s.get_parameter(i, out); });
  });
  c.def("get_gradient", [](PySession& self, size_t i) {
    return fetch(self, self.shape(i),
                 [&](engine::Session& s, float* out) { s.get_gradient(i, out); });
  });
  bind_slots(c);
  bind_schedule(c);
  c.def_property(
      "seed", [](PySession& self) { return self.session().seed; },
      [](PySession& self, uint64_t seed) { self.session().seed = seed; });
}

void bind_runs(py::class_<PySession>& c) {
  c.def("train", train, py::arg("dataset"), py::arg("order"), py::arg("begin"), py::arg("count"),
        py::arg("batch"), py::arg("learning_rates"));
  c.def("set_exchange", set_exchange, py::arg("exchange"), py::arg("on_device") = false);
  c.def("apply", apply, py::arg("gradients"), py::arg("learning_rates"));
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
  c.def_property(
      "sums",
      [](PySession& self) { return self.locked([](engine::Session& s) { return s.sums(); }); },
      [](PySession& self, const std::vector<double>& values) {
        self.locked([&](engine::Session& s) { s.set_sums(values); });
      });
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
