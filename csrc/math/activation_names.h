#pragma once
// The names under which graphs and Python know the activations.

#include <string_view>

#include "math/activation.h"

namespace dnnfast::math {

// In the order of ActivationKind.
inline constexpr std::string_view kActivationNames[] = {
    "linear",       "relu",        "relu6",      "leaky_relu",  "elu",         "selu",
    "celu",         "gelu",        "gelu_tanh",  "silu",        "mish",        "sigmoid",
    "hard_sigmoid", "tanh",        "hard_tanh",  "softplus",    "softsign",    "exponential",
    "hard_silu",    "log_sigmoid", "squareplus", "soft_shrink", "hard_shrink", "tanh_shrink",
    "threshold",    "heaviside",   "sign",
};
static_assert(sizeof(kActivationNames) / sizeof(kActivationNames[0]) ==
              static_cast<size_t>(ActivationKind::count));

constexpr std::string_view activation_name(ActivationKind kind) {
  return kActivationNames[static_cast<int>(kind)];
}

// ActivationKind::count if there is none of that name.
constexpr ActivationKind activation_kind(std::string_view name) {
  for (int i = 0; i < static_cast<int>(ActivationKind::count); ++i)
    if (kActivationNames[i] == name) return static_cast<ActivationKind>(i);
  return ActivationKind::count;
}

}  // namespace dnnfast::math
