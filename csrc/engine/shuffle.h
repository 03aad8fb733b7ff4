#pragma once
// The order of an epoch: a permutation that every engine draws alike.

#include <cstdint>

namespace dnnfast::engine {

// order[0..n) = the rows sorted (stably) by the Philox word of (seed, epoch, row).
void shuffle(int64_t n, uint64_t seed, uint64_t epoch, int64_t* order);

}  // namespace dnnfast::engine
