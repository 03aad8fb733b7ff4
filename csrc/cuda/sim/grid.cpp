#include "cuda/sim/grid.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "cuda/sim/fiber.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace dnnfast::cuda::sim {
namespace {

constexpr unsigned kBlocksAtOnce = 4;    // of a grid in random order
constexpr int64_t kPatience = 10000000;  // steps aside while nothing else happens

struct Block;

struct Thread {
  enum class State { ready, at_block_barrier, in_warp_operation };
  std::unique_ptr<Fiber> fiber;
  Block* block = nullptr;
  uint3 index;
  unsigned number = 0;  // in its block
  State state = State::ready;
  // While in a warp operation:
  WarpOperation operation = WarpOperation::meet;
  unsigned mask = 0;
  int source = 0;
  uint64_t value = 0;
};

struct Block {
  uint3 index;
  std::vector<Thread> threads;
  std::vector<float4> shared;
  unsigned alive = 0;
  unsigned at_barrier = 0;
};

uint3 unflatten(uint64_t i, const dim3& extent) {
  const uint64_t rest = i / extent.x;
  return {static_cast<unsigned>(i % extent.x), static_cast<unsigned>(rest % extent.y),
          static_cast<unsigned>(rest / extent.y)};
}

uint64_t volume(const dim3& extent) { return uint64_t{extent.x} * extent.y * extent.z; }

// Stacks are kept for the next grid.
std::vector<std::unique_ptr<Fiber>>& spare_fibers() {
  static std::vector<std::unique_ptr<Fiber>> spare;
  return spare;
}

class Grid {
 public:
  Grid(const GridShape& shape, uint64_t seed, const std::function<void()>& kernel)
      : shape_(shape), random_(seed), shuffles_(seed != 0), kernel_(kernel) {}

  std::string run();

  // For the thread that runs.
  void* shared(size_t bytes);
  void step_aside();
  void wait_for_block();
  uint64_t exchange(WarpOperation operation, unsigned mask, uint64_t value, int source);
  int lane() const { return static_cast<int>(current_->number % warpSize); }

 private:
  static void enter(void* thread);
  void start(uint64_t number);
  void end(Block* block);
  void finish(const Thread& thread);
  Thread* next_ready();
  void make_ready(Thread& thread);
  void release_block(Block& block);
  bool complete(const Thread& thread) const;
  void finish_exchange(Thread& thread);
  Thread* lane_of(const Thread& thread, int lane) const;
  void fail(const std::string& text) {
    if (error_.empty()) error_ = text;
  }
  void leave() { current_->fiber->leave(); }

  const GridShape shape_;
  std::mt19937_64 random_;
  const bool shuffles_;
  const std::function<void()>& kernel_;
  std::vector<std::unique_ptr<Block>> blocks_;  // that have started and not ended
  std::deque<Thread*> ready_;
  Thread* current_ = nullptr;
  int64_t patience_ = kPatience;
  std::string error_;
};

Grid* active = nullptr;

std::string Grid::run() {
  std::vector<uint64_t> order(volume(shape_.blocks));
  for (uint64_t i = 0; i < order.size(); ++i) order[i] = i;
  if (shuffles_) std::shuffle(order.begin(), order.end(), random_);
  const size_t most = shape_.cooperative ? order.size() : shuffles_ ? kBlocksAtOnce : 1;
  size_t started = 0;
  blockDim = shape_.threads;
  gridDim = shape_.blocks;
  while (error_.empty()) {
    while (started < order.size() && blocks_.size() < most) start(order[started++]);
    if (blocks_.empty()) break;
    current_ = next_ready();
    if (current_ == nullptr) {
      fail("threads of a block wait for each other for ever: not all reach the same barrier");
      break;
    }
    threadIdx = current_->index;
    blockIdx = current_->block->index;
    current_->fiber->resume();
    if (!current_->fiber->finished()) continue;
    patience_ = kPatience;
    finish(*current_);
  }
  while (!blocks_.empty()) end(blocks_.back().get());
  return error_;
}

void Grid::start(uint64_t number) {
  auto block = std::make_unique<Block>();
  block->index = unflatten(number, shape_.blocks);
  block->shared.resize((shape_.shared_bytes + sizeof(float4) - 1) / sizeof(float4));
  if (!block->shared.empty())
    std::memset(static_cast<void*>(block->shared.data()), 0xff,
                block->shared.size() * sizeof(float4));
  block->threads = std::vector<Thread>(volume(shape_.threads));
  block->alive = static_cast<unsigned>(block->threads.size());
  for (unsigned t = 0; t < block->alive; ++t) {
    Thread& thread = block->threads[t];
    if (spare_fibers().empty()) {
      thread.fiber = std::make_unique<Fiber>();
    } else {
      thread.fiber = std::move(spare_fibers().back());
      spare_fibers().pop_back();
    }
    thread.block = block.get();
    thread.index = unflatten(t, shape_.threads);
    thread.number = t;
    thread.fiber->start(&Grid::enter, &thread);
    ready_.push_back(&thread);
  }
  blocks_.push_back(std::move(block));
}

void Grid::end(Block* block) {
  for (Thread& thread : block->threads) spare_fibers().push_back(std::move(thread.fiber));
  std::erase_if(blocks_, [&](const std::unique_ptr<Block>& b) { return b.get() == block; });
}

// Those who wait may have waited for this thread alone.
void Grid::finish(const Thread& thread) {
  Block& block = *thread.block;
  if (--block.alive == 0) return end(&block);
  if (block.at_barrier == block.alive) return release_block(block);
  for (int i = 0; i < warpSize; ++i) {
    Thread* other = lane_of(thread, i);
    if (other && other->state == Thread::State::in_warp_operation && complete(*other))
      finish_exchange(*other);
  }
}

void Grid::enter(void*) { active->kernel_(); }

Thread* Grid::next_ready() {
  if (ready_.empty()) return nullptr;
  if (shuffles_) {
    const size_t chosen = std::uniform_int_distribution<size_t>(0, ready_.size() - 1)(random_);
    std::swap(ready_.front(), ready_[chosen]);
  }
  Thread* thread = ready_.front();
  ready_.pop_front();
  return thread;
}

void Grid::make_ready(Thread& thread) {
  thread.state = Thread::State::ready;
  ready_.push_back(&thread);
}

void* Grid::shared(size_t bytes) {
  if (bytes > shape_.shared_bytes) {
    fail("a kernel uses " + std::to_string(bytes) + " bytes of shared memory; the launch gave " +
         std::to_string(shape_.shared_bytes));
    leave();
  }
  return current_->block->shared.data();
}

void Grid::step_aside() {
  if (--patience_ < 0) fail("threads wait for ever for what no other thread does");
  // In the fixed order, turns change only where a thread may be waiting for another block.
  make_ready(*current_);
  leave();
}

void Grid::release_block(Block& block) {
  patience_ = kPatience;
  block.at_barrier = 0;
  for (Thread& thread : block.threads)
    if (thread.state == Thread::State::at_block_barrier) make_ready(thread);
}

void Grid::wait_for_block() {
  Block& block = *current_->block;
  current_->state = Thread::State::at_block_barrier;
  if (++block.at_barrier == block.alive) release_block(block);
  leave();
}

Thread* Grid::lane_of(const Thread& thread, int lane) const {
  const unsigned number = thread.number / warpSize * warpSize + static_cast<unsigned>(lane);
  std::vector<Thread>& threads = thread.block->threads;
  if (number >= threads.size() || threads[number].fiber->finished()) return nullptr;
  return &threads[number];
}

// Whether all lanes of the thread's operation that still exist have come to it. Those that are in another one
// may come later.
bool Grid::complete(const Thread& thread) const {
  for (int i = 0; i < warpSize; ++i) {
    if ((thread.mask >> i & 1u) == 0) continue;
    const Thread* other = lane_of(thread, i);
    const bool there = other && other->state == Thread::State::in_warp_operation &&
                       other->mask == thread.mask && other->operation == thread.operation;
    if (other && !there) return false;
  }
  return true;
}

void Grid::finish_exchange(Thread& thread) {
  uint64_t results[warpSize] = {};
  uint64_t ballot = 0;
  Thread* lanes[warpSize] = {};
  for (int i = 0; i < warpSize; ++i) {
    if ((thread.mask >> i & 1u) == 0) continue;
    lanes[i] = lane_of(thread, i);
    if (!lanes[i]) continue;
    if (lanes[i]->value != 0) ballot |= uint64_t{1} << i;
  }
  for (int i = 0; i < warpSize; ++i) {
    if (!lanes[i]) continue;
    const Thread* from =
        lanes[i]->source >= 0 && lanes[i]->source < warpSize ? lanes[lanes[i]->source] : nullptr;
    if (thread.operation == WarpOperation::shuffle && !from)
      return fail("a lane asks for the value of one that takes no part");
    results[i] = thread.operation == WarpOperation::shuffle ? from->value : ballot;
  }
  for (int i = 0; i < warpSize; ++i) {
    if (!lanes[i]) continue;
    lanes[i]->value = results[i];
    make_ready(*lanes[i]);
  }
}

uint64_t Grid::exchange(WarpOperation operation, unsigned mask, uint64_t value, int source) {
  Thread& thread = *current_;
  if ((mask >> lane() & 1u) == 0)
    fail("a lane takes part in a warp operation it is not in the mask of");
  thread.operation = operation;
  thread.mask = mask;
  thread.value = value;
  thread.source = source;
  thread.state = Thread::State::in_warp_operation;
  patience_ = kPatience;
  if (complete(thread)) finish_exchange(thread);
  leave();
  return thread.value;
}

}  // namespace

std::string run_grid(const GridShape& shape, uint64_t seed, const std::function<void()>& kernel) {
  Grid grid(shape, seed, kernel);
  active = &grid;
  std::string error = grid.run();
  active = nullptr;
  return error;
}

void* block_shared(size_t bytes) { return active->shared(bytes); }
void step_aside() { active->step_aside(); }
int lane() { return active->lane(); }
uint64_t warp_exchange(WarpOperation operation, unsigned mask, uint64_t value, int source) {
  return active->exchange(operation, mask, value, source);
}

}  // namespace dnnfast::cuda::sim

void __syncthreads() { dnnfast::cuda::sim::active->wait_for_block(); }
