"""Inverted dropout. Random bits are a function of (seed, step, stream, row, column)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.kernels.device import native as _native

Array = NDArray[np.float32]


def dropout_mask(
    rows: int, cols: int, rate: float, seed: int = 0, step: int = 0, stream: int = 0
) -> NDArray[np.bool_]:
    """Return which elements of a ``(rows, cols)`` matrix are kept.

    Raises:
        ValueError: if the rate is not in [0, 1).

    Example:

    >>> bool(dropout_mask(2, 3, rate=0.0).all())
    True
    """
    return dropout_forward(np.ones((rows, cols), np.float32), rate, seed, step, stream) != 0


def dropout_forward(
    x: ArrayLike, rate: float, seed: int = 0, step: int = 0, stream: int = 0
) -> Array:
    """Return x with a share ``rate`` of its elements set to 0 and the others divided by 1 - rate.

    Args:
        x: ``(rows, columns)``.
        rate: in [0, 1).
        seed: of the random bits, with ``step`` and ``stream``.
        step: number of the training step.
        stream: number of the dropout layer in its model.

    Raises:
        ValueError: if the rate is not in [0, 1) or x is not a matrix.

    Example:

    >>> y = dropout_forward(np.ones((100, 100)), rate=0.5)
    >>> sorted(set(y.ravel().tolist()))
    [0.0, 2.0]
    """
    return _native.dropout_forward(x, rate, seed, step, stream)


def dropout_backward(
    dy: ArrayLike, rate: float, seed: int = 0, step: int = 0, stream: int = 0
) -> Array:
    """Return the gradient before `dropout_forward` with the same arguments.

    Raises:
        ValueError: if the rate is not in [0, 1) or dy is not a matrix.

    Example:

    >>> x = np.ones((4, 4))
    >>> bool((dropout_backward(x, 0.5, seed=7) == dropout_forward(x, 0.5, seed=7)).all())
    True
    """
    return _native.dropout_backward(dy, rate, seed, step, stream)
