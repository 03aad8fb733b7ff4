// Joining and reshaping. Work per unit: four rows, or one sample where rows are split anew. Each
// element of the result is written by one unit.

#include "cpu/families.h"
#include "cpu/simd.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::StepContext;

constexpr int64_t kUnitRows = 4;

int64_t row_units(const BatchMatrix& m, const StepContext& context) {
  return (context.batch * m.rows_per_sample + kUnitRows - 1) / kUnitRows;
}

// The rows of a range of units.
struct Rows {
  int64_t begin, end;
};

Rows rows_of(const BatchMatrix& m, const StepContext& context, UnitRange range) {
  const int64_t rows = context.batch * m.rows_per_sample, end = range.end * kUnitRows;
  return {range.begin * kUnitRows, end < rows ? end : rows};
}

// Neighbouring rows may be unaligned here, and y may be x: the compiler checks before it
// vectorises.
void copy_span(const float* x, int64_t count, bool accumulate, float* y) {
  if (accumulate) {
    for (int64_t i = 0; i < count; ++i) y[i] += x[i];
  } else {
    for (int64_t i = 0; i < count; ++i) y[i] = x[i];
  }
}

void clear_padding(const BatchMatrix& m, float* row) {
  for (int64_t c = m.cols; c < m.padded_cols(); ++c) row[c] = 0.0f;
}

int64_t add_units(const ops::AddForward& op, const StepContext& context) {
  return row_units(op.y, context);
}

void add_run(const ops::AddForward& op, const StepContext& context, UnitRange range, void*) {
  const Rows rows = rows_of(op.y, context, range);
  const int64_t cols = op.y.padded_cols();
  for (int64_t r = rows.begin; r < rows.end; ++r) {
    float* y = op.y.row(r);
    for (int64_t c = 0; c < cols; c += kLanes) {
      vf sum = load(op.x[0].row(r) + c);
      for (int i = 1; i < op.count; ++i) sum += load(op.x[i].row(r) + c);
      store(y + c, sum);
    }
  }
}

int64_t copy_units(const ops::CopyColumns& op, const StepContext& context) {
  return row_units(op.y, context);
}

void copy_run(const ops::CopyColumns& op, const StepContext& context, UnitRange range, void*) {
  const Rows rows = rows_of(op.y, context, range);
  const bool reaches_end = op.y_column + op.columns == op.y.cols;
  for (int64_t r = rows.begin; r < rows.end; ++r) {
    float* y = op.y.row(r);
    copy_span(op.x.row(r) + op.x_column, op.columns, op.accumulate, y + op.y_column);
    if (reaches_end) clear_padding(op.y, y);
  }
}

int64_t reshape_units(const ops::Reshape&, const StepContext& context) { return context.batch; }

void reshape_run(const ops::Reshape& op, const StepContext&, UnitRange range, void*) {
  const BatchMatrix &x = op.x, &y = op.y;
  for (int64_t s = range.begin; s < range.end; ++s) {
    int64_t x_row = s * x.rows_per_sample, x_col = 0;
    for (int64_t i = 0; i < y.rows_per_sample; ++i) {
      float* out = y.row(s * y.rows_per_sample + i);
      for (int64_t col = 0; col < y.cols;) {
        const int64_t x_left = x.cols - x_col, y_left = y.cols - col;
        const int64_t count = x_left < y_left ? x_left : y_left;
        copy_span(x.row(x_row) + x_col, count, op.accumulate, out + col);
        col += count;
        x_col += count;
        if (x_col == x.cols) {
          ++x_row;
          x_col = 0;
        }
      }
      clear_padding(y, out);
    }
  }
}

}  // namespace

void register_merge(KernelTable& table) {
  table.add_forward = {add_units, add_run, nullptr};
  table.copy_columns = {copy_units, copy_run, nullptr};
  table.reshape = {reshape_units, reshape_run, nullptr};
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
