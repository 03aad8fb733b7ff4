"""Batch normalization over all axes but the last; definitions of Keras 3 (biased variance)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def _double(x: ArrayLike) -> Array:
    return np.asarray(x, dtype=np.float64)


def _statistics(x: Array) -> tuple[Array, Array]:
    rows = x.reshape(-1, x.shape[-1])
    mean = rows.mean(axis=0)
    return mean, ((rows - mean) ** 2).mean(axis=0)


def _scaled(xhat: Array, gamma: ArrayLike | None, beta: ArrayLike | None) -> Array:
    y = xhat if gamma is None else xhat * _double(gamma)
    return y if beta is None else y + _double(beta)


def batchnorm_forward(
    x: ArrayLike,
    gamma: ArrayLike | None = None,
    beta: ArrayLike | None = None,
    epsilon: float = 1e-3,
) -> tuple[Array, Array, Array]:
    """Return ``(y, mean, variance)`` of batch normalization in training.

    Args:
        x: ``[..., columns]``.
        gamma: scale ``[columns]``, or None (1).
        beta: offset ``[columns]``, or None (0).
        epsilon: added to the variance.

    Formula: ``y = (x - mean) / sqrt(variance + epsilon) * gamma + beta`` with the mean and the
    biased variance of each column over all rows; Ioffe and Szegedy (2015), as in Keras 3.

    Example:

    >>> y, mean, variance = batchnorm_forward([[0.0], [2.0]], epsilon=0.0)
    >>> y.tolist(), mean.tolist(), variance.tolist()
    ([[-1.0], [1.0]], [1.0], [1.0])
    """
    x = _double(x)
    mean, variance = _statistics(x)
    return _scaled((x - mean) / np.sqrt(variance + epsilon), gamma, beta), mean, variance


def batchnorm_inference(
    x: ArrayLike,
    gamma: ArrayLike | None,
    beta: ArrayLike | None,
    moving_mean: ArrayLike,
    moving_variance: ArrayLike,
    epsilon: float = 1e-3,
) -> Array:
    """Return batch normalization with given statistics.

    Args:
        x: ``[..., columns]``.
        gamma: scale ``[columns]``, or None (1).
        beta: offset ``[columns]``, or None (0).
        moving_mean: ``[columns]``.
        moving_variance: ``[columns]``.
        epsilon: added to the variance.

    Formula: ``y = (x - moving_mean) / sqrt(moving_variance + epsilon) * gamma + beta``.

    Example:

    >>> batchnorm_inference([[3.0]], None, None, [1.0], [4.0], epsilon=0.0)
    array([[1.]])
    """
    rstd = 1.0 / np.sqrt(_double(moving_variance) + epsilon)
    return _scaled((_double(x) - _double(moving_mean)) * rstd, gamma, beta)


def batchnorm_backward(
    x: ArrayLike, gamma: ArrayLike | None, dy: ArrayLike, epsilon: float = 1e-3
) -> tuple[Array, Array, Array]:
    """Return ``(dx, dgamma, dbeta)`` of `batchnorm_forward`; the statistics are recomputed.

    Args:
        x: input of the forward call.
        gamma: scale ``[columns]``, or None (1).
        dy: gradient of the output.
        epsilon: added to the variance.

    Formula: with ``xhat`` the normalised input and means over rows,
    ``dx = gamma rstd (dy - mean(dy) - xhat mean(dy xhat))``, ``dgamma = sum dy xhat``,
    ``dbeta = sum dy``.

    Example:

    >>> dx, dgamma, dbeta = batchnorm_backward([[0.0], [2.0]], None, [[1.0], [1.0]])
    >>> dx.tolist(), dbeta.tolist()
    ([[0.0], [0.0]], [2.0])
    """
    x, dy = _double(x), _double(dy)
    mean, variance = _statistics(x)
    rstd = 1.0 / np.sqrt(variance + epsilon)
    xhat = (x - mean) * rstd
    axes = tuple(range(x.ndim - 1))
    factor = rstd if gamma is None else rstd * _double(gamma)
    dx = factor * (dy - dy.mean(axis=axes) - xhat * (dy * xhat).mean(axis=axes))
    return dx, (dy * xhat).sum(axis=axes), dy.sum(axis=axes)


def batchnorm_inference_backward(
    x: ArrayLike,
    gamma: ArrayLike | None,
    dy: ArrayLike,
    moving_mean: ArrayLike,
    moving_variance: ArrayLike,
    epsilon: float = 1e-3,
) -> tuple[Array, Array, Array]:
    """Return ``(dx, dgamma, dbeta)`` of `batchnorm_inference`, the statistics being constants.

    Args:
        x: input of the forward call.
        gamma: scale ``[columns]``, or None (1).
        dy: gradient of the output.
        moving_mean: ``[columns]``.
        moving_variance: ``[columns]``.
        epsilon: added to the variance.

    Formula: ``dx = gamma rstd dy``, ``dgamma = sum dy xhat``, ``dbeta = sum dy``.

    Example:

    >>> dx, dgamma, dbeta = batchnorm_inference_backward(
    ...     [[3.0]], [2.0], [[1.0]], [1.0], [4.0], epsilon=0.0)
    >>> dx.tolist(), dgamma.tolist(), dbeta.tolist()
    ([[1.0]], [1.0], [1.0])
    """
    x, dy = _double(x), _double(dy)
    rstd = 1.0 / np.sqrt(_double(moving_variance) + epsilon)
    xhat = (x - _double(moving_mean)) * rstd
    axes = tuple(range(x.ndim - 1))
    factor = rstd if gamma is None else rstd * _double(gamma)
    return factor * dy, (dy * xhat).sum(axis=axes), dy.sum(axis=axes)


def batchnorm_update(moving: ArrayLike, batch: ArrayLike, momentum: float) -> Array:
    """Return the moving statistic after a training step.

    Args:
        moving: the statistic before.
        batch: that of the step's batch (for variances the biased one).
        momentum: share of the old value.

    Formula: ``moving * momentum + batch * (1 - momentum)``; Keras 3.

    Example:

    >>> batchnorm_update([1.0], [2.0], momentum=0.75)
    array([1.25])
    """
    return _double(moving) * momentum + _double(batch) * (1.0 - momentum)
