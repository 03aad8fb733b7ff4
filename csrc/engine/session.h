#pragma once
// A model on a device: its variables, optimizer state and programs.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/graph.h"
#include "engine/parameters.h"
#include "engine/plan.h"
#include "engine/schedule.h"
#include "ops/backend.h"

namespace dnnfast::engine {

// A data set's arrays. Somebody else owns the memory for as long as a call lasts.
struct DataView {
  std::vector<ops::Source> inputs, targets, weights;  // weights: data null where a target has none
  int64_t rows = 0;
  uint64_t number = 0;  // see ops::StepContext::data_set
};

// Steps [begin, begin + count) of an epoch over `data`, `batch` rows each; the last may be short.
struct StepRange {
  int64_t begin = 0;
  int64_t count = 0;
  int64_t batch = 1;
};

// Passes of a prediction that samples: how many, and the clock of the random bits: that of the first step's
// first pass, and the distance between two passes of a step.
struct SamplePasses {
  int64_t count = 1;
  uint64_t step = 0;
  uint64_t stride = 1;
};

// Makes the flat gradients (on the device, `floats` of them) the mean over the processes that train together, weighted by
// the rows of their steps. finite: whether this process's loss is; returns whether all are. If not, nothing has changed.
using Exchange = std::function<bool(float* gradients, int64_t floats, int64_t rows, bool finite)>;

class Session {
 public:
  Session(Graph graph, std::unique_ptr<ops::Backend> backend);

  const Graph& graph() const { return graph_; }
  ParameterStore& parameters() { return parameters_; }
  ScheduleState& schedule_state() { return schedule_; }
  uint64_t seed = 0;
  ops::Backend& backend() { return *backend_; }
  // With it, training steps are taken together with other processes: their `count` is the same for all, and one whose rows
  // are used up takes part without.
  Exchange exchange;

  void set_parameter(size_t i, const float* values);
  void get_parameter(size_t i, float* values) const;
  void get_gradient(size_t i, float* values) const;
  // Optimizer state of a parameter; what it is before training starts, too.
  std::vector<Slot> slots(size_t i) const { return parameters_.slots(i); }
  void set_slot(size_t i, const Slot& slot, const float* values);
  void get_slot(size_t i, const Slot& slot, float* values);

  // order: a permutation of the rows, or null. rates: one for each step and optimizer. Throws NonFiniteLoss; the steps
  // before it are applied.
  void train(const DataView& data, const int64_t* order, const StepRange& range,
             const std::vector<StepRate>& rates);
  // One step of the optimizers by gradients of the caller's, one a parameter; null: it stays as it is.
  void apply(const std::vector<const float*>& gradients, const std::vector<StepRate>& rates);
  void compute_gradients(const DataView& data, const StepRange& range);
  void evaluate(const DataView& data, const StepRange& range);
  void predict(const DataView& data, const StepRange& range, const std::vector<float*>& outputs,
               bool training, uint64_t step);
  // outputs: all means, then all deviations. Every dropout drops, batch normalization predicts. Step i of the
  // range in pass s has the bits of predict at clock step + i + s * stride.
  void predict_samples(const DataView& data, const StepRange& range,
                       const std::vector<float*>& outputs, const SamplePasses& passes);

  // Means over the steps since reset_totals: the loss, each loss's own (if several), each metric.
  void reset_totals();
  std::vector<double> totals() const;
  // What the means are made of, so that an interrupted epoch can go on: pairs of a sum and its weight.
  const std::vector<double>& sums() const { return totals_; }
  void set_sums(const std::vector<double>& sums);

  std::string describe(ProgramKind kind, int64_t batch);
  int64_t activation_bytes(ProgramKind kind, int64_t batch);

 private:
  Plan& plan(ProgramKind kind, int64_t batch, const WeightPattern& weights,
             const std::vector<bool>& given = {});
  // Steps with the gradients' finiteness checked, one after the other. Returns how many came to an end.
  int64_t run_scaled(Plan& plan, ops::StepContext context, int64_t steps, int64_t row_end,
                     const std::vector<StepRate>& rates);
  void train_together(const DataView& data, const int64_t* order, const StepRange& range,
                      const std::vector<StepRate>& rates);
  bool update_together(const std::vector<StepRate>& row, const ops::OptimizerScalars* scalars);
  ops::StepContext context_for(const DataView& data, const StepRange& range,
                               std::vector<ops::Source>& sources, bool targets);
  void check_inputs(const DataView& data) const;
  void check_targets(const DataView& data) const;
  void check_range(const DataView& data, const StepRange& range) const;

  Graph graph_;
  std::unique_ptr<ops::Backend> backend_;
  ParameterStore parameters_;
  ScheduleState schedule_;
  std::map<ProgramKind, std::unique_ptr<Plan>> plans_;
  std::vector<double> totals_;
};

}  // namespace dnnfast::engine
