"""Batch normalization."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.kernels.device import native as _native

Array = NDArray[np.float32]


def batchnorm_forward(
    x: ArrayLike,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    epsilon: float = 1e-3,
) -> tuple[Array, Array, Array]:
    """Return ``(y, mean, variance)`` with the batch's own statistics.

    ``y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`` per column, the variance biased, as
    in Keras.

    Args:
        x: ``(rows, columns)``.
        gamma: ``(columns,)``; None is 1.
        beta: ``(columns,)``; None is 0.
        epsilon: added to the variance, inside the root.

    Raises:
        ValueError: if a shape does not fit.

    Example:

    >>> y, mean, variance = batchnorm_forward([[1.0], [3.0]], epsilon=0.0)
    >>> y.tolist(), mean.tolist(), variance.tolist()
    ([[-1.0], [1.0]], [2.0], [1.0])
    """
    return _native.batchnorm_forward(x, gamma, beta, epsilon)


def batchnorm_inference(
    x: ArrayLike,
    gamma: ArrayLike | None,
    beta: ArrayLike | None,
    moving_mean: ArrayLike,
    moving_variance: ArrayLike,
    epsilon: float = 1e-3,
) -> Array:
    """Return `batchnorm_forward`'s y with the given statistics instead of the batch's.

    Raises:
        ValueError: if a shape does not fit.

    Example:

    >>> batchnorm_inference([[3.0]], None, None, [1.0], [4.0], epsilon=0.0)
    array([[1.]], dtype=float32)
    """
    return _native.batchnorm_inference(x, gamma, beta, moving_mean, moving_variance, epsilon)


def batchnorm_backward(
    x: ArrayLike, gamma: ArrayLike | None, dy: ArrayLike, epsilon: float = 1e-3
) -> tuple[Array, Array, Array]:
    """Return ``(dx, dgamma, dbeta)`` of `batchnorm_forward`.

    With ``xhat`` the normalised x: ``dbeta = sum(dy)``, ``dgamma = sum(dy xhat)``, and
    ``dx = gamma / sqrt(variance + epsilon) (dy - mean(dy) - xhat mean(dy xhat))``
    (Ioffe and Szegedy, 2015).

    Raises:
        ValueError: if a shape does not fit.

    Example:

    >>> dx, dgamma, dbeta = batchnorm_backward([[1.0], [3.0]], None, [[1.0], [1.0]])
    >>> dx.tolist(), dbeta.tolist()
    ([[0.0], [0.0]], [2.0])
    """
    return _native.batchnorm_backward(x, gamma, dy, epsilon)
