// Holds the functions of math/elementary.h to their error bounds against double-precision libm, as
// scalars and as vectors, and math/philox.h to the known answers published with Random123.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <limits>

#ifndef DNNFAST_ISA
#define DNNFAST_ISA baseline
#endif
#include "cpu/simd.h"
#include "math/elementary.h"
#include "math/philox.h"

namespace {

using dnnfast::cpu::DNNFAST_ISA::kLanes;
using dnnfast::cpu::DNNFAST_ISA::vf;
using dnnfast::cpu::DNNFAST_ISA::vu;
namespace math = dnnfast::math;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

int passed = 0;
int failed = 0;

void check(bool ok, const char* what, double detail) {
  (ok ? passed : failed) += 1;
  if (!ok) std::printf("FAILED %s (%.9g)\n", what, detail);
}

struct Function {
  const char* name;
  double (*exact)(double);
  float (*scalar)(float);
  vf (*vector)(vf);
  float low, high;  // swept range
  double bound;     // ulp
  float at_minus_infinity, at_infinity;
};

// The distance in units of the last place of the float nearest to `exact`; results below the
// smallest normal number count as zero.
double ulps(float got, double exact) {
  const double smallest = std::numeric_limits<float>::min();
  if (std::isnan(exact)) return std::isnan(got) ? 0 : 1e30;
  if (std::isnan(got)) return 1e30;
  const double rounded = static_cast<float>(exact);
  if (std::isinf(rounded)) {
    // Near overflow the largest number is as good.
    if (got == rounded) return 0;
    return std::fabs(exact) < 3.4028237e38 && std::fabs(got) > 3.4028234e38 ? 0.5 : 1e30;
  }
  if (std::fabs(exact) < smallest) return std::fabs(got) <= smallest ? 0 : 1e30;
  int exponent;
  std::frexp(rounded, &exponent);
  return std::fabs(got - exact) / std::ldexp(1.0, exponent - 24);
}

uint32_t ordered(float x) {
  const uint32_t u = math::bits_as<uint32_t>(x);
  return u & 0x80000000u ? ~u : u | 0x80000000u;
}
float from_ordered(uint32_t u) {
  return math::bits_as<float>(u & 0x80000000u ? u & 0x7fffffffu : ~u);
}

// Sweeps about 2^19 floats, evenly in bit patterns and then evenly in value.
void check_accuracy(const Function& f) {
  constexpr int kSamples = 1 << 19;
  double worst = 0, worst_x = 0;
  const uint32_t first = ordered(f.low);
  const double bits_step = (static_cast<double>(ordered(f.high)) - first) / (kSamples - 1);
  const double value_step = (static_cast<double>(f.high) - f.low) / (kSamples - 1);
  for (int i = 0; i < 2 * kSamples; i += kLanes) {
    vf x;
    for (int l = 0; l < kLanes; ++l) {
      const int k = i + l;
      x[l] = k < kSamples ? from_ordered(first + static_cast<uint32_t>(k * bits_step))
                          : static_cast<float>(f.low + (k - kSamples) * value_step);
    }
    const vf y = f.vector(x);
    for (int l = 0; l < kLanes; ++l) {
      const double exact = f.exact(x[l]);
      const double error = std::fmax(ulps(y[l], exact), ulps(f.scalar(x[l]), exact));
      if (!(error <= worst)) {
        worst = error;
        worst_x = x[l];
      }
    }
  }
  std::printf("%-10s worst %.3f ulp at %.9g\n", f.name, worst, worst_x);
  check(worst <= f.bound, f.name, worst_x);
}

void check_limits(const Function& f) {
  auto equal = [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  const float in[3] = {kNan, -kInf, kInf};
  const float want[3] = {kNan, f.at_minus_infinity, f.at_infinity};
  for (int i = 0; i < 3; ++i) {
    check(equal(f.scalar(in[i]), want[i]), f.name, in[i]);
    check(equal(f.vector(vf{} + in[i])[kLanes - 1], want[i]), f.name, in[i]);
  }
  // A NaN with a payload in the bits where reductions look for an integer.
  check(std::isnan(f.scalar(math::bits_as<float>(0x7fc0ffffu))), f.name, kNan);
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double softplus(double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }
double rsqrt(double x) { return 1 / std::sqrt(x); }

const Function kFunctions[] = {
    {"exp", std::exp, math::exp<float>, math::exp<vf>, -100.0f, 90.0f, 1.2, 0.0f, kInf},
    {"expm1", std::expm1, math::expm1<float>, math::expm1<vf>, -100.0f, 90.0f, 2.0, -1.0f, kInf},
    {"log", std::log, math::log<float>, math::log<vf>, 1e-40f, 3.4028234e38f, 2.0, kNan, kInf},
    {"log", std::log, math::log<float>, math::log<vf>, 0.25f, 4.0f, 2.0, kNan, kInf},
    {"log1p", std::log1p, math::log1p<float>, math::log1p<vf>, -0.99999994f, 3.4028234e38f, 2.0,
     kNan, kInf},
    {"log1p", std::log1p, math::log1p<float>, math::log1p<vf>, -0.9f, 4.0f, 2.0, kNan, kInf},
    {"tanh", std::tanh, math::tanh<float>, math::tanh<vf>, -20.0f, 20.0f, 3.0, -1.0f, 1.0f},
    {"tanh", std::tanh, math::tanh<float>, math::tanh<vf>, -1.0f, 1.0f, 3.0, -1.0f, 1.0f},
    {"sigmoid", sigmoid, math::sigmoid<float>, math::sigmoid<vf>, -87.0f, 87.0f, 3.0, 0.0f, 1.0f},
    {"erf", std::erf, math::erf<float>, math::erf<vf>, -6.0f, 6.0f, 3.0, -1.0f, 1.0f},
    {"erf", std::erf, math::erf<float>, math::erf<vf>, -1.0f, 1.0f, 3.0, -1.0f, 1.0f},
    {"softplus", softplus, math::softplus<float>, math::softplus<vf>, -87.0f, 200.0f, 3.0, 0.0f,
     kInf},
    {"sqrt", std::sqrt, math::sqrt<float>, math::sqrt<vf>, 0.0f, 3.4028234e38f, 0.5, kNan, kInf},
    {"rsqrt", rsqrt, math::rsqrt<float>, math::rsqrt<vf>, 1e-37f, 3.4028234e38f, 1.5, kNan, 0.0f},
};

void check_special_points() {
  check(math::log(0.0f) == -kInf, "log(0)", 0);
  check(std::isnan(math::log(-1.0f)), "log(-1)", -1);
  check(math::log1p(-1.0f) == -kInf, "log1p(-1)", -1);
  check(std::isnan(math::log1p(-2.0f)), "log1p(-2)", -2);
  check(math::exp(0.0f) == 1.0f, "exp(0)", 0);
  check(math::exp(-200.0f) == 0.0f, "exp(-200)", -200);
  check(math::exp(89.0f) == kInf, "exp(89)", 89);
  check(math::sigmoid(-200.0f) == 0.0f, "sigmoid(-200)", -200);
  check(std::signbit(math::tanh(-0.0f)), "tanh(-0)", 0);
  check(math::sqrt(vf{} + 4.0f)[0] == 2.0f, "sqrt(4)", 4);
  check(std::isnan(math::at_least(kNan, 0.0f)), "at_least(NaN)", 0);
  check(std::isnan(math::at_most(kNan, 0.0f)), "at_most(NaN)", 0);
  for (const float other : {-1.0f, 1.0f}) {
    check(std::isnan(math::maximum(kNan, other)), "maximum(NaN, x)", other);
    check(std::isnan(math::maximum(other, kNan)), "maximum(x, NaN)", other);
    check(std::isnan(math::minimum(kNan, other)), "minimum(NaN, x)", other);
    check(std::isnan(math::minimum(other, kNan)), "minimum(x, NaN)", other);
  }
  check(math::maximum(1.0f, 2.0f) == 2.0f, "maximum(1, 2)", 0);
  check(math::minimum(1.0f, 2.0f) == 1.0f, "minimum(1, 2)", 0);
}

// From the file kat_vectors of Random123: counter, key, result.
struct PhiloxAnswer {
  uint32_t counter[4];
  math::PhiloxKey key;
  uint32_t want[4];
};
const PhiloxAnswer kPhiloxAnswers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

void check_philox() {
  for (const PhiloxAnswer& a : kPhiloxAnswers) {
    const uint32_t rest[3] = {a.counter[1], a.counter[2], a.counter[3]};
    const auto one = math::philox(a.counter[0], rest, a.key);
    vu lanes;
    for (int l = 0; l < kLanes; ++l) lanes[l] = a.counter[0] + static_cast<uint32_t>(l);
    const auto many = math::philox(lanes, rest, a.key);
    bool lanes_agree = true;
    for (int i = 0; i < 4; ++i) {
      check(one.word[i] == a.want[i], "Philox known answer", i);
      for (int l = 0; l < kLanes; ++l)
        lanes_agree =
            lanes_agree && many.word[i][l] == math::philox(uint32_t{lanes[l]}, rest, a.key).word[i];
    }
    check(lanes_agree, "Philox lanes", 0);
  }
  check(math::dropout_counter(9, 5, 20) == 2 * 32 + 5, "dropout counter", 0);
  check(math::dropout_threshold(0.5) == 0x80000000u, "dropout threshold", 0);
}

constexpr int kSkipped = 77;  // what ctest takes for "not run"

bool runs_here() {
#if defined(__AVX512F__)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
#elif defined(__AVX2__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return true;
#endif
}

}  // namespace

int main() {
  if (!runs_here()) return kSkipped;
  for (const Function& f : kFunctions) {
    check_accuracy(f);
    check_limits(f);
  }
  check_special_points();
  check_philox();
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed != 0;
}
