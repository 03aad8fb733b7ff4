"""Row-wise activations over the last axis: softmax, log-softmax, gated linear unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.reference.activation import sigmoid

Array = NDArray[np.float64]


def softmax_forward(x: ArrayLike) -> Array:
    """Return the softmax over the last axis.

    Args:
        x: ``[..., classes]``.

    Formula: ``y = exp(x - max x) / sum exp(x - max x)``.

    Example:

    >>> softmax_forward([[0.0, 0.0]])
    array([[0.5, 0.5]])
    """
    return np.exp(log_softmax_forward(x))


def softmax_backward(y: ArrayLike, dy: ArrayLike) -> Array:
    """Return the gradient through softmax.

    Args:
        y: output of `softmax_forward`.
        dy: gradient of it.

    Formula: ``dx = y (dy - sum(y dy))``.

    Example:

    >>> softmax_backward([[0.5, 0.5]], [[1.0, 0.0]])
    array([[ 0.25, -0.25]])
    """
    y, dy = np.asarray(y, dtype=np.float64), np.asarray(dy, dtype=np.float64)
    return y * (dy - (y * dy).sum(axis=-1, keepdims=True))


def log_softmax_forward(x: ArrayLike) -> Array:
    """Return the logarithm of the softmax over the last axis.

    Args:
        x: ``[..., classes]``.

    Formula: ``y = x - max x - log sum exp(x - max x)``.

    Example:

    >>> log_softmax_forward([[0.0, 0.0]]).round(4)
    array([[-0.6931, -0.6931]])
    """
    x = np.asarray(x, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def log_softmax_backward(y: ArrayLike, dy: ArrayLike) -> Array:
    """Return the gradient through log-softmax.

    Args:
        y: output of `log_softmax_forward`.
        dy: gradient of it.

    Formula: ``dx = dy - exp(y) sum(dy)``.

    Example:

    >>> log_softmax_backward(np.log([[0.5, 0.5]]), [[1.0, 0.0]])
    array([[ 0.5, -0.5]])
    """
    y, dy = np.asarray(y, dtype=np.float64), np.asarray(dy, dtype=np.float64)
    return dy - np.exp(y) * dy.sum(axis=-1, keepdims=True)


def _halves(x: ArrayLike) -> tuple[Array, Array]:
    x = np.asarray(x, dtype=np.float64)
    if x.shape[-1] % 2:
        raise ValueError(f"glu: the last axis has {x.shape[-1]} elements; it must be even")
    half = x.shape[-1] // 2
    return x[..., :half], x[..., half:]


def glu_forward(x: ArrayLike) -> Array:
    """Return the gated linear unit: the first half of the last axis, gated by the second.

    Args:
        x: ``[..., 2 n]``.

    Raises:
        ValueError: if the last axis is odd.

    Formula: ``y = a sigmoid(b)`` where ``x = [a | b]``; Dauphin et al. (2017), Keras 3's ``glu``.

    Example:

    >>> glu_forward([[4.0, 0.0]])
    array([[2.]])
    """
    a, b = _halves(x)
    return a * sigmoid(b)


def glu_backward(x: ArrayLike, dy: ArrayLike) -> Array:
    """Return the gradient through the gated linear unit.

    Args:
        x: input of `glu_forward`.
        dy: gradient of its output.

    Raises:
        ValueError: if the last axis is odd.

    Formula: ``dx = [dy s | dy a s (1 - s)]`` with ``s = sigmoid(b)``.

    Example:

    >>> glu_backward([[4.0, 0.0]], [[1.0]])
    array([[0.5, 1. ]])
    """
    a, b = _halves(x)
    dy = np.asarray(dy, dtype=np.float64)
    s = sigmoid(b)
    return np.concatenate([dy * s, dy * a * s * sigmoid(-b)], axis=-1)
