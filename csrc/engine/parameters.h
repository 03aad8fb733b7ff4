#pragma once
// All variables of a model in flat arrays with equal offsets: parameters, gradients, optimizer state.
// Trainable ones come first, so that optimizer work and an all-reduce are each one pass over one range.

#include <memory>
#include <vector>

#include "engine/graph.h"
#include "engine/optimizer.h"
#include "ops/backend.h"

namespace dnnfast::engine {

// One parameter's part of an array of optimizer state.
struct Slot {
  std::string name;
  Shape shape;
  int array = -1;      // -1: among the factors
  int64_t offset = 0;  // floats from the start of the factors
};

class ParameterStore {
 public:
  ParameterStore(const Graph& graph, ops::Backend& backend);

  size_t count() const { return places_.size(); }
  int64_t trainable_size() const { return trainable_size_; }  // floats, padding included
  int64_t total_bytes() const;

  // The parameter's own memory in the flat array, and the gradient's (null when frozen).
  float* parameter(size_t i) const { return parameters_data() + places_[i].offset; }
  float* gradient(size_t i) const;
  float* gradients() const { return static_cast<float*>(gradients_->data()); }  // trainable_size()
  ops::ModelMemory memory() const { return {parameters_data(), parameters_data() + total_size_}; }
  PanelMatrix panels(size_t i, float* data) const;
  bool in_panels(size_t i) const { return places_[i].panels; }
  bool trainable(size_t i) const { return places_[i].trainable; }
  int32_t segment(size_t i) const { return places_[i].segment; }

  // Gradients and state are made when training starts: a model that only predicts has none.
  void prepare_training();
  void clear_gradients();
  bool has_gradients() const { return gradients_ != nullptr; }
  // Those of a parameter, in the order of its optimizer; none of a frozen one.
  std::vector<Slot> slots(size_t i) const;
  bool has_slots() const { return prepared_; }
  float* slot_place(size_t i, const Slot& slot) const;
  void import_slot(size_t i, const Slot& slot, const float* values);
  void export_slot(size_t i, const Slot& slot, float* values) const;
  // As an optimizer sees them; -1: without its state.
  ops::OptimizerArrays arrays(int optimizer = -1) const;
  const std::vector<ops::Segment>& segments() const { return segments_; }

  // Between a flat array (given by its parameter's place in it) and the logical row-major shape.
  void import_values(size_t i, const float* values, float* place);
  void export_values(size_t i, const float* place, float* values) const;

 private:
  struct Place {
    int64_t offset = 0;
    int64_t size = 0;
    Shape shape;
    bool trainable = true;
    bool panels = false;
    int32_t segment = -1;  // of a trainable one
  };
  float* parameters_data() const { return static_cast<float*>(parameters_->data()); }
  float* slot_data(int array) const {
    return array < 0 ? nullptr : static_cast<float*>(slots_[static_cast<size_t>(array)]->data());
  }
  void add_segment(const Graph& graph, size_t i);
  void start_slots(size_t i);
  void copy_in(float* place, const float* values, int64_t floats);

  const Graph& graph_;
  ops::Backend& backend_;
  int64_t panel_width_;
  std::vector<Place> places_;
  int64_t trainable_size_ = 0;
  int64_t total_size_ = 0;
  std::vector<ops::Segment> segments_;
  std::vector<ops::Chunk> chunks_;
  std::unique_ptr<ops::Memory> parameters_, gradients_, factors_;
  int64_t factor_size_ = 0;
  bool prepared_ = false;
  std::vector<SlotMap> slot_maps_;  // by optimizer
  std::vector<std::unique_ptr<ops::Memory>> slots_;
};

}  // namespace dnnfast::engine
