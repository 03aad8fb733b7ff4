#pragma once
// Feeds a run whose data set has no room on the device: rows are put in their order on the host, some steps at a time,
// and copied beside the steps before them.

#include <future>
#include <memory>
#include <vector>

#include "cuda/memory.h"
#include "ops/context.h"

namespace dnnfast::cuda {

class Feeder {
 public:
  // Of `steps` steps from `first` on, which read `sources` arrays. Throws Error(value) if the device has no room for
  // two steps.
  Feeder(std::shared_ptr<const Stream> stream, const ops::StepContext& first, int sources,
         int64_t steps, int64_t row_end);
  ~Feeder();
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;

  // Whether the arrays that a run needs on the device are too large for what is free there.
  static bool needed(const Stream& stream, const ops::StepContext& first, int sources,
                     int64_t steps, int64_t row_end);

  struct Part {
    ops::StepContext context;  // rows count from 0
    int64_t begin = 0;         // steps before it
    int64_t steps = 0;
    int64_t rows = 0;
    std::vector<ops::Source> sources;  // of the device; there once the run's stream comes to them
  };
  // The next steps; none are left when it has no steps. The part before it must have been waited for.
  Part next();
  // Brings what comes after that part. To be called when its work is on the stream.
  void prefetch();

 private:
  struct Slot {
    std::unique_ptr<PinnedMemory> host;
    std::unique_ptr<DeviceMemory> device;
    std::unique_ptr<Event> copied;
    std::future<void> gathered;
  };
  int64_t begin_row(int64_t part) const { return part * part_steps_ * first_.batch; }
  int64_t rows(int64_t part) const;
  void gather(int64_t part, char* to) const;
  void start_gather(int64_t part);
  void start_copy(int64_t part);
  Slot& slot(int64_t part) { return slots_[part % 2]; }

  std::shared_ptr<const Stream> stream_;
  Stream copies_;
  const ops::StepContext first_;
  const int sources_;
  const int64_t steps_;
  const int64_t all_rows_;
  int64_t row_bytes_ = 0;  // of all arrays
  int64_t part_steps_ = 1;
  int64_t parts_ = 0;
  int64_t part_ = 0;  // that comes next
  Slot slots_[2];
};

}  // namespace dnnfast::cuda
