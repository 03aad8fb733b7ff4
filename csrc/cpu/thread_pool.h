#pragma once
// Threads that stay, and the barrier they meet at. Work is partitioned by the caller, statically.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace dnnfast::cpu {

// A counter whose next value threads wait for: they spin for a while (steps are microseconds long) and then sleep, so that
// a machine with fewer free cores than threads still makes progress.
class Turn {
 public:
  uint32_t number() const { return number_.load(std::memory_order_relaxed); }
  void pass();
  void wait_for_end_of(uint32_t turn);

 private:
  alignas(64) std::atomic<uint32_t> number_{0};
  std::atomic<int> sleepers_{0};
};

class Barrier {
 public:
  explicit Barrier(int threads) : threads_(threads) {}
  void wait();

 private:
  const int threads_;
  alignas(64) std::atomic<int> arrived_{0};
  Turn turn_;
};

class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }
  // Calls work(t) for t in [0, threads()); the caller is thread 0. Not reentrant; `work` must not
  // throw. Callers are serialised by the owner (see with_pool).
  void run(const std::function<void(int)>& work);

 private:
  void serve(int thread);
  void part_ways(int thread);

  std::unique_ptr<std::atomic<int>[]> core_;  // by thread: where it runs now
  std::vector<std::thread> workers_;
  const std::function<void(int)>* work_ = nullptr;
  std::atomic<uint32_t> generation_{0};
  std::atomic<int> running_{0};
  Turn finished_;
  std::atomic<bool> stop_{false};
  std::atomic<int> asleep_{0};
  std::mutex mutex_;
  std::condition_variable wake_;
};

// The number of threads that runs use: at most 256. Default: the cores this process may run on, or
// the environment variable DNNFAST_THREADS.
int thread_count();
void set_thread_count(int threads);

// Steps with less work than this many multiply-adds run on the calling thread alone: to call the
// others would take longer. Set it to 0 to test that the number of threads changes no bit.
int64_t work_worth_threads();
void set_work_worth_threads(int64_t work);

// Calls f with the process's pool; one caller at a time, others wait. A child made by fork gets a
// pool of its own.
void with_pool(const std::function<void(ThreadPool&)>& f);

}  // namespace dnnfast::cpu
