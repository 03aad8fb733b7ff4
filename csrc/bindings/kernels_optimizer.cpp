// dnnfast._core.kernels, third part: one step of an optimizer.

#include <pybind11/stl.h>

#include <map>
#include <optional>

#include "bindings/kernels.h"
#include "bindings/workbench.h"
#include "engine/session.h"

namespace dnnfast::bindings {
namespace {

engine::Shape shape_of(const FloatInput& x) {
  return {x.array.shape(), x.array.shape() + x.ndim()};
}

engine::Graph graph_of(const std::string& kind, const py::dict& options, engine::Shape shape) {
  engine::Graph graph;
  graph.optimizers.push_back({engine::optimizer_kind(kind), {}});
  for (const auto& [key, value] : options)
    graph.optimizers[0].options.set(key.cast<std::string>(), value.cast<double>());
  graph.parameters.push_back({"w", std::move(shape)});
  graph.parameters[0].orthogonal = true;  // of Muon's two steps, its own
  return graph;
}

// One step on arrays of any shape: (w, its state by name, u_product). State that is not given is what it is at first.
py::tuple optimizer_step(const std::string& kind, const FloatInput& w, const FloatInput& g,
                         const std::map<std::string, FloatInput>& slots, const py::dict& options,
                         double learning_rate, int64_t step, double u_product) {
  need_shape(g, "g", shape_of(w));
  if (step < 1) fail(ErrorKind::value, "step counts from 1; got ", step);
  Workbench bench(kernel_device());
  engine::Session session(graph_of(kind, options, shape_of(w)), make_device(kernel_device()));
  session.schedule_state().iterations = step - 1;
  session.schedule_state().u_product[0] = u_product;
  session.set_parameter(0, bench.admit(w));
  const std::vector<engine::Slot> own = session.slots(0);
  for (const engine::Slot& slot : own) {
    const auto given = slots.find(slot.name);
    if (given == slots.end()) continue;
    need_shape(given->second, slot.name.c_str(), slot.shape);
    session.set_slot(0, slot, bench.admit(given->second));
  }
  const float* gradient = bench.admit(g);
  {
    py::gil_scoped_release release;
    session.apply({gradient}, {{learning_rate}});
  }
  py::dict state;
  for (const engine::Slot& slot : own)
    state[py::str(slot.name)] =
        bench.take(session.parameters().slot_place(0, slot), numpy_shape(slot.shape));
  return py::make_tuple(bench.take(session.parameters().parameter(0), numpy_shape(shape_of(w))),
                        state, session.schedule_state().u_product[0]);
}

}  // namespace

void bind_optimizer_kernels(py::module_& m) {
  m.def("optimizer_step", optimizer_step, py::arg("kind"), py::arg("w"), py::arg("g"),
        py::arg("slots"), py::arg("options"), py::arg("learning_rate"), py::arg("step") = 1,
        py::arg("u_product") = 1.0);
}

}  // namespace dnnfast::bindings
