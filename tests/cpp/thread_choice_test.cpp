// The choice of a number of threads, against simulated machines whose time for a step is known.

#include "cpu/thread_choice.h"

#include <cstdio>
#include <functional>

namespace {

using dnnfast::cpu::ThreadChoice;

int failures = 0;

void expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "failed: %s\n", what);
  ++failures;
}

using StepTime = std::function<double(int threads)>;

struct Outcome {
  int64_t steps = 0;
  double seconds = 0;
  int last = 0;  // threads of the longest late stretch
  bool valid = true;
};

// `steps` steps, asked for in pieces as a fit asks for them.
Outcome run(ThreadChoice& choice, int most, int64_t steps, int64_t piece, const StepTime& time) {
  Outcome out;
  int64_t longest = 0;
  while (out.steps < steps) {
    for (int64_t left = piece; left > 0;) {
      const ThreadChoice::Stretch stretch = choice.next(most, left);
      out.valid = out.valid && stretch.threads >= 1 && stretch.threads <= most &&
                  stretch.steps >= 1 && stretch.steps <= left;
      if (!out.valid) return out;
      const double seconds = time(stretch.threads) * static_cast<double>(stretch.steps);
      choice.took(stretch, seconds);
      if (out.steps > steps / 2 && stretch.steps >= longest) {
        longest = stretch.steps;
        out.last = stretch.threads;
      }
      out.seconds += seconds;
      out.steps += stretch.steps;
      left -= stretch.steps;
    }
  }
  return out;
}

// Work that is shared, and a price for each thread.
StepTime machine(double work, double price) {
  return [=](int threads) { return work / threads + price * threads; };
}

void finds_the_best(int most, double work, double price, int best, const char* what) {
  ThreadChoice choice;
  const StepTime time = machine(work, price);
  const Outcome out = run(choice, most, 40000, 1875, time);
  expect(out.valid, "stretches lie within what was asked for");
  expect(out.last == best, what);
  expect(out.seconds < 1.1 * 40000 * time(best), "trials cost little");
}

}  // namespace

int main() {
  finds_the_best(2, 400e-6, 10e-6, 2, "two threads where they help");
  finds_the_best(2, 400e-6, 300e-6, 1, "one thread where two do not help");
  finds_the_best(64, 400e-6, 6e-6, 8, "some of many threads");
  finds_the_best(64, 50e-3, 1e-6, 64, "all threads for long steps");
  finds_the_best(1, 400e-6, 10e-6, 1, "a single thread");

  // Long steps are never tried on fewer threads.
  ThreadChoice steady;
  bool tried = false;
  run(steady, 4, 3000, 16, [&](int threads) {
    tried = tried || threads != 4;
    return 20e-3;
  });
  expect(!tried, "a long step keeps every thread");

  // The machine changes, and the choice follows; so it does when the allowed number changes.
  ThreadChoice changing;
  expect(run(changing, 2, 20000, 100, machine(400e-6, 300e-6)).last == 1, "slow cores apart");
  expect(run(changing, 2, 60000, 100, machine(400e-6, 5e-6)).last == 2, "then together");
  expect(run(changing, 1, 1000, 100, machine(400e-6, 5e-6)).last == 1, "then only one allowed");

  // One step at a time, as a fit with batch hooks asks.
  ThreadChoice single;
  expect(run(single, 2, 5000, 1, machine(400e-6, 300e-6)).last == 1, "step by step");
  return failures ? 1 : 0;
}
