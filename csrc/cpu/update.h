#pragma once
// The optimizer's step on a part of one parameter, called by the kernel that has just made its gradient.
// Defined in optimizer.cpp.

#include "cpu/gemm.h"
#include "ops/context.h"
#include "ops/optimizer.h"

namespace dnnfast::cpu::DNNFAST_ISA {

// `rows` pieces of `cols` floats (a multiple of 16), `stride` floats apart in the flat arrays; the first
// lies `offset` floats after the start of the parameter. `gradient` has the same stride.
struct UpdateBlock {
  int64_t offset;
  int64_t rows;
  int64_t cols;
  int64_t stride;
  float* gradient;
};

void update_block(const ops::FusedUpdate& update, const ops::StepContext& context,
                  const UpdateBlock& block);

// The learning rate, if all that update_block does is w - rate * gradient; else 0.
float plain_sgd_rate(const ops::FusedUpdate& update, const ops::StepContext& context);

// Where the weights are that update_block changes.
float* weights_of(const ops::FusedUpdate& update, const UpdateBlock& block);

// What update_block will read and write of the floats [begin, end) from the start of the parameter.
Prefetch prefetch_update(const ops::FusedUpdate& update, int64_t begin, int64_t end);

}  // namespace dnnfast::cpu::DNNFAST_ISA
