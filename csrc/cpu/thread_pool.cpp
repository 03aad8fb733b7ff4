#include "cpu/thread_pool.h"

#include <cstdlib>

#include "core/error.h"

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace dnnfast::cpu {
namespace {

constexpr int kMaxThreads = 256;
// A pause takes 10 to 40 ns.
constexpr int kSpins = 20000;
constexpr int kSpinsBeforeSleep = 5000;  // idle workers answer the next call at once for a while

inline void pause_core() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void sleep_while([[maybe_unused]] std::atomic<uint32_t>& value, [[maybe_unused]] uint32_t old) {
#if defined(__linux__)
  static_assert(sizeof value == sizeof(uint32_t));
  syscall(SYS_futex, &value, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
#else
  value.wait(old);
#endif
}

void wake_sleepers([[maybe_unused]] std::atomic<uint32_t>& value) {
#if defined(__linux__)
  syscall(SYS_futex, &value, FUTEX_WAKE_PRIVATE, kMaxThreads, nullptr, nullptr, 0);
#else
  value.notify_all();
#endif
}

int available_cores() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  const unsigned n = std::thread::hardware_concurrency();
  return n ? static_cast<int>(n) : 1;
}

int default_threads() {
  int threads = available_cores();
  if (const char* text = std::getenv("DNNFAST_THREADS"); text && *text) {
    char* end = nullptr;
    const long value = std::strtol(text, &end, 10);
    if (*end || value < 1 || value > kMaxThreads)
      fail(ErrorKind::value, "DNNFAST_THREADS=", text, " must be a whole number from 1 to ",
           kMaxThreads);
    threads = static_cast<int>(value);
  }
  return threads < kMaxThreads ? threads : kMaxThreads;
}

int current_core() {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

// Moves the calling thread to the n-th core after `core` of those it may use; it stays free to use
// them all.
void leave_core([[maybe_unused]] int core, [[maybe_unused]] int n) {
#if defined(__linux__)
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  int target = core;
  for (int steps = CPU_SETSIZE; n > 0 && steps > 0; --steps) {
    target = (target + 1) % CPU_SETSIZE;
    if (CPU_ISSET(target, &allowed)) --n;
  }
  CPU_ZERO(&one);
  CPU_SET(target, &one);
  if (sched_setaffinity(0, sizeof one, &one) == 0) sched_setaffinity(0, sizeof allowed, &allowed);
#endif
}

std::atomic<int64_t> least_work{int64_t{1} << 20};  // about 10 microseconds of one core

// The process's pool. In a forked child the parent's threads do not exist: the child drops the
// object without touching them (a deliberate leak of a few kilobytes) and starts anew.
struct Process {
  std::mutex mutex;
  std::unique_ptr<ThreadPool> pool;
  std::atomic<int> threads{0};
};

Process*& process() {
  static Process* instance = [] {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(nullptr, nullptr, [] {
      const int threads = process()->threads;
      process() = new Process;
      process()->threads = threads;
    });
#endif
    return new Process;
  }();
  return instance;
}

}  // namespace

void Turn::pass() {
  number_.fetch_add(1);
  if (sleepers_.load() > 0) wake_sleepers(number_);
}

// A thread that is waited for may have lost its core to another process. Yielding would give that process a time slice at
// every barrier; a thread that sleeps gets its core back as soon as it is woken.
void Turn::wait_for_end_of(uint32_t turn) {
  for (int spins = 0; spins < kSpins; ++spins) {
    if (number_.load(std::memory_order_acquire) != turn) return;
    pause_core();
  }
  sleepers_.fetch_add(1);
  while (number_.load() == turn) sleep_while(number_, turn);
  sleepers_.fetch_sub(1);
}

void Barrier::wait() {
  if (threads_ == 1) return;
  const uint32_t turn = turn_.number();
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) == threads_ - 1) {
    arrived_.store(0, std::memory_order_relaxed);
    turn_.pass();
    return;
  }
  turn_.wait_for_end_of(turn);
}

ThreadPool::ThreadPool(int threads)
    : core_(std::make_unique<std::atomic<int>[]>(static_cast<size_t>(threads))) {
  for (int t = 1; t < threads; ++t) workers_.emplace_back([this, t] { serve(t); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    generation_.fetch_add(1);
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(const std::function<void(int)>& work) {
  if (workers_.empty()) return work(0);
  work_ = &work;
  core_[0].store(current_core(), std::memory_order_relaxed);
  running_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
  const uint32_t turn = finished_.number();
  generation_.fetch_add(1);
  if (asleep_.load() > 0) {
    std::lock_guard lock(mutex_);
    wake_.notify_all();
  }
  work(0);
  finished_.wait_for_end_of(turn);
}

// Threads that meet every few microseconds must not share a core. A system that wakes a worker where its
// caller runs may leave them there for seconds: each has always just run, so neither looks worth
// moving.
void ThreadPool::part_ways(int thread) {
  const int mine = current_core();
  core_[thread].store(mine, std::memory_order_relaxed);
  if (mine < 0) return;
  for (int other = 0; other < thread; ++other) {
    if (core_[other].load(std::memory_order_relaxed) != mine) continue;
    if (threads() > available_cores()) return;
    leave_core(core_[0].load(std::memory_order_relaxed), thread);
    core_[thread].store(current_core(), std::memory_order_relaxed);
    return;
  }
}

void ThreadPool::serve(int thread) {
  uint32_t seen = 0;
  while (true) {
    for (int spins = 0; generation_.load() == seen && spins < kSpinsBeforeSleep; ++spins)
      pause_core();
    if (generation_.load() == seen) {
      std::unique_lock lock(mutex_);
      asleep_.fetch_add(1);
      wake_.wait(lock, [&] { return generation_.load() != seen; });
      asleep_.fetch_sub(1);
    }
    seen = generation_.load();
    if (stop_) return;
    part_ways(thread);
    (*work_)(thread);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) finished_.pass();
  }
}

int thread_count() {
  std::atomic<int>& threads = process()->threads;
  if (threads == 0) threads = default_threads();
  return threads;
}

void set_thread_count(int threads) {
  if (threads < 1 || threads > kMaxThreads)
    fail(ErrorKind::value, "the number of threads must be from 1 to ", kMaxThreads, "; got ",
         threads);
  process()->threads = threads;
}

int64_t work_worth_threads() { return least_work; }
void set_work_worth_threads(int64_t work) { least_work = work; }

void with_pool(const std::function<void(ThreadPool&)>& f) {
  const int wanted = thread_count();
  Process& mine = *process();
  std::lock_guard lock(mine.mutex);
  if (!mine.pool || mine.pool->threads() != wanted) {
    mine.pool.reset();
    mine.pool = std::make_unique<ThreadPool>(wanted);
  }
  f(*mine.pool);
}

}  // namespace dnnfast::cpu
