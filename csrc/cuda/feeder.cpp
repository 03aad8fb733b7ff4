#include "cuda/feeder.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace dnnfast::cuda {
namespace {

constexpr int64_t kMostPartBytes = int64_t{256} << 20;

int64_t sample_bytes(const ops::Source& source) {
  return source.data ? source.columns * ops::item_bytes(source.dtype) : 0;
}

int64_t free_bytes() {
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "asking for the device's free memory");
  return static_cast<int64_t>(free);
}

}  // namespace

bool Feeder::needed(const Stream& stream, const ops::StepContext& first, int sources, int64_t steps,
                    int64_t row_end) {
  int64_t bytes = 0;
  for (int i = 0; i < sources; ++i) {
    const ops::Source& source = first.sources[i];
    if (!source.data || on_device(source.data, stream.device())) continue;
    const int64_t rows =
        first.order ? source.rows : std::min(steps * first.batch, row_end - first.first_row);
    // Copied whole, gaps included (staging.cpp).
    bytes += rows * std::max(sample_bytes(source), std::abs(source.row_stride));
  }
  // The rest is for scalars, order and predictions.
  return bytes > free_bytes() / 5 * 4;
}

Feeder::Feeder(std::shared_ptr<const Stream> stream, const ops::StepContext& first, int sources,
               int64_t steps, int64_t row_end)
    : stream_(std::move(stream)), copies_(stream_->device()), first_(first), sources_(sources),
      steps_(steps), all_rows_(std::min(steps * first.batch, row_end - first.first_row)) {
  for (int i = 0; i < sources_; ++i) {
    if (first_.sources[i].data && on_device(first_.sources[i].data, stream_->device()))
      fail(ErrorKind::value,
           "the data set has no room on the device beside those of its arrays that lie there; pass "
           "all of them as NumPy arrays");
    row_bytes_ += sample_bytes(first_.sources[i]);
  }
  const int64_t step_bytes = row_bytes_ * first_.batch;
  const int64_t budget = std::min(kMostPartBytes, free_bytes() / 4);
  if (step_bytes > budget)
    fail(ErrorKind::value, "the device has no room for ", 2 * step_bytes, " bytes, two batches of ",
         first_.batch, " rows: a quarter of its free memory is ", budget,
         " bytes. Use a smaller batch");
  part_steps_ = std::min(steps, budget / std::max<int64_t>(step_bytes, 1));
  parts_ = (steps + part_steps_ - 1) / part_steps_;
  const auto bytes = static_cast<size_t>(part_steps_ * step_bytes);
  for (Slot& slot : slots_) {
    slot.host = std::make_unique<PinnedMemory>(bytes);
    slot.device = std::make_unique<DeviceMemory>(stream_, bytes);
    slot.copied = std::make_unique<Event>();
  }
  stream_->wait("making room for parts of the data set");
  start_gather(0);
  start_copy(0);
  start_gather(1);
}

Feeder::~Feeder() {
  for (Slot& slot : slots_)
    if (slot.gathered.valid()) slot.gathered.wait();
  cudaStreamSynchronize(copies_.handle());
}

int64_t Feeder::rows(int64_t part) const {
  return std::min(part_steps_ * first_.batch, all_rows_ - begin_row(part));
}

// Each array's rows behind each other, without gaps.
void Feeder::gather(int64_t part, char* to) const {
  for (int i = 0; i < sources_; ++i) {
    const ops::Source& source = first_.sources[i];
    const int64_t item = ops::item_bytes(source.dtype), bytes = sample_bytes(source);
    if (bytes == 0) continue;
    for (int64_t r = 0; r < rows(part); ++r, to += bytes) {
      const int64_t position = first_.first_row + begin_row(part) + r;
      const char* from = static_cast<const char*>(source.data) +
                         (first_.order ? first_.order[position] : position) * source.row_stride;
      if (source.column_stride == item) {
        std::memcpy(to, from, static_cast<size_t>(bytes));
      } else {
        for (int64_t c = 0; c < source.columns; ++c)
          std::memcpy(to + c * item, from + c * source.column_stride, static_cast<size_t>(item));
      }
    }
  }
}

void Feeder::start_gather(int64_t part) {
  if (part >= parts_) return;
  char* to = slot(part).host->as<char>();
  slot(part).gathered = std::async(std::launch::async, [this, part, to] { gather(part, to); });
}

void Feeder::start_copy(int64_t part) {
  if (part >= parts_) return;
  Slot& s = slot(part);
  s.gathered.get();
  upload(copies_, s.device->data(), s.host->as<char>(),
         static_cast<size_t>(rows(part) * row_bytes_));
  s.copied->record(copies_);
}

Feeder::Part Feeder::next() {
  Part part;
  if (part_ >= parts_) return part;
  part.begin = part_ * part_steps_;
  part.steps = std::min(part_steps_, steps_ - part.begin);
  part.rows = rows(part_);
  part.context = first_;
  part.context.first_row = 0;
  part.context.order = nullptr;
  part.context.data_set = 0;
  part.context.step += static_cast<uint64_t>(part.begin);
  const char* at = slot(part_).device->as<const char>();
  for (int i = 0; i < sources_; ++i) {
    ops::Source source = first_.sources[i];
    const int64_t bytes = sample_bytes(source);
    if (bytes > 0) source.data = at;
    source.rows = part.rows;
    source.row_stride = bytes;
    source.column_stride = ops::item_bytes(source.dtype);
    at += part.rows * bytes;
    part.sources.push_back(source);
  }
  slot(part_).copied->hold(*stream_);
  ++part_;
  return part;
}

// The slot that is copied to belongs to the part before the last one, which has been waited for; the one that is
// gathered into, to the last one, whose copy is over when its event is.
void Feeder::prefetch() {
  start_copy(part_);
  if (part_ > 0) slot(part_ + 1).copied->wait();
  start_gather(part_ + 1);
}

}  // namespace dnnfast::cuda
