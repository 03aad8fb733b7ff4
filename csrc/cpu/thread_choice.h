#pragma once
// How many of the threads it may use a program runs on, found by trying while it runs. Small layers are not
// worth every core: what threads have to tell each other can take longer than the work, and how long
// it takes depends on where the system has put them. The number never changes a bit of a result.

#include <cstdint>

namespace dnnfast::cpu {

class ThreadChoice {
 public:
  struct Stretch {
    int threads;
    int64_t steps;
  };

  // What to run next, of `steps` steps that are left.
  Stretch next(int most_threads, int64_t steps);
  // How long it took.
  void took(const Stretch& stretch, double seconds);

 private:
  // settled: no trial is on. current, other: the two numbers are timed; warm: before the other is.
  enum class Stage { settled, current, warm, other };
  void enter(Stage stage, int64_t steps);
  void settle(bool change);

  int most_ = 0;
  int current_ = 0;
  int other_ = 0;          // the number that is tried against it
  bool try_more_ = false;  // whether the next trial is of more threads
  Stage stage_ = Stage::current;
  int64_t left_ = 0;            // steps until the stage ends
  int64_t interval_ = 0;        // steps between trials; longer while nothing changes
  double seconds_[2] = {0, 0};  // of the trial: current, other
};

}  // namespace dnnfast::cpu
