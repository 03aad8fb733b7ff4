#include "cuda/sim/schedule.h"

#include <chrono>
#include <deque>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace {

// What an event stands for: set when the stream it was recorded in has come to it.
struct Mark {
  bool done = false;
  std::chrono::steady_clock::time_point time;
};

struct Task {
  dnnfast::cuda::sim::Work work;
  std::shared_ptr<Mark> waits_for;  // or null
};

}  // namespace

struct cudaGraphNode_st {
  cudaGraphNodeType type;
  dnnfast::cuda::sim::Work work;
  std::vector<size_t> after;  // nodes that come before it
};

struct cudaGraph_st {
  std::vector<std::unique_ptr<cudaGraphNode_st>> nodes;
};

struct cudaGraphExec_st {
  std::vector<cudaGraphNode_st> nodes;
};

namespace {

struct Capture {
  cudaGraph_st graph;
  cudaStream_t origin;
};

}  // namespace

struct cudaStream_st {
  int device;
  std::deque<Task> tasks;
  std::shared_ptr<Capture> capture;  // or null
  std::vector<size_t> last;          // while captured: the nodes that the next one comes after
};

struct cudaEvent_st {
  std::shared_ptr<Mark> mark;
  std::shared_ptr<Capture> capture;  // recorded while capturing: after these nodes
  std::vector<size_t> after;
};

namespace dnnfast::cuda::sim {
namespace {

struct State {
  std::vector<std::unique_ptr<cudaStream_st>> streams;
  std::mt19937_64 random;
  cudaError_t last_error = cudaSuccess;
  bool broken = false;  // a kernel failed: as on a device, nothing works from then on
  std::string failure;
};

thread_local int current_device = 0;  // each thread of the host chooses its own

State& state() {
  static State instance = [] {
    State s;
    s.random.seed(settings().seed);
    return s;
  }();
  return instance;
}

size_t draw_below(size_t count) {
  if (settings().seed == 0 || count < 2) return 0;
  return std::uniform_int_distribution<size_t>(0, count - 1)(state().random);
}

bool known(cudaStream_t stream) {
  for (const auto& s : state().streams)
    if (s.get() == stream) return true;
  return false;
}

void run(const Work& work) {
  if (!work || state().broken) return;
  const DeviceAccess access;
  std::string failure = work();
  if (failure.empty()) return;
  state().failure = std::move(failure);
  state().broken = true;
}

bool runnable(const cudaStream_st& stream) {
  return !stream.tasks.empty() &&
         (!stream.tasks.front().waits_for || stream.tasks.front().waits_for->done);
}

// Whether there was something to run.
bool run_one() {
  std::vector<cudaStream_st*> candidates;
  for (const auto& stream : state().streams)
    if (runnable(*stream)) candidates.push_back(stream.get());
  if (candidates.empty()) return false;
  cudaStream_st& chosen = *candidates[draw_below(candidates.size())];
  const Task task = std::move(chosen.tasks.front());
  chosen.tasks.pop_front();
  run(task.work);
  return true;
}

cudaError_t outcome() { return state().broken ? remember(cudaErrorLaunchFailure) : cudaSuccess; }

template <class Done>
cudaError_t run_until(Done done) {
  while (!done())
    if (!run_one()) return remember(cudaErrorIllegalState);
  return outcome();
}

// All nodes, each after those it depends on.
std::string run_nodes(const std::vector<cudaGraphNode_st>& nodes) {
  std::vector<size_t> missing(nodes.size()), ready;
  std::vector<std::vector<size_t>> before(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    missing[i] = nodes[i].after.size();
    for (size_t j : nodes[i].after) before[j].push_back(i);
    if (missing[i] == 0) ready.push_back(i);
  }
  while (!ready.empty()) {
    const size_t at = draw_below(ready.size());
    const size_t i = ready[at];
    ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(at));
    std::string failure = nodes[i].work();
    if (!failure.empty()) return failure;
    for (size_t next : before[i])
      if (--missing[next] == 0) ready.push_back(next);
  }
  return {};
}

}  // namespace

const std::string& failure() { return state().failure; }

void recover() {
  for (const auto& stream : state().streams) {
    stream->tasks.clear();
    stream->capture = nullptr;
  }
  state().broken = false;
  state().failure.clear();
  state().last_error = cudaSuccess;
  state().random.seed(settings().seed);
}

uint64_t draw_seed() { return settings().seed == 0 ? 0 : state().random() | 1; }

cudaError_t remember(cudaError_t error) {
  state().last_error = error;
  return error;
}

bool capturing(cudaStream_t stream) { return known(stream) && stream->capture != nullptr; }

cudaError_t enqueue(cudaStream_t stream, cudaGraphNodeType type, Work work) {
  if (!known(stream) || stream->device != current_device)
    return remember(cudaErrorInvalidResourceHandle);
  if (state().broken) return remember(cudaErrorLaunchFailure);
  if (!stream->capture) {
    stream->tasks.push_back({std::move(work), nullptr});
    return cudaSuccess;
  }
  auto& nodes = stream->capture->graph.nodes;
  nodes.push_back(
      std::make_unique<cudaGraphNode_st>(cudaGraphNode_st{type, std::move(work), stream->last}));
  stream->last = {nodes.size() - 1};
  return cudaSuccess;
}

cudaError_t drain(cudaStream_t stream) {
  if (stream != nullptr && !known(stream)) return remember(cudaErrorInvalidResourceHandle);
  for (const auto& s : state().streams)
    if (s->capture && (stream == nullptr || s.get() == stream))
      return remember(cudaErrorStreamCaptureUnsupported);
  return run_until([&] {
    if (stream) return stream->tasks.empty();
    for (const auto& s : state().streams)
      if (!s->tasks.empty()) return false;
    return true;
  });
}

}  // namespace dnnfast::cuda::sim

using namespace dnnfast::cuda::sim;

cudaError_t cudaGetLastError() { return std::exchange(state().last_error, cudaSuccess); }

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= settings().devices) return remember(cudaErrorInvalidDevice);
  current_device = device;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() { return drain(nullptr); }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  state().streams.push_back(std::make_unique<cudaStream_st>());
  state().streams.back()->device = current_device;
  *stream = state().streams.back().get();
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (const cudaError_t error = drain(stream); error == cudaErrorInvalidResourceHandle)
    return error;
  std::erase_if(state().streams, [&](const auto& s) { return s.get() == stream; });
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return stream ? drain(stream) : remember(cudaErrorInvalidResourceHandle);
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (!known(stream)) return remember(cudaErrorInvalidResourceHandle);
  return stream->tasks.empty() ? outcome() : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (!known(stream)) return remember(cudaErrorInvalidResourceHandle);
  if (!event->capture) {
    if (stream->capture) return remember(cudaErrorStreamCaptureUnsupported);
    if (event->mark) stream->tasks.push_back({{}, event->mark});
    return cudaSuccess;
  }
  if (stream->capture && stream->capture != event->capture)
    return remember(cudaErrorStreamCaptureUnsupported);
  if (!stream->capture) stream->last.clear();
  stream->capture = event->capture;
  stream->last.insert(stream->last.end(), event->after.begin(), event->after.end());
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new cudaEvent_st;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (!known(stream)) return remember(cudaErrorInvalidResourceHandle);
  event->capture = stream->capture;
  event->after = stream->last;
  if (stream->capture) return cudaSuccess;
  event->mark = std::make_shared<Mark>();
  stream->tasks.push_back({[mark = event->mark] {
                             mark->done = true;
                             mark->time = std::chrono::steady_clock::now();
                             return std::string();
                           },
                           nullptr});
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (event->capture) return remember(cudaErrorStreamCaptureUnsupported);
  return run_until([&] { return !event->mark || event->mark->done || state().broken; });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return !event->mark || event->mark->done ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  if (!start->mark || !end->mark) return remember(cudaErrorInvalidResourceHandle);
  if (!start->mark->done || !end->mark->done) return remember(cudaErrorNotReady);
  *milliseconds =
      std::chrono::duration<float, std::milli>(end->mark->time - start->mark->time).count();
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (!known(stream)) return remember(cudaErrorInvalidResourceHandle);
  if (stream->capture) return remember(cudaErrorIllegalState);
  stream->capture = std::make_shared<Capture>();
  stream->capture->origin = stream;
  stream->last.clear();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (!known(stream) || !stream->capture || stream->capture->origin != stream)
    return remember(cudaErrorStreamCaptureUnmatched);
  const std::shared_ptr<Capture> capture = std::move(stream->capture);
  stream->capture = nullptr;
  // Nodes that something in the stream comes after, however indirectly.
  auto& nodes = capture->graph.nodes;
  std::vector<bool> reached(nodes.size(), false);
  for (size_t i : stream->last) reached[i] = true;
  for (size_t i = nodes.size(); i-- > 0;)
    if (reached[i])
      for (size_t before : nodes[i]->after) reached[before] = true;
  bool joined = true;
  for (const auto& other : state().streams) {
    if (other->capture != capture) continue;
    for (size_t i : other->last) joined = joined && reached[i];
    other->capture = nullptr;
    other->last.clear();
  }
  stream->last.clear();
  if (!joined) return remember(cudaErrorStreamCaptureUnjoined);
  *graph = new cudaGraph_st{std::move(nodes)};
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new cudaGraphExec_st;
  for (const auto& node : graph->nodes) (*exec)->nodes.push_back(*node);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  // The nodes are copied: a graph may be destroyed while a launch of it waits to run.
  return enqueue(stream, cudaGraphNodeTypeKernel,
                 [nodes = exec->nodes] { return run_nodes(nodes); });
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  const size_t room = nodes ? *count : 0;
  *count = graph->nodes.size();
  for (size_t i = 0; i < room && i < *count; ++i) nodes[i] = graph->nodes[i].get();
  return cudaSuccess;
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, cudaGraphNodeType* type) {
  *type = node->type;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}
