"""Elements in order, and their positions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dnnfast import symbolic
from dnnfast.ops.elementwise import negative
from dnnfast.ops.shaping import reshape
from dnnfast.ops.taking import get_item, take_along_axis
from dnnfast.ops.values import array, extents, one_axis, rank


class TopK(NamedTuple):
    """What `top_k` returns."""

    values: Any
    indices: Any


def _ordered(what: str, x: Any, axis: int | None) -> tuple[Any, int]:
    """Return the tensor and its axis to sort along; without axis all elements along one."""
    value = x if symbolic.is_symbolic(x) else array(x)
    if axis is None:
        return reshape(value, (-1,)), 0
    return value, one_axis(what, axis, rank(value))


def argsort(x: Any, axis: int | None = -1) -> Any:
    """Positions of the elements in ascending order along an axis (int32).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: the axis; None: all elements in row-major order. Default -1.

    Raises:
        ValueError: if there is no such axis.

    Equal elements stay in their order, NaN comes last.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.argsort([3, 1, 2]))
        [1 2 0]
    """
    value, place = _ordered("argsort", x, axis)
    if symbolic.is_symbolic(x):
        return symbolic.scan(value, "arg_sort", place)
    return np.argsort(value, place, kind="stable").astype("int32")


def sort(x: Any, axis: int | None = -1) -> Any:
    """Elements in ascending order along an axis.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: the axis; None: all elements in row-major order. Default -1.

    Raises:
        ValueError: if there is no such axis.

    NaN comes last. The gradient goes to where the elements came from.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.sort([3, 1, 2]))
        [1 2 3]
    """
    value, place = _ordered("sort", x, axis)
    if symbolic.is_symbolic(x):
        return take_along_axis(value, symbolic.scan(value, "arg_sort", place), place)
    return np.sort(value, place)


def argpartition(x: Any, kth: int, axis: int = -1) -> Any:
    """Positions that put the kth element where sorting would, smaller ones before it (int32).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        kth: position, from 0.
        axis: the axis. Default -1.

    Raises:
        ValueError: if there is no such axis or position.

    The result is that of `argsort`, which is one of the possible ones.

    Example:
        >>> import dnnfast
        >>> int(dnnfast.ops.argpartition([3, 1, 2], 1)[1])
        2
    """
    value, place = _ordered("argpartition", x, axis)
    size = extents(value)[place]
    if size >= 0 and not -size <= kth < size:
        raise ValueError(f"argpartition: kth={kth} for an axis of size {size}.")
    return argsort(value, place)


def top_k(x: Any, k: int, sorted: bool = True) -> TopK:
    """The k largest elements along the last axis, and their positions.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        k: how many.
        sorted: whether they are wanted in descending order; they always are. Default True.

    Raises:
        ValueError: if the last axis has fewer than k elements.

    Returns ``(values, indices)``, of equal elements the first ones. The gradient goes to where the
    elements came from.

    Example:
        >>> import dnnfast
        >>> values, indices = dnnfast.ops.top_k([1, 5, 3], k=2)
        >>> print(values, indices)
        [5 3] [1 2]
    """
    value, place = _ordered("top_k", x, -1)
    size = extents(value)[place]
    if size < 0 or not 0 <= k <= size:
        raise ValueError(f"top_k: k={k} for a last axis of size {size if size >= 0 else None}.")
    if symbolic.is_symbolic(x):
        order = symbolic.scan(value, "arg_sort", place, reverse=True)
    elif value.dtype.kind in "iu":
        order = argsort(-value.astype(np.int64), place)
    else:
        order = argsort(negative(value), place)
    order = get_item(order, (..., slice(0, k)))
    return TopK(take_along_axis(value, order, place), order)
