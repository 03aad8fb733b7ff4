// What changes the model: penalties, clipping, the optimizer, moving statistics.

#include <algorithm>
#include <iterator>
#include <utility>

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

// Whether a step is of the forms for which a device has the fewest registers to spare.
bool common(const ops::OptimizerStep& step) {
  using Kind = ops::OptimizerKind;
  const bool kind = step.kind == Kind::sgd || step.kind == Kind::rmsprop ||
                    step.kind == Kind::adam || step.kind == Kind::nadam || step.kind == Kind::muon;
  return kind && step.penalised && !step.scaled && !step.arrays.average && !step.arrays.accumulator;
}

double* doubles(float* place) { return reinterpret_cast<double*>(place); }

}  // namespace

void ProgramWriter::penalties() {
  if (!penalised(parameters_)) return;
  const ops::OptimizerArrays arrays = parameters_.arrays();
  chunk_sums_ = vector_buffer(2 * arrays.chunk_count);
  emit(ops::RegularizationPenalty{arrays, reinterpret_cast<double*>(address(chunk_sums_))},
       "regularization", "penalty of each chunk", {chunk_sums_}, true);
}

// The flat gradients get what is asked of them: those of the loss with its penalties.
void ProgramWriter::regularise_gradients() {
  ops::GradientNorm op;
  op.step.arrays = parameters_.arrays();
  const int sums = vector_buffer(2 * op.step.arrays.chunk_count);
  op.chunk_sum = doubles(address(sums));
  emit(op, "gradients", "regularization gradient", {sums});
}

// From here on the calls run only if the step's loss is finite. Sets up the updates that the backward ops take
// themselves: those of the optimizer with most weights, unless it needs the norm of a gradient first.
void ProgramWriter::begin_update() {
  if (request_.kind == ProgramKind::gradients) return;
  calls_ = &program_.update;
  program_.model = parameters_.memory();
  ++phase_;  // the check of the loss stands between
  next_independent_ = false;
  if (!graph_.has_optimizer() || parameters_.trainable_size() == 0) return;
  program_.optimizers = static_cast<int64_t>(graph_.optimizers.size());
  if (!updates(request_.kind)) return;
  std::vector<int64_t> sizes(graph_.optimizers.size(), 0);
  for (size_t i = 0; i < graph_.parameters.size(); ++i)
    if (parameters_.trainable(i))
      sizes[at(graph_.parameters[i].optimizer)] += elements(graph_.parameters[i].shape);
  for (size_t k = 0; k < graph_.optimizers.size(); ++k) {
    ops::OptimizerStep step = optimizer_step(graph_.optimizers[k]);
    step.index = static_cast<int32_t>(k);
    step.penalised = request_.kind != ProgramKind::apply;
    step.arrays = parameters_.arrays(static_cast<int>(k));
    step.rare = !common(step);
    passes_.push_back({step});
  }
  const auto largest = std::max_element(sizes.begin(), sizes.end()) - sizes.begin();
  if (request_.kind == ProgramKind::train && !scales_dynamically(graph_))
    program_.fused_step =
        std::make_shared<const ops::OptimizerStep>(passes_[static_cast<size_t>(largest)].step);
}

ops::FusedUpdate ProgramWriter::fused_update(int parameter) {
  const ops::OptimizerStep* step = program_.fused_step.get();
  const bool alone = parameter_readers_[at(parameter)] == 1;
  if (!step || !alone || ops::clips_by_norm(step->clip)) return {};
  if (graph_.parameters[at(parameter)].optimizer != step->index) return {};
  const int32_t segment = parameters_.segment(at(parameter));
  if (ops::needs_whole(*step, parameters_.segments()[at(segment)])) return {};
  parameter_updated_[at(parameter)] = true;
  return {step, segment};
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

// Gradients as the optimizer wants them, in place, where more is needed than one element. False: they stay as they are.
bool ProgramWriter::prepare_gradients(size_t k) {
  Pass& pass = passes_[k];
  const bool whole = std::any_of(
      program_.chunks[k].begin(), program_.chunks[k].end(), [&](const ops::Chunk& chunk) {
        return ops::needs_whole(pass.step, parameters_.segments()[at(chunk.segment)]);
      });
  if (!whole && !ops::clips_by_norm(pass.step.clip) && !not_finite_) return false;
  const int64_t count = pass.step.arrays.chunk_count;
  pass.chunk_sums = vector_buffer(2 * count);
  double* const sums = doubles(address(pass.chunk_sums));
  emit(ops::GradientNorm{pass.step, sums, not_finite_ ? not_finite_ + not_finite_count_ : nullptr},
       "gradients", "with regularization and clipping by value; sums of squares",
       {pass.chunk_sums, not_finite_buffer_});
  pass.step.prepared = pass.step.rare = true;
  pass.step.chunk_sum = sums;
  if (not_finite_) not_finite_count_ += count;
  return true;
}

// Directions in the place of gradients, for the parameters that are taken as a whole.
void ProgramWriter::directions(size_t k) {
  Pass& pass = passes_[k];
  const std::vector<ops::Chunk>& chunks = program_.chunks[k];
  pass.direction_sums = vector_buffer(4 * pass.step.arrays.chunk_count);
  if (pass.step.kind == ops::OptimizerKind::adafactor)
    emit(ops::FactoredMoments{pass.step}, "optimizer", "mean squares of rows and columns",
         {pass.chunk_sums, not_finite_buffer_});
  double* const sums = doubles(address(pass.direction_sums));
  emit(ops::OptimizerDirection{pass.step, sums}, "optimizer",
       "directions and their norms, parameter by parameter",
       {pass.chunk_sums, pass.direction_sums, not_finite_buffer_});
  pass.step.direction_sum = sums;
  if (pass.step.kind != ops::OptimizerKind::muon) return;
  for (size_t c = 0; c < chunks.size(); ++c)
    if (c == 0 || chunks[c].segment != chunks[c - 1].segment) make_orthogonal(k, chunks[c].segment);
}

// Newton-Schulz iterations on X = G / norm(G), its rows the longer side: A = X^T X, B = b A + c A A, X = a X + X B.
void ProgramWriter::make_orthogonal(size_t k, int32_t number) {
  const Attributes& options = graph_.optimizers[k].options;
  const ops::MatrixShape& m = parameters_.segments()[at(number)].matrix;
  if (!m) return;
  const int64_t rows = std::max(m.rows, m.cols), cols = std::min(m.rows, m.cols);
  const int64_t ld = round_up(cols, kColumnPadding);
  int x = vector_buffer(rows * ld), next = vector_buffer(rows * ld);
  const int a = vector_buffer(cols * ld), b = vector_buffer(cols * ld);
  const std::vector<int> shared{passes_[k].direction_sums, not_finite_buffer_};
  auto copy = [&](int buffer, bool back) {
    emit(ops::OrthogonalCopy{passes_[k].step, number, address(buffer), ld, back}, "optimizer",
         back ? "the orthogonal direction" : "a matrix by its norm",
         {buffer, shared[0], shared[1]});
  };
  const auto number_of = [&](const char* name, double fallback) {
    return static_cast<float>(options.number(name, fallback));
  };
  copy(x, false);
  const auto steps = static_cast<int>(options.number("ns_steps", 5));
  for (int i = 0; i < steps; ++i) {
    emit(ops::MatrixProduct{address(x), address(x), nullptr, address(a), true, cols, cols, rows, ld,
                            1.0f, 0.0f},
         "optimizer", "A = X^T X", {x, a});
    emit(ops::MatrixProduct{address(a), address(a), address(a), address(b), true, cols, cols, cols,
                            ld, number_of("muon_c", 2.0315), number_of("muon_b", -4.775)},
         "optimizer", "B = b A + c A A", {a, b});
    emit(ops::MatrixProduct{address(x), address(b), address(x), address(next), false, rows, cols,
                            cols, ld, 1.0f, number_of("muon_a", 3.4445)},
         "optimizer", "X = a X + X B", {x, b, next});
    std::swap(x, next);
  }
  copy(x, true);
}

void ProgramWriter::step(size_t k) {
  Pass& pass = passes_[k];
  pass.step.not_finite = not_finite_;
  pass.step.not_finite_count = not_finite_count_;
  const bool whole = std::any_of(
      program_.chunks[k].begin(), program_.chunks[k].end(), [&](const ops::Chunk& chunk) {
        return ops::needs_whole(pass.step, parameters_.segments()[at(chunk.segment)]);
      });
  if (whole) directions(k);
  const char* reason = "parameters that several layers share, or that no layer reads";
  if (ops::clips_by_norm(pass.step.clip))
    reason = "all its parameters in one pass; clipped by norm, which takes a pass of its own";
  else if (whole)
    reason = "parameters whose step depends on all their elements";
  else if (!program_.fused_step)
    reason = "all its parameters in one pass";
  else if (pass.step.index != program_.fused_step->index)
    reason = "the parameters of a further optimizer";
  emit(pass.step, "optimizer", reason, {pass.chunk_sums, pass.direction_sums, not_finite_buffer_});
}

// What the backward pass has left over.
void ProgramWriter::update() {
  settle();
  if (request_.kind == ProgramKind::gradients) {
    if (parameters_.trainable_size() > 0 && penalised(parameters_)) regularise_gradients();
    return;
  }
  for (size_t g = 0; g < lowered_.groups.size(); ++g) {
    const Group& group = lowered_.groups[g];
    if (group.kind != GroupKind::batchnorm || !group.batch_statistics || saved_[g].updated)
      continue;
    emit(moving_statistics(g), group.name, "moving statistics",
         {saved_[g].mean, saved_[g].variance}, true);
  }
  if (!updates(request_.kind)) return;
  const ops::OptimizerArrays all = parameters_.arrays();
  program_.chunks.resize(passes_.size());
  for (size_t i = 0; i < graph_.parameters.size() && !passes_.empty(); ++i) {
    if (!parameters_.trainable(i) || parameter_updated_[i]) continue;
    if (request_.kind == ProgramKind::apply && !request_.given[i]) continue;
    std::copy_if(all.chunks, all.chunks + all.chunk_count,
                 std::back_inserter(program_.chunks[at(graph_.parameters[i].optimizer)]),
                 [&](const ops::Chunk& c) { return c.segment == parameters_.segment(i); });
  }
  if (scales_dynamically(graph_) && !passes_.empty()) {
    not_finite_buffer_ = vector_buffer(2 * all.chunk_count);
    buffers_.keep(not_finite_buffer_);
    not_finite_ = doubles(address(not_finite_buffer_));
  }
  for (size_t k = 0; k < passes_.size(); ++k) {
    passes_[k].step.arrays.chunks = program_.chunks[k].data();
    passes_[k].step.arrays.chunk_count = static_cast<int64_t>(program_.chunks[k].size());
  }
  for (size_t k = 0; k < passes_.size(); ++k)
    if (!program_.chunks[k].empty()) prepare_gradients(k);
  for (size_t k = 0; k < passes_.size(); ++k)
    if (!program_.chunks[k].empty()) step(k);
}

}  // namespace dnnfast::engine
