// The thread pool under its own load: many short runs, the barrier inside a run, sleeping workers,
// callers that compete, and a pool that changes size. Meant for the thread sanitizer as well
// (tools/sanitize.sh), so shared data here is deliberately not atomic.

#include "cpu/thread_pool.h"

#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

namespace {

using dnnfast::cpu::Barrier;
using dnnfast::cpu::ThreadPool;

int failures = 0;

void expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "failed: %s\n", what);
  ++failures;
}

// Every thread works exactly once per run, and what it wrote is visible to the caller afterwards.
void many_short_runs(int threads) {
  ThreadPool pool(threads);
  expect(pool.threads() == threads, "the pool has the threads asked for");
  std::vector<long> counts(threads, 0);
  constexpr int kRuns = 2000;
  for (int run = 0; run < kRuns; ++run) pool.run([&](int t) { ++counts[t]; });
  for (long count : counts) expect(count == kRuns, "every thread ran once per call");
}

// What was written before a barrier is visible to all threads after it.
void barrier_orders_memory(int threads) {
  ThreadPool pool(threads);
  Barrier barrier(threads);
  std::vector<int> slots(threads, 0);
  std::vector<int> wrong(threads, 0);
  constexpr int kPhases = 500;
  pool.run([&](int t) {
    for (int phase = 1; phase <= kPhases; ++phase) {
      slots[t] = phase;
      barrier.wait();
      for (int value : slots) wrong[t] += value != phase;
      barrier.wait();
    }
  });
  for (int count : wrong) expect(count == 0, "a barrier makes earlier writes visible");
}

// Idle workers fall asleep; a later call still wakes every one of them.
void wakes_sleeping_workers() {
  ThreadPool pool(4);
  std::vector<int> counts(4, 0);
  for (int run = 0; run < 5; ++run) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pool.run([&](int t) { ++counts[t]; });
  }
  for (int count : counts) expect(count == 5, "sleeping workers wake");
}

// Callers on several threads take turns, also while the number of threads changes.
void callers_take_turns() {
  long total = 0;
  std::vector<std::thread> callers;
  for (int c = 0; c < 3; ++c)
    callers.emplace_back([&total, c] {
      for (int i = 0; i < 50; ++i) {
        if (i % 10 == 0) dnnfast::cpu::set_thread_count(1 + (c + i) % 4);
        dnnfast::cpu::with_pool([&](ThreadPool& pool) {
          std::vector<int> ran(pool.threads(), 0);
          pool.run([&](int t) { ran[t] = 1; });
          bool all = true;
          for (int r : ran) all = all && r == 1;
          total += all;
        });
      }
    });
  for (std::thread& caller : callers) caller.join();
  expect(total == 150, "every call of every caller ran on all threads");
}

}  // namespace

int main() {
  for (int threads : {1, 2, 3, 8}) {
    many_short_runs(threads);
    barrier_orders_memory(threads);
  }
  wakes_sleeping_workers();
  callers_take_turns();
  if (failures == 0) std::puts("thread_pool_test: ok");
  return failures != 0;
}
