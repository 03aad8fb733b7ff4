#pragma once
// Whether a device computes what it should, asked once before it is used.

#include <memory>

#include "cuda/memory.h"

namespace dnnfast::cuda {

// Runs the products in all their forms, the sums over columns and the operations across a warp on small numbers.
// Throws Error(state), which names the device and what was wrong.
void test_device(const std::shared_ptr<const Stream>& stream, const std::string& name);

}  // namespace dnnfast::cuda
