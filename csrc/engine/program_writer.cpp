#include "engine/program_writer.h"

#include "core/error.h"

namespace dnnfast::engine {
namespace {
size_t at(int i) { return static_cast<size_t>(i); }

// The matrix that a dense op leaves, or null for other ops.
const float* dense_result(const ops::Op& op) {
  if (const auto* forward = std::get_if<ops::DenseForward>(&op)) return forward->y.data;
  if (const auto* backward = std::get_if<ops::DenseBackwardInput>(&op)) return backward->dx.data;
  return nullptr;
}
}  // namespace

ProgramWriter::ProgramWriter(const Graph& graph, const Lowered& lowered, ParameterStore& parameters,
                             const Plan::Request& request, BufferPlanner& buffers)
    : graph_(graph), lowered_(lowered), parameters_(parameters), request_(request),
      buffers_(buffers) {
  sources_ = {static_cast<int>(graph.inputs.size()), graph.target_count()};
  totals_ = {static_cast<int>(graph.losses.size()), static_cast<int>(graph.metrics.size())};
}

ops::Program ProgramWriter::write() {
  const size_t tensors = graph_.tensors.size();
  program_ = {};
  calls_ = &program_.compute;
  values_.assign(tensors, {});
  gradients_.assign(tensors, {});
  has_gradient_.assign(tensors, false);
  folded_.assign(tensors, false);
  saved_.assign(lowered_.groups.size(), {});
  parameter_written_.assign(graph_.parameters.size(), false);
  parameter_updated_.assign(graph_.parameters.size(), false);
  target_values_.assign(at(sources_.targets), {});
  label_buffers_.assign(at(sources_.targets), -1);
  weight_buffers_.assign(at(sources_.targets), -1);
  loss_rows_.clear();
  metric_rows_.clear();
  extra_gradients_.clear();
  sample_sums_.clear();
  step_loss_ = chunk_sums_ = not_finite_buffer_ = -1;
  not_finite_ = nullptr;
  not_finite_count_ = 0;
  passes_.clear();
  next_independent_ = false;
  deferred_.clear();
  phase_ = 0;

  find_differentiable();
  if (!differentiates(request_.kind) && updates(request_.kind)) {
    begin_update();
    update();
    finish_update();
    return std::move(program_);
  }
  gather_inputs();
  if (!lowered_.losses.empty() || !lowered_.metrics.empty()) gather_targets();
  const bool samples = request_.kind == ProgramKind::predict_samples;
  size_t g = 0;
  for (; g < lowered_.groups.size() && !lowered_.groups[g].random; ++g)
    if (!lowered_.groups[g].after_update) forward(g);
  if (samples) begin_samples();
  for (; g < lowered_.groups.size(); ++g) forward(g);
  samples ? finish_samples() : scatter_outputs();
  if (!lowered_.losses.empty()) {
    penalties();
    losses();
    metrics();
    totals();
    assign(AssignTime::always);
  }
  if (differentiates(request_.kind)) {
    begin_update();
    for (size_t i = lowered_.groups.size(); i-- > 0;) backward(i);
    settle();
    assign(AssignTime::train);
    update();
    finish_update();
  }
  return std::move(program_);
}

// What comes after the optimizers.
void ProgramWriter::finish_update() {
  for (size_t i = 0; i < lowered_.groups.size(); ++i)
    if (lowered_.groups[i].after_update) forward(i);
  assign(AssignTime::update);
}

BatchMatrix ProgramWriter::matrix_of(const Shape& shape) const {
  BatchMatrix m;
  m.cols = shape.empty() ? 1 : shape.back();
  m.ld = leading_dimension(m.cols);
  m.rows_per_sample = elements(shape) / m.cols;
  return m;
}

Value ProgramWriter::make(int tensor) {
  const Tensor& spec = graph_.tensors[at(tensor)];
  Value v;
  if (!spec.batched) {
    const ArrayView view = temporary_array(spec.shape);
    v.buffer = view.buffer;
    v.matrix.data = view.data;
    return v;
  }
  v.matrix = matrix_of(spec.shape);
  v.buffer = vector_buffer(capacity_rows(v.matrix) * v.matrix.ld);
  v.matrix.data = address(v.buffer);
  return v;
}

int ProgramWriter::vector_buffer(int64_t floats) {
  return buffers_.request(floats * static_cast<int64_t>(sizeof(float)));
}

int ProgramWriter::parameter_of(int tensor) const {
  const Tensor& t = graph_.tensors[at(tensor)];
  if (t.kind != TensorKind::parameter)
    fail(ErrorKind::value,
         "the weights of an op must be variables; a computed kernel, bias or scale is not "
         "supported by the native engines");
  return t.index;
}

void ProgramWriter::emit(ops::Op op, const std::string& name, const std::string& reason,
                         std::vector<int> used, bool independent) {
  const bool barrier = !independent && !next_independent_ && !calls_->empty();
  next_independent_ = false;
  if (barrier) ++phase_;
  const bool release = barrier && !deferred_.empty();
  if (release) flush_deferred();
  use(used);
  calls_->push_back({std::move(op), name, reason, barrier && !release});
}

void ProgramWriter::use(const std::vector<int>& buffers) {
  for (int buffer : buffers) {
    if (buffer < 0) continue;
    buffers_.use(buffer, phase_);
    if (calls_ == &program_.repeated) repeated_uses_.push_back(buffer);
  }
}

void ProgramWriter::emit_follower(ops::Op op, const BatchMatrix& shared, const std::string& name,
                                  const std::string& reason, std::vector<int> used) {
  if (calls_->empty() || dense_result(calls_->back().op) != shared.data)
    return emit(std::move(op), name, reason, std::move(used));
  // Its barrier may be left out: no memory is free that was not before, and deferred calls wait on.
  use(used);
  const int64_t groups = shared.padded_cols() / kColumnPadding;
  calls_->back().column_groups = groups;
  calls_->push_back({std::move(op), name, reason, true, groups, true});
}

void ProgramWriter::defer(ops::Op op, const std::string& name, const std::string& reason,
                          std::vector<int> used) {
  deferred_.push_back({{std::move(op), name, reason, false}, std::move(used)});
}

void ProgramWriter::settle() {
  if (deferred_.empty()) return;
  ++phase_;
  flush_deferred();
}

// Deferred calls are independent of each other and of the one that comes after them.
void ProgramWriter::flush_deferred() {
  bool barrier = !calls_->empty();
  for (auto& [call, used] : deferred_) {
    use(used);
    call.barrier = barrier;
    barrier = false;
    calls_->push_back(std::move(call));
  }
  deferred_.clear();
}

}  // namespace dnnfast::engine
