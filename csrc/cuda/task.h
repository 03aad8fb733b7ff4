#pragma once
// Ops as the device does them: a task computes any piece of its result.

#include <variant>

#include "cuda/activation.h"
#include "cuda/array.h"
#include "cuda/batchnorm.h"
#include "cuda/dense.h"
#include "cuda/gather.h"
#include "cuda/loss.h"
#include "cuda/merge.h"
#include "cuda/metric.h"
#include "cuda/optimizer.h"
#include "cuda/optimizer_whole.h"
#include "cuda/samples.h"
#include "cuda/softmax.h"

namespace dnnfast::cuda {

using Task =
    std::variant<GatherRows, GatherWeights, ScatterRows, DenseForward, WeightGradient, BiasGradient,
                 DenseBackwardInput, PointwiseForward, PointwiseBackward, BatchNormForward,
                 BatchNormInference, BatchNormBackward, BatchNormUpdate, RowwiseForward,
                 RowwiseBackward, Loss, MetricRows, AccumulateRows, AccumulateLoss, FinishLoss,
                 CheckLoss, AddPair, CopyColumns, Reshape, RegularizationPenalty, GradientNorm,
                 OptimizerStep, VectorUpdate, FactorRows, FactorColumns, Direction, OrthogonalCopy,
                 MatrixProduct<false>, MatrixProduct<true>, AccumulateSamples, ScatterSamples,
                 ArrayMap, ArrayReduce, ArrayPartial, ArrayFinish, ArrayProduct, ArrayGather,
                 ArrayScatter, ArrayScan, ArrayReshape, ArrayPanels>;

}  // namespace dnnfast::cuda
