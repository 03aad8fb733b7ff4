#pragma once
// What one kernel does: parts side by side, each a chain of tasks that a block runs one after the other on its
// piece of their common result.

#include "cuda/task.h"

namespace dnnfast::cuda {

struct Part {
  int first = 0;  // among the launch's tasks
  int count = 0;
  Extent extent;           // of the tasks, in the directions that are cut
  int64_t piece_rows = 0;  // 0: all
  int64_t piece_cols = 0;

  constexpr int64_t row_pieces(int64_t batch) const {
    return piece_rows ? (extent.rows(batch) + piece_rows - 1) / piece_rows : 1;
  }
  constexpr int64_t col_pieces() const {
    return piece_cols ? (extent.cols + piece_cols - 1) / piece_cols : 1;
  }
  constexpr int64_t pieces(int64_t batch) const { return row_pieces(batch) * col_pieces(); }
};

inline constexpr int kMostParts = 10;
inline constexpr int kMostTasks = 14;

struct alignas(16) Launch {
  ops::OptimizerStep optimizer;  // of the fused updates
  int parts = 0;
  int tasks = 0;
  Part part[kMostParts];
  Task task[kMostTasks];

  int64_t pieces(int64_t batch) const {
    int64_t sum = 0;
    for (int i = 0; i < parts; ++i) sum += part[i].pieces(batch);
    return sum;
  }
};

}  // namespace dnnfast::cuda
