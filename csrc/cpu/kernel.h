#pragma once
// How the CPU runs an op: it says how many equal units of work it has, and runs a range of them. The
// partition over threads is static, and what a unit computes never depends on it: hence the same bits
// for any number of threads.

#include <cstdint>

#include "ops/program.h"

namespace dnnfast::cpu {

struct UnitRange {
  int64_t begin = 0;
  int64_t end = 0;
  bool rows_first = false;  // units of a grid are numbered row by row, not column by column
};

// units: how much work there is in this step. run: does units [begin, end); `scratch` is this
// thread's own, of at least scratch_bytes(op, capacity) bytes, 64-byte aligned, contents undefined.
// rows_first: whether threads that divide the rows of the result share less memory than those that divide
// its columns.
template <class Op>
struct Kernel {
  int64_t (*units)(const Op& op, const ops::StepContext& context) = nullptr;
  void (*run)(const Op& op, const ops::StepContext& context, UnitRange range,
              void* scratch) = nullptr;
  int64_t (*scratch_bytes)(const Op& op, int64_t batch_capacity) = nullptr;     // null: none
  bool (*rows_first)(const Op& op, const ops::StepContext& context) = nullptr;  // null: never
};

// Every kernel of one instruction set.
struct KernelTable {
  const char* isa;
  int vector_lanes;
  int64_t panel_width;
  Kernel<ops::GatherRows> gather_rows;
  Kernel<ops::GatherLabels> gather_labels;
  Kernel<ops::GatherWeights> gather_weights;
  Kernel<ops::ScatterRows> scatter_rows;
  Kernel<ops::DenseForward> dense_forward;
  Kernel<ops::DenseBackwardWeight> dense_backward_weight;
  Kernel<ops::DenseBackwardInput> dense_backward_input;
  Kernel<ops::PointwiseForward> pointwise_forward;
  Kernel<ops::PointwiseBackward> pointwise_backward;
  Kernel<ops::BatchNormForward> batchnorm_forward;
  Kernel<ops::BatchNormInference> batchnorm_inference;
  Kernel<ops::BatchNormBackward> batchnorm_backward;
  Kernel<ops::BatchNormUpdate> batchnorm_update;
  Kernel<ops::RowwiseForward> rowwise_forward;
  Kernel<ops::RowwiseBackward> rowwise_backward;
  Kernel<ops::Loss> loss;
  Kernel<ops::MetricRows> metric_rows;
  Kernel<ops::AccumulateRows> accumulate_rows;
  Kernel<ops::AccumulateLoss> accumulate_loss;
  Kernel<ops::FinishLoss> finish_loss;
  Kernel<ops::AddForward> add_forward;
  Kernel<ops::CopyColumns> copy_columns;
  Kernel<ops::Reshape> reshape;
  Kernel<ops::RegularizationPenalty> regularization_penalty;
  Kernel<ops::GradientNorm> gradient_norm;
  Kernel<ops::OptimizerStep> optimizer_step;
  Kernel<ops::FactoredMoments> factored_moments;
  Kernel<ops::OptimizerDirection> optimizer_direction;
  Kernel<ops::OrthogonalCopy> orthogonal_copy;
  Kernel<ops::MatrixProduct> matrix_product;
  Kernel<ops::AccumulateSamples> accumulate_samples;
  Kernel<ops::ScatterSamples> scatter_samples;
  Kernel<ops::ArrayMap> array_map;
  Kernel<ops::ArrayProduct> array_product;
  Kernel<ops::ArrayGather> array_gather;
  Kernel<ops::ArrayScatter> array_scatter;
  Kernel<ops::ArrayScan> array_scan;
  Kernel<ops::ArrayReshape> array_reshape;
  Kernel<ops::ArrayPanels> array_panels;
};

}  // namespace dnnfast::cpu
