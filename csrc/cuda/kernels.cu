#include "cuda/kernels.h"

namespace dnnfast::cuda {
namespace {

constexpr int64_t kMostBlocks = 1 << 16;  // more work than that goes round

// Piece `number` of a part, of a task of this extent: whole in the directions that are not cut.
__device__ Piece piece_of(const Part& part, int64_t number, const Extent& extent, int64_t batch) {
  const int64_t across = part.col_pieces();
  Piece piece{0, extent.rows(batch), 0, extent.cols};
  if (part.piece_rows) {
    piece.row = number / across * part.piece_rows;
    if (piece.row + part.piece_rows < piece.row_end) piece.row_end = piece.row + part.piece_rows;
  }
  if (part.piece_cols) {
    piece.col = number % across * part.piece_cols;
    if (piece.col + part.piece_cols < piece.col_end) piece.col_end = piece.col + part.piece_cols;
  }
  return piece;
}

// A call, so that each kind of task is compiled by itself.
template <class T>
__device__ __noinline__ void run_one(const T& task, const Piece& piece, const Block& block) {
  task(piece, block);
}

template <size_t kIndex = 0>
__device__ void run_task(const Task& task, const Part& part, int64_t number, const Block& block) {
  if constexpr (kIndex < std::variant_size_v<Task>) {
    if (task.index() == kIndex) {
      const auto& t = *std::get_if<kIndex>(&task);
      run_one(t, piece_of(part, number, t.extent(), block.context.batch), block);
    } else {
      run_task<kIndex + 1>(task, part, number, block);
    }
  }
}

// This block's pieces of a launch.
__device__ void run_pieces(const Launch& launch, const Block& block) {
  int64_t number = blockIdx.x;
  for (int p = 0; p < launch.parts; ++p) {
    const Part& part = launch.part[p];
    const int64_t pieces = part.pieces(block.context.batch);
    for (; number < pieces; number += gridDim.x) {
      for (int t = part.first; t < part.first + part.count; ++t) {
        run_task(launch.task[t], part, number, block);
        __syncthreads();  // the next task reads what this one wrote
      }
    }
    number -= pieces;
  }
}

__global__ void __launch_bounds__(kThreads, 2)
    launch_kernel(const __grid_constant__ Launch launch, const Turn turn, Step* step) {
  BlockShared& shared = shared_memory<BlockShared>();
  if (threadIdx.x == 0) shared.runs = step_context(*step, turn, shared.context);
  __syncthreads();
  if (!shared.runs) return;
  run_pieces(launch, {shared.context, launch.optimizer, *step, step->done + turn.step});
}

__global__ void advance_kernel(Step* step, int64_t steps) { step->done += steps; }

}  // namespace

void run_launch(const Stream& stream, const Launch& launch, const Turn& turn, Step* step,
                int64_t pieces, const std::string& doing) {
  LaunchShape shape;
  shape.blocks = static_cast<unsigned>(pieces < kMostBlocks ? pieces : kMostBlocks);
  shape.threads = kThreads;
  shape.shared_bytes = sizeof(BlockShared);
  shape.stream = stream.handle();
  check(cuda::launch(launch_kernel, shape, launch, turn, step), doing);
}

void advance(const Stream& stream, Step* step, int64_t steps) {
  LaunchShape shape;
  shape.stream = stream.handle();
  check(cuda::launch(advance_kernel, shape, step, steps), "ending a step");
}

}  // namespace dnnfast::cuda
