"""Dense layer: ``y = dropout(f(x w + b))`` and its gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.reference.activation import activation_backward, activation_forward
from dnnfast.reference.dropout import dropout_backward, dropout_forward

Array = NDArray[np.float64]


def matmul(x: ArrayLike, w: ArrayLike) -> Array:
    """Return ``x w`` in float64.

    Args:
        x: ``[..., in]``.
        w: ``[in, out]``.

    Formula: ``y_ro = sum_i x_ri w_io``.

    Example:

    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]])
    array([[11.]])
    """
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(x, dtype=np.float64) @ np.asarray(w, dtype=np.float64)


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
    """Return ``dropout(f(x w + b))``.

    Args:
        x: ``[..., in]``.
        w: kernel ``[in, out]``.
        b: bias ``[out]``, or None.
        activation: name of ``f``, see `activation_forward`.
        alpha: first parameter of ``f``.
        beta: second parameter of ``f``.
        rate: of dropout after ``f``; 0 is none.
        seed: of the dropout bits, like ``step`` and ``stream``; see `dropout_mask`.
        step: see `dropout_mask`.
        stream: see `dropout_mask`.

    Raises:
        ValueError: for an unknown activation or a rate outside [0, 1).

    Formula: Keras 3's ``Dense``; the activation and dropout follow as in a layer stack.

    Example:

    >>> dense_forward([[1.0, -2.0]], [[1.0], [1.0]], [0.5], activation="relu")
    array([[0.]])
    """
    z = matmul(x, w)
    if b is not None:
        z = z + np.asarray(b, dtype=np.float64)
    return dropout_forward(activation_forward(z, activation, alpha, beta), rate, seed, step, stream)


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
    """Return the gradients ``(dx, dw, db)`` of `dense_forward`.

    Args:
        x: what went in, ``[..., in]``.
        w: kernel ``[in, out]``.
        dy: gradient of the output, ``[..., out]``.
        b: whether there is a bias; ``db`` is None without.
        activation: as in the forward call, like the rest.
        alpha: first parameter of the activation.
        beta: second parameter of the activation.
        z: the pre-activation ``x w + b``; needed unless the activation is "linear".
        rate: of dropout.
        seed: of the dropout bits.
        step: of the dropout bits.
        stream: of the dropout bits.

    Raises:
        ValueError: if ``z`` is missing, the activation unknown or the rate outside [0, 1).

    Formula: ``dz = dropout'(dy) f'(z)``, ``dx = dz w^T``, ``dw = x^T dz``, ``db = sum dz`` over
    all rows.

    Example:

    >>> dx, dw, db = dense_backward([[1.0, 2.0]], [[3.0], [4.0]], [[1.0]])
    >>> dx.tolist(), dw.tolist(), db.tolist()
    ([[3.0, 4.0]], [[1.0], [2.0]], [1.0])
    """
    dz = dropout_backward(dy, rate, seed, step, stream)
    if activation != "linear":
        if z is None:
            raise ValueError(
                f'dense_backward: activation "{activation}" needs z, the pre-activation x w + b'
            )
        dz = activation_backward(z, dz, activation, alpha, beta)
    x = np.asarray(x, dtype=np.float64)
    w = np.asarray(w, dtype=np.float64)
    rows = dz.reshape(-1, dz.shape[-1])
    with np.errstate(invalid="ignore", over="ignore"):
        dw = x.reshape(-1, x.shape[-1]).T @ rows
        return dz @ w.T, dw, rows.sum(axis=0) if b else None
