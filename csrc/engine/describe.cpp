// Plan::describe(): every call of a program with its shapes and the reason for its form.

#include <cstdio>
#include <iterator>

#include "engine/plan.h"
#include "math/activation_names.h"

namespace dnnfast::engine {
namespace {

std::string matrix(const char* name, const BatchMatrix& m) {
  std::string rows =
      m.rows_per_sample == 1 ? "batch" : "batch*" + std::to_string(m.rows_per_sample);
  return std::string(name) + "[" + rows + ", " + std::to_string(m.cols) + "]";
}

std::string epilogue(const ops::Activation& act, const ops::Dropout& dropout) {
  std::string text;
  if (act.kind != ops::ActivationKind::linear)
    text += " -> " + std::string(math::activation_name(act.kind));
  if (dropout) {
    char rate[32];
    std::snprintf(rate, sizeof rate, "%g", dropout.rate);
    text += std::string(" -> dropout ") + rate;
  }
  return text;
}

std::string precision(ops::Precision precision) {
  switch (precision) {
    case ops::Precision::tf32: return ", tf32 where the device has it";
    case ops::Precision::bfloat16: return ", bfloat16 where the device has it";
    default: return "";
  }
}

struct Line {
  std::string op, detail;
};

struct Describe {
  Line operator()(const ops::GatherRows& op) const { return {"gather_rows", matrix("", op.out)}; }
  Line operator()(const ops::GatherLabels&) const { return {"gather_labels", "[batch]"}; }
  Line operator()(const ops::GatherWeights&) const { return {"gather_weights", "[batch]"}; }
  Line operator()(const ops::ScatterRows& op) const { return {"scatter_rows", matrix("", op.y)}; }
  Line operator()(const ops::DenseForward& op) const {
    return {"dense_forward", matrix("x", op.x) + " x [" + std::to_string(op.w.in) + ", " +
                                 std::to_string(op.w.out) + "]" + (op.b ? " + b" : "") +
                                 epilogue(op.act, op.dropout) + precision(op.precision)};
  }
  Line operator()(const ops::DenseBackwardWeight& op) const {
    return {"dense_backward_weight",
            matrix("x", op.x) + "^T " + matrix("dz", op.dz) + precision(op.precision)};
  }
  Line operator()(const ops::DenseBackwardInput& op) const {
    return {"dense_backward_input", matrix("dx", op.dx) +
                                        epilogue(op.gradient.act, op.gradient.dropout) +
                                        precision(op.precision)};
  }
  Line operator()(const ops::PointwiseForward& op) const {
    return {"pointwise_forward", matrix("x", op.x) + epilogue(op.act, op.dropout)};
  }
  Line operator()(const ops::PointwiseBackward& op) const {
    return {"pointwise_backward",
            matrix("dx", op.dx) + epilogue(op.gradient.act, op.gradient.dropout)};
  }
  Line operator()(const ops::BatchNormForward& op) const {
    return {"batchnorm_forward", matrix("x", op.x) + epilogue(op.act, op.dropout)};
  }
  Line operator()(const ops::BatchNormInference& op) const {
    return {"batchnorm_inference", matrix("x", op.x) + epilogue(op.act, op.dropout)};
  }
  Line operator()(const ops::BatchNormBackward& op) const {
    return {"batchnorm_backward",
            matrix("dy", op.dy) + epilogue(op.gradient.act, op.gradient.dropout)};
  }
  Line operator()(const ops::BatchNormUpdate& op) const {
    return {"batchnorm_update", "[" + std::to_string(op.cols) + "]"};
  }
  Line operator()(const ops::RowwiseForward& op) const {
    return {"rowwise_forward", matrix("x", op.x)};
  }
  Line operator()(const ops::RowwiseBackward& op) const {
    return {"rowwise_backward", matrix("dx", op.dx)};
  }
  Line operator()(const ops::Loss& op) const {
    return {"loss", matrix("prediction", op.prediction)};
  }
  Line operator()(const ops::MetricRows& op) const {
    return {"metric_rows", matrix("prediction", op.prediction)};
  }
  Line operator()(const ops::AccumulateRows&) const { return {"accumulate_rows", ""}; }
  Line operator()(const ops::AccumulateLoss&) const { return {"accumulate_loss", ""}; }
  Line operator()(const ops::FinishLoss&) const { return {"finish_loss", ""}; }
  Line operator()(const ops::AddForward& op) const { return {"add_forward", matrix("y", op.y)}; }
  Line operator()(const ops::CopyColumns& op) const {
    return {"copy_columns", matrix("x", op.x) + " -> " + matrix("y", op.y)};
  }
  Line operator()(const ops::Reshape& op) const {
    return {"reshape", matrix("x", op.x) + " -> " + matrix("y", op.y)};
  }
  Line operator()(const ops::RegularizationPenalty& op) const {
    return {"regularization_penalty", all(op.arrays)};
  }
  Line operator()(const ops::GradientNorm& op) const {
    return {"gradient_norm", all(op.step.arrays)};
  }
  Line operator()(const ops::FactoredMoments& op) const {
    return {"factored_moments", all(op.step.arrays)};
  }
  Line operator()(const ops::OptimizerDirection& op) const {
    return {"optimizer_direction", all(op.step.arrays)};
  }
  Line operator()(const ops::OrthogonalCopy& op) const {
    const ops::MatrixShape& m = op.step.arrays.segments[op.segment].matrix;
    return {"orthogonal_copy", "[" + std::to_string(m.rows) + ", " + std::to_string(m.cols) + "]"};
  }
  Line operator()(const ops::MatrixProduct& op) const {
    return {"matrix_product", "[" + std::to_string(op.rows) + ", " + std::to_string(op.cols) +
                                  "], depth " + std::to_string(op.depth)};
  }
  Line operator()(const ops::AccumulateSamples& op) const {
    return {"accumulate_samples", matrix("y", op.y)};
  }
  Line operator()(const ops::ScatterSamples& op) const {
    return {"scatter_samples", matrix("y", op.y)};
  }
  Line operator()(const ops::OptimizerStep& op) const { return {"optimizer_step", all(op.arrays)}; }

  Line operator()(const ops::ArrayMap& op) const {
    static const char* const names[] = {"",        "sum of ", "mean of ",      "product of ",
                                        "max of ", "min of ", "first max of ", "first min of "};
    static_assert(std::size(names) == static_cast<size_t>(ops::Reduction::count));
    ops::Space kept = op.space;
    kept.axes -= op.reduced;
    const std::string steps = std::to_string(op.tape.length) + " instructions";
    return {op.reduced ? "array_reduce" : "array_map",
            array(kept) + " = " + names[static_cast<int>(op.reduction)] + steps +
                (op.reduced ? " over " + array(op.space) : "")};
  }
  Line operator()(const ops::ArrayProduct& op) const {
    ops::Space y = op.space;
    y.size[y.axes++] = op.rows;
    y.size[y.axes++] = op.cols;
    return {"array_product", array(y) + " over " + size(op.inner)};
  }
  Line operator()(const ops::ArrayGather& op) const { return {"array_gather", array(op.space)}; }
  Line operator()(const ops::ArrayScatter& op) const { return {"array_scatter", array(op.space)}; }
  Line operator()(const ops::ArrayScan& op) const {
    static const char* const names[] = {"sums", "products", "maxima", "sort",
                                        "positions of a sort"};
    static_assert(std::size(names) == static_cast<size_t>(ops::Scan::count));
    return {"array_scan", array(op.space) + " " + names[static_cast<int>(op.kind)]};
  }
  Line operator()(const ops::ArrayReshape& op) const {
    return {"array_reshape", array(op.from) + " -> " + array(op.to)};
  }
  Line operator()(const ops::ArrayPanels& op) const {
    return {"array_panels", "[" + std::to_string(op.panels.in) + ", " +
                                std::to_string(op.panels.out) +
                                (op.to_panels ? "] to panels" : "] from panels")};
  }

  static std::string size(int64_t n) {
    if (n >= 0) return std::to_string(n);
    return n == -1 ? "batch" : std::to_string(-n) + "*batch";
  }
  static std::string array(const ops::Space& space) {
    std::string text = "[";
    for (int a = 0; a < space.axes; ++a) text += (a ? ", " : "") + size(space.size[a]);
    return text + "]";
  }
  static std::string all(const ops::OptimizerArrays& arrays) {
    int64_t parameters = 0;
    for (int64_t c = 0; c < arrays.chunk_count; ++c)
      parameters += c == 0 || arrays.chunks[c].segment != arrays.chunks[c - 1].segment;
    return std::to_string(parameters) + " parameters";
  }
};

void append(std::string& text, const std::vector<ops::Call>& calls, int& number) {
  for (const ops::Call& call : calls) {
    const Line line = std::visit(Describe{}, call.op);
    char head[96];
    std::snprintf(head, sizeof head, "%4d %c %-22s %-20s ", number++, call.barrier ? '|' : ' ',
                  line.op.c_str(), call.name.c_str());
    text += head + line.detail;
    if (!call.reason.empty()) text += "  (" + call.reason + ")";
    text += "\n";
  }
}

}  // namespace

std::string describe(const ops::Program& program, const Plan::Request& request,
                     const std::string& device, int64_t activation_bytes, int64_t parameter_bytes) {
  std::string text = std::string(name_of(request.kind)) + " on " + device + ", batch up to " +
                     std::to_string(request.batch_capacity) + "\n" + "activations " +
                     std::to_string(activation_bytes) + " bytes; parameters, gradients and state " +
                     std::to_string(parameter_bytes) + " bytes\n" +
                     "'|' marks the ops that wait for all earlier ones\n";
  int number = 0;
  append(text, program.compute, number);
  if (!program.repeated.empty()) {
    text += "  then, for every pass with its own random bits:\n";
    append(text, program.repeated, number);
  }
  if (!program.finish.empty()) {
    text += "  then, once:\n";
    append(text, program.finish, number);
  }
  if (!program.update.empty()) {
    text += "  then, if the loss is finite:\n";
    append(text, program.update, number);
  }
  return text;
}

}  // namespace dnnfast::engine
