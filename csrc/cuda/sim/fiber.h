#pragma once
// A stack of its own and a way to leave it and come back: what a simulated GPU thread runs on.

#include <cstddef>

namespace dnnfast::cuda::sim {

class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Prepares a run of entry(argument) from its beginning. A run that was left halfway is forgotten: what it had on
  // its stack is not destroyed.
  void start(void (*entry)(void*), void* argument);
  // Runs until the fiber leaves or `entry` returns; from outside any fiber.
  void resume();
  // Back to who called resume(); from inside.
  void leave();

  bool finished() const { return finished_; }

 private:
  static void run_entry(Fiber* self);
  void switch_in();
  void switch_out(bool for_good);

  void* memory_ = nullptr;  // a guard page, then the stack
  void* own_ = nullptr;     // stack pointers while not running
  void* callers_ = nullptr;
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
  bool finished_ = true;
  // Of the address sanitizer, which must be told about every switch.
  const void* callers_bottom_ = nullptr;
  size_t callers_bytes_ = 0;
  void* own_fake_ = nullptr;
  void* callers_fake_ = nullptr;

  friend void fiber_entry(Fiber*);
};

}  // namespace dnnfast::cuda::sim
