#include "cuda/self_test.h"

#include <cmath>
#include <map>
#include <mutex>
#include <vector>

#include "cuda/kernels.h"

#if !defined(DNNFAST_CUDA_ARCHITECTURES)
#define DNNFAST_CUDA_ARCHITECTURES "the simulation"
#endif

namespace dnnfast::cuda {
namespace {

// Odd sizes, so that every form meets its edges.
constexpr int64_t kRows = 37, kIn = 21, kOut = 18;

using Values = std::vector<float>;

struct HostMatrix {
  int64_t rows, cols, ld;
  Values values;

  HostMatrix(int64_t r, int64_t c)
      : rows(r), cols(c), ld(round_up(c, kColumnPadding)), values(static_cast<size_t>(r * ld)) {}
  float& at(int64_t r, int64_t c) { return values[static_cast<size_t>(r * ld + c)]; }
  float at(int64_t r, int64_t c) const { return values[static_cast<size_t>(r * ld + c)]; }
  // Integers from -half to half: their products and sums are exact.
  void fill(int64_t a, int64_t b, int64_t half) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; ++c)
        at(r, c) = static_cast<float>((r * a + c * b) % (2 * half + 1) - half);
  }
};

class DeviceTest {
 public:
  DeviceTest(std::shared_ptr<const Stream> stream, const std::string& name)
      : stream_(std::move(stream)), name_(name), x_(kRows, kIn), w_(kIn, kOut), dz_(kRows, kOut) {
    x_.fill(7, 3, 2);
    w_.fill(5, 3, 3);
    dz_.fill(3, 11, 2);
  }

  void run() {
    BatchMatrix x = batch(x_), dz = batch(dz_);
    PanelMatrix w{upload(w_), kIn, kOut, int64_t{1} << 40};
    operands_ = memory_.size();
    for (const ProductForm form :
         {ProductForm::narrow_tall, ProductForm::narrow_flat, ProductForm::narrow_wide,
          ProductForm::tiled_64, ProductForm::tiled_128, ProductForm::tf32_64,
          ProductForm::tf32_128, ProductForm::bfloat16_64, ProductForm::bfloat16_128}) {
      ops::DenseForward forward{x, w, nullptr, batch(dz_), {}, {}};
      expect(DenseForward(forward, form, -1), forward.y.data, product(), 0.0f, "product");
      ops::DenseBackwardInput backward{dz, w, batch(x_), {}, false};
      expect(DenseBackwardInput(backward, form), backward.dx.data, product_with_transposed(), 0.0f,
             "product with a transposed matrix");
    }
    for (const ProductForm form :
         {ProductForm::outer, ProductForm::tiled_64, ProductForm::tiled_128, ProductForm::tf32_64,
          ProductForm::tf32_128, ProductForm::bfloat16_64, ProductForm::bfloat16_128}) {
      ops::DenseBackwardWeight gradient;
      gradient.x = x;
      gradient.dz = dz;
      gradient.dw = {upload(w_), kIn, kOut, int64_t{1} << 40};
      expect(WeightGradient(gradient, form), gradient.dw.data, transposed_product(), 0.0f,
             "product of a transposed matrix");
    }
    ops::RowwiseForward softmax{ops::RowwiseKind::softmax, dz, batch(dz_)};
    expect(RowwiseForward{softmax}, softmax.y.data, softmax_rows(), 1e-6f, "softmax");
    ops::BatchNormForward norm;
    norm.x = dz;
    norm.y = batch(dz_);
    norm.mean = upload(HostMatrix(1, kOut));
    norm.variance = upload(HostMatrix(1, kOut));
    norm.rstd = upload(HostMatrix(1, kOut));
    expect(BatchNormForward(norm), norm.y.data, normalized_columns(), 1e-5f, "normalization");
  }

 private:
  float* upload(const HostMatrix& m) {
    const size_t bytes = m.values.size() * sizeof(float);
    memory_.push_back(std::make_unique<DeviceMemory>(stream_, bytes));
    cuda::upload(*stream_, memory_.back()->data(), m.values.data(), bytes);
    return memory_.back()->as<float>();
  }
  BatchMatrix batch(const HostMatrix& m) { return {upload(m), m.cols, m.ld, 1}; }

  template <class T>
  void expect(const T& task, const float* result, const HostMatrix& expected, float tolerance,
              const char* what) {
    Launch launch;
    launch.parts = launch.tasks = 1;
    launch.task[0] = task;
    launch.part[0].count = 1;
    launch.part[0].extent = task.extent();
    if constexpr (requires { task.form; }) {
      launch.part[0].piece_rows = piece_shape(task.form).rows;
      launch.part[0].piece_cols = piece_shape(task.form).cols;
    }
    Step step;
    step.context.batch = step.row_end = kRows;
    step.steps = 1;
    const DeviceMemory place(stream_, sizeof(Step));
    cuda::upload(*stream_, place.data(), &step, sizeof step);
    run_launch(
        *stream_, launch, {}, place.as<Step>(), launch.pieces(kRows),
        text("the start-up test of ", name_, " (built for ", DNNFAST_CUDA_ARCHITECTURES, ")"));
    Values found(expected.values.size());
    download(*stream_, found.data(), result, found.size() * sizeof(float));
    for (size_t i = 0; i < found.size(); ++i)
      if (!(std::fabs(found[i] - expected.values[i]) <= tolerance))
        fail(
            ErrorKind::state, name_, " computes wrong results: in its start-up test, element ", i,
            " of a ", what, " is ", found[i], " and not ", expected.values[i],
            ". Use another device, such as \"cpu\", and report this with the output of nvidia-smi");
    memory_.resize(operands_);  // the result's may go
  }

  // Element (r, c) is the sum of term(r, c, k) over k.
  template <class F>
  static HostMatrix sums(int64_t rows, int64_t cols, int64_t depth, F term) {
    HostMatrix y(rows, cols);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < cols; ++c)
        for (int64_t k = 0; k < depth; ++k) y.at(r, c) += term(r, c, k);
    return y;
  }
  HostMatrix product() const {
    return sums(kRows, kOut, kIn,
                [&](int64_t r, int64_t c, int64_t k) { return x_.at(r, k) * w_.at(k, c); });
  }
  HostMatrix product_with_transposed() const {
    return sums(kRows, kIn, kOut,
                [&](int64_t r, int64_t c, int64_t k) { return dz_.at(r, k) * w_.at(c, k); });
  }
  HostMatrix transposed_product() const {
    return sums(kIn, kOut, kRows,
                [&](int64_t r, int64_t c, int64_t k) { return x_.at(k, r) * dz_.at(k, c); });
  }
  HostMatrix softmax_rows() const {
    HostMatrix y(kRows, kOut);
    for (int64_t r = 0; r < kRows; ++r) {
      float sum = 0;
      for (int64_t c = 0; c < kOut; ++c) sum += std::exp(dz_.at(r, c));
      for (int64_t c = 0; c < kOut; ++c) y.at(r, c) = std::exp(dz_.at(r, c)) / sum;
    }
    return y;
  }
  HostMatrix normalized_columns() const {
    HostMatrix y(kRows, kOut);
    for (int64_t c = 0; c < kOut; ++c) {
      double mean = 0, variance = 0;
      for (int64_t r = 0; r < kRows; ++r) mean += static_cast<double>(dz_.at(r, c)) / kRows;
      for (int64_t r = 0; r < kRows; ++r)
        variance += std::pow(static_cast<double>(dz_.at(r, c)) - mean, 2) / kRows;
      for (int64_t r = 0; r < kRows; ++r)
        y.at(r, c) = static_cast<float>((static_cast<double>(dz_.at(r, c)) - mean) /
                                        std::sqrt(variance + 1e-3));
    }
    return y;
  }

  std::shared_ptr<const Stream> stream_;
  std::string name_;
  HostMatrix x_, w_, dz_;
  std::vector<std::unique_ptr<DeviceMemory>> memory_;
  size_t operands_ = 0;
};

}  // namespace

void test_device(const std::shared_ptr<const Stream>& stream, const std::string& name) {
  static std::mutex mutex;
  static std::map<int, bool> passed;
  const std::lock_guard lock(mutex);
  if (passed[stream->device()]) return;
  DeviceTest(stream, name).run();
  passed[stream->device()] = true;
}

}  // namespace dnnfast::cuda
