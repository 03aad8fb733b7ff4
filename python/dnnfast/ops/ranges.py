"""Numbers at regular distances, and grids of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.ops.arithmetic import power
from dnnfast.ops.core import cast
from dnnfast.ops.joining import stack
from dnnfast.ops.shaping import broadcast_extents, reshape
from dnnfast.ops.values import array, checked_dtype, extents, result_type


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Return numbers at equal distances.

    Args:
        start: the first one; without ``stop`` it is the stop, and the first one is 0. None (the
            first of `shape` of a symbolic tensor) is the batch.
        stop: where it ends, itself not included.
        step: the distance. Default 1.
        dtype: default that of the arguments.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.arange(3), dnnfast.ops.arange(1, 2, 0.5))
        [0 1 2] [1.  1.5]
    """
    if start is None and stop is None:
        name = "int32" if dtype is None else checked_dtype(dtype)
        return symbolic.coordinates((-1,), 0, name)
    given = [n for n in (start, stop, step) if n is not None]
    name = result_type(*given) if dtype is None else checked_dtype(dtype)
    step = 1 if step is None else step
    numbers: Any = [None if n is None else array(n)[()] for n in (start, stop, step)]
    if numbers[1] is None:
        numbers[:2] = [0, numbers[0]]
    return np.arange(*numbers).astype(name)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return so many numbers at equal distances.

    Args:
        start: the first one: a number, an array or a symbolic tensor.
        stop: the last one.
        num: how many. Default 50.
        endpoint: whether the last one is included. Default True.
        retstep: whether the distance is returned, too. Default False.
        dtype: default ``"float32"``.
        axis: the new axis, where start and stop are arrays. Default 0.

    Formula: ``start + i (stop - start) / (num - 1)``; ``/ num`` without the endpoint.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.linspace(0.0, 1.0, 5))
        [0.   0.25 0.5  0.75 1.  ]
    """
    name = "float32" if dtype is None else checked_dtype(dtype)
    if not symbolic.is_symbolic(start, stop):
        ends: Any = [np.asarray(array(n), np.float64) for n in (start, stop)]
        made: Any = np.linspace
        found, step = made(*ends, num, endpoint, True, axis=axis)
        return (found.astype(name), np.asarray(step, np.float32)) if retstep else found.astype(name)

    step = (stop - start) / float(max(num - 1 if endpoint else num, 1))
    found = cast(stack([start + step * float(i) for i in range(num)], axis), name)
    return (found, step) if retstep else found


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return so many numbers whose logarithms have equal distances.

    Args:
        start: logarithm of the first one.
        stop: logarithm of the last one.
        num: how many. Default 50.
        endpoint: whether the last one is included. Default True.
        base: of the logarithm. Default 10.
        dtype: default ``"float32"``.
        axis: the new axis, where start and stop are arrays. Default 0.

    Formula: ``base^linspace(start, stop)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.logspace(0.0, 2.0, 3))
        [  1.  10. 100.]
    """

    name = "float32" if dtype is None else checked_dtype(dtype)
    if not symbolic.is_symbolic(start, stop, base):
        ends: Any = [np.asarray(array(n), np.float64) for n in (start, stop)]
        made: Any = np.logspace
        return made(*ends, num, endpoint, base, axis=axis).astype(name)
    return cast(power(base, linspace(start, stop, num, endpoint, axis=axis)), name)


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """Return so many numbers of which each is the same multiple of the one before.

    Args:
        start: the first one.
        stop: the last one.
        num: how many. Default 50.
        endpoint: whether the last one is included. Default True.
        dtype: default ``"float32"``.
        axis: the new axis, where start and stop are arrays. Default 0.

    Formula: ``start (stop / start)^(i / (num - 1))``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.geomspace(1.0, 100.0, 3))
        [  1.  10. 100.]
    """

    name = "float32" if dtype is None else checked_dtype(dtype)
    if not symbolic.is_symbolic(start, stop):
        ends: Any = [np.asarray(array(n), np.float64) for n in (start, stop)]
        made: Any = np.geomspace
        return made(*ends, num, endpoint, axis=axis).astype(name)
    exponents = linspace(start * 0.0, stop * 0.0 + 1.0, num, endpoint, axis=axis)
    return cast(start * power(stop / start, exponents), name)


def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    """Return the coordinates of the points of a grid.

    Args:
        x: the vectors of coordinates along each axis.
        indexing: ``"xy"`` (the default: the first vector runs along columns) or ``"ij"``.

    Raises:
        ValueError: if ``indexing`` is neither.

    Example:
        >>> import dnnfast
        >>> [part.tolist() for part in dnnfast.ops.meshgrid([1, 2], [3, 4, 5])]
        [[[1, 2], [1, 2], [1, 2]], [[3, 3], [4, 4], [5, 5]]]
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}.")
    if not symbolic.is_symbolic(*x):
        grid: Any = np.meshgrid
        return list(grid(*(array(part) for part in x), indexing=indexing))

    parts = [reshape(symbolic.tensor(part), (-1,)) for part in x]
    order = list(range(len(parts)))
    if indexing == "xy" and len(parts) > 1:
        order[:2] = [1, 0]
    sizes = [extents(parts[i])[0] for i in order]
    grids = []
    for i, part in enumerate(parts):
        shape = [1] * len(parts)
        place = order.index(i)
        shape[place] = sizes[place]
        grids.append(broadcast_extents(symbolic.regroup(part, shape), sizes))
    return grids
