#include "engine/parameters.h"

#include <algorithm>

#include "core/error.h"

namespace dnnfast::engine {
namespace {

// Weights of dense ops are kept in panels, everything else as one padded vector.
std::vector<bool> find_panels(const Graph& graph) {
  std::vector<bool> panels(graph.parameters.size(), false);
  for (const Node& node : graph.nodes) {
    if (node.op != "dense") continue;
    const Tensor& w = graph.tensors[static_cast<size_t>(node.inputs[1])];
    if (w.kind == TensorKind::parameter) panels[static_cast<size_t>(w.index)] = true;
  }
  return panels;
}

size_t bytes_of(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }

}  // namespace

ParameterStore::ParameterStore(const Graph& graph, ops::Backend& backend)
    : graph_(graph), backend_(backend), panel_width_(backend.panel_width()) {
  for (const Optimizer& optimizer : graph.optimizers) slot_maps_.push_back(slot_map(optimizer));
  const std::vector<bool> panels = find_panels(graph);
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const Parameter& spec = graph.parameters[i];
    Place place;
    place.shape = spec.shape;
    place.trainable = spec.trainable;
    place.panels = panels[i];
    place.size = panels[i] ? spec.shape[0] * round_up(spec.shape[1], kColumnPadding)
                           : round_up(elements(spec.shape), kColumnPadding);
    places_.push_back(place);
  }
  for (bool trainable : {true, false}) {
    for (size_t i = 0; i < places_.size(); ++i) {
      Place& place = places_[i];
      if (place.trainable != trainable) continue;
      place.offset = total_size_;
      total_size_ += place.size;
      if (trainable) add_segment(graph, i);
    }
    if (trainable) trainable_size_ = total_size_;
  }
  parameters_ = backend_.allocate(bytes_of(total_size_));
}

void ParameterStore::add_segment(const Graph& graph, size_t i) {
  const Parameter& spec = graph.parameters[i];
  Place& place = places_[i];
  place.segment = static_cast<int32_t>(segments_.size());
  ops::Segment segment;
  segment.offset = place.offset;
  segment.size = place.size;
  segment.l1 = static_cast<float>(spec.l1);
  segment.l2 = static_cast<float>(spec.l2);
  segment.elements = elements(spec.shape);
  if (graph.has_optimizer()) {
    const auto k = static_cast<size_t>(spec.optimizer);
    segment.weight_decay = static_cast<float>(weight_decay(graph.optimizers[k], spec));
    if (takes_matrix(graph.optimizers[k], spec)) {
      const int64_t cols = spec.shape.back(), rows = spec.shape[spec.shape.size() - 2];
      segment.matrix = {segment.elements / (rows * cols), rows, cols,
                        place.panels ? panel_width_ : 0};
    }
    if (slot_maps_[k].factored) {
      segment.factors = factor_size_;
      factor_size_ += segment.matrix
                          ? ops::row_factors(segment.matrix) + ops::column_factors(segment.matrix)
                          : segment.size;
    }
  }
  segments_.push_back(segment);
  for (int64_t at = 0; at < place.size; at += ops::kChunk)
    chunks_.push_back({place.offset + at, std::min(ops::kChunk, place.size - at), place.segment});
}

int64_t ParameterStore::total_bytes() const {
  int64_t bytes = static_cast<int64_t>(parameters_->bytes());
  if (gradients_) bytes += static_cast<int64_t>(gradients_->bytes());
  for (const auto& slot : slots_) bytes += static_cast<int64_t>(slot->bytes());
  if (factors_) bytes += static_cast<int64_t>(factors_->bytes());
  return bytes;
}

float* ParameterStore::gradient(size_t i) const {
  if (!gradients_ || !places_[i].trainable) return nullptr;
  return static_cast<float*>(gradients_->data()) + places_[i].offset;
}

PanelMatrix ParameterStore::panels(size_t i, float* data) const {
  return {data, places_[i].shape[0], places_[i].shape[1], panel_width_};
}

void ParameterStore::prepare_training() {
  if (!gradients_) gradients_ = backend_.allocate(bytes_of(trainable_size_));
  if (prepared_) return;
  size_t arrays = 0;
  for (const SlotMap& map : slot_maps_) arrays = std::max(arrays, map.arrays.size());
  while (slots_.size() < arrays) slots_.push_back(backend_.allocate(bytes_of(trainable_size_)));
  if (factor_size_ > 0) factors_ = backend_.allocate(bytes_of(factor_size_));
  for (size_t i = 0; i < places_.size(); ++i)
    if (places_[i].trainable && graph_.has_optimizer()) start_slots(i);
  prepared_ = true;
}

void ParameterStore::clear_gradients() {
  const std::vector<float> zeros(static_cast<size_t>(trainable_size_));
  backend_.upload(gradients_->data(), zeros.data(), bytes_of(trainable_size_));
}

// State that does not start at zero, padding included.
void ParameterStore::start_slots(size_t i) {
  const Place& place = places_[i];
  const auto& arrays = slot_maps_[static_cast<size_t>(graph_.parameters[i].optimizer)].arrays;
  for (size_t s = 0; s < arrays.size(); ++s) {
    float* const to = slot_data(static_cast<int>(s)) + place.offset;
    if (arrays[s].from_weights)
      copy_in(to, parameter(i), place.size);
    else if (arrays[s].initial != 0) {
      const std::vector<float> values(static_cast<size_t>(place.size),
                                      static_cast<float>(arrays[s].initial));
      backend_.upload(to, values.data(), bytes_of(place.size));
    }
  }
}

std::vector<Slot> ParameterStore::slots(size_t i) const {
  const Place& place = places_[i];
  std::vector<Slot> found;
  if (!place.trainable || slot_maps_.empty()) return found;
  const SlotMap& map = slot_maps_[static_cast<size_t>(graph_.parameters[i].optimizer)];
  const ops::Segment& segment = segments_[static_cast<size_t>(place.segment)];
  for (size_t s = 0; s < map.arrays.size(); ++s)
    if (map.arrays[s].of_matrices || !segment.matrix)
      found.push_back({map.arrays[s].name, place.shape, static_cast<int>(s), 0});
  if (!map.factored) return found;
  if (!segment.matrix) {
    found.push_back({"velocity", place.shape, -1, segment.factors});
    return found;
  }
  Shape rows(place.shape.begin(), place.shape.end() - 1), columns = rows;
  columns.back() = place.shape.back();
  found.push_back({"row_factor", rows, -1, segment.factors});
  found.push_back(
      {"column_factor", columns, -1, segment.factors + ops::row_factors(segment.matrix)});
  return found;
}

float* ParameterStore::slot_place(size_t i, const Slot& slot) const {
  if (slot.array >= 0) return slot_data(slot.array) + places_[i].offset;
  return static_cast<float*>(factors_->data()) + slot.offset;
}

void ParameterStore::import_slot(size_t i, const Slot& slot, const float* values) {
  prepare_training();
  if (slot.array >= 0) return import_values(i, values, slot_place(i, slot));
  copy_in(slot_place(i, slot), values, elements(slot.shape));
}

void ParameterStore::export_slot(size_t i, const Slot& slot, float* values) const {
  if (slot.array >= 0) return export_values(i, slot_place(i, slot), values);
  backend_.download(values, slot_place(i, slot), bytes_of(elements(slot.shape)));
}

ops::OptimizerArrays ParameterStore::arrays(int optimizer) const {
  ops::OptimizerArrays arrays;
  arrays.parameters = parameters_data();
  arrays.gradients = gradients_ ? static_cast<float*>(gradients_->data()) : nullptr;
  arrays.segments = segments_.data();
  arrays.segment_count = static_cast<int64_t>(segments_.size());
  arrays.chunks = chunks_.data();
  arrays.chunk_count = static_cast<int64_t>(chunks_.size());
  if (optimizer < 0) return arrays;
  const SlotMap& map = slot_maps_[static_cast<size_t>(optimizer)];
  for (int s = 0; s < ops::kSlots; ++s) arrays.slots[s] = slot_data(map.position[s]);
  arrays.average = slot_data(map.average);
  arrays.accumulator = slot_data(map.accumulator);
  arrays.factors = factors_ ? static_cast<float*>(factors_->data()) : nullptr;
  return arrays;
}

// From the host or from the device.
void ParameterStore::copy_in(float* place, const float* values, int64_t floats) {
  backend_.copy_rows(place, bytes_of(floats), values, bytes_of(floats), bytes_of(floats), 1);
}

// Panel by panel: a copy of the whole parameter is never made.
void ParameterStore::import_values(size_t i, const float* values, float* place) {
  const Place& spec = places_[i];
  if (!spec.panels) {
    copy_in(place, values, elements(spec.shape));
    return;
  }
  const PanelMatrix w = panels(i, place);
  std::vector<float> packed;
  for (int64_t p = 0; p < w.panels(); ++p) {
    const int64_t width = w.panel_width(p), first = p * w.width;
    const int64_t present = std::min(width, w.out - first);
    packed.assign(static_cast<size_t>(w.in * width), 0.0f);
    for (int64_t r = 0; r < w.in; ++r)
      std::copy_n(values + r * w.out + first, present, packed.begin() + r * width);
    backend_.upload(w.panel(p), packed.data(), bytes_of(w.in * width));
  }
}

void ParameterStore::export_values(size_t i, const float* place, float* values) const {
  const Place& spec = places_[i];
  if (!spec.panels) {
    backend_.download(values, place, bytes_of(elements(spec.shape)));
    return;
  }
  const PanelMatrix w = panels(i, const_cast<float*>(place));
  std::vector<float> packed;
  for (int64_t p = 0; p < w.panels(); ++p) {
    const int64_t width = w.panel_width(p), first = p * w.width;
    const int64_t present = std::min(width, w.out - first);
    packed.resize(static_cast<size_t>(w.in * width));
    backend_.download(packed.data(), w.panel(p), bytes_of(w.in * width));
    for (int64_t r = 0; r < w.in; ++r)
      std::copy_n(packed.begin() + r * width, present, values + r * w.out + first);
  }
}

}  // namespace dnnfast::engine
