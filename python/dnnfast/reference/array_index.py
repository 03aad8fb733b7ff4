"""Ops that move elements of arrays: views, gathers, scatters, scans and joins."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def _floats(x: ArrayLike) -> Array:
    return np.asarray(x, dtype=np.float64)


def _view_index(
    before: Sequence[int],
    sizes: Sequence[int],
    source: Sequence[int],
    start: Sequence[int],
    step: Sequence[int],
) -> tuple[NDArray[np.int64], ...]:
    """Return the positions along each axis of x, of a first one of size 1 (for x without axes) and
    the others, that the elements of a view have."""
    index = [np.zeros(tuple(sizes), np.int64)]
    for axis, size in enumerate(before):
        places = np.full(tuple(sizes), size - 1 if start[axis] == -1 else start[axis])
        for i, along in enumerate(source):
            if along == axis:
                across = [-1 if j == i else 1 for j in range(len(sizes))]
                places = places + (np.arange(sizes[i]) * step[i]).reshape(across)
        index.append(places)
    return tuple(index)


def view_forward(
    x: ArrayLike,
    sizes: Sequence[int],
    source: Sequence[int],
    start: Sequence[int],
    step: Sequence[int],
) -> Array:
    """Return a strided view: a transpose, slice, flip, expanded or broadcast array.

    Args:
        x: the array.
        sizes: of the result.
        source: for each axis of the result the axis of ``x`` that it runs along, or -1.
        start: for each axis of ``x`` the first position; -1 is its end.
        step: for each axis of the result the distance of positions.

    Formula: position ``start_a + sum of i_k step_k`` over the axes k with source a.

    Example:

    >>> view_forward([1.0, 2.0, 3.0], (2, 2), source=[-1, 0], start=[-1], step=[0, -2])
    array([[3., 1.],
           [3., 1.]])
    """
    x = _floats(x)
    return np.asarray(x[None][_view_index(x.shape, sizes, source, start, step)])


def view_backward(
    dy: ArrayLike,
    shape: Sequence[int],
    source: Sequence[int],
    start: Sequence[int],
    step: Sequence[int],
) -> Array:
    """Return the gradient of the input of `view_forward`.

    Args:
        dy: gradient of the result.
        shape: of the input.
        source: as in `view_forward`, like the rest.
        start: see `view_forward`.
        step: see `view_forward`.

    Formula: each element of ``dy`` is added to the element that it is a view of.

    Example:

    >>> view_backward([[1.0, 2.0], [3.0, 4.0]], (3,), source=[-1, 0], start=[-1], step=[0, -2])
    array([6., 0., 4.])
    """
    dy = _floats(dy)
    dx = np.zeros((1, *shape))
    np.add.at(dx, _view_index(shape, dy.shape, source, start, step), dy)
    return np.asarray(dx[0])


def _places(index: ArrayLike, size: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return positions along an axis (0 for those outside) and which of them are inside."""
    index = _floats(index)
    inside = (index >= -size) & (index < size)  # False for NaN
    whole = np.where(inside, np.trunc(index), 0.0).astype(np.int64)
    return np.where(whole < 0, whole + size, whole), inside


def _around(inside: NDArray, axis: int, rank: int) -> NDArray:
    """Return an array whose axes stand in another of ``rank`` axes from ``axis`` on."""
    behind = rank - axis - inside.ndim
    return inside.reshape((1,) * axis + inside.shape + (1,) * behind)


def gather_forward(x: ArrayLike, index: ArrayLike, axis: int, along: bool) -> Array:
    """Return elements at positions along an axis.

    Args:
        x: the array.
        index: whole numbers; below 0 they count from the end.
        axis: of ``x``, not negative.
        along: False: the axis is replaced by the axes of ``index`` (`numpy.take`); True: ``index``
            has the shape of ``x`` but for this axis (`numpy.take_along_axis`).

    Formula: ``y_pkq = x_p(index_k)q``; NaN where the index is outside of the axis.

    Example:

    >>> gather_forward([1.0, 2.0, 3.0], [2.0, -3.0, 3.0], axis=0, along=False)
    array([ 3.,  1., nan])
    """
    x = _floats(x)
    places, inside = _places(index, x.shape[axis])
    if along:
        return np.where(inside, np.take_along_axis(x, places, axis), np.nan)
    y = np.take(x, places, axis)
    return np.where(_around(inside, axis, y.ndim), y, np.nan)


def gather_backward(
    dy: ArrayLike, index: ArrayLike, shape: Sequence[int], axis: int, along: bool
) -> Array:
    """Return the gradient of the array that `gather_forward` reads.

    Args:
        dy: gradient of the result.
        index: as in `gather_forward`.
        shape: of the array.
        axis: as in `gather_forward`.
        along: as in `gather_forward`.

    Formula: each element of ``dy`` is added to the element that was taken.

    Example:

    >>> gather_backward([1.0, 2.0, 3.0], [1.0, 1.0, 9.0], (3,), axis=0, along=False)
    array([0., 3., 0.])
    """
    if not along:
        return scatter_forward(dy, index, axis, shape[axis])
    places, inside = _places(index, shape[axis])
    at: list[NDArray] = list(np.indices(places.shape, sparse=True))
    at[axis] = places
    dx = np.zeros(tuple(shape))
    np.add.at(dx, tuple(at), np.where(inside, _floats(dy), 0.0))
    return dx


def scatter_forward(values: ArrayLike, index: ArrayLike, axis: int, size: int) -> Array:
    """Return sums of values by position along an axis.

    Args:
        values: the axes of ``index`` stand in it from ``axis`` on.
        index: whole numbers; below 0 they count from the end.
        axis: of the result, not negative.
        size: of the result along it.

    Formula: ``y_piq = sum of values_pkq over the k with index_k = i``; what lies outside of the
    axis is ignored.

    Example:

    >>> scatter_forward([1.0, 2.0, 4.0, 8.0], [0.0, -1.0, 0.0, 3.0], axis=0, size=3)
    array([5., 0., 2.])
    """
    values, index = _floats(values), _floats(index)
    places, inside = _places(index, size)
    kept = np.where(_around(inside, axis, values.ndim), values, 0.0)
    front, behind = values.shape[:axis], values.shape[axis + index.ndim :]
    lines = np.moveaxis(kept.reshape(*front, math.prod(index.shape), *behind), axis, 0)
    y = np.zeros((size, *front, *behind))
    np.add.at(y, places.reshape(-1), lines)
    return np.moveaxis(y, 0, axis)


def scatter_backward(dy: ArrayLike, index: ArrayLike, axis: int) -> Array:
    """Return the gradient of the values of `scatter_forward`.

    Args:
        dy: gradient of the result.
        index: as in `scatter_forward`.
        axis: as in `scatter_forward`.

    Formula: ``dvalues_pkq = dy_p(index_k)q``; 0 where the value was ignored.

    Example:

    >>> scatter_backward([1.0, 2.0, 3.0], [2.0, 2.0, 3.0], axis=0)
    array([3., 3., 0.])
    """
    dy = _floats(dy)
    places, inside = _places(index, dy.shape[axis])
    taken = np.take(dy, places, axis)
    return np.where(_around(inside, axis, taken.ndim), taken, 0.0)


def scan_forward(
    x: ArrayLike, kind: str, axis: int, reverse: bool = False, exclusive: bool = False
) -> Array:
    """Return running sums, products or maxima along an axis, or its elements in order.

    Args:
        x: the array.
        kind: ``sum``, ``product``, ``max``, ``sort`` or ``arg_sort``.
        axis: not negative.
        reverse: from the end of the axis; of sorts: descending.
        exclusive: up to the element before (not of sorts).

    Formula: sorts keep the order of equal elements and put NaN last in both directions; what no
    element precedes is 0, 1 or -inf.

    Example:

    >>> scan_forward([1.0, 2.0, 3.0], "sum", 0, exclusive=True)
    array([0., 1., 3.])
    >>> scan_forward([2.0, np.nan, 3.0], "arg_sort", 0, reverse=True)
    array([2., 0., 1.])
    """
    x = _floats(x)
    if kind in ("sort", "arg_sort"):
        order = np.argsort(-x if reverse else x, axis=axis, kind="stable")
        return np.take_along_axis(x, order, axis) if kind == "sort" else order.astype(np.float64)
    function, first = {
        "sum": (np.add, 0.0),
        "product": (np.multiply, 1.0),
        "max": (np.maximum, -np.inf),
    }[kind]
    x = np.moveaxis(x, axis, 0)
    if reverse:
        x = x[::-1]
    if exclusive:
        x = np.concatenate([np.full_like(x[:1], first), x[:-1]])
    with np.errstate(all="ignore"):
        y = function.accumulate(x, axis=0)
    return np.moveaxis(y[::-1] if reverse else y, 0, axis)


def scan_backward(
    dy: ArrayLike, kind: str, axis: int, reverse: bool = False, exclusive: bool = False
) -> Array | None:
    """Return the gradient of the input of `scan_forward` for sums, None for the other kinds.

    Args:
        dy: gradient of the result.
        kind: as in `scan_forward`, like the rest.
        axis: see `scan_forward`.
        reverse: see `scan_forward`.
        exclusive: see `scan_forward`.

    Formula: the same sums of ``dy`` in the other direction.

    Example:

    >>> scan_backward([1.0, 1.0, 1.0], "sum", 0)
    array([3., 2., 1.])
    """
    return scan_forward(dy, "sum", axis, not reverse, exclusive) if kind == "sum" else None


def join_forward(inputs: Sequence[ArrayLike], axis: int) -> Array:
    """Return arrays behind one another along an axis.

    Args:
        inputs: arrays that agree in all other axes.
        axis: not negative.

    Formula: ``y = [x_1 | x_2 | ...]``.

    Example:

    >>> join_forward([[1.0], [2.0, 3.0]], 0)
    array([1., 2., 3.])
    """
    return np.concatenate([_floats(x) for x in inputs], axis=axis)


def join_backward(dy: ArrayLike, sizes: Sequence[int], axis: int) -> list[Array]:
    """Return the gradients of the inputs of `join_forward`.

    Args:
        dy: gradient of the result.
        sizes: of the inputs along the axis.
        axis: as in `join_forward`.

    Formula: the parts of ``dy``.

    Example:

    >>> join_backward([1.0, 2.0, 3.0], [1, 2], 0)
    [array([1.]), array([2., 3.])]
    """
    return np.split(_floats(dy), np.cumsum(sizes)[:-1], axis=axis)
