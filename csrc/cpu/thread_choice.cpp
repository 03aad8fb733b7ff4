#include "cpu/thread_choice.h"

#include <algorithm>

namespace dnnfast::cpu {
namespace {

constexpr int64_t kTrialSteps = 32;  // of each number, timed as a whole: what counts is the mean
constexpr int64_t kWarmSteps = 4;    // before them, to fill the other caches
constexpr int64_t kShortestInterval = 256;
constexpr int64_t kLongestInterval = 2048;
constexpr double kLongStep = 2e-3;  // seconds; a step this long is worth every thread
constexpr double kWorthChanging = 0.97;

}  // namespace

ThreadChoice::Stretch ThreadChoice::next(int most_threads, int64_t steps) {
  if (most_threads != most_) {
    *this = ThreadChoice();
    most_ = current_ = most_threads;
    other_ = std::max(1, most_ / 2);
    interval_ = kShortestInterval;
    enter(Stage::current, kTrialSteps);
  }
  if (most_ == 1) return {1, steps};
  const bool other = stage_ == Stage::warm || stage_ == Stage::other;
  return {other ? other_ : current_, std::min(steps, left_)};
}

void ThreadChoice::took(const Stretch& stretch, double seconds) {
  if (stage_ != Stage::warm) seconds_[stage_ == Stage::other] += seconds;
  left_ -= stretch.steps;
  if (left_ > 0) return;
  switch (stage_) {
    case Stage::settled: return enter(Stage::current, kTrialSteps);
    case Stage::current:
      if (seconds_[0] > kLongStep * kTrialSteps) return settle(false);
      return enter(Stage::warm, kWarmSteps);
    case Stage::warm: return enter(Stage::other, kTrialSteps);
    case Stage::other: return settle(seconds_[1] < kWorthChanging * seconds_[0]);
  }
}

void ThreadChoice::enter(Stage stage, int64_t steps) {
  stage_ = stage;
  left_ = steps;
  if (stage == Stage::current) seconds_[0] = 0;
  if (stage == Stage::other) seconds_[1] = 0;
}

void ThreadChoice::settle(bool change) {
  interval_ = change ? kShortestInterval : std::min(2 * interval_, kLongestInterval);
  if (change) {
    try_more_ = other_ > current_;  // perhaps further in the same direction
    current_ = other_;
  } else {
    try_more_ = !try_more_;
  }
  if (current_ == most_) try_more_ = false;
  if (current_ == 1) try_more_ = true;
  other_ = try_more_ ? std::min(most_, 2 * current_) : std::max(1, current_ / 2);
  enter(Stage::settled, interval_);
}

}  // namespace dnnfast::cpu
