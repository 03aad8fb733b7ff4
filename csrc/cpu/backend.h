#pragma once
// The CPU as a device of the engine.

#include <memory>

#include "ops/backend.h"

namespace dnnfast::cpu {

std::unique_ptr<ops::Backend> make_backend();

}  // namespace dnnfast::cpu
