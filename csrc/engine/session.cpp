#include "engine/session.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace dnnfast::engine {
namespace {

WeightPattern pattern_of(const DataView& data) {
  WeightPattern pattern;
  for (const ops::Source& weight : data.weights) pattern.push_back(weight.data != nullptr);
  return pattern;
}

Graph validated(Graph graph) {
  validate(graph);
  return graph;
}

}  // namespace

Session::Session(Graph graph, std::unique_ptr<ops::Backend> backend)
    : graph_(validated(std::move(graph))), backend_(std::move(backend)),
      parameters_(graph_, *backend_), schedule_(graph_) {
  reset_totals();
}

void Session::set_parameter(size_t i, const float* values) {
  parameters_.import_values(i, values, parameters_.parameter(i));
}

void Session::get_parameter(size_t i, float* values) const {
  parameters_.export_values(i, parameters_.parameter(i), values);
}

void Session::get_gradient(size_t i, float* values) const {
  const float* gradient = parameters_.gradient(i);
  if (gradient)
    parameters_.export_values(i, gradient, values);
  else
    std::fill_n(values, elements(graph_.parameters[i].shape), 0.0f);
}

void Session::set_slot(size_t i, const Slot& slot, const float* values) {
  parameters_.import_slot(i, slot, values);
}

void Session::get_slot(size_t i, const Slot& slot, float* values) {
  parameters_.prepare_training();
  parameters_.export_slot(i, slot, values);
}

Plan& Session::plan(ProgramKind kind, int64_t batch, const WeightPattern& weights,
                    const std::vector<bool>& given) {
  std::unique_ptr<Plan>& plan = plans_[kind];
  if (!plan || plan->request().batch_capacity < batch || plan->request().weights != weights ||
      plan->request().given != given) {
    if (differentiates(kind) || updates(kind)) parameters_.prepare_training();
    plan.reset();  // its memory first
    plan = std::make_unique<Plan>(graph_, parameters_, *backend_,
                                  Plan::Request{kind, batch, weights, given});
  }
  return *plan;
}

void Session::check_inputs(const DataView& data) const {
  if (data.inputs.size() != graph_.inputs.size())
    fail(ErrorKind::value, "the model has ", graph_.inputs.size(), " inputs; got ",
         data.inputs.size(), " arrays");
  for (const Tensor& tensor : graph_.tensors) {
    if (tensor.kind != TensorKind::input) continue;
    const auto i = static_cast<size_t>(tensor.index);
    if (data.inputs[i].columns != elements(tensor.shape))
      fail(ErrorKind::value, "input \"", graph_.inputs[i], "\" has samples of ",
           data.inputs[i].columns, " elements; the model expects shape ",
           describe_shape(tensor.shape), ", that is ", elements(tensor.shape));
  }
}

// What a target must look like depends on what reads it.
void Session::check_targets(const DataView& data) const {
  const auto needed = static_cast<size_t>(graph_.target_count());
  if (data.targets.size() < needed)
    fail(ErrorKind::value, "the losses and metrics read ", needed, " targets; got ",
         data.targets.size());
  auto check = [&](int target, int prediction, bool sparse) {
    const int64_t columns = data.targets[static_cast<size_t>(target)].columns;
    const Shape& shape = graph_.tensors[static_cast<size_t>(prediction)].shape;
    const int64_t expected = sparse ? 1 : elements(shape);
    if (columns != expected)
      fail(ErrorKind::value, "target ", target, " has samples of ", columns, " elements; expected ",
           expected, sparse ? " (a class label)" : " as the prediction has");
  };
  for (const Tensor& tensor : graph_.tensors) {
    const auto i = static_cast<size_t>(tensor.index);
    if (tensor.kind == TensorKind::target && data.targets[i].columns != elements(tensor.shape))
      fail(ErrorKind::value, "target ", i, " has samples of ", data.targets[i].columns,
           " elements; expected shape ", describe_shape(tensor.shape));
    if (tensor.kind == TensorKind::weight && !data.weights[i].data)
      fail(ErrorKind::value, "target ", i, " has no sample weights, but a metric reads them");
  }
  for (const Loss& loss : graph_.losses)
    if (loss.kind != ops::LossKind::values)
      check(loss.target, loss.prediction,
            loss.kind == ops::LossKind::sparse_categorical_crossentropy);
  for (const Metric& metric : graph_.metrics)
    if (metric.kind != ops::MetricKind::values)
      check(metric.target, metric.prediction,
            metric.kind == ops::MetricKind::sparse_categorical_accuracy);
}

void Session::check_range(const DataView& data, const StepRange& range) const {
  if (range.batch < 1) fail(ErrorKind::value, "batch_size must be at least 1; got ", range.batch);
  const int64_t steps = data.rows / range.batch + (data.rows % range.batch != 0);
  if (range.begin < 0 || range.count < 0 || range.begin > steps - range.count)
    fail(ErrorKind::value, "steps ", range.begin, " to ", range.begin + range.count,
         " are outside the ", steps, " steps of ", data.rows, " rows in batches of ", range.batch);
}

ops::StepContext Session::context_for(const DataView& data, const StepRange& range,
                                      std::vector<ops::Source>& sources, bool targets) {
  check_range(data, range);
  check_inputs(data);
  sources = data.inputs;
  if (targets) {
    check_targets(data);
    const auto count = static_cast<size_t>(graph_.target_count());
    sources.insert(sources.end(), data.targets.begin(),
                   data.targets.begin() + static_cast<std::ptrdiff_t>(count));
    sources.insert(sources.end(), data.weights.begin(), data.weights.end());
  }
  ops::StepContext context;
  context.batch = std::min(range.batch, data.rows);
  context.first_row = range.begin * range.batch;
  context.sources = sources.data();
  context.data_set = data.number;
  context.seed = seed;
  context.totals = totals_.data();
  return context;
}

// A step that was left out leaves its learning rate to the next.
int64_t Session::run_scaled(Plan& plan, ops::StepContext context, int64_t steps, int64_t row_end,
                            const std::vector<StepRate>& rates) {
  const auto width = static_cast<std::ptrdiff_t>(graph_.optimizers.size());
  const int64_t batch = context.batch;
  auto next = rates.begin();
  for (int64_t i = 0; i < steps; ++i, context.first_row += batch) {
    const std::vector<StepRate> row(next, next + width);
    context.step = static_cast<uint64_t>(schedule_.iterations);
    const auto scalars = schedule(graph_.optimizers, schedule_, row);
    if (plan.executable().run(context, 1, row_end, scalars.data()) == 0) return i;
    const bool finite = plan.finite_gradients();
    if (finite) {
      advance(graph_.optimizers, schedule_, row, 1);
      next += width;
    }
    adapt_loss_scale(graph_, schedule_, finite);
  }
  return steps;
}

void Session::train(const DataView& data, const int64_t* order, const StepRange& range,
                    const std::vector<StepRate>& rates) {
  if (!graph_.has_optimizer())
    fail(ErrorKind::state, "the model was compiled without an optimizer; it cannot train");
  if (exchange) return train_together(data, order, range, rates);
  std::vector<ops::Source> sources;
  ops::StepContext context = context_for(data, range, sources, true);
  context.order = order;
  context.step = static_cast<uint64_t>(schedule_.iterations);
  Plan& train = plan(ProgramKind::train, context.batch, pattern_of(data));
  int64_t applied = 0;
  if (scales_dynamically(graph_)) {
    applied = run_scaled(train, context, range.count, data.rows, rates);
  } else {
    const auto scalars = schedule(graph_.optimizers, schedule_, rates);
    applied = train.executable().run(context, range.count, data.rows, scalars.data());
    advance(graph_.optimizers, schedule_, rates, applied);
  }
  if (applied < range.count) {
    const double loss = train.step_loss();
    throw NonFiniteLoss(range.begin + applied, loss,
                        text("the loss became ", loss, " at step ", range.begin + applied,
                             "; that step was not applied"));
  }
}

void Session::train_together(const DataView& data, const int64_t* order, const StepRange& range,
                             const std::vector<StepRate>& rates) {
  const int64_t there = (data.rows + range.batch - 1) / range.batch - range.begin;
  const int64_t own = std::clamp<int64_t>(there, 0, range.count);
  std::vector<ops::Source> sources;
  ops::StepContext context = context_for(data, {range.begin, own, range.batch}, sources, true);
  context.order = order;
  Plan& backward = plan(ProgramKind::backward, context.batch, pattern_of(data));
  const auto width = static_cast<std::ptrdiff_t>(graph_.optimizers.size());
  auto next = rates.begin();
  for (int64_t i = 0; i < range.count; ++i, context.first_row += context.batch) {
    const std::vector<StepRate> row(next, next + width);
    context.step = static_cast<uint64_t>(schedule_.iterations);
    const auto scalars = schedule(graph_.optimizers, schedule_, row);
    bool finite = true;
    if (i < own)
      finite = backward.executable().run(context, 1, data.rows, scalars.data()) == 1;
    else
      parameters_.clear_gradients();
    const int64_t rows = i < own ? std::min(context.batch, data.rows - context.first_row) : 0;
    if (!exchange(parameters_.gradients(), parameters_.trainable_size(), rows, finite))
      throw NonFiniteLoss(range.begin + i, finite ? std::nan("") : backward.step_loss(),
                          text("the loss of a process that trains along is not finite at step ",
                               range.begin + i, "; that step was not applied"));
    if (update_together(row, scalars.data())) next += width;
  }
}

// Returns whether the gradients were finite.
bool Session::update_together(const std::vector<StepRate>& row,
                              const ops::OptimizerScalars* scalars) {
  Plan& update = plan(ProgramKind::update, 1, {});
  ops::StepContext context;
  context.batch = 1;
  context.seed = seed;
  context.totals = totals_.data();
  update.executable().run(context, 1, 1, scalars);
  const bool finite = update.finite_gradients();
  if (finite) advance(graph_.optimizers, schedule_, row, 1);
  if (scales_dynamically(graph_)) adapt_loss_scale(graph_, schedule_, finite);
  return finite;
}

void Session::apply(const std::vector<const float*>& gradients,
                    const std::vector<StepRate>& rates) {
  if (!graph_.has_optimizer()) fail(ErrorKind::state, "there is no optimizer");
  parameters_.prepare_training();
  std::vector<bool> given;
  for (size_t i = 0; i < gradients.size(); ++i) {
    given.push_back(gradients[i] && parameters_.trainable(i));
    if (given[i]) parameters_.import_values(i, gradients[i], parameters_.gradient(i));
  }
  Plan& apply = plan(ProgramKind::apply, 1, {}, given);
  ops::StepContext context;
  context.batch = 1;
  if (scales_dynamically(graph_)) {
    run_scaled(apply, context, 1, 1, rates);
    return;
  }
  const auto scalars = schedule(graph_.optimizers, schedule_, rates);
  apply.executable().run(context, 1, 1, scalars.data());
  advance(graph_.optimizers, schedule_, rates, 1);
}

void Session::compute_gradients(const DataView& data, const StepRange& range) {
  std::vector<ops::Source> sources;
  ops::StepContext context = context_for(data, range, sources, true);
  context.step = static_cast<uint64_t>(schedule_.iterations);
  plan(ProgramKind::gradients, context.batch, pattern_of(data))
      .executable()
      .run(context, range.count, data.rows, nullptr);
}

void Session::evaluate(const DataView& data, const StepRange& range) {
  std::vector<ops::Source> sources;
  ops::StepContext context = context_for(data, range, sources, true);
  context.step = static_cast<uint64_t>(range.begin);
  plan(ProgramKind::evaluate, context.batch, pattern_of(data))
      .executable()
      .run(context, range.count, data.rows, nullptr);
}

void Session::predict(const DataView& data, const StepRange& range,
                      const std::vector<float*>& outputs, bool training, uint64_t step) {
  std::vector<ops::Source> sources;
  ops::StepContext context = context_for(data, range, sources, false);
  if (outputs.size() != graph_.outputs.size())
    fail(ErrorKind::value, "the model has ", graph_.outputs.size(), " outputs; got ",
         outputs.size(), " arrays to write them to");
  context.outputs = outputs.data();
  context.step = step;
  plan(training ? ProgramKind::predict_training : ProgramKind::predict, context.batch, {})
      .executable()
      .run(context, range.count, data.rows, nullptr);
}

void Session::predict_samples(const DataView& data, const StepRange& range,
                              const std::vector<float*>& outputs, const SamplePasses& passes) {
  std::vector<ops::Source> sources;
  ops::StepContext context = context_for(data, range, sources, false);
  if (passes.count < 1) fail(ErrorKind::value, "samples must be at least 1; got ", passes.count);
  if (outputs.size() != 2 * graph_.outputs.size())
    fail(ErrorKind::value, "the model has ", graph_.outputs.size(), " outputs; got ",
         outputs.size(), " arrays; expected one for the mean and one for the deviation of each");
  context.outputs = outputs.data();
  context.step = passes.step;
  context.samples = passes.count;
  context.sample_stride = passes.stride;
  plan(ProgramKind::predict_samples, context.batch, {})
      .executable()
      .run(context, range.count, data.rows, nullptr);
}

void Session::reset_totals() {
  const TotalsMap map{static_cast<int>(graph_.losses.size()),
                      static_cast<int>(graph_.metrics.size())};
  totals_.assign(static_cast<size_t>(map.size()), 0.0);
}

std::vector<double> Session::totals() const {
  std::vector<double> means;
  for (size_t i = 0; i + 1 < totals_.size(); i += 2)
    means.push_back(totals_[i + 1] != 0 ? totals_[i] / totals_[i + 1] : 0.0);
  return means;
}

void Session::set_sums(const std::vector<double>& sums) {
  if (sums.size() != totals_.size())
    fail(ErrorKind::value, "expected ", totals_.size(), " sums; got ", sums.size());
  totals_ = sums;
}

std::string Session::describe(ProgramKind kind, int64_t batch) {
  return plan(kind, batch, {}).description();
}

int64_t Session::activation_bytes(ProgramKind kind, int64_t batch) {
  return plan(kind, batch, {}).activation_bytes();
}

}  // namespace dnnfast::engine
