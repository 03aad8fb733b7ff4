#include "cuda/staging.h"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace dnnfast::cuda {
void Uses::note_output(int output, const BatchMatrix& y) {
  const auto i = static_cast<size_t>(output);
  if (outputs.size() <= i) outputs.resize(i + 1, 0);
  outputs[i] = y.rows_per_sample * y.cols;
}

void Uses::note_slot(int slot) {
  if (slot >= 0) totals = std::max(totals, slot + 2);  // a sum and its weight
}

void Uses::note(const ops::Op& op) {
  std::visit(
      [&](const auto& o) {
        using Op = std::decay_t<decltype(o)>;
        if constexpr (requires { o.source; }) sources = std::max(sources, o.source + 1);
        if constexpr (requires { o.slot; }) note_slot(o.slot);
        if constexpr (std::is_same_v<Op, ops::ScatterRows>) note_output(o.output, o.y);
        if constexpr (std::is_same_v<Op, ops::ScatterSamples>) {
          note_output(o.mean, o.y);
          note_output(o.deviation, o.y);
        }
      },
      op);
}

Staging::Staging(std::shared_ptr<const Stream> stream, Resident& resident, const Uses& uses,
                 const ops::StepContext& first, int64_t steps, int64_t row_end,
                 std::vector<ops::Source> there)
    : stream_(std::move(stream)), resident_(resident), uses_(uses), first_(first), steps_(steps),
      row_end_(row_end), there_(std::move(there)) {}

// Samples in the first `steps` steps.
int64_t Staging::samples_of(int64_t steps) const {
  return std::min(steps * first_.batch, row_end_ - first_.first_row);
}

void* Staging::copy(const void* host, size_t bytes) {
  copies_.push_back(std::make_unique<DeviceMemory>(stream_, bytes));
  if (host && bytes > 0) upload(*stream_, copies_.back()->data(), host, bytes);
  return copies_.back()->data();
}

// Arrays on this device are used where they are, once the stream that they come from is done with them.
bool Staging::lies_here(const void* data, uint64_t stream) const {
  if (!data || !on_device(data, stream_->device())) return false;
  wait_for(*stream_, stream);
  return true;
}

// The bytes between the first and the last element, wherever strides lead.
ops::Source Staging::copy_source(const ops::Source& source,
                                 std::vector<std::unique_ptr<DeviceMemory>>& owner) const {
  int64_t begin_row = 0, end_row = source.rows;
  if (!first_.order) {
    begin_row = first_.first_row;
    end_row = begin_row + samples_of(steps_);
  }
  if (!source.data || begin_row >= end_row || source.columns == 0) return source;
  if (lies_here(source.data, source.stream)) return source;
  const int64_t across = (source.columns - 1) * source.column_stride;
  const int64_t first = begin_row * source.row_stride, last = (end_row - 1) * source.row_stride;
  const int64_t low = std::min(first, last) + std::min<int64_t>(across, 0);
  const int64_t high =
      std::max(first, last) + std::max<int64_t>(across, 0) + ops::item_bytes(source.dtype);
  const auto bytes = static_cast<size_t>(high - low);
  owner.push_back(std::make_unique<DeviceMemory>(stream_, bytes));
  upload(*stream_, owner.back()->data(), static_cast<const char*>(source.data) + low, bytes);
  ops::Source copied = source;
  copied.data = owner.back()->as<const char>() - low;
  return copied;
}

std::vector<ops::Source> Staging::sources() {
  if (!there_.empty()) return there_;
  std::vector<ops::Source> sources;
  if (!first_.order || first_.data_set == 0) {
    for (int i = 0; i < uses_.sources; ++i)
      sources.push_back(copy_source(first_.sources[i], copies_));
    return sources;
  }
  if (resident_.data_set != first_.data_set) resident_ = {};
  // Its number comes last: a copy that fails leaves no half of a data set behind.
  while (resident_.sources.size() < static_cast<size_t>(uses_.sources))
    resident_.sources.push_back(
        copy_source(first_.sources[resident_.sources.size()], resident_.memory));
  resident_.data_set = first_.data_set;
  return resident_.sources;
}

Step Staging::step(const ops::OptimizerScalars* scalars) {
  Step step;
  step.context = first_;
  step.row_end = row_end_;
  step.steps = steps_;
  const int64_t samples = samples_of(steps_);
  const std::vector<ops::Source> table = sources();
  step.context.sources =
      static_cast<const ops::Source*>(copy(table.data(), table.size() * sizeof(ops::Source)));
  if (first_.order) {
    const int64_t* order = first_.order + first_.first_row;
    step.context.order =
        static_cast<const int64_t*>(copy(order, static_cast<size_t>(samples) * sizeof(int64_t))) -
        first_.first_row;
  }
  for (size_t i = 0; i < uses_.outputs.size(); ++i) {
    const int64_t floats = uses_.outputs[i];
    if (floats > 0 && lies_here(first_.outputs[i], 0)) {
      outputs_.push_back(first_.outputs[i]);
      continue;
    }
    auto* output =
        static_cast<float*>(copy(nullptr, static_cast<size_t>(samples * floats) * sizeof(float)));
    outputs_.push_back(output - first_.first_row * floats);
  }
  step.context.outputs =
      static_cast<float* const*>(copy(outputs_.data(), outputs_.size() * sizeof(float*)));
  if (uses_.totals > 0 && first_.totals)
    totals_ = static_cast<double*>(
        copy(first_.totals, static_cast<size_t>(uses_.totals) * sizeof(double)));
  step.context.totals = totals_;
  step.optimizers = uses_.optimizers;
  if (scalars)
    step.scalars = static_cast<const ops::OptimizerScalars*>(copy(
        scalars, static_cast<size_t>(steps_ * uses_.optimizers) * sizeof(ops::OptimizerScalars)));
  return step;
}

void Staging::fetch(int64_t applied) {
  const int64_t samples = samples_of(applied);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const int64_t floats = uses_.outputs[i], begin = first_.first_row * floats;
    if (samples * floats > 0 && outputs_[i] != first_.outputs[i])
      download(*stream_, first_.outputs[i] + begin, outputs_[i] + begin,
               static_cast<size_t>(samples * floats) * sizeof(float));
  }
  if (totals_)
    download(*stream_, first_.totals, totals_, static_cast<size_t>(uses_.totals) * sizeof(double));
}

}  // namespace dnnfast::cuda
