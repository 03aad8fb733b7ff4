#pragma once
// A program: the ops of one step in execution order. The engine writes it, a backend compiles it.

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "ops/activation.h"
#include "ops/array.h"
#include "ops/batchnorm.h"
#include "ops/context.h"
#include "ops/dense.h"
#include "ops/gather.h"
#include "ops/loss.h"
#include "ops/merge.h"
#include "ops/metric.h"
#include "ops/optimizer.h"
#include "ops/samples.h"
#include "ops/softmax.h"

namespace dnnfast::ops {

using Op =
    std::variant<GatherRows, GatherLabels, GatherWeights, ScatterRows, DenseForward,
                 DenseBackwardWeight, DenseBackwardInput, PointwiseForward, PointwiseBackward,
                 BatchNormForward, BatchNormInference, BatchNormBackward, BatchNormUpdate,
                 RowwiseForward, RowwiseBackward, Loss, MetricRows, AccumulateRows, AccumulateLoss,
                 FinishLoss, AddForward, CopyColumns, Reshape, RegularizationPenalty, GradientNorm,
                 OptimizerStep, FactoredMoments, OptimizerDirection, OrthogonalCopy, MatrixProduct,
                 AccumulateSamples, ScatterSamples, ArrayMap, ArrayProduct, ArrayGather,
                 ArrayScatter, ArrayScan, ArrayReshape, ArrayPanels>;

struct Call {
  Op op;
  std::string name;     // the layer or parameter it works for
  std::string reason;   // why this form was chosen, for Plan::describe()
  bool barrier = true;  // false: independent of the calls since the last barrier
  // Of a call whose neighbour (the one before or after it) touches the same columns of one matrix: how
  // many groups of kColumnPadding columns there are; else 0. A backend that gives each worker the same
  // whole groups in both can leave out the barrier of the second, which has `follows` set.
  int64_t column_groups = 0;
  bool follows = false;
};

// The variables of a model.
struct ModelMemory {
  const float* begin = nullptr;
  const float* end = nullptr;
};

// `compute` runs first; then the step's loss is checked, and `update` (the backward pass and everything that
// changes the model) runs only if it is finite. step_loss is null for programs without a loss.
// `repeated` and `finish` are those of a program that samples (the others have none): between them, every
// call of `repeated` runs StepContext::samples times, each time with another clock.
struct Program {
  std::vector<Call> compute;
  std::vector<Call> repeated;
  std::vector<Call> finish;
  std::vector<Call> update;
  std::shared_ptr<const OptimizerStep> fused_step;  // what the calls' fused updates point to
  std::vector<std::shared_ptr<const std::vector<Instruction>>> tapes;  // of the calls' maps
  // Of each optimizer: chunks of the parameters that no call updates by itself.
  std::vector<std::vector<Chunk>> chunks;
  int64_t optimizers = 1;  // rows of scalars a step
  const double* step_loss = nullptr;
  ModelMemory model;  // calls of `update` may write to it
};

}  // namespace dnnfast::ops
