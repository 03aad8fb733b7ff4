// What changes the model: penalties, clipping, the optimizer, moving statistics.

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "engine/program_writer.h"

namespace dnnfast::engine {
namespace {

size_t at(int i) { return static_cast<size_t>(i); }

bool penalised(const ParameterStore& parameters) {
  for (const ops::Segment& segment : parameters.segments())
    if (segment.l1 != 0 || segment.l2 != 0) return true;
  return false;
}

struct ClipChoice {
  ops::Clip clip = ops::Clip::none;
  float limit = 0;
};

ClipChoice clip_of(const Attributes& options) {
  const double value = options.number("clipvalue", 0), norm = options.number("clipnorm", 0),
               global = options.number("global_clipnorm", 0);
  if ((value > 0) + (norm > 0) + (global > 0) > 1)
    fail(ErrorKind::value, "only one of clipvalue, clipnorm and global_clipnorm can be set");
  if (value > 0) return {ops::Clip::value, static_cast<float>(value)};
  if (norm > 0) return {ops::Clip::norm, static_cast<float>(norm)};
  if (global > 0) return {ops::Clip::global_norm, static_cast<float>(global)};
  return {};
}

}  // namespace

ops::OptimizerStep optimizer_step(const Optimizer& optimizer) {
  const Attributes& options = optimizer.options;
  const double beta_1 = options.number("beta_1", 0.9), beta_2 = options.number("beta_2", 0.999);
  const double rho = options.number("rho", 0.9);
  ops::OptimizerStep step;
  step.kind = optimizer.kind;
  step.momentum = static_cast<float>(options.number("momentum", 0));
  step.nesterov = options.number("nesterov", 0) != 0;
  step.rho = static_cast<float>(rho);
  step.centered = options.number("centered", 0) != 0;
  step.beta_1 = static_cast<float>(beta_1);
  step.beta_2 = static_cast<float>(beta_2);
  step.one_minus_beta_1 = static_cast<float>(1 - beta_1);
  step.one_minus_beta_2 = static_cast<float>(1 - beta_2);
  step.one_minus_rho = static_cast<float>(1 - rho);
  step.epsilon = static_cast<float>(options.number("epsilon", 1e-7));
  step.amsgrad = options.number("amsgrad", 0) != 0;
  return step;
}

SlotMap slot_map(const Optimizer& optimizer) {
  const ops::OptimizerStep step = optimizer_step(optimizer);
  SlotMap map;
  auto add = [&](int position, const char* name) {
    map.position[position] = static_cast<int>(map.names.size());
    map.names.push_back(name);
  };
  switch (optimizer.kind) {
    case ops::OptimizerKind::sgd:
      if (step.momentum > 0) add(0, "momentum");
      break;
    case ops::OptimizerKind::rmsprop:
      add(0, "velocity");
      if (step.momentum > 0) add(1, "momentum");
      if (step.centered) add(2, "average_gradient");
      break;
    default:
      add(0, "m");
      add(1, "v");
      if (optimizer.kind == ops::OptimizerKind::adam && step.amsgrad) add(2, "vhat");
  }
  return map;
}

void ProgramWriter::penalties() {
  if (!penalised(parameters_)) return;
  const ops::OptimizerArrays arrays = parameters_.arrays();
  chunk_sums_ = vector_buffer(2 * arrays.chunk_count);
  emit(ops::RegularizationPenalty{arrays, reinterpret_cast<double*>(address(chunk_sums_))},
       "regularization", "penalty of each chunk", {chunk_sums_}, true);
}

void ProgramWriter::gradient_norm(int chunk_sums) {
  emit(ops::GradientNorm{parameters_.arrays(), reinterpret_cast<double*>(address(chunk_sums))},
       "gradients", "regularization gradient, sums of squares", {chunk_sums});
}

// From here on the calls run only if the step's loss is finite. Sets up the updates that the backward ops
// take themselves: all but those that need the norm of a gradient first.
void ProgramWriter::begin_update() {
  if (request_.kind != ProgramKind::train) return;
  calls_ = &program_.update;
  program_.model = parameters_.memory();
  ++phase_;  // the check of the loss stands between
  next_independent_ = false;
  if (!graph_.has_optimizer || parameters_.trainable_size() == 0) return;
  const ClipChoice clip = clip_of(graph_.optimizer.options);
  ops::OptimizerStep step = optimizer_step(graph_.optimizer);
  step.clip = clip.clip;
  step.clip_limit = clip.limit;
  step.arrays = parameters_.arrays();
  const SlotMap slots = slot_map(graph_.optimizer);
  for (int i = 0; i < 3; ++i)
    if (slots.position[i] >= 0) step.arrays.slots[i] = parameters_.slot_data(at(slots.position[i]));
  program_.fused_step = std::make_shared<const ops::OptimizerStep>(step);
}

ops::FusedUpdate ProgramWriter::fused_update(int parameter) {
  const ops::OptimizerStep* step = program_.fused_step.get();
  const bool alone = parameter_readers_[at(parameter)] == 1;
  if (!step || !alone || ops::clips_by_norm(step->clip)) return {};
  parameter_updated_[at(parameter)] = true;
  return {step, parameters_.segment(at(parameter))};
}

ops::BatchNormUpdate ProgramWriter::moving_statistics(size_t g) {
  const Group& group = lowered_.groups[g];
  const size_t count = group.inputs.size();
  const float momentum = static_cast<float>(group.node->attrs.number("momentum", 0.99));
  return {address(saved_[g].mean),
          address(saved_[g].variance),
          parameters_.parameter(at(parameter_of(group.inputs[count - 2]))),
          parameters_.parameter(at(parameter_of(group.inputs[count - 1]))),
          graph_.tensors[at(group.inputs[count - 1])].shape[0],
          momentum};
}

// What the backward pass has left over.
void ProgramWriter::update() {
  settle();
  if (parameters_.trainable_size() > 0 && request_.kind == ProgramKind::gradients) {
    if (penalised(parameters_)) gradient_norm(vector_buffer(2 * parameters_.arrays().chunk_count));
    return;
  }
  if (request_.kind == ProgramKind::gradients) return;
  for (size_t g = 0; g < lowered_.groups.size(); ++g) {
    const Group& group = lowered_.groups[g];
    if (group.kind != GroupKind::batchnorm || !group.batch_statistics || saved_[g].updated)
      continue;
    emit(moving_statistics(g), group.name, "moving statistics",
         {saved_[g].mean, saved_[g].variance}, true);
  }
  if (!program_.fused_step) return;
  const ops::OptimizerArrays arrays = parameters_.arrays();
  for (size_t i = 0; i < parameter_updated_.size(); ++i) {
    if (!parameters_.trainable(i) || parameter_updated_[i]) continue;
    std::copy_if(arrays.chunks, arrays.chunks + arrays.chunk_count,
                 std::back_inserter(program_.chunks),
                 [&](const ops::Chunk& c) { return c.segment == parameters_.segment(i); });
  }
  if (program_.chunks.empty()) return;
  ops::OptimizerStep step = *program_.fused_step;
  step.arrays.chunks = program_.chunks.data();
  step.arrays.chunk_count = static_cast<int64_t>(program_.chunks.size());
  if (ops::clips_by_norm(step.clip)) {
    const int sums = vector_buffer(2 * arrays.chunk_count);
    gradient_norm(sums);
    step.chunk_sum = reinterpret_cast<const double*>(address(sums));
    emit(step, "optimizer",
         "all trainable parameters in one pass; clipped by norm, which takes a pass of its own",
         {sums});
    return;
  }
  emit(step, "optimizer", "parameters that several layers share, or that no layer reads", {});
}

}  // namespace dnnfast::engine
