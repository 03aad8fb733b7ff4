#pragma once
// What a device must offer. The engine reaches a device only through this interface; it lives in
// ops because a backend's one job is to run ops. Adding a device means adding one more room.

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>

#include "ops/context.h"
#include "ops/program.h"

namespace dnnfast::ops {

// Changes with anything that crosses this interface: a library of another one is not used.
inline constexpr int kBackendInterface = 7;

// In the place of a device's number: a device that is described and not there.
inline constexpr int kDescribedDevice = -1;

// A compiled program. Runs `steps` steps: step i uses context with first_row + i * batch rows, step +
// i, and row i of scalars (one for each of the program's optimizers; null for programs without). The last step may be
// short: rows past `row_end` are not used. Returns the number of steps applied; fewer than asked means that the loss
// of the next one was not finite (its value is then in Program::step_loss) and it was not applied.
// A pass of the repeated part has its own clock, see StepContext::sample_stride.
class Executable {
 public:
  virtual ~Executable() = default;
  virtual int64_t run(const StepContext& first, int64_t steps, int64_t row_end,
                      const OptimizerScalars* scalars) = 0;
  // How the device runs the program, for Plan::describe(); empty where that says all.
  virtual std::string describe() const { return {}; }
};

// Memory of a device. Freed when it goes.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual void* data() const = 0;
  virtual size_t bytes() const = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;
  // Columns of a weight panel that suit this device's dense kernels; a multiple of kColumnPadding.
  virtual int64_t panel_width() const = 0;
  // How many phases (calls between barriers) beyond its own a call may run beside: values whose lives are that close
  // do not share memory.
  virtual int phases_together() const { return 0; }
  // Zeroed, 64-byte aligned. Throws Error(value) naming the size when there is not enough.
  virtual std::unique_ptr<Memory> allocate(size_t bytes) = 0;
  virtual void upload(void* device, const void* host, size_t bytes) = 0;
  virtual void download(void* host, const void* device, size_t bytes) = 0;
  // Rows of `bytes` bytes, `pitch` apart, between the host and the device or on the device. Complete when it returns.
  virtual void copy_rows(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                         size_t bytes, int64_t rows) {
    for (int64_t r = 0; r < rows; ++r)
      std::memcpy(static_cast<char*>(to) + static_cast<size_t>(r) * to_pitch,
                  static_cast<const char*>(from) + static_cast<size_t>(r) * from_pitch, bytes);
  }
  // Before what comes next: the work that is on a stream of the device now. See Source::stream.
  virtual void wait_for(uint64_t) {}
  virtual std::unique_ptr<Executable> compile(Program program, int64_t batch_capacity) = 0;
};

}  // namespace dnnfast::ops
