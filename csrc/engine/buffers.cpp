#include "engine/buffers.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/tensor.h"

namespace dnnfast::engine {

int BufferPlanner::request(int64_t bytes) {
  const int64_t rounded = round_up(std::max<int64_t>(bytes, 1), 64);
  if (!placed_) {
    Interval interval;
    interval.bytes = rounded;
    intervals_.push_back(interval);
  }
  const int buffer = next_++;
  DNNFAST_CHECK(buffer < static_cast<int>(intervals_.size()) &&
                    intervals_[static_cast<size_t>(buffer)].bytes == rounded,
                "the two passes differ at buffer ", buffer);
  return buffer;
}

void BufferPlanner::use(int buffer, int now) {
  if (placed_) return;
  Interval& interval = intervals_[static_cast<size_t>(buffer)];
  if (interval.first < 0) interval.first = now;
  interval.first = std::min(interval.first, now);
  interval.last = std::max(interval.last, now);
}

void BufferPlanner::keep(int buffer) {
  if (!placed_) intervals_[static_cast<size_t>(buffer)].keep = true;
}

bool BufferPlanner::overlap(const Interval& a, const Interval& b) const {
  return a.keep || b.keep || (a.first <= b.last + slack_ && b.first <= a.last + slack_);
}

int64_t BufferPlanner::place() {
  // Largest first, each at the lowest offset that is free during its life.
  std::vector<size_t> order(intervals_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return intervals_[a].bytes > intervals_[b].bytes; });
  std::vector<size_t> placed;
  int64_t total = 0;
  for (size_t i : order) {
    Interval& interval = intervals_[i];
    std::vector<std::pair<int64_t, int64_t>> taken;
    for (size_t j : placed)
      if (overlap(interval, intervals_[j]))
        taken.push_back({intervals_[j].offset, intervals_[j].offset + intervals_[j].bytes});
    std::sort(taken.begin(), taken.end());
    int64_t offset = 0;
    for (const auto& [begin, end] : taken) {
      if (offset + interval.bytes <= begin) break;
      offset = std::max(offset, end);
    }
    interval.offset = offset;
    total = std::max(total, offset + interval.bytes);
    placed.push_back(i);
  }
  placed_ = true;
  return total;
}

void BufferPlanner::start_second_pass(char* arena) {
  arena_ = arena;
  next_ = 0;
}

float* BufferPlanner::address(int buffer) const {
  if (!arena_)
    return reinterpret_cast<float*>(uintptr_t{64} * (static_cast<uintptr_t>(buffer) + 1));
  return reinterpret_cast<float*>(arena_ + intervals_[static_cast<size_t>(buffer)].offset);
}

}  // namespace dnnfast::engine
