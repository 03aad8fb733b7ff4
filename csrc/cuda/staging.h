#pragma once
// What a run needs of the host's memory, on the device for as long as it lasts: arrays of the data set, the
// permutation, scalars, totals; and the predictions on their way back.

#include <memory>
#include <vector>

#include "cuda/memory.h"
#include "cuda/step.h"
#include "ops/program.h"

namespace dnnfast::cuda {

// What a program reads of the data set and writes for the caller.
struct Uses {
  int sources = 0;               // as many arrays of StepContext::sources
  std::vector<int64_t> outputs;  // floats a sample of each prediction
  int totals = 0;                // slots of the running totals
  int64_t optimizers = 1;        // rows of scalars a step

  void note(const ops::Op& op);

 private:
  void note_output(int output, const BatchMatrix& y);
  void note_slot(int slot);
};

// The data set that was trained on last: it stays on the device for the next run, until another takes its place.
struct Resident {
  uint64_t data_set = 0;
  std::vector<std::unique_ptr<DeviceMemory>> memory;
  std::vector<ops::Source> sources;  // with pointers to the memory
};

class Staging {
 public:
  // Of steps from `first` on. Shuffled rows may lie anywhere: then whole arrays go to `resident`. `there`: arrays that
  // are on the device already, or none.
  Staging(std::shared_ptr<const Stream> stream, Resident& resident, const Uses& uses,
          const ops::StepContext& first, int64_t steps, int64_t row_end,
          std::vector<ops::Source> there = {});

  // The first step, with pointers to the copies.
  Step step(const ops::OptimizerScalars* scalars);
  // Brings predictions of `applied` steps and the totals to where the caller wants them.
  void fetch(int64_t applied);

 private:
  bool lies_here(const void* data, uint64_t stream) const;
  void* copy(const void* host, size_t bytes);
  std::vector<ops::Source> sources();
  ops::Source copy_source(const ops::Source& source,
                          std::vector<std::unique_ptr<DeviceMemory>>& owner) const;
  int64_t samples_of(int64_t steps) const;

  std::shared_ptr<const Stream> stream_;
  Resident& resident_;
  const Uses& uses_;
  const ops::StepContext& first_;
  const int64_t steps_;
  const int64_t row_end_;
  const std::vector<ops::Source> there_;
  std::vector<std::unique_ptr<DeviceMemory>> copies_;
  std::vector<float*> outputs_;  // of the device
  double* totals_ = nullptr;     // of the device
};

}  // namespace dnnfast::cuda
