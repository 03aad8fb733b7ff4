#include "cuda/work.h"

#include <algorithm>

namespace dnnfast::cuda {
namespace {

// Weights up to which a block takes whole rows of a layer, so that what follows by rows runs in the same kernel.
constexpr int64_t kWeightsOfRows = 8192;
// Columns up to which it does so whatever the depth.
constexpr int64_t kColumnsOfRows = 32;
// Rows up to which a block can have whole columns.
constexpr int64_t kRowsOfColumns = 128;

// Stands for the decision that the step counts: made by the check of the loss, read by what changes the model.
constexpr char kDecision = 0;

template <class T>
const char* bytes(const T* p) {
  return reinterpret_cast<const char*>(p);
}

}  // namespace

WorkList& WorkList::memory(const void* begin, int64_t size, bool write) {
  const auto* first = static_cast<const char*>(begin);
  if (first) works_.back().accesses.push_back({first, first + size, 0, write, false, false});
  return *this;
}

WorkList& WorkList::vector(const float* data, int64_t floats, bool write) {
  memory(data, floats * static_cast<int64_t>(sizeof(float)), write);
  if (data) works_.back().accesses.back().by_column = true;
  return *this;
}

WorkList& WorkList::matrix(const BatchMatrix& m, bool write, bool by_row, bool by_column) {
  if (!m) return *this;
  memory(m.data, rows(m) * m.ld * static_cast<int64_t>(sizeof(float)), write);
  Access& access = works_.back().accesses.back();
  access.ld = m.ld;
  access.by_row = by_row;
  access.by_column = by_column;
  return *this;
}

// What is kept for a derivative, element by element.
WorkList& WorkList::saved(const float* data, const BatchMatrix& like, int64_t ld, bool write) {
  BatchMatrix m = like;
  m.data = const_cast<float*>(data);
  m.ld = ld;
  return matrix(m, write, true, true);
}

WorkList& WorkList::changes_model() { return memory(&kDecision, 1, false); }

WorkList& WorkList::update(const ops::FusedUpdate& fused) {
  if (!fused) return *this;
  const ops::OptimizerArrays& arrays = fused.step->arrays;
  const ops::Segment& segment = arrays.segments[fused.segment];
  for (float* array : {arrays.parameters, arrays.slots[0], arrays.slots[1], arrays.slots[2],
                       arrays.average, arrays.accumulator})
    if (array)
      memory(array + segment.offset, segment.size * static_cast<int64_t>(sizeof(float)), true);
  return changes_model();
}

int WorkList::source_of(const float* data, std::vector<Gathered>& gathered) const {
  for (const Gathered& g : gathered)
    if (g.begin == bytes(data)) return g.source;
  return -1;
}

// Large tiles where they occupy the device, else small ones.
ProductForm WorkList::tiled_form(int64_t rows, int64_t cols, ops::Precision precision) const {
  const PieceShape large = piece_shape(ProductForm::tiled_128);
  const int64_t tiles =
      (rows + large.rows - 1) / large.rows * ((cols + large.cols - 1) / large.cols);
  const bool fills = tiles >= processors_;
  switch (precision) {
    case ops::Precision::tf32: return fills ? ProductForm::tf32_128 : ProductForm::tf32_64;
    case ops::Precision::bfloat16:
      return fills ? ProductForm::bfloat16_128 : ProductForm::bfloat16_64;
    default: return fills ? ProductForm::tiled_128 : ProductForm::tiled_64;
  }
}

// Products of few rows, columns or weights are plain in every precision.
ProductForm WorkList::batch_form(const BatchMatrix& result, int64_t weights,
                                 ops::Precision precision) const {
  const int64_t cols = result.padded_cols();
  if (rows(result) <= kRowsOfColumns || cols <= kColumnsOfRows || weights <= kWeightsOfRows)
    return ProductForm::narrow_flat;
  return tiled_form(rows(result), cols, precision);
}

void WorkList::add(const std::vector<ops::Call>& calls, int first_call,
                   const ops::ModelMemory& guarded) {
  const auto changes = [&](const Access& access) {
    return access.write && access.begin < bytes(guarded.end) && bytes(guarded.begin) < access.end;
  };
  call_ = first_call;
  for (const ops::Call& call : calls) {
    const size_t before = works_.size();
    std::visit([&](const auto& o) { op(o); }, call.op);
    for (size_t i = before; i < works_.size(); ++i) {
      std::vector<Access>& accesses = works_[i].accesses;
      if (std::any_of(accesses.begin(), accesses.end(), changes))
        accesses.push_back({&kDecision, &kDecision + 1, 0, false, false, false});
      // What is written over is no longer what was gathered.
      if (std::holds_alternative<GatherRows>(works_[i].task)) continue;
      for (const Access& access : works_[i].accesses)
        std::erase_if(rows_, [&](const Gathered& g) {
          return access.write && access.begin < g.end && g.begin < access.end;
        });
    }
    ++call_;
  }
}

void WorkList::check_loss(const double* step_value, int call) {
  call_ = call;
  task(CheckLoss{step_value}, kWhole).memory(step_value, sizeof(double), false);
  memory(&kDecision, 1, true);
}

std::vector<Work> WorkList::finish(bool last) const {
  if (!last) return works_;
  const auto unread = [&](const Work& work) {
    if (!std::holds_alternative<GatherRows>(work.task)) return false;
    const Access& written = work.accesses.front();
    return std::none_of(works_.begin(), works_.end(), [&](const Work& other) {
      return std::any_of(other.accesses.begin(), other.accesses.end(), [&](const Access& a) {
        return &a != &written && !a.write && a.begin < written.end && written.begin < a.end;
      });
    });
  };
  std::vector<Work> kept;
  for (const Work& work : works_)
    if (!unread(work)) kept.push_back(work);
  return kept;
}

// --- Ops ---

void WorkList::op(const ops::GatherRows& op) {
  task(GatherRows{op}, kAnyCut).matrix(op.out, true, true, true);
  if (op.out.rows_per_sample != 1) return;
  const Access& a = works_.back().accesses.back();
  rows_.push_back({a.begin, a.end, op.source});
}
// Its readers read the data set.
void WorkList::op(const ops::GatherLabels& op) {
  labels_.push_back({bytes(op.out), bytes(op.out + capacity_), op.source});
}
void WorkList::op(const ops::GatherWeights& op) {
  task(GatherWeights{op}, kRows)
      .memory(op.out, capacity_ * static_cast<int64_t>(sizeof(float)), true);
  works_.back().shape = {256, 1};
}
void WorkList::op(const ops::ScatterRows& op) {
  task(ScatterRows{op}, kAnyCut).matrix(op.y, false, true, true);
}

void WorkList::op(const ops::DenseForward& op) {
  const int64_t cols = op.w.padded_out(), weights = op.w.size();
  const ProductForm form = batch_form(op.y, weights, op.precision);
  unsigned cuts = kTiles;
  if (rows(op.y) <= kRowsOfColumns) cuts |= kColumns;
  if (cols <= kColumnsOfRows || weights <= kWeightsOfRows) cuts |= kRows;
  const bool large = piece_shape(form).rows == piece_shape(ProductForm::tiled_128).rows;
  const int source = large ? -1 : source_of(op.x.data, rows_);
  task(DenseForward(op, form, source), cuts).matrix(op.y, true, true, true);
  if (source < 0) matrix(op.x, false, true, false);
  memory(op.w.data, weights * static_cast<int64_t>(sizeof(float)), false);
  vector(op.b, cols, false).saved(op.saved, op.y, op.y.ld, true);
}

void WorkList::op(const ops::DenseBackwardInput& op) {
  const int64_t weights = op.w.size();
  const ProductForm form = batch_form(op.dx, weights, op.precision);
  unsigned cuts = kTiles;
  if (rows(op.dx) <= kRowsOfColumns) cuts |= kColumns;
  if (weights <= kWeightsOfRows) cuts |= kRows;
  task(DenseBackwardInput(op, form), cuts).matrix(op.dx, true, true, true);
  matrix(op.dz, false, true, false);
  memory(op.w.data, weights * static_cast<int64_t>(sizeof(float)), false);
  saved(op.gradient.saved, op.dx, op.gradient.saved_ld, false);
}

void WorkList::op(const ops::DenseBackwardWeight& op) {
  const int64_t floats = op.dw.size();
  if (op.dw.data) {
    const ProductForm form = rows(op.x) <= kRowsOfColumns
                                 ? ProductForm::outer
                                 : tiled_form(op.dw.in, op.dw.out, op.precision);
    task(WeightGradient(op, form), kTiles).matrix(op.x, false, false, false);
    matrix(op.dz, false, false, false).update(op.update_w);
    if (!op.update_w || op.update_w.step->rare)
      memory(op.dw.data, floats * static_cast<int64_t>(sizeof(float)), true);
    const int64_t pieces = round_up(op.dw.in, 64) / 64 * (round_up(op.dw.out, 64) / 64);
    if (form == ProductForm::outer && pieces < processors_) works_.back().shape = {32, 32};
  }
  if (op.db) {
    task(BiasGradient(op), kColumns).matrix(op.dz, false, false, false).update(op.update_b);
    if (!op.update_b)
      memory(op.db, op.dz.padded_cols() * static_cast<int64_t>(sizeof(float)), true);
    works_.back().shape = {0, 32};
  }
}

void WorkList::op(const ops::PointwiseForward& op) {
  task(PointwiseForward(op), kAnyCut).matrix(op.x, false, true, true);
  matrix(op.y, true, true, true).saved(op.saved, op.y, op.y.ld, true);
}
void WorkList::op(const ops::PointwiseBackward& op) {
  task(PointwiseBackward(op), kAnyCut).matrix(op.dy, false, true, true);
  matrix(op.dx, true, true, true).saved(op.gradient.saved, op.dx, op.gradient.saved_ld, false);
}

void WorkList::op(const ops::BatchNormForward& op) {
  const int64_t cols = op.x.padded_cols();
  task(BatchNormForward(op), kColumns).matrix(op.x, false, true, true);
  matrix(op.y, true, true, true).saved(op.saved, op.y, op.y.ld, true);
  vector(op.gamma, cols, false).vector(op.beta, cols, false);
  vector(op.mean, cols, true).vector(op.variance, cols, true).vector(op.rstd, cols, true);
}
void WorkList::op(const ops::BatchNormInference& op) {
  const int64_t cols = op.x.padded_cols();
  task(BatchNormInference(op), op.rstd ? unsigned{kColumns} : kAnyCut)
      .matrix(op.x, false, true, true);
  matrix(op.y, true, true, true).saved(op.saved, op.y, op.y.ld, true);
  vector(op.gamma, cols, false).vector(op.beta, cols, false);
  vector(op.moving_mean, cols, false).vector(op.moving_variance, cols, false);
  vector(op.rstd, cols, true);
}
void WorkList::op(const ops::BatchNormBackward& op) {
  const int64_t cols = op.x.padded_cols();
  task(BatchNormBackward(op), kColumns).matrix(op.x, false, true, true);
  matrix(op.dy, false, true, true).matrix(op.dx, true, true, true);
  saved(op.gradient.saved, op.dy, op.gradient.saved_ld, false).vector(op.gamma, cols, false);
  vector(op.mean, cols, false).vector(op.rstd, cols, false);
  vector(op.dgamma, cols, true).vector(op.dbeta, cols, true);
  for (const auto& [fused, gradient] :
       {std::pair{op.update_gamma, op.dgamma}, std::pair{op.update_beta, op.dbeta}}) {
    if (!fused) continue;
    task(VectorUpdate{Update(fused), gradient, cols}, kTiles).vector(gradient, cols, false);
    update(fused);
  }
  if (op.moving.moving_mean) this->op(op.moving);
}
void WorkList::op(const ops::BatchNormUpdate& op) {
  const int64_t cols = round_up(op.cols, kColumnPadding);
  task(BatchNormUpdate{op}, kTiles).vector(op.mean, cols, false).vector(op.variance, cols, false);
  vector(op.moving_mean, cols, true).vector(op.moving_variance, cols, true).changes_model();
}

void WorkList::op(const ops::RowwiseForward& op) {
  task(RowwiseForward{op}, kRows).matrix(op.x, false, true, false).matrix(op.y, true, true, false);
}
void WorkList::op(const ops::RowwiseBackward& op) {
  task(RowwiseBackward{op}, kRows).matrix(op.saved, false, true, false);
  matrix(op.dy, false, true, false).matrix(op.dx, true, true, false);
}

void WorkList::op(const ops::Loss& op) {
  task(Loss{op, {op.labels, source_of(reinterpret_cast<const float*>(op.labels), labels_)}}, kRows);
  matrix(op.prediction, false, true, false).matrix(op.target, false, true, false);
  matrix(op.gradient, true, true, false);
  memory(op.sample_weight, capacity_ * static_cast<int64_t>(sizeof(float)), false);
  memory(op.row_loss, rows(op.prediction) * static_cast<int64_t>(sizeof(float)), true);
}
void WorkList::op(const ops::MetricRows& op) {
  task(MetricRows{op, {op.labels, source_of(reinterpret_cast<const float*>(op.labels), labels_)}},
       kRows);
  matrix(op.prediction, false, true, false).matrix(op.target, false, true, false);
  memory(op.row_value, rows(op.prediction) * static_cast<int64_t>(sizeof(float)), true);
}

// The running totals of a run are in an array of the run, which only these touch: one after the other.
void WorkList::op(const ops::AccumulateRows& op) {
  const int64_t rows = capacity_ * op.rows_per_sample * static_cast<int64_t>(sizeof(float));
  task(AccumulateRows{op}, kWhole).memory(op.row_value, rows, false);
  memory(op.sample_weight, capacity_ * static_cast<int64_t>(sizeof(float)), false);
}
void WorkList::op(const ops::AccumulateLoss& op) {
  const int64_t rows = capacity_ * op.rows_per_sample * static_cast<int64_t>(sizeof(float));
  task(AccumulateLoss{op}, kWhole).memory(op.row_value, rows, false);
  memory(op.sample_weight, capacity_ * static_cast<int64_t>(sizeof(float)), false);
  memory(op.step_value, sizeof(double), true);
}
void WorkList::op(const ops::FinishLoss& op) {
  task(FinishLoss{op}, kWhole).memory(op.step_value, sizeof(double), true);
  memory(op.chunk_sum, op.chunk_count * static_cast<int64_t>(sizeof(double)), false);
}

// ((x0 + x1) + x2) + ...
void WorkList::op(const ops::AddForward& op) {
  if (op.count == 1) return this->op(ops::CopyColumns{op.x[0], 0, op.y, 0, op.y.cols, false});
  for (int i = 1; i < op.count; ++i) {
    const BatchMatrix& left = i == 1 ? op.x[0] : op.y;
    task(AddPair{left, op.x[i], op.y}, kAnyCut).matrix(left, false, true, true);
    matrix(op.x[i], false, true, true).matrix(op.y, true, true, true);
  }
}
void WorkList::op(const ops::CopyColumns& op) {
  task(CopyColumns{op}, kTiles | kRows).matrix(op.x, false, true, false);
  matrix(op.y, true, true, false);
}
void WorkList::op(const ops::Reshape& op) {
  task(Reshape{op}, kTiles).matrix(op.x, false, false, false).matrix(op.y, true, true, true);
}

void WorkList::op(const ops::AccumulateSamples& op) {
  const int64_t values = rows(op.y) * op.y.cols;
  task(AccumulateSamples{op}, kAnyCut).matrix(op.y, false, true, true);
  memory(op.sums.shift, values * static_cast<int64_t>(sizeof(float)), true);
  memory(op.sums.sum, values * static_cast<int64_t>(sizeof(double)), true);
  memory(op.sums.square, values * static_cast<int64_t>(sizeof(double)), true);
}
void WorkList::op(const ops::ScatterSamples& op) {
  const int64_t values = rows(op.y) * op.y.cols;
  task(ScatterSamples{op}, kAnyCut).matrix(op.y, false, true, true);
  memory(op.sums.shift, values * static_cast<int64_t>(sizeof(float)), false);
  memory(op.sums.sum, values * static_cast<int64_t>(sizeof(double)), false);
  memory(op.sums.square, values * static_cast<int64_t>(sizeof(double)), false);
}

}  // namespace dnnfast::cuda
