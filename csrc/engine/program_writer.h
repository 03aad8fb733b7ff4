#pragma once
// Writes the program of a plan, op by op. What is shared by the parts of it: forward.cpp (the groups), loss.cpp
// (losses, metrics, totals), autodiff.cpp (the backward pass), update.cpp (the optimizer).

#include <vector>

#include "engine/array.h"
#include "engine/plan.h"

namespace dnnfast::engine {

// A matrix in a numbered buffer.
struct Value {
  int buffer = -1;
  BatchMatrix matrix;
  explicit operator bool() const { return buffer >= 0; }
};

// What the backward pass of a group needs from its forward pass.
struct Saved {
  Value activation;  // saved tensor of the pointwise epilogue; may be the output itself
  int mean = -1, variance = -1, rstd = -1;  // batchnorm statistics (buffers)
  bool updated = false;                     // the backward op moves the moving statistics
};

// Where the sums over passes of an output lie (buffers; -1: it is the same in every pass).
struct SumBuffers {
  int shift = -1, sum = -1, square = -1;
};

class ProgramWriter {
 public:
  ProgramWriter(const Graph& graph, const Lowered& lowered, ParameterStore& parameters,
                const Plan::Request& request, BufferPlanner& buffers);

  // Writes the whole program. Call once per pass.
  ops::Program write();
  // Where it says whether gradients were finite; null: it does not.
  const double* not_finite() const { return not_finite_; }
  int64_t not_finite_count() const { return not_finite_count_; }

 private:
  // forward.cpp
  void gather_inputs();
  void gather(int tensor);
  void gather_rows(int tensor, int source, const std::string& name);
  void forward(size_t group);
  void forward_dense(size_t group);
  void forward_batchnorm(size_t group);
  void forward_merge(size_t group);
  Value save_for_backward(size_t group, const Value& y);
  void scatter_outputs();

  // array.cpp
  void forward_array(size_t group);
  void forward_index(size_t group, const std::vector<ArrayView>& x, const ArrayView& y);
  void forward_join(size_t group);
  void assign(AssignTime time);

  // array_calls.cpp
  ArrayView array_in(int tensor, const Value& memory) const;
  ArrayView read_array(int tensor);  // of a parameter in panels: of a copy
  ArrayView temporary_array(const Shape& shape);
  void panels(int parameter, float* data, const ArrayView& array, bool to_panels, bool accumulate);
  ops::Tape keep_tape(std::vector<ops::Instruction> code);
  void map_array(const MapCall& call);
  void copy_array(const ArrayView& from, const ArrayView& to, bool accumulate,
                  const std::string& name);
  void fill_array(const ArrayView& y, float number, const std::string& name);
  void clear_padding(const ArrayView& y, const std::string& name);
  void reshape_array(const ArrayView& x, const ArrayView& y, bool accumulate,
                     const std::string& name);
  void multiply_arrays(const ArrayView& a, const ArrayView& b, const ArrayView& y, bool accumulate,
                       const std::string& name);
  void gather_array(const Node& node, const ArrayView& x, const ArrayView& index,
                    const ArrayView& y, bool accumulate);
  void scatter_array(const Node& node, const ArrayView& values, const ArrayView& index,
                     const ArrayView& y);

  struct GradientTerm {
    ArrayView view;
    bool accumulate = false;
    int parameter = -1;  // its gradient is in panels: the view is of a temporary
    bool parameter_accumulate = false;
  };

  // array_batch.cpp
  ArrayView positions_along(const BatchPositions& p, const std::string& name);
  bool view_from_end(const Node& node, const ArrayView& x, const Shape& size, EndView& found);
  void forward_view(const Node& node, const ArrayView& x, const ArrayView& y);
  void join_batches(const std::string& name, size_t axis, int64_t before, const ArrayView& x,
                    const ArrayView& y);
  void split_batches(const std::string& name, size_t axis, int64_t before, const ArrayView& dy,
                     const GradientTerm& term);

  // array_gradient.cpp
  bool wants_gradient(int tensor) const;
  GradientTerm begin_term(int tensor, bool covers = true);
  void end_term(const GradientTerm& term);
  void backward_array(size_t group);
  void backward_map(const Group& group, const ArrayView& dy, const Shape& space);
  void map_term(const Group& group, size_t input, const std::vector<ArrayView>& operands,
                const Shape& space);
  void backward_reduce(const Group& group, const ArrayView& dy);
  void backward_extremum(const Group& group, const ArrayView& dy, const Shape& space);
  void backward_total_product(const Group& group, const ArrayView& dy, const Shape& space);
  void backward_view(const Group& group, const ArrayView& dy);
  void backward_product(const Group& group, const ArrayView& dy);
  void product_term(const Group& group, size_t input, const ArrayView& a, const ArrayView& b);
  void backward_index(const Group& group, const ArrayView& dy);
  void backward_join(const Group& group, const ArrayView& dy);
  void sum_to(const ArrayView& from, const GradientTerm& term, const std::string& name);

  // samples.cpp
  void begin_samples();
  void finish_samples();
  ops::SampleSums sums_at(const SumBuffers& sums);

  // loss.cpp
  void gather_targets();
  void losses();
  void loss(size_t i);
  void metrics();
  void totals();
  bool sparse_target(int target) const;
  int target_like(int target) const;
  int weights_of(int target) const {
    return target < 0 ? -1 : weight_buffers_[static_cast<size_t>(target)];
  }

  // autodiff.cpp
  void find_differentiable();
  bool needs_gradient(int tensor) const { return needs_gradient_[static_cast<size_t>(tensor)]; }
  Value gradient_of(int tensor);
  Value gradient_in(int tensor, const Value& spent);
  bool first_contribution(int tensor);  // counts it
  bool fold_pointwise_into(int tensor, ops::PointwiseGradient& gradient, std::vector<int>& used);
  Value pointwise_gradient(size_t group);
  void backward(size_t group);
  void backward_dense(size_t group);
  void backward_batchnorm(size_t group);
  void backward_merge(size_t group);
  bool accumulates(int parameter);

  // update.cpp
  void penalties();
  void begin_update();
  void finish_update();
  void update();
  void regularise_gradients();
  bool prepare_gradients(size_t optimizer);
  void step(size_t optimizer);
  void directions(size_t optimizer);
  void make_orthogonal(size_t optimizer, int32_t segment);
  ops::FusedUpdate fused_update(int parameter);  // empty if another pass must do it
  ops::BatchNormUpdate moving_statistics(size_t group);

  // Shared.
  Value make(int tensor);
  Value value(int tensor) const { return values_[static_cast<size_t>(tensor)]; }
  BatchMatrix matrix_of(const Shape& shape) const;
  int vector_buffer(int64_t floats);
  float* address(int buffer) { return buffer < 0 ? nullptr : buffers_.address(buffer); }
  int parameter_of(int tensor) const;  // its index; checks that it is one
  int64_t capacity_rows(const BatchMatrix& m) const {
    return request_.batch_capacity * m.rows_per_sample;
  }
  ops::PointwiseGradient pointwise_of(size_t group) const;
  // Appends a call; `used` are the buffers it touches. independent: needs no barrier before it.
  void emit(ops::Op op, const std::string& name, const std::string& reason, std::vector<int> used,
            bool independent = false);
  void use(const std::vector<int>& buffers);
  // The same for an op that works on the columns of `shared`, which the last call has written.
  void emit_follower(ops::Op op, const BatchMatrix& shared, const std::string& name,
                     const std::string& reason, std::vector<int> used);
  // Keeps a call until the next barrier has passed.
  void defer(ops::Op op, const std::string& name, const std::string& reason, std::vector<int> used);
  void flush_deferred();
  void settle();  // what was deferred runs before what comes next

  const Graph& graph_;
  const Lowered& lowered_;
  ParameterStore& parameters_;
  Plan::Request request_;
  BufferPlanner& buffers_;
  SourceMap sources_;
  TotalsMap totals_;
  ops::Program program_;
  std::vector<ops::Call>* calls_ = nullptr;
  int phase_ = 0;

  std::vector<Value> values_, gradients_;                     // by tensor
  std::vector<bool> has_gradient_, folded_, needs_gradient_;  // by tensor
  std::vector<int> producer_, readers_, gradient_terms_;      // by tensor: its group, how many ops
  // read it and how many of them add to its gradient
  std::vector<Saved> saved_;             // by group
  std::vector<bool> parameter_written_;  // its gradient already has a term this step
  std::vector<int> parameter_readers_;   // by parameter: how many groups use it
  std::vector<bool> parameter_updated_;  // the op that makes its gradient updates it
  std::vector<Value> target_values_;
  std::vector<int> label_buffers_, weight_buffers_;
  std::vector<int> loss_rows_, metric_rows_;
  std::vector<std::pair<int, Value>> extra_gradients_;  // tensor, a further term of its gradient
  std::vector<SumBuffers> sample_sums_;                 // by output
  std::vector<int> repeated_uses_;                      // buffers that the repeated part uses
  int first_repeated_buffer_ = 0;  // those from it on are made anew in each pass
  // Passes over the parameters that no op updates by itself, by optimizer; the buffers that they share.
  struct Pass {
    ops::OptimizerStep step;
    int chunk_sums = -1, direction_sums = -1;
  };
  std::vector<Pass> passes_;
  int not_finite_buffer_ = -1;
  double* not_finite_ = nullptr;
  int64_t not_finite_count_ = 0;
  int step_loss_ = -1, chunk_sums_ = -1;
  bool next_independent_ = false;
  std::vector<std::pair<ops::Call, std::vector<int>>> deferred_;  // and the buffers they use
};

}  // namespace dnnfast::engine
