"""Dense layers: the forward product with its epilogue, and the backward products."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.kernels.device import native as _native

Array = NDArray[np.float32]


def matmul(x: ArrayLike, w: ArrayLike) -> Array:
    """Return the product of two matrices.

    Args:
        x: ``(rows, in)``.
        w: ``(in, out)``.

    Raises:
        ValueError: if a shape does not fit.

    Example:

    >>> matmul([[1, 2]], [[3], [4]])
    array([[11.]], dtype=float32)
    """
    return _native.matmul(x, w)


def dense_forward(
    x: ArrayLike,
    w: ArrayLike,
    b: ArrayLike | None = None,
    activation: str = "linear",
    alpha: float = 0.0,
    beta: float = 0.0,
    rate: float = 0.0,
    seed: int = 0,
    step: int = 0,
    stream: int = 0,
) -> Array:
    """Return ``dropout(activation(x w + b))`` in one pass.

    Args:
        x: ``(rows, in)``.
        w: ``(in, out)``.
        b: ``(out,)``; None is no bias.
        activation: name of the activation; ``alpha`` and ``beta`` are its parameters.
        alpha: first parameter of the activation.
        beta: second parameter of the activation.
        rate: share of the outputs that dropout sets to zero, in [0, 1).
        seed: of the random bits, with ``step`` and ``stream``.
        step: number of the training step.
        stream: number of the dropout layer in its model.

    Raises:
        ValueError: if a shape does not fit or a name is unknown.

    Example:

    >>> dense_forward([[1, 2]], [[1, -1], [1, -1]], [0.5, 0.5], activation="relu")
    array([[3.5, 0. ]], dtype=float32)
    """
    return _native.dense_forward(x, w, b, activation, alpha, beta, rate, seed, step, stream)


def dense_backward(
    x: ArrayLike,
    w: ArrayLike,
    dy: ArrayLike,
    b: bool = True,
    activation: str = "linear",
    alpha: float = 0.0,
    beta: float = 0.0,
    z: ArrayLike | None = None,
    rate: float = 0.0,
    seed: int = 0,
    step: int = 0,
    stream: int = 0,
) -> tuple[Array, Array, Array | None]:
    """Return ``(dx, dw, db)`` of `dense_forward`.

    With ``dz = dropout'(dy) activation'(z)``: ``dx = dz w^T``, ``dw = x^T dz``, ``db`` the column
    sums of ``dz``.

    Args:
        x: ``(rows, in)``, as in the forward pass.
        w: ``(in, out)``, as in the forward pass.
        dy: ``(rows, out)``, gradient of the output.
        b: whether there is a bias; without one ``db`` is None.
        activation: as in the forward pass.
        alpha: as in the forward pass.
        beta: as in the forward pass.
        z: ``(rows, out)``, the pre-activation; needed unless the activation is linear.
        rate: as in the forward pass; also ``seed``, ``step`` and ``stream``.
        seed: as in the forward pass.
        step: as in the forward pass.
        stream: as in the forward pass.

    Raises:
        ValueError: if a shape does not fit, a name is unknown, or ``z`` is missing.

    Example:

    >>> dx, dw, db = dense_backward([[1, 2]], [[3], [4]], [[1]])
    >>> dx.tolist(), dw.tolist(), db.tolist()
    ([[3.0, 4.0]], [[1.0], [2.0]], [1.0])
    """
    return _native.dense_backward(x, w, dy, b, activation, alpha, beta, z, rate, seed, step, stream)
