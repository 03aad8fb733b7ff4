// The part of a program that is repeated with other random bits (ProgramKind::predict_samples), and the
// statistics of what it leaves.

#include "engine/program_writer.h"

namespace dnnfast::engine {
namespace {
size_t at(int i) { return static_cast<size_t>(i); }
}  // namespace

// Sums for every output that differs from pass to pass. They live from the first pass to the last.
void ProgramWriter::begin_samples() {
  calls_ = &program_.repeated;
  ++phase_;
  next_independent_ = false;
  for (int output : lowered_.outputs) {
    SumBuffers sums;
    if (lowered_.random[at(output)]) {
      const BatchMatrix y = matrix_of(graph_.tensors[at(output)].shape);
      const int64_t elements = capacity_rows(y) * y.cols;
      sums.shift = vector_buffer(elements);
      sums.sum = vector_buffer(2 * elements);
      sums.square = vector_buffer(2 * elements);
      for (int buffer : {sums.shift, sums.sum, sums.square}) buffers_.use(buffer, phase_);
    }
    sample_sums_.push_back(sums);
  }
  first_repeated_buffer_ = buffers_.count();
  repeated_uses_.clear();
}

ops::SampleSums ProgramWriter::sums_at(const SumBuffers& sums) {
  if (sums.shift < 0) return {};
  return {address(sums.shift), reinterpret_cast<double*>(address(sums.sum)),
          reinterpret_cast<double*>(address(sums.square))};
}

void ProgramWriter::finish_samples() {
  bool first = true;
  for (size_t i = 0; i < lowered_.outputs.size(); ++i) {
    const SumBuffers& sums = sample_sums_[i];
    if (sums.shift < 0) continue;
    const Value y = value(lowered_.outputs[i]);
    emit(ops::AccumulateSamples{y.matrix, sums_at(sums)}, "output", "sums of the passes so far",
         {y.buffer, sums.shift, sums.sum, sums.square}, !first);
    first = false;
  }
  // What was there before the first pass is read again by the next one, until the last has ended.
  for (int buffer : repeated_uses_)
    if (buffer < first_repeated_buffer_) buffers_.use(buffer, phase_);

  calls_ = &program_.finish;
  ++phase_;
  next_independent_ = false;
  const int count = static_cast<int>(lowered_.outputs.size());
  for (int i = 0; i < count; ++i) {
    const Value y = value(lowered_.outputs[at(i)]);
    const SumBuffers& sums = sample_sums_[at(i)];
    emit(
        ops::ScatterSamples{y.matrix, sums_at(sums), i, count + i}, "output",
        sums.shift < 0 ? "the same in every pass: deviation 0" : "mean and deviation in data order",
        {y.buffer, sums.shift, sums.sum, sums.square}, i > 0);
  }
}

}  // namespace dnnfast::engine
