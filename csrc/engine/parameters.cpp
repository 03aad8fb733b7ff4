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
    : backend_(backend), panel_width_(backend.panel_width()) {
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
      if (!trainable) continue;
      const Parameter& spec = graph.parameters[i];
      const double decay =
          spec.decay && graph.has_optimizer ? graph.optimizer.options.number("weight_decay", 0) : 0;
      place.segment = static_cast<int32_t>(segments_.size());
      segments_.push_back({place.offset, place.size, static_cast<float>(spec.l1),
                           static_cast<float>(spec.l2), static_cast<float>(decay)});
      for (int64_t at = 0; at < place.size; at += ops::kChunk)
        chunks_.push_back(
            {place.offset + at, std::min(ops::kChunk, place.size - at), place.segment});
    }
    if (trainable) trainable_size_ = total_size_;
  }
  parameters_ = backend_.allocate(bytes_of(total_size_));
}

int64_t ParameterStore::total_bytes() const {
  int64_t bytes = static_cast<int64_t>(parameters_->bytes());
  if (gradients_) bytes += static_cast<int64_t>(gradients_->bytes());
  for (const auto& slot : slots_) bytes += static_cast<int64_t>(slot->bytes());
  return bytes;
}

float* ParameterStore::gradient(size_t i) const {
  if (!gradients_ || !places_[i].trainable) return nullptr;
  return static_cast<float*>(gradients_->data()) + places_[i].offset;
}

PanelMatrix ParameterStore::panels(size_t i, float* data) const {
  return {data, places_[i].shape[0], places_[i].shape[1], panel_width_};
}

void ParameterStore::prepare_training(int slots) {
  if (!gradients_) gradients_ = backend_.allocate(bytes_of(trainable_size_));
  while (static_cast<int>(slots_.size()) < slots)
    slots_.push_back(backend_.allocate(bytes_of(trainable_size_)));
}

float* ParameterStore::slot(size_t s, size_t i) const {
  DNNFAST_CHECK(s < slots_.size() && places_[i].trainable, "slot ", s, " of parameter ", i);
  return static_cast<float*>(slots_[s]->data()) + places_[i].offset;
}

ops::OptimizerArrays ParameterStore::arrays() const {
  ops::OptimizerArrays arrays;
  arrays.parameters = parameters_data();
  arrays.gradients = gradients_ ? static_cast<float*>(gradients_->data()) : nullptr;
  arrays.segments = segments_.data();
  arrays.segment_count = static_cast<int64_t>(segments_.size());
  arrays.chunks = chunks_.data();
  arrays.chunk_count = static_cast<int64_t>(chunks_.size());
  return arrays;
}

// Panel by panel: a copy of the whole parameter is never made.
void ParameterStore::import_values(size_t i, const float* values, float* place) {
  const Place& spec = places_[i];
  if (!spec.panels) {
    backend_.upload(place, values, bytes_of(elements(spec.shape)));
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
