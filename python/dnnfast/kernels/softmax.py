"""Row-wise activations: softmax, its logarithm, and the gated linear unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.kernels.device import native as _native

Array = NDArray[np.float32]


def softmax_forward(x: ArrayLike) -> Array:
    """Return ``exp(x - max) / sum(exp(x - max))`` over each row of ``(rows, columns)``.

    Raises:
        ValueError: if x is not a matrix.

    Example:

    >>> softmax_forward([[0.0, 0.0]])
    array([[0.5, 0.5]], dtype=float32)
    """
    return _native.softmax_forward(x)


def softmax_backward(y: ArrayLike, dy: ArrayLike) -> Array:
    """Return ``y (dy - sum(dy y))``, the gradient before a softmax whose output is ``y``.

    Raises:
        ValueError: if a shape does not fit.

    Example:

    >>> softmax_backward([[0.5, 0.5]], [[1.0, 0.0]])
    array([[ 0.25, -0.25]], dtype=float32)
    """
    return _native.softmax_backward(y, dy)


def log_softmax_forward(x: ArrayLike) -> Array:
    """Return ``x - max - log(sum(exp(x - max)))`` over each row.

    Raises:
        ValueError: if x is not a matrix.

    Example:

    >>> bool(np.allclose(log_softmax_forward([[0.0, 0.0]]), np.log(0.5)))
    True
    """
    return _native.log_softmax_forward(x)


def log_softmax_backward(y: ArrayLike, dy: ArrayLike) -> Array:
    """Return ``dy - exp(y) sum(dy)``, the gradient before a log-softmax whose output is ``y``.

    Raises:
        ValueError: if a shape does not fit.

    Example:

    >>> log_softmax_backward(np.log([[0.5, 0.5]]), [[1.0, 0.0]]).round(6)
    array([[ 0.5, -0.5]], dtype=float32)
    """
    return _native.log_softmax_backward(y, dy)


def glu_forward(x: ArrayLike) -> Array:
    """Return ``a sigmoid(b)`` for rows ``[a | b]``: half as many columns as x.

    Raises:
        ValueError: if x is not a matrix with an even number of columns.

    Example:

    >>> glu_forward([[4.0, 0.0]])
    array([[2.]], dtype=float32)
    """
    return _native.glu_forward(x)


def glu_backward(x: ArrayLike, dy: ArrayLike) -> Array:
    """Return the gradient of `glu_forward` before x.

    Raises:
        ValueError: if a shape does not fit.

    Example:

    >>> glu_backward([[4.0, 0.0]], [[1.0]])
    array([[0.5, 1. ]], dtype=float32)
    """
    return _native.glu_backward(x, dy)
