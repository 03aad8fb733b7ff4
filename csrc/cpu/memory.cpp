#include "cpu/memory.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "core/error.h"

// Not under the address sanitizer, which watches the heap.
#if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
#define DNNFAST_MAPS_MEMORY
#include <sys/mman.h>
#endif

namespace dnnfast::cpu {
namespace {

constexpr size_t kAlignment = 64;
[[maybe_unused]] constexpr size_t kHugePage = size_t{1} << 21;

[[noreturn]] void fail_memory(size_t bytes) {
  fail(ErrorKind::value, "not enough memory for ", bytes,
       " bytes; use smaller layers or a smaller batch_size");
}

#if defined(DNNFAST_MAPS_MEMORY)
// A mapping that starts on a huge page: fewer translations for arrays that are walked in strides.
Buffer map_huge(size_t bytes) {
  const size_t whole = bytes + kHugePage;
  void* start = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) fail_memory(bytes);
  const auto address = reinterpret_cast<uintptr_t>(start);
  const size_t before = (kHugePage - address % kHugePage) % kHugePage;
  char* const first = static_cast<char*>(start) + before;
  if (before > 0) munmap(start, before);
  if (before < kHugePage) munmap(first + bytes, kHugePage - before);
  madvise(first, bytes, MADV_HUGEPAGE);
  return Buffer(first, Release{bytes});
}
#endif

}  // namespace

void Release::operator()(void* p) const {
#if defined(DNNFAST_MAPS_MEMORY)
  if (mapped) {
    munmap(p, mapped);
    return;
  }
#endif
  std::free(p);
}

Buffer allocate_zeroed(size_t bytes) {
  if (bytes > SIZE_MAX / 2) fail(ErrorKind::value, "cannot allocate ", bytes, " bytes");
#if defined(DNNFAST_MAPS_MEMORY)
  constexpr size_t kPage = 4096;
  if (bytes >= kHugePage) return map_huge((bytes + kPage - 1) / kPage * kPage);
#endif
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  Buffer buffer(std::aligned_alloc(kAlignment, rounded ? rounded : kAlignment));
  if (!buffer) fail_memory(bytes);
  std::memset(buffer.get(), 0, rounded);
  return buffer;
}

}  // namespace dnnfast::cpu
