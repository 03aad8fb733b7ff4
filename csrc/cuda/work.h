#pragma once
// What the device has to do for a program: its ops as tasks, with what each touches and how it may be cut.

#include <string>
#include <vector>

#include "cuda/task.h"
#include "ops/program.h"

namespace dnnfast::cuda {

// How the result of a part is cut into pieces: of some rows and some columns, of all rows, of all columns, or not.
enum Cut : unsigned { kTiles = 1, kColumns = 2, kRows = 4, kWhole = 8 };
inline constexpr unsigned kAnyCut = kTiles | kColumns | kRows;

// Memory that a task touches. By row or by column: a piece touches only its own rows or columns of it.
struct Access {
  const char* begin = nullptr;
  const char* end = nullptr;
  int64_t ld = 0;
  bool write = false;
  bool by_row = false;
  bool by_column = false;
  int64_t width = 0;  // floats of a row that are touched; 0: as many as lie between rows

  bool conflicts(const Access& other) const {
    return (write || other.write) && begin < other.end && other.begin < end;
  }
};

// An axis of an array as an operand of a task: its positions are rows of the result, its columns, or there for each piece.
enum class Role { row, column, inner };
struct Axis {
  int64_t size = 0;  // as in ops::Space
  int64_t stride = 0;
  Role role = Role::inner;
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

  // What writes to `guarded` waits for the check of the loss.
  void add(const std::vector<ops::Call>& calls, int first_call,
           const ops::ModelMemory& guarded = {});
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
  void op(const ops::FactoredMoments& op);
  void op(const ops::OptimizerDirection& op);
  void op(const ops::OrthogonalCopy& op);
  void op(const ops::MatrixProduct& op);
  void op(const ops::AccumulateSamples& op);
  void op(const ops::ScatterSamples& op);
  void op(const ops::ArrayMap& op);
  void op(const ops::ArrayProduct& op);
  void op(const ops::ArrayGather& op);
  void op(const ops::ArrayScatter& op);
  void op(const ops::ArrayScan& op);
  void op(const ops::ArrayReshape& op);
  void op(const ops::ArrayPanels& op);

  // The last work's: how it may be cut and what it touches.
  template <class T>
  WorkList& task(T task, unsigned cuts);
  WorkList& matrix(const BatchMatrix& m, bool write, bool by_row, bool by_column);
  WorkList& saved(const float* data, const BatchMatrix& like, int64_t ld, bool write);
  WorkList& memory(const void* begin, int64_t bytes, bool write);
  WorkList& vector(const float* data, int64_t floats, bool write);
  WorkList& update(const ops::FusedUpdate& fused);
  WorkList& array(const float* data, const std::vector<Axis>& axes, int64_t padding, bool write);
  WorkList& changes_model();
  WorkList& arrays(const ops::OptimizerArrays& arrays, bool parameters, bool gradients);
  WorkList& step(const ops::OptimizerStep& step, bool parameters, bool gradients);

  int source_of(const float* data, std::vector<Gathered>& gathered) const;
  ProductForm batch_form(const BatchMatrix& result, int64_t weights,
                         ops::Precision precision) const;
  ProductForm tiled_form(int64_t rows, int64_t cols, ops::Precision precision) const;
  int64_t rows(const BatchMatrix& m) const { return capacity_ * m.rows_per_sample; }
  Extent results(const ops::Space& space, int down, int axes, int64_t padding) const;
  Reduce reduction(const ops::ArrayMap& op) const;
  void partial_reduction(const ops::ArrayMap& op, const Extent& where, const Reduce& reduce);
  PieceShape reduction_shape(const Extent& extent, const Reduce& reduce) const;
  PieceShape array_shape(const Extent& extent, int64_t most_rows) const;

  int64_t capacity_;
  int processors_;
  int call_ = 0;
  std::vector<Work> works_;
  std::vector<Gathered> rows_, labels_;  // batches that can be read from the data set itself
};

inline bool narrow(ProductForm form) { return form < ProductForm::outer; }

template <class T>
WorkList& WorkList::task(T task, unsigned cuts) {
  Work work;
  work.extent = task.extent();
  if constexpr (requires { task.form; }) {
    if (!narrow(task.form)) work.shape = piece_shape(task.form);
  }
  work.task = std::move(task);
  work.cuts = cuts;
  work.call = call_;
  works_.push_back(std::move(work));
  return *this;
}

}  // namespace dnnfast::cuda
