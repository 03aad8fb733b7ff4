#pragma once
// A plan: one program of a model, compiled for a device and a largest batch.

#include <memory>
#include <string>
#include <vector>

#include "engine/buffers.h"
#include "engine/fusion.h"
#include "engine/parameters.h"
#include "ops/backend.h"

namespace dnnfast::engine {

// The data set's arrays, in the order of StepContext::sources: inputs, targets, sample weights.
struct SourceMap {
  int inputs = 0;
  int targets = 0;
  int input(int i) const { return i; }
  int target(int i) const { return inputs + i; }
  int weight(int i) const { return inputs + targets + i; }
};

// Which targets have sample weights; a plan is built for one pattern.
using WeightPattern = std::vector<bool>;

// Slots of the running totals: the loss, each loss's own mean when there are several, each metric. Two doubles
// a mean: sum and weight.
struct TotalsMap {
  int losses = 0;
  int metrics = 0;
  int loss_slot(int i) const { return losses > 1 ? 2 * (1 + i) : -1; }
  int metric_slot(int i) const { return 2 * (1 + (losses > 1 ? losses : 0) + i); }
  int size() const { return 2 * (1 + (losses > 1 ? losses : 0) + metrics); }
};

class Plan {
 public:
  struct Request {
    ProgramKind kind = ProgramKind::train;
    int64_t batch_capacity = 1;
    WeightPattern weights;
    std::vector<bool> given;  // apply: by parameter, whether there is a gradient
  };

  Plan(const Graph& graph, ParameterStore& parameters, ops::Backend& backend, Request request);

  const Request& request() const { return request_; }
  ops::Executable& executable() { return *executable_; }
  int64_t activation_bytes() const { return static_cast<int64_t>(arena_->bytes()); }
  const std::string& description() const { return description_; }
  double step_loss() const;
  // Whether the gradients of the last step were, where that is looked at.
  bool finite_gradients() const;

 private:
  Request request_;
  ops::Backend& backend_;
  std::unique_ptr<ops::Memory> arena_;
  std::unique_ptr<ops::Executable> executable_;
  const double* step_loss_ = nullptr;
  const double* not_finite_ = nullptr;
  int64_t not_finite_count_ = 0;
  std::string description_;
};

// csrc/engine/describe.cpp: one line a call, with shapes and reasons.
std::string describe(const ops::Program& program, const Plan::Request& request,
                     const std::string& device, int64_t activation_bytes, int64_t parameter_bytes);

}  // namespace dnnfast::engine
