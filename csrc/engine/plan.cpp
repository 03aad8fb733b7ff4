#include "engine/plan.h"

#include <algorithm>

#include "core/error.h"
#include "engine/program_writer.h"

namespace dnnfast::engine {

Plan::Plan(const Graph& graph, ParameterStore& parameters, ops::Backend& backend, Request request)
    : request_(std::move(request)), backend_(backend) {
  const Lowered lowered = lower(graph, request_.kind);
  BufferPlanner buffers(backend.phases_together());
  ProgramWriter writer(graph, lowered, parameters, request_, buffers);
  writer.write();
  arena_ = backend_.allocate(static_cast<size_t>(buffers.place()));
  buffers.start_second_pass(static_cast<char*>(arena_->data()));
  ops::Program program = writer.write();
  step_loss_ = program.step_loss;
  not_finite_ = writer.not_finite();
  not_finite_count_ = writer.not_finite_count();
  description_ =
      describe(program, request_, backend_.name(), activation_bytes(), parameters.total_bytes());
  executable_ = backend_.compile(std::move(program), request_.batch_capacity);
  description_ += executable_->describe();
}

bool Plan::finite_gradients() const {
  std::vector<double> sums(static_cast<size_t>(not_finite_count_));
  if (not_finite_) backend_.download(sums.data(), not_finite_, sums.size() * sizeof(double));
  return std::all_of(sums.begin(), sums.end(), [](double sum) { return sum == 0; });
}

double Plan::step_loss() const {
  double value = 0;
  if (step_loss_) backend_.download(&value, step_loss_, sizeof value);
  return value;
}

}  // namespace dnnfast::engine
