#pragma once
// What changes from step to step. Everything else about an op is fixed when the plan is made.

#include <cstdint>

namespace dnnfast::ops {

enum class DType : int { f32, f64, f16, u8, i8, u16, i16, u32, i32, u64, i64, boolean };

inline constexpr int64_t item_bytes(DType dtype) {
  switch (dtype) {
    case DType::u8:
    case DType::i8:
    case DType::boolean: return 1;
    case DType::f16:
    case DType::u16:
    case DType::i16: return 2;
    case DType::f32:
    case DType::u32:
    case DType::i32: return 4;
    case DType::f64:
    case DType::u64:
    case DType::i64: break;
  }
  return 8;
}

// Caller's array of samples, read in place. A sample is `columns` elements, `column_stride` bytes
// apart; samples are `row_stride` bytes apart. Strides may be negative or zero.
struct Source {
  const void* data = nullptr;
  DType dtype = DType::f32;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t row_stride = 0;
  int64_t column_stride = 0;
  uint64_t stream = 0;  // of a GPU, whose work the array comes from; 0: it is complete
};

// Per-step scalars of an optimizer, computed on the host in double (engine/schedule.h).
struct OptimizerScalars {
  float learning_rate = 0.0f;
  float decay_rate = 0.0f;      // of decoupled decay: the learning rate without a warm-up
  float alpha = 0.0f;           // Adam: bias-corrected rate; Nadam: coefficient of m
  float gradient_alpha = 0.0f;  // Nadam: coefficient of g
  float second_alpha =
      0.0f;               // Nadam: 1 / (1 - beta_2^t); engine/schedule.cpp has those of the others
  float momentum = 0.0f;  // or beta_1
  float one_minus_momentum = 1.0f;
  float average_share = 0.0f;  // of the weights in their new average
  float loss_scale = 1.0f;     // what loss gradients were multiplied by
  bool updates = true;         // false: gradients are only accumulated
  bool overwrites = false;     // the weights become their average
};

// Optimizers of one model: each has its own parameters.
inline constexpr int kMostOptimizers = 8;
inline constexpr OptimizerScalars kNoScalars[kMostOptimizers] = {};

struct StepContext {
  int64_t batch = 0;                // samples in this step
  int64_t first_row = 0;            // position in `order` (or in the data) of the first sample
  const int64_t* order = nullptr;   // permutation of the data set, or null: as stored
  const Source* sources = nullptr;  // inputs, then targets, then sample weights
  uint64_t data_set = 0;  // the same number: the same arrays with the same values; 0: unknown
  uint64_t seed = 0;
  uint64_t step = 0;  // iterations since the model was made: the random bits' clock
  // Passes over the repeated part of a program, and the one that runs: its clock is step + sample *
  // sample_stride.
  int64_t samples = 1;
  int64_t sample = 0;
  uint64_t sample_stride = 1;
  const OptimizerScalars* scalars = kNoScalars;  // of this step, by optimizer
  float* const* outputs = nullptr;               // where predictions go, one array an output
  double* totals = nullptr;                      // running sums of the epoch, see ops/metric.h
};

}  // namespace dnnfast::ops
