"""Recorded forms of the activations: as the fused op where there is one, else as expressions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dnnfast import symbolic, tracing
from dnnfast.expressions import Expression, apply, constant, select
from dnnfast.keras_tensor import KerasTensor

_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772
_ROOT_2_OVER_PI = math.sqrt(2.0 / math.pi)

Curve = Callable[[Expression, float, float], Expression]


def _between(x: Expression, low: float, high: float) -> Expression:
    # The derivative at the ends is 0, as that of the fused op.
    above = select(apply("less_equal", high, x), high, x)
    return select(apply("less_equal", x, low), low, above)


def _relu(x: Expression, alpha: float, beta: float) -> Expression:
    return select(apply("less_equal", x, 0.0), 0.0, x)


def _leaky(x: Expression, alpha: float, beta: float) -> Expression:
    return select(apply("less", 0.0, x), x, x * alpha)


def _elu(x: Expression, alpha: float, beta: float) -> Expression:
    # The exponential of what is not taken must not overflow.
    below = apply("expm1", apply("min", x, 0.0)) * alpha
    return select(apply("less", 0.0, x), x, below)


def _celu(x: Expression, alpha: float, beta: float) -> Expression:
    below = apply("expm1", apply("min", x, 0.0) / constant(alpha)) * alpha
    return select(apply("less", 0.0, x), x, below)


def _selu(x: Expression, alpha: float, beta: float) -> Expression:
    return _elu(x, _SELU_ALPHA, 0.0) * _SELU_SCALE


def _gelu(x: Expression, alpha: float, beta: float) -> Expression:
    return x * 0.5 * (apply("erf", x * math.sqrt(0.5)) + 1.0)


def _gelu_tanh(x: Expression, alpha: float, beta: float) -> Expression:
    return x * apply("sigmoid", (x + x * x * x * 0.044715) * (2.0 * _ROOT_2_OVER_PI))


def _hard_sigmoid(x: Expression, alpha: float = 0.0, beta: float = 0.0) -> Expression:
    return _between(x * (1.0 / 6.0) + 0.5, 0.0, 1.0)


def _soft_shrink(x: Expression, alpha: float, beta: float) -> Expression:
    below = select(apply("less", x, -alpha), x + alpha, 0.0)
    return select(apply("less", alpha, x), x - alpha, below)


def _hard_shrink(x: Expression, alpha: float, beta: float) -> Expression:
    return select(apply("less", alpha, apply("abs", x)), x, 0.0)


def _squareplus(x: Expression, b: float, beta: float) -> Expression:
    return (x + apply("sqrt", x * x + b)) * 0.5


def _sparse_plus(x: Expression, alpha: float, beta: float) -> Expression:
    square = (x + 1.0) * (x + 1.0) * 0.25
    return select(apply("less_equal", x, -1.0), 0.0, select(apply("less", x, 1.0), square, x))


CURVES: dict[str, Curve] = {
    "celu": _celu,
    "elu": _elu,
    "exponential": lambda x, a, b: apply("exp", x),
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "hard_shrink": _hard_shrink,
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda x, a, b: x * _hard_sigmoid(x),
    "hard_tanh": lambda x, a, b: _between(x, -1.0, 1.0),
    "heaviside": lambda x, a, b: apply("less", 0.0, x),
    "leaky_relu": _leaky,
    "linear": lambda x, a, b: x,
    "log_sigmoid": lambda x, a, b: -apply("softplus", -x),
    "mish": lambda x, a, b: x * apply("tanh", apply("softplus", x)),
    "relu": _relu,
    "relu6": lambda x, a, b: _between(x, 0.0, 6.0),
    "selu": _selu,
    "sigmoid": lambda x, a, b: apply("sigmoid", x),
    "sign": lambda x, a, b: apply("sign", x),
    "silu": lambda x, a, b: x * apply("sigmoid", x * a),
    "soft_shrink": _soft_shrink,
    "softplus": lambda x, a, b: apply("softplus", x),
    "softsign": lambda x, a, b: x / (apply("abs", x) + 1.0),
    "squareplus": _squareplus,
    "tanh": lambda x, a, b: apply("tanh", x),
    "tanh_shrink": lambda x, a, b: x - apply("tanh", x),
    "threshold": lambda x, a, b: select(apply("less", a, x), x, b),
    # Without a fused op.
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": lambda x, a, b: _between((x + 1.0) * 0.5, 0.0, 1.0),
}
_UNFUSED = ("sparse_plus", "sparse_sigmoid")


def record_curve(x: Any, kind: str, alpha: float = 0.0, beta: float = 0.0) -> KerasTensor:
    """Record an activation by its kind, its parameters as the fused op's."""
    if isinstance(x, KerasTensor) and x.batched and x.ndim > 1 and kind not in _UNFUSED:
        return tracing.emit("activation", [x], {"kind": kind, "alpha": alpha, "beta": beta})
    curve = CURVES[kind]
    return symbolic.map_(kind, lambda e: curve(e, alpha, beta), (x,))
