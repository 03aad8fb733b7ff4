"""New tensors: zeros, ones, one value, identities, triangles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import expressions, symbolic
from dnnfast.expressions import Expression, apply
from dnnfast.keras_tensor import KerasTensor
from dnnfast.ops.values import (
    array,
    checked_dtype,
    dtype_of,
    extents,
    integers,
    rank,
)


def constant(sizes: Sequence[int], value: Any, dtype: str) -> KerasTensor:
    """Record a tensor of one number; -n among the sizes is n times the batch."""
    return symbolic.map_("full", lambda: expressions.constant(float(value)), [], dtype, sizes)


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return a tensor of one value.

    Args:
        shape: its sizes. In a model None is the batch.
        fill_value: a number, or anything that broadcasts to the shape.
        dtype: default ``"float32"``.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.full((2,), 7.0))
        [7. 7.]
    """
    name = "float32" if dtype is None else checked_dtype(dtype)
    asked = tuple(shape) if isinstance(shape, (list, tuple, np.ndarray)) else (shape,)
    if None not in asked and not symbolic.is_symbolic(fill_value):
        return np.full(integers("full", asked), array(fill_value), name)
    sizes = integers("full", asked)
    if not symbolic.is_symbolic(fill_value) and np.ndim(fill_value) == 0:
        return constant(sizes, fill_value, name)
    from dnnfast.ops.core import cast
    from dnnfast.ops.shaping import broadcast_extents

    return broadcast_extents(cast(symbolic.tensor(fill_value), name), sizes)


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Return a tensor of zeros.

    Args:
        shape: its sizes. In a model None is the batch.
        dtype: default ``"float32"``.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.zeros((2,)))
        [0. 0.]
    """
    return full(shape, 0, dtype)


def ones(shape: Any, dtype: Any = None) -> Any:
    """Return a tensor of ones.

    Args:
        shape: its sizes. In a model None is the batch.
        dtype: default ``"float32"``.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.ones((2,)))
        [1. 1.]
    """
    return full(shape, 1, dtype)


def empty(shape: Any, dtype: Any = None) -> Any:
    """Return a tensor whose elements do not matter (they are 0).

    Args:
        shape: its sizes. In a model None is the batch.
        dtype: default ``"float32"``.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.empty((2, 3)).shape
        (2, 3)
    """
    return full(shape, 0, dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return a tensor of one value in the shape of another.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        fill_value: a number, or anything that broadcasts to the shape.
        dtype: default that of x.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.full_like([1, 2], 7))
        [7 7]
    """
    name = dtype_of(x) if dtype is None else checked_dtype(dtype)
    if not symbolic.is_symbolic(x, fill_value):
        return np.full(array(x).shape, array(fill_value), name)
    if np.ndim(fill_value) == 0 and not symbolic.is_symbolic(fill_value):
        return constant(extents(x), fill_value, name)
    from dnnfast.ops.core import cast
    from dnnfast.ops.shaping import broadcast_extents

    return broadcast_extents(cast(symbolic.tensor(fill_value), name), extents(x))


def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Return zeros in the shape of another tensor.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        dtype: default that of x.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.zeros_like([1.0, 2.0]))
        [0. 0.]
    """
    return full_like(x, 0, dtype)


def ones_like(x: Any, dtype: Any = None) -> Any:
    """Return ones in the shape of another tensor.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        dtype: default that of x.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.ones_like([1.0, 2.0]))
        [1. 1.]
    """
    return full_like(x, 1, dtype)


def empty_like(x: Any, dtype: Any = None) -> Any:
    """Return a tensor in the shape of another whose elements do not matter (they are 0).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        dtype: default that of x.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.empty_like([1.0, 2.0]).shape
        (2,)
    """
    return full_like(x, 0, dtype)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Return a matrix with ones on a diagonal.

    Args:
        N: number of rows.
        M: number of columns. Default N.
        k: which diagonal; positive ones lie above the main one. Default 0.
        dtype: default ``"float32"``.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.eye(2))
        [[1. 0.]
         [0. 1.]]
    """
    return np.eye(N, M, k, dtype="float32" if dtype is None else checked_dtype(dtype))


def identity(n: int, dtype: Any = None) -> Any:
    """Return the identity matrix.

    Args:
        n: number of rows and columns.
        dtype: default ``"float32"``.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.identity(2))
        [[1. 0.]
         [0. 1.]]
    """
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Return a matrix with ones at and below a diagonal.

    Args:
        N: number of rows.
        M: number of columns. Default N.
        k: which diagonal; positive ones lie above the main one. Default 0.
        dtype: default ``"float32"``.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.tri(2))
        [[1. 0.]
         [1. 1.]]
    """
    return np.tri(N, M, k, dtype="float32" if dtype is None else checked_dtype(dtype))


def _triangle(name: str, x: Any, k: int, lower: bool) -> Any:
    if not symbolic.is_symbolic(x):
        values = array(x)
        return np.tril(values, k) if lower else np.triu(values, k)
    count = rank(x)
    if count < 2:
        raise ValueError(f"{name}: x must have at least 2 axes, got {count}.")
    row = Expression("coordinate", (), count - 2)
    column = Expression("coordinate", (), count - 1)

    def build(e: Expression) -> Expression:
        if lower:
            return expressions.select(apply("less_equal", column - row, k), e, 0.0)
        return expressions.select(apply("less_equal", k, column - row), e, 0.0)

    return symbolic.map_(name, build, (x,), dtype_of(x))


def tril(x: Any, k: int = 0) -> Any:
    """Set what lies above a diagonal of the last two axes to 0.

    Args:
        x: an array, a list, a variable or a symbolic tensor of at least 2 axes.
        k: which diagonal; positive ones lie above the main one. Default 0.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.tril([[1, 2], [3, 4]]))
        [[1 0]
         [3 4]]
    """
    return _triangle("tril", x, k, True)


def triu(x: Any, k: int = 0) -> Any:
    """Set what lies below a diagonal of the last two axes to 0.

    Args:
        x: an array, a list, a variable or a symbolic tensor of at least 2 axes.
        k: which diagonal; positive ones lie above the main one. Default 0.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.triu([[1, 2], [3, 4]]))
        [[1 2]
         [0 4]]
    """
    return _triangle("triu", x, k, False)
