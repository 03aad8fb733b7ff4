#pragma once
// What the device has to do for a program: its ops as tasks, with what each touches and how it may be cut.

#include <string>
#include <vector>

#include "core/error.h"
#include "cuda/task.h"
#include "ops/program.h"

namespace dnnfast::cuda {

// How the result of a part is cut into pieces: of some rows and some columns, of all rows, of all columns, or not.
enum Cut : unsigned { kTiles = 1, kColumns = 2, kRows = 4, kWhole = 8 };

// Memory that a task touches. By row or by column: a piece touches only its own rows or columns of it.
struct Access {
  const char* begin = nullptr;
  const char* end = nullptr;
  int64_t ld = 0;
  bool write = false;
  bool by_row = false;
  bool by_column = false;

  bool conflicts(const Access& other) const {
    return (write || other.write) && begin < other.end && other.begin < end;
  }
};

struct Work {
  Task task;
  Extent extent;
  unsigned cuts = 0;       // that it can be cut by
  PieceShape shape{0, 0};  // of a piece, where the task says; 0: whoever cuts decides
  std::vector<Access> accesses;
  int call = 0;  // of the program
};

// The work of calls in their order, numbered from `first_call`. Their tables are on the device. `step_value`: the loss
// to check before the model is changed, or null.
class WorkList {
 public:
  WorkList(int64_t capacity, int processors) : capacity_(capacity), processors_(processors) {}

  void add(const std::vector<ops::Call>& calls, int first_call);
  void check_loss(const double* step_value, int call);
  // Without batches that nobody here reads, if nothing comes after.
  std::vector<Work> finish(bool last) const;

 private:
  struct Gathered {
    const char* begin;
    const char* end;
    int source;
  };

  void op(const ops::GatherRows& op);
  void op(const ops::GatherLabels& op);
  void op(const ops::GatherWeights& op);
  void op(const ops::ScatterRows& op);
  void op(const ops::DenseForward& op);
  void op(const ops::DenseBackwardWeight& op);
  void op(const ops::DenseBackwardInput& op);
  void op(const ops::PointwiseForward& op);
  void op(const ops::PointwiseBackward& op);
  void op(const ops::BatchNormForward& op);
  void op(const ops::BatchNormInference& op);
  void op(const ops::BatchNormBackward& op);
  void op(const ops::BatchNormUpdate& op);
  void op(const ops::RowwiseForward& op);
  void op(const ops::RowwiseBackward& op);
  void op(const ops::Loss& op);
  void op(const ops::MetricRows& op);
  void op(const ops::AccumulateRows& op);
  void op(const ops::AccumulateLoss& op);
  void op(const ops::FinishLoss& op);
  void op(const ops::AddForward& op);
  void op(const ops::CopyColumns& op);
  void op(const ops::Reshape& op);
  void op(const ops::RegularizationPenalty& op);
  void op(const ops::GradientNorm& op);
  void op(const ops::OptimizerStep& op);
  void op(const ops::AccumulateSamples& op);
  void op(const ops::ScatterSamples& op);
  // The ops of ops/array.h have no kernels here.
  template <class Op>
  void op(const Op&) {
    fail(ErrorKind::value,
         "the GPU part does not run layers, losses and metrics written with dnnfast.ops; use the "
         "CPU");
  }

  // The last work's: how it may be cut and what it touches.
  template <class T>
  WorkList& task(T task, unsigned cuts);
  WorkList& matrix(const BatchMatrix& m, bool write, bool by_row, bool by_column);
  WorkList& saved(const float* data, const BatchMatrix& like, int64_t ld, bool write);
  WorkList& memory(const void* begin, int64_t bytes, bool write);
  WorkList& vector(const float* data, int64_t floats, bool write);
  WorkList& update(const ops::FusedUpdate& fused);
  WorkList& changes_model();
  WorkList& arrays(const ops::OptimizerArrays& arrays, bool parameters, bool gradients);

  int source_of(const float* data, std::vector<Gathered>& gathered) const;
  ProductForm batch_form(const BatchMatrix& result, int64_t weights,
                         ops::Precision precision) const;
  ProductForm tiled_form(int64_t rows, int64_t cols, ops::Precision precision) const;
  int64_t rows(const BatchMatrix& m) const { return capacity_ * m.rows_per_sample; }

  int64_t capacity_;
  int processors_;
  int call_ = 0;
  std::vector<Work> works_;
  std::vector<Gathered> rows_, labels_;  // batches that can be read from the data set itself
};

}  // namespace dnnfast::cuda
