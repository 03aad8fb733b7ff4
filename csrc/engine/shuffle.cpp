#include "engine/shuffle.h"

#include <array>
#include <vector>

#include "math/philox.h"

namespace dnnfast::engine {
namespace {

struct Entry {
  uint32_t key;
  int64_t row;
};

constexpr int kDigitBits = 11;
constexpr size_t kDigits = size_t{1} << kDigitBits;

// One stable pass of a radix sort on kDigitBits of the key.
void sort_digit(const std::vector<Entry>& from, std::vector<Entry>& to, int shift) {
  std::array<size_t, kDigits> start{};
  auto digit = [&](const Entry& e) { return (e.key >> shift) & (kDigits - 1); };
  for (const Entry& e : from) ++start[digit(e)];
  size_t sum = 0;
  for (size_t& s : start) {
    const size_t count = s;
    s = sum;
    sum += count;
  }
  for (const Entry& e : from) to[start[digit(e)]++] = e;
}

}  // namespace

void shuffle(int64_t n, uint64_t seed, uint64_t epoch, int64_t* order) {
  std::vector<Entry> a(static_cast<size_t>(n)), b(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i)
    a[static_cast<size_t>(i)] = {math::shuffle_key(static_cast<uint64_t>(i), seed, epoch), i};
  for (int shift = 0; shift < 32; shift += kDigitBits) {
    sort_digit(a, b, shift);
    a.swap(b);
  }
  for (int64_t i = 0; i < n; ++i) order[i] = a[static_cast<size_t>(i)].row;
}

}  // namespace dnnfast::engine
