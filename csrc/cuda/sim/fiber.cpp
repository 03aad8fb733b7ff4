#include "cuda/sim/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define DNNFAST_FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DNNFAST_FIBER_ASAN 1
#endif
#endif
#if defined(DNNFAST_FIBER_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

namespace dnnfast::cuda::sim {
namespace {

#if defined(DNNFAST_FIBER_ASAN)
constexpr size_t kStackBytes = size_t{1} << 18;  // frames grow by their red zones
#else
constexpr size_t kStackBytes = size_t{1} << 16;
#endif

size_t page_bytes() {
  static const size_t bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

void fiber_entry(Fiber* fiber) { Fiber::run_entry(fiber); }

// Pushes what the calling convention preserves, stores the stack pointer, takes the other one and pops. A new
// stack is laid out as if it had been left here.
extern "C" void dnnfast_sim_switch(void** save, void* load);
extern "C" void dnnfast_sim_begin();
extern "C" void dnnfast_sim_entry(void* fiber) { fiber_entry(static_cast<Fiber*>(fiber)); }

#if defined(__x86_64__)
asm(R"(
.text
.globl dnnfast_sim_switch
.hidden dnnfast_sim_switch
.type dnnfast_sim_switch, @function
dnnfast_sim_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size dnnfast_sim_switch, .-dnnfast_sim_switch
.globl dnnfast_sim_begin
.hidden dnnfast_sim_begin
.type dnnfast_sim_begin, @function
dnnfast_sim_begin:
  movq %rbx, %rdi
  call dnnfast_sim_entry
  ud2
.size dnnfast_sim_begin, .-dnnfast_sim_begin
)");
constexpr int kArgumentAt = 4, kReturnAt = 6, kFrame = 9;  // words; the stack is then aligned
#elif defined(__aarch64__)
asm(R"(
.text
.globl dnnfast_sim_switch
.hidden dnnfast_sim_switch
.type dnnfast_sim_switch, %function
dnnfast_sim_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size dnnfast_sim_switch, .-dnnfast_sim_switch
.globl dnnfast_sim_begin
.hidden dnnfast_sim_begin
.type dnnfast_sim_begin, %function
dnnfast_sim_begin:
  mov x0, x19
  bl dnnfast_sim_entry
  brk #0
.size dnnfast_sim_begin, .-dnnfast_sim_begin
)");
constexpr int kArgumentAt = 0, kReturnAt = 11, kFrame = 20;
#else
#error "The simulation of a GPU switches stacks by hand; it knows x86-64 and 64-bit ARM."
#endif

Fiber::Fiber() {
  const size_t bytes = page_bytes() + kStackBytes;
  memory_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory_ == MAP_FAILED) throw std::bad_alloc();
  mprotect(memory_, page_bytes(), PROT_NONE);
}

Fiber::~Fiber() { munmap(memory_, page_bytes() + kStackBytes); }

void Fiber::start(void (*entry)(void*), void* argument) {
  entry_ = entry;
  argument_ = argument;
  finished_ = false;
  own_fake_ = nullptr;
  auto* top =
      reinterpret_cast<uintptr_t*>(static_cast<char*>(memory_) + page_bytes() + kStackBytes);
  uintptr_t* frame = top - kFrame;
  for (int i = 0; i < kFrame; ++i) frame[i] = 0;
  frame[kArgumentAt] = reinterpret_cast<uintptr_t>(this);
  frame[kReturnAt] = reinterpret_cast<uintptr_t>(&dnnfast_sim_begin);
  own_ = frame;
}

void Fiber::resume() {
#if defined(DNNFAST_FIBER_ASAN)
  __sanitizer_start_switch_fiber(&callers_fake_, static_cast<char*>(memory_) + page_bytes(),
                                 kStackBytes);
#endif
  dnnfast_sim_switch(&callers_, own_);
#if defined(DNNFAST_FIBER_ASAN)
  __sanitizer_finish_switch_fiber(callers_fake_, nullptr, nullptr);
#endif
}

void Fiber::switch_out([[maybe_unused]] bool for_good) {
#if defined(DNNFAST_FIBER_ASAN)
  __sanitizer_start_switch_fiber(for_good ? nullptr : &own_fake_, callers_bottom_, callers_bytes_);
#endif
  dnnfast_sim_switch(&own_, callers_);
  switch_in();
}

void Fiber::switch_in() {
#if defined(DNNFAST_FIBER_ASAN)
  __sanitizer_finish_switch_fiber(own_fake_, &callers_bottom_, &callers_bytes_);
#endif
}

void Fiber::leave() { switch_out(false); }

void Fiber::run_entry(Fiber* self) {
  self->switch_in();
  self->entry_(self->argument_);
  self->finished_ = true;
  self->switch_out(true);
  std::abort();  // a finished fiber is started anew, not resumed
}

}  // namespace dnnfast::cuda::sim
