// Whole trainings with different numbers of threads give the same bits. Under the thread sanitizer
// (tools/sanitize.sh) this also finds every barrier that is missing between the ops of a program.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "cpu/backend.h"
#include "cpu/thread_pool.h"
#include "engine/session.h"
#include "engine/shuffle.h"

namespace {

using namespace dnnfast;

constexpr int64_t kRows = 107, kInputs = 33, kClasses = 7;
constexpr int64_t kBatch = 20;  // the last one is short
constexpr int kEpochs = 8;

// Writes graphs op by op; inputs and results are tensor ids.
struct Writer {
  engine::Graph graph;

  int tensor(engine::TensorKind kind, size_t index, engine::Shape shape) {
    graph.tensors.push_back({kind, static_cast<int>(index), std::move(shape)});
    return static_cast<int>(graph.tensors.size()) - 1;
  }
  int input(int64_t size) {
    graph.inputs.push_back("x");
    return tensor(engine::TensorKind::input, graph.inputs.size() - 1, {size});
  }
  int parameter(engine::Shape shape, bool trainable = true) {
    graph.parameters.push_back(
        {"p" + std::to_string(graph.parameters.size()), shape, trainable, 1e-5, 1e-4, true});
    return tensor(engine::TensorKind::parameter, graph.parameters.size() - 1, shape);
  }
  int node(const std::string& op, std::vector<int> inputs, int64_t size,
           engine::Attributes attrs = {}) {
    const int output = tensor(engine::TensorKind::node, graph.nodes.size(), {size});
    graph.nodes.push_back(
        {op, op + std::to_string(graph.nodes.size()), std::move(inputs), std::move(attrs), output});
    return output;
  }
  int size(int id) const {
    return static_cast<int>(graph.tensors[static_cast<size_t>(id)].shape[0]);
  }

  int dense(int x, int64_t out) {
    return node("dense", {x, parameter({size(x), out}), parameter({out})}, out);
  }
  int activation(int x, const std::string& kind) {
    engine::Attributes attrs;
    attrs.set("kind", kind);
    attrs.set("alpha", 1.0);
    return node("activation", {x}, size(x), attrs);
  }
  int batchnorm(int x) {
    const engine::Shape shape{size(x)};
    engine::Attributes attrs;
    attrs.set("momentum", 0.9);
    attrs.set("epsilon", 1e-3);
    attrs.set("scale", 1.0);
    attrs.set("center", 1.0);
    return node(
        "batchnorm",
        {x, parameter(shape), parameter(shape), parameter(shape, false), parameter(shape, false)},
        size(x), attrs);
  }
  int dropout(int x, double stream) {
    engine::Attributes attrs;
    attrs.set("rate", 0.2);
    attrs.set("stream", stream);
    return node("dropout", {x}, size(x), attrs);
  }
};

// A graph with every kind of op, two paths that meet again, and a norm that is clipped.
engine::Graph make_graph(const std::string& optimizer) {
  Writer w;
  const int x = w.input(kInputs);
  const int a = w.dropout(w.activation(w.batchnorm(w.dense(x, 100)), "elu"), 0);
  const int b = w.activation(w.dense(a, 50), "relu");
  const int c = w.dropout(w.activation(w.dense(a, 50), "tanh"), 1);
  const int sum = w.node("add", {b, c}, 50);
  const int both = w.node("concatenate", {sum, x}, 50 + kInputs);
  const int y = w.node("softmax", {w.dense(both, kClasses)}, kClasses);
  w.graph.outputs = {y};
  w.graph.losses = {{engine::loss_kind("sparse_categorical_crossentropy"), y, 0}};
  w.graph.metrics = {{engine::metric_kind("sparse_categorical_accuracy"), y, 0}};
  w.graph.optimizers.push_back({engine::optimizer_kind(optimizer), {}});
  engine::Attributes& options = w.graph.optimizers[0].options;
  options.set("momentum", 0.9);
  options.set("global_clipnorm", 1.0);
  options.set("weight_decay", 0.01);
  return w.graph;
}

// A repeatable number in [-1, 1).
float noise(uint32_t i) {
  i = (i ^ 61u ^ (i >> 16)) * 9u;
  i = (i ^ (i >> 4)) * 0x27d4eb2du;
  return static_cast<float>(i ^ (i >> 15)) / 2147483648.0f - 1.0f;
}

struct Data {
  std::vector<float> x;
  std::vector<int64_t> labels;
  engine::DataView view;

  Data() : x(kRows * kInputs), labels(kRows) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = noise(static_cast<uint32_t>(i));
    for (size_t r = 0; r < labels.size(); ++r)
      labels[r] = static_cast<int64_t>((x[r * kInputs] + 1.0f) / 2.0f * kClasses) % kClasses;
    view.inputs = {{x.data(), ops::DType::f32, kRows, kInputs, kInputs * 4, 4}};
    view.targets = {{labels.data(), ops::DType::i64, kRows, 1, 8, 8}};
    view.weights = {ops::Source{}};
    view.rows = kRows;
  }
};

void initialize(engine::Session& session) {
  for (size_t i = 0; i < session.graph().parameters.size(); ++i) {
    const engine::Shape& shape = session.graph().parameters[i].shape;
    std::vector<float> values(static_cast<size_t>(engine::elements(shape)), 1.0f);
    if (shape.size() == 2)
      for (size_t j = 0; j < values.size(); ++j)
        values[j] = 0.1f * noise(static_cast<uint32_t>(j + 7919 * (i + 1)));
    session.set_parameter(i, values.data());
  }
}

// Everything that a training and its evaluation and prediction leave behind.
std::vector<double> train(const std::string& optimizer, int threads) {
  cpu::set_thread_count(threads);
  const Data data;
  engine::Session session(make_graph(optimizer), cpu::make_backend());
  session.seed = 5;
  initialize(session);
  const engine::StepRange epoch{0, (kRows + kBatch - 1) / kBatch, kBatch};
  const std::vector<engine::StepRate> rates(static_cast<size_t>(epoch.count), {0.003});
  std::vector<double> results;
  for (int e = 0; e < kEpochs; ++e) {
    std::vector<int64_t> order(kRows);
    engine::shuffle(kRows, session.seed, static_cast<uint64_t>(e), order.data());
    session.reset_totals();
    session.train(data.view, order.data(), epoch, rates);
    for (double value : session.totals()) results.push_back(value);
  }
  session.reset_totals();
  session.evaluate(data.view, epoch);
  for (double value : session.totals()) results.push_back(value);
  std::vector<float> prediction(kRows * kClasses);
  session.predict(data.view, epoch, {prediction.data()}, false, 0);
  results.insert(results.end(), prediction.begin(), prediction.end());
  return results;
}

}  // namespace

int main() {
  int failures = 0;
  for (const char* optimizer : {"sgd", "rmsprop", "adam", "nadam"}) {
    const std::vector<double> one = train(optimizer, 1);
    const double first = one[0], last = one[2 * (kEpochs - 1)];  // loss and accuracy each epoch
    const bool learns = std::isfinite(last) && last < first;
    if (!learns) std::fprintf(stderr, "%s: the loss went from %g to %g\n", optimizer, first, last);
    failures += !learns;
    for (int threads : {2, 3, 4}) {
      const std::vector<double> many = train(optimizer, threads);
      const bool same = many.size() == one.size() &&
                        std::memcmp(many.data(), one.data(), one.size() * sizeof(double)) == 0;
      if (!same) std::fprintf(stderr, "%s: other bits with %d threads\n", optimizer, threads);
      failures += !same;
    }
  }
  if (failures == 0) std::puts("training_test: ok");
  return failures != 0;
}
