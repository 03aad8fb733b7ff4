#pragma once
// What an optimizer's options mean: the constants of its ops, and the state it keeps for each parameter.

#include <string>
#include <vector>

#include "engine/graph.h"
#include "ops/optimizer.h"

namespace dnnfast::engine {

// An array of state with the layout of the parameters.
struct SlotArray {
  std::string name;
  double initial = 0.0;
  bool from_weights = false;  // starts as a copy of the parameter
  bool of_matrices = true;    // whether parameters that the optimizer takes as matrices have it
};

// Where an optimizer's state lies, by the position the ops give it (-1: not used). `arrays` are in the order in which
// they are listed.
struct SlotMap {
  int position[ops::kSlots] = {-1, -1, -1};
  int average = -1;
  int accumulator = -1;
  bool factored = false;  // adafactor's state is in an array of its own
  std::vector<SlotArray> arrays;
};
SlotMap slot_map(const Optimizer& optimizer);

// The op of one step with the optimizer's constants; its arrays are filled in later.
ops::OptimizerStep optimizer_step(const Optimizer& optimizer);

// Whether the optimizer takes the parameter as a matrix.
bool takes_matrix(const Optimizer& optimizer, const Parameter& parameter);
double weight_decay(const Optimizer& optimizer, const Parameter& parameter);

// Whether steps with gradients that are not finite are left out, and the loss scaled accordingly.
bool scales_dynamically(const Graph& graph);

}  // namespace dnnfast::engine
