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

// This block's pieces of a launch. A call, so that the tasks behind it are compiled once.
__device__ __noinline__ void run_pieces(const Launch& launch, const Block& block) {
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

struct ResidentShared {
  BlockShared block;
  Launch launch;
};

// A thread's share of a launch.
using LaunchWord = float4;
static_assert(sizeof(Launch) <= kThreads * sizeof(LaunchWord));
__device__ LaunchWord fetch(const Launch* launch) {
  const bool mine = threadIdx.x * sizeof(LaunchWord) < sizeof(Launch);
  return mine ? reinterpret_cast<const LaunchWord*>(launch)[threadIdx.x] : LaunchWord{};
}
__device__ void keep(const LaunchWord& word, Launch& launch) {
  if (threadIdx.x * sizeof(LaunchWord) < sizeof(Launch))
    reinterpret_cast<LaunchWord*>(&launch)[threadIdx.x] = word;
}

// One launch of one turn.
__device__ void run_turn(const Launch& launch, const Turn& turn, Step* step) {
  BlockShared& shared = shared_memory<BlockShared>();
  if (threadIdx.x == 0) shared.runs = step_context(*step, turn, shared.context, shared.scalars);
  __syncthreads();
  if (!shared.runs) return;
  run_pieces(launch, {shared.context, launch.optimizer, *step, step->done + turn.step});
}

// Every block comes to every barrier. Whether a step runs is decided at its start, when nobody writes it; when its
// loss is found not to be finite, the launches after that one have nothing to do.
__device__ void run_steps(const ResidentRun& run, Step* step) {
  ResidentShared& shared = shared_memory<ResidentShared>();
  unsigned round = 0;
  LaunchWord next = fetch(run.launches);
  for (int64_t i = 0; i < run.steps; ++i) {
    if (threadIdx.x == 0)
      shared.block.runs = step_context(*step, {i, 0}, shared.block.context, shared.block.scalars);
    __syncthreads();
    if (!shared.block.runs) return;
    for (int l = 0; l < run.count; ++l) {
      keep(next, shared.launch);
      next = fetch(run.launches + (l + 1) % run.count);
      if (threadIdx.x == 0) shared.block.runs = step->stopped_at < 0;
      __syncthreads();
      if (shared.block.runs)
        run_pieces(shared.launch,
                   {shared.block.context, shared.launch.optimizer, *step, step->done + i});
      grid_barrier(run.arrivals, ++round);
    }
  }
}

// One launch, or all of many steps. One kernel for both: it holds every task, and they are compiled once.
__global__ void __launch_bounds__(kThreads, 2)
    training_kernel(const __grid_constant__ Launch launch, const Turn turn, const ResidentRun run,
                    Step* step) {
  if (run.count > 0)
    run_steps(run, step);
  else
    run_turn(launch, turn, step);
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
  check(cuda::launch(training_kernel, shape, launch, turn, ResidentRun{}, step), doing);
}

int64_t resident_blocks(int device) {
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, device), "asking for the device's properties");
  int blocks = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, training_kernel, kThreads,
                                                      sizeof(ResidentShared)),
        "asking for the resident kernel's occupancy");
  int cooperative = 0;
  check(cudaDeviceGetAttribute(&cooperative, cudaDevAttrCooperativeLaunch, device),
        "asking for cooperative launches");
  return cooperative ? int64_t{properties.multiProcessorCount} * blocks : 0;
}

void run_resident(const Stream& stream, const ResidentRun& run, Step* step, int64_t blocks) {
  LaunchShape shape;
  shape.blocks = static_cast<unsigned>(blocks);
  shape.threads = kThreads;
  shape.shared_bytes = sizeof(ResidentShared);
  shape.stream = stream.handle();
  shape.cooperative = true;
  check(cuda::launch(training_kernel, shape, Launch{}, Turn{}, run, step),
        "running all steps in one kernel");
}

void advance(const Stream& stream, Step* step, int64_t steps) {
  LaunchShape shape;
  shape.stream = stream.handle();
  check(cuda::launch(advance_kernel, shape, step, steps), "ending a step");
}

}  // namespace dnnfast::cuda
