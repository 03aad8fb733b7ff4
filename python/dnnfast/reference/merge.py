"""Ops that join or reshape tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def add_forward(inputs: Sequence[ArrayLike]) -> Array:
    """Return the sum of arrays of one shape, added in their order.

    Args:
        inputs: one or more arrays.

    Formula: ``y = x_1 + x_2 + ...``.

    Example:

    >>> add_forward([[1.0], [2.0], [3.0]])
    array([6.])
    """
    y = np.array(inputs[0], dtype=np.float64)
    for x in inputs[1:]:
        y = y + np.asarray(x, dtype=np.float64)
    return y


def add_backward(dy: ArrayLike, count: int) -> list[Array]:
    """Return the gradient of each of the ``count`` inputs: ``dy`` itself.

    Args:
        dy: gradient of the sum.
        count: number of inputs.

    Formula: ``dx_i = dy``.

    Example:

    >>> add_backward([1.0], 2)
    [array([1.]), array([1.])]
    """
    return [np.array(dy, dtype=np.float64) for _ in range(count)]


def concatenate_forward(inputs: Sequence[ArrayLike]) -> Array:
    """Return the inputs joined along the last axis.

    Args:
        inputs: one or more arrays that agree in all other axes.

    Formula: ``y = [x_1 | x_2 | ...]``.

    Example:

    >>> concatenate_forward([[[1.0]], [[2.0, 3.0]]])
    array([[1., 2., 3.]])
    """
    return np.concatenate([np.asarray(x, dtype=np.float64) for x in inputs], axis=-1)


def concatenate_backward(dy: ArrayLike, columns: Sequence[int]) -> list[Array]:
    """Return the gradient of each input of a concatenation.

    Args:
        dy: gradient of the joined array.
        columns: size of the last axis of each input.

    Formula: ``dx_i`` = the columns of ``dy`` that came from ``x_i``.

    Example:

    >>> concatenate_backward([[1.0, 2.0, 3.0]], [1, 2])
    [array([[1.]]), array([[2., 3.]])]
    """
    ends = np.cumsum(columns)[:-1]
    return [part.copy() for part in np.split(np.asarray(dy, dtype=np.float64), ends, axis=-1)]


def reshape_forward(x: ArrayLike, shape: Sequence[int]) -> Array:
    """Return every sample in another shape, its elements in row-major order.

    Args:
        x: ``[batch, ...]``.
        shape: of a sample; one size may be -1.

    Formula: ``numpy.reshape``.

    Example:

    >>> reshape_forward([[1.0, 2.0, 3.0, 4.0]], (2, 2)).shape
    (1, 2, 2)
    """
    x = np.asarray(x, dtype=np.float64)
    return x.reshape(x.shape[0], *shape)


def reshape_backward(dy: ArrayLike, shape: Sequence[int]) -> Array:
    """Return the gradient in the shape that `reshape_forward` was given.

    Args:
        dy: gradient of the reshaped batch.
        shape: of a sample of the input.

    Formula: ``numpy.reshape``.

    Example:

    >>> reshape_backward([[[1.0, 2.0]]], (2,))
    array([[1., 2.]])
    """
    return reshape_forward(dy, shape)
