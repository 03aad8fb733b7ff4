// The simulation of a GPU: kernels that are right give the same results in every order, and those that are wrong
// are found out.

#include <cmath>
#include <cstring>
#include <string>

#include "cuda_test.h"

namespace {

using namespace simulation_test;

// --- Kernels ---

__global__ void scale(float* y, const float* x, float factor, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) y[i] = factor * x[i];
}

struct Sums {
  float part[256];
};

// The sum of a block's elements, halving. `barriers` is how it should be.
__global__ void sum_blocks(float* sums, const float* x, bool barriers) {
  Sums& s = shared_memory<Sums>();
  const unsigned t = threadIdx.x;
  s.part[t] = x[blockIdx.x * blockDim.x + t];
  for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
    if (barriers) __syncthreads();
    if (t < half) s.part[t] += s.part[t + half];
    if (!barriers) sim::step_aside();
  }
  if (t == 0) sums[blockIdx.x] = s.part[0];
}

__global__ void read_unwritten(float* out) { out[threadIdx.x] = shared_memory<Sums>().part[0]; }

__global__ void warp_sums(float* out, unsigned* votes, const float* x) {
  const unsigned t = threadIdx.x;
  float v = x[t];
  for (int bits = 16; bits > 0; bits /= 2) v += __shfl_xor_sync(0xffffffffu, v, bits);
  out[t] = v;
  votes[t] = __ballot_sync(0xffffffffu, t % 3 == 0);
}

// Lanes 0 to 15 go their own way before all meet again.
__global__ void half_warps(int* out) {
  const int t = static_cast<int>(threadIdx.x);
  int v = t;
  if (t < 16) v = __shfl_down_sync(0x0000ffffu, v, 1, 16);
  __syncwarp();
  v += __shfl_sync(0xffffffffu, t, 31);
  out[t] = v;
}

// Lanes that have ended take no part.
__global__ void early_exit(unsigned* out) {
  if (threadIdx.x >= 20) return;
  out[threadIdx.x] = __ballot_sync(0xffffffffu, 1);
}

__global__ void count_up(unsigned* counter, int times) {
  for (int i = 0; i < times; ++i) atomicAdd(counter, 1u);
}

// Block b adds what its neighbour wrote in the round before.
__global__ void rounds(float* values, unsigned* counter, unsigned count) {
  const unsigned next = (blockIdx.x + 1) % gridDim.x;
  for (unsigned r = 0; r < count; ++r) {
    const float* from = values + r * gridDim.x;
    float* to = values + (r + 1) * gridDim.x;
    if (threadIdx.x == 0) to[blockIdx.x] = from[blockIdx.x] + from[next];
    grid_barrier(counter, r + 1);
  }
}

__global__ void meet_in_two_places(float* out) {
  if (threadIdx.x < 16)
    __syncthreads();
  else
    __syncwarp(0xffffffffu);
  out[threadIdx.x] = 1.0f;
}

__global__ void wait_for_nobody(unsigned* flag) {
  while (load_acquire(flag) == 0) {
  }
}

__global__ void ask_the_absent(int* out) { out[threadIdx.x] = __shfl_sync(0x0000ffffu, 1, 20); }

// --- Tests ---

std::vector<float> ramp(size_t n) {
  std::vector<float> x(n);
  for (size_t i = 0; i < n; ++i) x[i] = 0.25f * static_cast<float>(i % 17) - 1.0f;
  return x;
}

void test_grid() {
  Stream stream;
  const std::vector<float> x = ramp(1000);
  DeviceArray<float> from(1000), to(1000);
  from.fill(x, stream.handle);
  expect_ok(launch(scale, {8, 128, 0, stream.handle}, to.data, from.data, 3.0f, 1000), "scale");
  const std::vector<float> y = to.values(stream.handle);
  bool right = true;
  for (size_t i = 0; i < 1000; ++i) right = right && y[i] == 3.0f * x[i];
  expect(right, "each thread of a grid does its part");
}

std::vector<float> block_sums(bool barriers) {
  Stream stream;
  DeviceArray<float> from(1024), to(4);
  from.fill(ramp(1024), stream.handle);
  expect_ok(launch(sum_blocks, {4, 256, sizeof(Sums), stream.handle}, to.data, from.data, barriers),
            "sum_blocks");
  return to.values(stream.handle);
}

void test_barriers() {
  use_seed(0);
  const std::vector<float> sums = block_sums(true);
  bool same = true, race_found = false;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    use_seed(seed);
    same = same && block_sums(true) == sums;
    race_found = race_found || block_sums(false) != sums;
  }
  expect(same, "sums with barriers are the same in every order");
  expect(race_found, "a missing barrier changes sums in some order");
}

void test_warps() {
  Stream stream;
  DeviceArray<float> x(64), sums(64);
  DeviceArray<unsigned> votes(64);
  x.fill(ramp(64), stream.handle);
  launch(warp_sums, {1, 64, 0, stream.handle}, sums.data, votes.data, x.data);
  const std::vector<float> s = sums.values(stream.handle), host = ramp(64);
  const std::vector<unsigned> v = votes.values(stream.handle);
  float expected = 0;
  for (size_t i = 0; i < 32; ++i) expected += host[i];
  expect(std::fabs(s[0] - expected) < 1e-4f && s[0] == s[31], "a warp sums its lanes");
  expect(v[0] == 0x49249249u && v[40] == 0x92492492u, "each warp votes for itself");

  DeviceArray<int> halves(32);
  launch(half_warps, {1, 32, 0, stream.handle}, halves.data);
  const std::vector<int> h = halves.values(stream.handle);
  expect(h[0] == 1 + 31 && h[15] == 15 + 31 && h[20] == 20 + 31, "lanes part and meet again");

  DeviceArray<unsigned> left(20);
  launch(early_exit, {1, 32, 0, stream.handle}, left.data);
  expect(left.values(stream.handle)[3] == 0xfffffu, "lanes that have ended do not vote");
}

void test_atomics() {
  Stream stream;
  DeviceArray<unsigned> counter(1);
  counter.fill({0}, stream.handle);
  launch(count_up, {5, 40, 0, stream.handle}, counter.data, 3);
  expect(counter.values(stream.handle)[0] == 600, "no increment is lost");
}

void test_cooperative() {
  constexpr unsigned kBlocks = 8, kRounds = 4;
  Stream stream;
  DeviceArray<float> values(kBlocks * (kRounds + 1));
  DeviceArray<unsigned> counter(1);
  values.fill({1, 2, 3, 4, 5, 6, 7, 8}, stream.handle);
  counter.fill({0}, stream.handle);
  expect_ok(
      launch(rounds, {kBlocks, 32, 0, stream.handle, true}, values.data, counter.data, kRounds),
      "rounds");
  std::vector<float> expected{1, 2, 3, 4, 5, 6, 7, 8};
  for (unsigned r = 0; r < kRounds; ++r) {
    const std::vector<float> before = expected;
    for (unsigned b = 0; b < kBlocks; ++b) expected[b] = before[b] + before[(b + 1) % kBlocks];
  }
  const std::vector<float> all = values.values(stream.handle);
  expect(std::vector<float>(all.end() - kBlocks, all.end()) == expected, "blocks meet every round");
  expect(launch(rounds, {100, 1024, 0, stream.handle, true}, values.data, counter.data, 1u) ==
             cudaErrorCooperativeLaunchTooLarge,
         "more blocks than fit cannot cooperate");
}

// What a launch that goes wrong says.
template <class... Parameters, class... Arguments>
std::string failure_of(void (*kernel)(Parameters...), LaunchShape shape, Arguments... arguments) {
  Stream stream;
  shape.stream = stream.handle;
  launch(kernel, shape, arguments...);
  const cudaError_t error = cudaStreamSynchronize(stream.handle);
  const std::string text = error == cudaSuccess ? "" : cudaGetErrorString(error);
  const bool stays = cudaStreamSynchronize(stream.handle) == error;
  sim::recover();
  return stays ? text : "it did not stay";
}

void test_mistakes() {
  DeviceArray<float> x(64);
  DeviceArray<int> out(64);
  DeviceArray<unsigned> flag(1);
  {
    Stream stream;
    flag.fill({0}, stream.handle);
    cudaStreamSynchronize(stream.handle);
  }
  const auto has = [](const std::string& text, const char* words) {
    return text.find(words) != std::string::npos;
  };
  expect(has(failure_of(meet_in_two_places, {1, 32}, x.data), "not all reach"), "a deadlock");
  expect(has(failure_of(ask_the_absent, {1, 16}, out.data), "takes no part"), "an absent lane");
  expect(has(failure_of(sum_blocks, {1, 64, 16}, x.data, x.data, true), "shared memory"),
         "too little shared memory");
  expect(has(failure_of(wait_for_nobody, {1, 1}, flag.data), "for ever"), "a wait without end");
  Stream stream;
  DeviceArray<float> unwritten(4);
  launch(read_unwritten, {1, 4, sizeof(Sums), stream.handle}, unwritten.data);
  expect(std::isnan(unwritten.values(stream.handle)[0]), "unwritten shared memory is NaN");
  expect(launch(read_unwritten, {1, 4, 100000, stream.handle}, unwritten.data) ==
             cudaErrorInvalidConfiguration,
         "more than 48 KB must be asked for");
  cudaFuncSetAttribute(read_unwritten, cudaFuncAttributeMaxDynamicSharedMemorySize, 100000);
  expect_ok(launch(read_unwritten, {1, 4, 100000, stream.handle}, unwritten.data), "asked for");
  cudaFuncSetAttribute(read_unwritten, cudaFuncAttributeMaxDynamicSharedMemorySize, 48 * 1024);
  expect(launch(read_unwritten, {1, 2000, sizeof(Sums), stream.handle}, unwritten.data) ==
             cudaErrorInvalidConfiguration,
         "a block has at most 1024 threads");
  expect(launch(read_unwritten, {1, 4, sizeof(Sums), nullptr}, unwritten.data) ==
             cudaErrorInvalidResourceHandle,
         "the default stream is not used");
  cudaGetLastError();
}

}  // namespace

int main() {
  for (uint64_t seed = 0; seed <= kSeeds; ++seed) {
    use_seed(seed);
    test_grid();
    test_warps();
    test_atomics();
    test_cooperative();
  }
  for (uint64_t seed : {0, 1, 2}) {
    use_seed(seed);
    test_mistakes();
  }
  test_barriers();
  if (failures == 0) std::puts("kernels: all as expected");
  return failures == 0 ? 0 : 1;
}
