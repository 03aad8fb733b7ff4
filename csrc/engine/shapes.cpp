// Shape inference of every op. The batch axis is implied: shapes here are those of one sample.

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "engine/graph.h"
#include "ops/merge.h"

namespace dnnfast::engine {
namespace {

using Shapes = std::vector<Shape>;

void need_inputs(const std::string& op, const Shapes& inputs, size_t least, size_t most) {
  if (inputs.size() < least || inputs.size() > most)
    fail(ErrorKind::value, op, ": got ", inputs.size(), " inputs; expected ",
         least == most ? std::to_string(least)
                       : "from " + std::to_string(least) + " to " + std::to_string(most));
}

void need_axis(const std::string& op, const Shape& x) {
  if (x.empty())
    fail(ErrorKind::value, op, ": the input has only the batch axis; it needs at least one more, ",
         "so give Input(shape=(n,)) or add a Reshape");
}

void need_vector(const std::string& op, const char* what, const Shape& v, int64_t size) {
  if (v != Shape{size})
    fail(ErrorKind::value, op, ": ", what, " has shape ", describe_shape(v), "; expected (", size,
         ",)");
}

Shape dense(const Shapes& in, const Attributes&) {
  need_inputs("dense", in, 2, 3);
  need_axis("dense", in[0]);
  if (in[1].size() != 2 || in[1][0] != in[0].back())
    fail(ErrorKind::value, "dense: the kernel has shape ", describe_shape(in[1]),
         " but the input's last axis is ", in[0].back(), "; expected (", in[0].back(), ", units)");
  if (in.size() == 3) need_vector("dense", "the bias", in[2], in[1][1]);
  Shape shape = in[0];
  shape.back() = in[1][1];
  return shape;
}

Shape same(const Shapes& in, const Attributes&) {
  need_inputs("activation", in, 1, 1);
  return in[0];
}

Shape row_wise(const Shapes& in, const Attributes&) {
  need_inputs("softmax", in, 1, 1);
  need_axis("softmax", in[0]);
  return in[0];
}

Shape glu(const Shapes& in, const Attributes&) {
  need_inputs("glu", in, 1, 1);
  need_axis("glu", in[0]);
  if (in[0].back() % 2)
    fail(ErrorKind::value, "glu: the last axis has ", in[0].back(), " elements; it must be even");
  Shape shape = in[0];
  shape.back() /= 2;
  return shape;
}

Shape batchnorm(const Shapes& in, const Attributes& attrs) {
  const size_t scale = attrs.number("scale", 1) != 0, center = attrs.number("center", 1) != 0;
  need_inputs("batchnorm", in, 3 + scale + center, 3 + scale + center);
  need_axis("batchnorm", in[0]);
  for (size_t i = 1; i < in.size(); ++i)
    need_vector("batchnorm", "a parameter", in[i], in[0].back());
  return in[0];
}

Shape dropout(const Shapes& in, const Attributes& attrs) {
  need_inputs("dropout", in, 1, 1);
  const double rate = attrs.number("rate", 0);
  if (!(rate >= 0 && rate < 1))
    fail(ErrorKind::value, "dropout: rate must be in [0, 1); got ", rate);
  return in[0];
}

Shape reshape(const Shapes& in, const Attributes& attrs) {
  need_inputs("reshape", in, 1, 1);
  Shape shape = attrs.integers("shape");
  int64_t known = 1;
  int unknown = 0;
  for (int64_t size : shape) {
    if (size == -1)
      ++unknown;
    else if (size < 1)
      fail(ErrorKind::value, "reshape: target shape ", describe_shape(shape),
           " has a size below 1; use -1 for one inferred size");
    else
      known *= size;
  }
  const int64_t total = elements(in[0]);
  if (unknown > 1 || total % known || (unknown == 0 && known != total))
    fail(ErrorKind::value, "reshape: ", total, " elements of shape ", describe_shape(in[0]),
         " do not fit the target shape ", describe_shape(shape));
  for (int64_t& size : shape)
    if (size == -1) size = total / known;
  return shape;
}

Shape add(const Shapes& in, const Attributes&) {
  need_inputs("add", in, 1, ops::kMaxMergeInputs);
  for (const Shape& shape : in)
    if (shape != in[0])
      fail(ErrorKind::value, "add: inputs have shapes ", describe_shape(in[0]), " and ",
           describe_shape(shape), "; they must be equal");
  return in[0];
}

Shape concatenate(const Shapes& in, const Attributes&) {
  need_inputs("concatenate", in, 1, 1 << 20);
  Shape result = in[0];
  need_axis("concatenate", result);
  for (size_t i = 1; i < in.size(); ++i) {
    if (in[i].size() != result.size() ||
        !std::equal(result.begin(), result.end() - 1, in[i].begin()))
      fail(ErrorKind::value, "concatenate: inputs have shapes ", describe_shape(in[0]), " and ",
           describe_shape(in[i]), "; they must agree in all but the last axis");
    result.back() += in[i].back();
  }
  return result;
}

struct Rule {
  const char* op;
  Shape (*infer)(const Shapes&, const Attributes&);
};
const Rule kRules[] = {
    {"dense", dense},      {"activation", same},
    {"softmax", row_wise}, {"log_softmax", row_wise},
    {"glu", glu},          {"batchnorm", batchnorm},
    {"dropout", dropout},  {"reshape", reshape},
    {"add", add},          {"concatenate", concatenate},
};

}  // namespace

bool is_array_op(const std::string& op) {
  static const char* const names[] = {"map",    "reduce",  "view", "regroup", "product",
                                      "gather", "scatter", "scan", "join",    "switch"};
  return std::find(std::begin(names), std::end(names), op) != std::end(names);
}

Shape infer_shape(const std::string& op, const std::vector<Shape>& inputs,
                  const Attributes& attrs) {
  std::string names;
  for (const Rule& rule : kRules) {
    if (op == rule.op) return rule.infer(inputs, attrs);
    names += (names.empty() ? "" : ", ") + std::string(rule.op);
  }
  fail(ErrorKind::value, "unknown op \"", op, "\"; the engine has: ", names);
}

}  // namespace dnnfast::engine
