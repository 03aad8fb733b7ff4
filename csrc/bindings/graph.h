#pragma once
// The graph that Python gives, as the engine has it.

#include <pybind11/pybind11.h>

#include "engine/graph.h"

namespace dnnfast::bindings {

engine::Attributes attributes_of(const pybind11::handle& mapping);
engine::Graph graph_of(const pybind11::object& object);

}  // namespace dnnfast::bindings
