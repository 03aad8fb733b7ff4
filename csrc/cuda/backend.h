#pragma once
// The GPU as a device of the engine.

#include <memory>

#include "ops/backend.h"

namespace dnnfast::cuda {

// Throws Error if there is no such device.
std::unique_ptr<ops::Backend> make_backend(int device);

}  // namespace dnnfast::cuda
