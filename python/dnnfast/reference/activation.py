"""The element-wise activations: formulas, derivatives, and where the derivatives jump."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.errors import unknown_name

Array = NDArray[np.float64]

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


@dataclass(frozen=True)
class Activation:
    """``function(x, alpha, beta)``, its derivative, and the points where the derivative jumps."""

    function: Callable[[Array, float, float], Array]
    derivative: Callable[[Array, float, float], Array]
    kinks: Callable[[float, float], tuple[float, ...]] = lambda alpha, beta: ()


def erf(x: ArrayLike) -> Array:
    """Return the error function of every element.

    Formula: ``2 / sqrt(pi) * integral of exp(-t^2) from 0 to x``; the C library's.

    Example:

    >>> round(float(erf(0.5)), 12)
    0.520499877813
    """
    return np.vectorize(math.erf, otypes=[np.float64])(np.asarray(x, dtype=np.float64))


def sigmoid(x: ArrayLike) -> Array:
    """Return ``1 / (1 + exp(-x))`` without overflow.

    Formula: ``e = exp(-|x|)``; ``1 / (1 + e)`` for x >= 0, else ``e / (1 + e)``.

    Example:

    >>> sigmoid([0.0, -1000.0]).tolist()
    [0.5, 0.0]
    """
    x = np.asarray(x, dtype=np.float64)
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0) / (1.0 + e)


def softplus(x: ArrayLike) -> Array:
    """Return ``log(1 + exp(x))`` without overflow.

    Formula: ``max(x, 0) + log1p(exp(-|x|))``.

    Example:

    >>> softplus([0.0, 1000.0]).round(4).tolist()
    [0.6931, 1000.0]
    """
    x = np.asarray(x, dtype=np.float64)
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def _below_zero(x: Array) -> Array:
    return np.minimum(x, 0.0)


def _normal_cdf(x: Array) -> Array:
    """Return (1 + erf(x / sqrt 2)) / 2 with full relative accuracy in the lower tail."""
    return 0.5 * _erfc(-x / math.sqrt(2.0))


def _gelu_derivative(x: Array, alpha: float, beta: float) -> Array:
    return _normal_cdf(x) + x * np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def _gelu_tanh_gate(x: Array) -> Array:
    # (1 + tanh u) / 2 is sigmoid(2 u).
    return sigmoid(2.0 * math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3))


def _gelu_tanh_derivative(x: Array, alpha: float, beta: float) -> Array:
    gate = _gelu_tanh_gate(x)
    slope = 2.0 * math.sqrt(2.0 / math.pi) * (1.0 + 3.0 * 0.044715 * x * x)
    return gate + x * slope * gate * (1.0 - gate)


def _silu_derivative(x: Array, alpha: float, beta: float) -> Array:
    gate = sigmoid(alpha * x)
    return gate * (1.0 + alpha * x * (1.0 - gate))


def _mish_derivative(x: Array, alpha: float, beta: float) -> Array:
    t = np.tanh(softplus(x))
    return t + x * (1.0 - t * t) * sigmoid(x)


def _hard_sigmoid(x: Array, alpha: float = 0.0, beta: float = 0.0) -> Array:
    return np.clip(x / 6.0 + 0.5, 0.0, 1.0)


def _hard_silu_derivative(x: Array, alpha: float, beta: float) -> Array:
    return np.where(x >= 3.0, 1.0, np.where(x <= -3.0, 0.0, x / 3.0 + 0.5))


def _squareplus(x: Array, b: float, beta: float) -> Array:
    # (x + sqrt(x^2 + b)) / 2; below zero in the form without cancellation.
    total = np.abs(x) + np.sqrt(x * x + b)
    return np.where(x < 0, 0.5 * b / np.where(total == 0, 1.0, total), 0.5 * total)


def _soft_shrink(x: Array, alpha: float, beta: float) -> Array:
    return np.where(x > alpha, x - alpha, np.where(x < -alpha, x + alpha, x - x))


def _sigmoid_derivative(x: Array, alpha: float, beta: float) -> Array:
    return sigmoid(x) * sigmoid(-x)


def _inside(x: Array, low: float, high: float, slope: float) -> Array:
    return np.where((x > low) & (x < high), slope, 0.0)


def _zeros(x: Array, alpha: float, beta: float) -> Array:
    return np.zeros_like(x)


def _at_zero(alpha: float, beta: float) -> tuple[float, ...]:
    return (0.0,)


def _at_three(alpha: float, beta: float) -> tuple[float, ...]:
    return (-3.0, 3.0)


def _at_alphas(alpha: float, beta: float) -> tuple[float, ...]:
    return (-alpha, alpha)


# By the names graphs use; csrc/math/activation_names.h lists the same ones.
ACTIVATIONS: dict[str, Activation] = {
    "linear": Activation(lambda x, a, b: x.copy(), lambda x, a, b: np.ones_like(x)),
    "relu": Activation(
        lambda x, a, b: np.maximum(x, 0.0), lambda x, a, b: np.where(x > 0, 1.0, 0.0), _at_zero
    ),
    "relu6": Activation(
        lambda x, a, b: np.clip(x, 0.0, 6.0),
        lambda x, a, b: _inside(x, 0.0, 6.0, 1.0),
        lambda a, b: (0.0, 6.0),
    ),
    "leaky_relu": Activation(
        lambda x, a, b: np.where(x > 0, x, a * x), lambda x, a, b: np.where(x > 0, 1.0, a), _at_zero
    ),
    "elu": Activation(
        lambda x, a, b: np.where(x > 0, x, a * np.expm1(_below_zero(x))),
        lambda x, a, b: np.where(x > 0, 1.0, a * np.exp(_below_zero(x))),
        _at_zero,
    ),
    "selu": Activation(
        lambda x, a, b: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(_below_zero(x))),
        lambda x, a, b: SELU_SCALE * np.where(x > 0, 1.0, SELU_ALPHA * np.exp(_below_zero(x))),
        _at_zero,
    ),
    "celu": Activation(
        lambda x, a, b: np.where(x > 0, x, a * np.expm1(_below_zero(x) / a)),
        lambda x, a, b: np.where(x > 0, 1.0, np.exp(_below_zero(x) / a)),
        _at_zero,
    ),
    "gelu": Activation(lambda x, a, b: x * _normal_cdf(x), _gelu_derivative),
    "gelu_tanh": Activation(lambda x, a, b: x * _gelu_tanh_gate(x), _gelu_tanh_derivative),
    "silu": Activation(lambda x, a, b: x * sigmoid(a * x), _silu_derivative),
    "mish": Activation(lambda x, a, b: x * np.tanh(softplus(x)), _mish_derivative),
    "sigmoid": Activation(lambda x, a, b: sigmoid(x), _sigmoid_derivative),
    "hard_sigmoid": Activation(
        _hard_sigmoid, lambda x, a, b: _inside(x, -3.0, 3.0, 1.0 / 6.0), _at_three
    ),
    "tanh": Activation(lambda x, a, b: np.tanh(x), lambda x, a, b: 1.0 - np.tanh(x) ** 2),
    "hard_tanh": Activation(
        lambda x, a, b: np.clip(x, -1.0, 1.0),
        lambda x, a, b: _inside(x, -1.0, 1.0, 1.0),
        lambda a, b: (-1.0, 1.0),
    ),
    "softplus": Activation(lambda x, a, b: softplus(x), lambda x, a, b: sigmoid(x)),
    "softsign": Activation(
        lambda x, a, b: x / (1.0 + np.abs(x)), lambda x, a, b: 1.0 / (1.0 + np.abs(x)) ** 2
    ),
    "exponential": Activation(lambda x, a, b: np.exp(x), lambda x, a, b: np.exp(x)),
    "hard_silu": Activation(lambda x, a, b: x * _hard_sigmoid(x), _hard_silu_derivative, _at_three),
    "log_sigmoid": Activation(lambda x, a, b: -softplus(-x), lambda x, a, b: sigmoid(-x)),
    "squareplus": Activation(
        _squareplus, lambda x, a, b: _squareplus(x, a, b) / np.sqrt(x * x + a)
    ),
    "soft_shrink": Activation(
        _soft_shrink, lambda x, a, b: np.where(np.abs(x) > a, 1.0, 0.0), _at_alphas
    ),
    "hard_shrink": Activation(
        lambda x, a, b: np.where(np.abs(x) <= a, 0.0, x),
        lambda x, a, b: np.where(np.abs(x) > a, 1.0, 0.0),
        _at_alphas,
    ),
    "tanh_shrink": Activation(lambda x, a, b: x - np.tanh(x), lambda x, a, b: np.tanh(x) ** 2),
    "threshold": Activation(
        lambda x, a, b: np.where(x <= a, b, x),
        lambda x, a, b: np.where(x > a, 1.0, 0.0),
        lambda a, b: (a,),
    ),
    "heaviside": Activation(lambda x, a, b: np.where(x > 0, 1.0, 0.0), _zeros, _at_zero),
    "sign": Activation(
        lambda x, a, b: np.where(x > 0, 1.0, np.where(x < 0, -1.0, 0.0)), _zeros, _at_zero
    ),
}


def activation_table(kind: str) -> Activation:
    """Return the table's entry of an activation.

    Args:
        kind: a key of ``ACTIVATIONS``.

    Raises:
        ValueError: if there is none of that name.

    Example:

    >>> activation_table("relu").kinks(0.0, 0.0)
    (0.0,)
    """
    if kind not in ACTIVATIONS:
        raise unknown_name("activation", kind, ACTIVATIONS)
    return ACTIVATIONS[kind]


def activation_forward(x: ArrayLike, kind: str, alpha: float = 0.0, beta: float = 0.0) -> Array:
    """Return ``f(x)`` of the activation ``kind``.

    Args:
        x: array of any shape.
        kind: name of the activation: a key of ``ACTIVATIONS``.
        alpha: its first parameter, where it has one (slope, limit, threshold, factor).
        beta: its second one (the value below the threshold).

    Raises:
        ValueError: if there is no activation of that name.

    Formula: that of Keras 3 (``keras.activations``); GELU is exact, ``gelu_tanh`` its
    approximation, ``silu`` is ``x * sigmoid(alpha * x)``.

    Example:

    >>> activation_forward([-1.0, 2.0], "leaky_relu", alpha=0.25).tolist()
    [-0.25, 2.0]
    """
    table = activation_table(kind)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return table.function(np.asarray(x, dtype=np.float64), float(alpha), float(beta))


def activation_backward(
    x: ArrayLike, dy: ArrayLike, kind: str, alpha: float = 0.0, beta: float = 0.0
) -> Array:
    """Return ``dy * f'(x)``.

    Args:
        x: what the activation was applied to.
        dy: gradient of its output.
        kind: as in `activation_forward`, like the rest.
        alpha: its first parameter.
        beta: its second one.

    Raises:
        ValueError: if there is no activation of that name.

    Formula: the derivative; at a jump that of the side with the smaller slope for ReLU and the
    hard functions (``relu'(0) = 0``), that of ``x <= 0`` for the leaky and exponential ones, 0
    everywhere for the step functions.

    Example:

    >>> activation_backward([-1.0, 2.0], [1.0, 1.0], "relu").tolist()
    [0.0, 1.0]
    """
    table = activation_table(kind)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        slope = table.derivative(np.asarray(x, dtype=np.float64), float(alpha), float(beta))
    return np.asarray(dy, dtype=np.float64) * slope
