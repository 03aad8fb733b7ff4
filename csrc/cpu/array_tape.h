#pragma once
// Runs a tape (ops/array.h) on a block of neighbouring positions: instruction by instruction, each on all of them, so that
// the cost of looking at an instruction is spread over a block.

#include "cpu/simd.h"
#include "ops/array.h"
#include "ops/context.h"

namespace dnnfast::cpu::DNNFAST_ISA {

inline constexpr int64_t kTapeBlock = 256;

// Where a block lies: `count` (at most kTapeBlock) positions from `first` on along `axis`, at the given coordinates of the
// other axes.
struct TapeBlock {
  int64_t coordinate[ops::kMaxAxes] = {};  // of the first position
  int axis = 0;
  int64_t count = 0;
};

// Memory for the registers.
struct TapeRegisters {
  alignas(64) float value[ops::kMaxRegisters][kTapeBlock];
};

// Returns the values of the block's positions; up to the next multiple of kLanes there is more to read.
const float* run_tape(const ops::ArrayMap& op, const ops::StepContext& context,
                      const TapeBlock& block, TapeRegisters& registers);

}  // namespace dnnfast::cpu::DNNFAST_ISA
