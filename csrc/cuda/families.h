#pragma once
// How each op is put on a stream. Definitions are in the file of the op's family.

#include "cuda/launcher.h"
#include "ops/program.h"

namespace dnnfast::cuda {

void enqueue(const ops::GatherRows& op, const Launcher& to);
void enqueue(const ops::GatherLabels& op, const Launcher& to);
void enqueue(const ops::GatherWeights& op, const Launcher& to);
void enqueue(const ops::ScatterRows& op, const Launcher& to);
void enqueue(const ops::DenseForward& op, const Launcher& to);
void enqueue(const ops::DenseBackwardWeight& op, const Launcher& to);
void enqueue(const ops::DenseBackwardInput& op, const Launcher& to);
void enqueue(const ops::PointwiseForward& op, const Launcher& to);
void enqueue(const ops::PointwiseBackward& op, const Launcher& to);
void enqueue(const ops::BatchNormForward& op, const Launcher& to);
void enqueue(const ops::BatchNormInference& op, const Launcher& to);
void enqueue(const ops::BatchNormBackward& op, const Launcher& to);
void enqueue(const ops::BatchNormUpdate& op, const Launcher& to);
void enqueue(const ops::RowwiseForward& op, const Launcher& to);
void enqueue(const ops::RowwiseBackward& op, const Launcher& to);
void enqueue(const ops::Loss& op, const Launcher& to);
void enqueue(const ops::MetricRows& op, const Launcher& to);
void enqueue(const ops::AccumulateRows& op, const Launcher& to);
void enqueue(const ops::AccumulateLoss& op, const Launcher& to);
void enqueue(const ops::FinishLoss& op, const Launcher& to);
void enqueue(const ops::AddForward& op, const Launcher& to);
void enqueue(const ops::CopyColumns& op, const Launcher& to);
void enqueue(const ops::Reshape& op, const Launcher& to);
void enqueue(const ops::RegularizationPenalty& op, const Launcher& to);
void enqueue(const ops::GradientNorm& op, const Launcher& to);
void enqueue(const ops::OptimizerStep& op, const Launcher& to);
void enqueue(const ops::AccumulateSamples& op, const Launcher& to);
void enqueue(const ops::ScatterSamples& op, const Launcher& to);

// Between the ops (advance.cu). Stops the run if the step's loss is not finite.
void enqueue_check(const double* step_loss, const Launcher& to);
// Sets the pass of the repeated part that comes next.
void enqueue_pass(int64_t sample, const Launcher& to);
// Ends the step: the next one finds its rows, clock and scalars.
void enqueue_advance(const Launcher& to);

}  // namespace dnnfast::cuda
