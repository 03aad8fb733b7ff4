// The interpreter of tapes. Memory: operands are read once a block, everything else stays in the first cache level.

#include "cpu/array_tape.h"

#include "math/array.h"

namespace dnnfast::cpu::DNNFAST_ISA {
namespace {

using ops::Instruction;
using ops::TapeOp;

// A result, and the registers that an instruction may read.
struct Frame {
  float* to;
  const float *a, *b, *c;
  int64_t count;
};

template <class F>
void unary(const Frame& f, F apply) {
  for (int64_t i = 0; i < f.count; i += kLanes) store(f.to + i, apply(load_unaligned(f.a + i)));
}

template <class F>
void binary(const Frame& f, F apply) {
  for (int64_t i = 0; i < f.count; i += kLanes)
    store(f.to + i, apply(load_unaligned(f.a + i), load_unaligned(f.b + i)));
}

template <class F>
void scalar(const Frame& f, F apply) {
  for (int64_t i = 0; i < f.count; ++i) f.to[i] = apply(f.a[i]);
}

// x^2 and x^0.5 are what powers mostly are.
void power(const Frame& f) {
  bool all_two = true;
  for (int64_t i = 0; i < f.count; ++i) all_two = all_two && f.b[i] == 2.0f;
  if (all_two) return unary(f, [](vf x) { return x * x; });
  for (int64_t i = 0; i < f.count; ++i) f.to[i] = math::pow(f.a[i], f.b[i]);
}

bool run_elementary(TapeOp op, const Frame& f) {
  switch (op) {
    case TapeOp::neg: unary(f, [](vf x) { return -x; }); return true;
    case TapeOp::abs: unary(f, [](vf x) { return math::abs(x); }); return true;
    case TapeOp::sign: unary(f, [](vf x) { return math::sign(x); }); return true;
    case TapeOp::sqrt: unary(f, [](vf x) { return math::sqrt(x); }); return true;
    case TapeOp::exp: unary(f, [](vf x) { return math::exp(x); }); return true;
    case TapeOp::expm1: unary(f, [](vf x) { return math::expm1(x); }); return true;
    case TapeOp::log: unary(f, [](vf x) { return math::log(x); }); return true;
    case TapeOp::log1p: unary(f, [](vf x) { return math::log1p(x); }); return true;
    case TapeOp::tanh: unary(f, [](vf x) { return math::tanh(x); }); return true;
    case TapeOp::erf: unary(f, [](vf x) { return math::erf(x); }); return true;
    case TapeOp::sigmoid: unary(f, [](vf x) { return math::sigmoid(x); }); return true;
    case TapeOp::softplus: unary(f, [](vf x) { return math::softplus(x); }); return true;
    case TapeOp::is_nan: unary(f, [](vf x) { return math::truth<vf>(x != x); }); return true;
    case TapeOp::is_finite:
      unary(f, [](vf x) { return math::truth<vf>(x - x == 0.0f); });
      return true;
    default: return false;
  }
}

bool run_library(TapeOp op, const Frame& f) {
  switch (op) {
    case TapeOp::sin: scalar(f, math::sin); return true;
    case TapeOp::cos: scalar(f, math::cos); return true;
    case TapeOp::tan: scalar(f, math::tan); return true;
    case TapeOp::asin: scalar(f, math::asin); return true;
    case TapeOp::acos: scalar(f, math::acos); return true;
    case TapeOp::atan: scalar(f, math::atan); return true;
    case TapeOp::sinh: scalar(f, math::sinh); return true;
    case TapeOp::cosh: scalar(f, math::cosh); return true;
    case TapeOp::asinh: scalar(f, math::asinh); return true;
    case TapeOp::acosh: scalar(f, math::acosh); return true;
    case TapeOp::atanh: scalar(f, math::atanh); return true;
    case TapeOp::erfinv: scalar(f, math::erfinv); return true;
    case TapeOp::floor: scalar(f, math::floor); return true;
    case TapeOp::ceil: scalar(f, math::ceil); return true;
    case TapeOp::round: scalar(f, math::rint); return true;
    default: return false;
  }
}

void run_binary(TapeOp op, const Frame& f) {
  switch (op) {
    case TapeOp::add: return binary(f, [](vf a, vf b) { return a + b; });
    case TapeOp::sub: return binary(f, [](vf a, vf b) { return a - b; });
    case TapeOp::mul: return binary(f, [](vf a, vf b) { return a * b; });
    case TapeOp::div: return binary(f, [](vf a, vf b) { return a / b; });
    case TapeOp::max: return binary(f, [](vf a, vf b) { return math::maximum(a, b); });
    case TapeOp::min: return binary(f, [](vf a, vf b) { return math::minimum(a, b); });
    case TapeOp::less: return binary(f, [](vf a, vf b) { return math::truth<vf>(a < b); });
    case TapeOp::less_equal: return binary(f, [](vf a, vf b) { return math::truth<vf>(a <= b); });
    case TapeOp::equal: return binary(f, [](vf a, vf b) { return math::truth<vf>(a == b); });
    case TapeOp::pow: return power(f);
    case TapeOp::mod:
      for (int64_t i = 0; i < f.count; ++i) f.to[i] = math::floor_mod(f.a[i], f.b[i]);
      return;
    case TapeOp::floor_div:
      for (int64_t i = 0; i < f.count; ++i) f.to[i] = math::floor(f.a[i] / f.b[i]);
      return;
    case TapeOp::atan2:
      for (int64_t i = 0; i < f.count; ++i) f.to[i] = math::atan2(f.a[i], f.b[i]);
      return;
    default:  // select
      for (int64_t i = 0; i < f.count; i += kLanes)
        store(f.to + i, math::select(load_unaligned(f.a + i) != 0.0f, load_unaligned(f.b + i),
                                     load_unaligned(f.c + i)));
  }
}

void fill(float* to, int64_t count, float value) {
  for (int64_t i = 0; i < count; i += kLanes) store(to + i, math::splat<vf>(value));
}

int64_t offset_of(const ops::Operand& x, const ops::Space& space, const TapeBlock& block) {
  int64_t offset = 0;
  for (int a = 0; a < space.axes; ++a) offset += block.coordinate[a] * x.stride[a];
  return offset;
}

// The operand's values: in place where they are next to each other and fill whole vectors.
const float* read(const ops::ArrayMap& op, const ops::Operand& x, const TapeBlock& block,
                  float* to) {
  const float* from = x.data + offset_of(x, op.space, block);
  const int64_t stride = op.space.axes ? x.stride[block.axis] : 0;
  if (stride == 0) {
    fill(to, block.count, *from);
    return to;
  }
  if (stride == 1 && block.count % kLanes == 0) return from;
  for (int64_t i = 0; i < block.count; ++i) to[i] = from[i * stride];
  for (int64_t i = block.count; i % kLanes; ++i) to[i] = 0.0f;
  return to;
}

void coordinates(int axis, const TapeBlock& block, float* to) {
  const int64_t step = axis == block.axis;
  for (int64_t i = 0; i < round_up(block.count, kLanes); ++i)
    to[i] = static_cast<float>(block.coordinate[axis] + i * step);
}

void random(const ops::ArrayMap& op, const ops::StepContext& context, const TapeBlock& block,
            const Instruction& instruction, float* to) {
  uint64_t position = 0, step = 1, stride = 1;
  for (int a = op.space.axes; a-- > 0;) {
    position += static_cast<uint64_t>(block.coordinate[a]) * stride;
    if (a == block.axis) step = stride;
    stride *= static_cast<uint64_t>(ops::extent_of(op.space.size[a], context.batch));
  }
  const math::DropoutBits bits =
      math::dropout_bits(context.seed, context.step, static_cast<uint32_t>(instruction.a));
  for (int64_t i = 0; i < block.count; ++i)
    to[i] = math::uniform(bits, position + static_cast<uint64_t>(i) * step, instruction.b);
  for (int64_t i = block.count; i % kLanes; ++i) to[i] = 0.0f;
}

}  // namespace

const float* run_tape(const ops::ArrayMap& op, const ops::StepContext& context,
                      const TapeBlock& block, TapeRegisters& registers) {
  const float* value[ops::kMaxRegisters] = {};
  const float* last = nullptr;
  for (int k = 0; k < op.tape.length; ++k) {
    const Instruction& instruction = op.tape.code[k];
    float* to = registers.value[instruction.to];
    const float* result = to;
    switch (instruction.op) {
      case TapeOp::input: result = read(op, op.inputs[instruction.a], block, to); break;
      case TapeOp::constant: fill(to, block.count, instruction.value); break;
      case TapeOp::batch: fill(to, block.count, static_cast<float>(context.batch)); break;
      case TapeOp::coordinate: coordinates(instruction.a, block, to); break;
      case TapeOp::uniform: random(op, context, block, instruction, to); break;
      default: {
        const Frame frame{to, value[instruction.a], value[instruction.b], value[instruction.c],
                          block.count};
        if (!run_elementary(instruction.op, frame) && !run_library(instruction.op, frame))
          run_binary(instruction.op, frame);
      }
    }
    value[instruction.to] = last = result;
  }
  return last;
}

}  // namespace dnnfast::cpu::DNNFAST_ISA
