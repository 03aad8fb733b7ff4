#pragma once
// Memory for arrays: zeroed, aligned for vectors, in huge pages where it is large.

#include <cstddef>
#include <memory>

namespace dnnfast::cpu {

struct Release {
  size_t mapped = 0;  // bytes of a mapping of its own; 0: from the heap
  void operator()(void* p) const;
};
using Buffer = std::unique_ptr<void, Release>;

// At least 64-byte aligned. Large memory takes no place until it is written to. Throws Error(value).
Buffer allocate_zeroed(size_t bytes);

}  // namespace dnnfast::cpu
