"""Reductions that leave NaN out."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.expressions import apply
from dnnfast.ops.arithmetic import divide, multiply, subtract
from dnnfast.ops.core import cast
from dnnfast.ops.elementwise import sqrt, square
from dnnfast.ops.logic import isnan, logical_not, where
from dnnfast.ops.reduction import (
    Axis,
    all,
    argmax,
    argmin,
    count_nonzero,
    max,
    mean,
    min,
    prod,
    sum,
)
from dnnfast.ops.shaping import expand_dims, reshape
from dnnfast.ops.sorting import sort
from dnnfast.ops.statistics import METHODS, at_end, between, restore
from dnnfast.ops.taking import take_along_axis
from dnnfast.ops.values import all_axes, array, dtype_of, extents, floating, is_float, rank

_NAN = float("nan")


def _filled(x: Any, number: float) -> Any:
    """Return values with a number for NaN; integers have none."""
    value = x if symbolic.is_symbolic(x) else array(x)
    return where(isnan(value), number, value) if is_float(dtype_of(value)) else value


def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum over axes, NaN left out.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nansum([1.0, float("nan"), 3.0]))
        4.0
    """
    return sum(_filled(x, 0.0), axis, keepdims)


def nanprod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Product over axes, NaN left out.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nanprod([2.0, float("nan"), 3.0]))
        6.0
    """
    return prod(_filled(x, 1.0), axis, keepdims)


def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean over axes, NaN left out; NaN where there is nothing else.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nanmean([1.0, float("nan"), 3.0]))
        2.0
    """
    if not is_float(dtype_of(x)):
        return mean(x, axis, keepdims)
    count = sum(cast(logical_not(isnan(x)), dtype_of(x)), axis, keepdims)
    return divide(nansum(x, axis, keepdims), count)


def nanvar(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Variance over axes, NaN left out; NaN where there is nothing else.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nanvar([1.0, float("nan"), 3.0]))
        1.0
    """
    return nanmean(square(subtract(x, nanmean(x, axis, keepdims=True))), axis, keepdims)


def nanstd(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Standard deviation over axes, NaN left out; NaN where there is nothing else.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nanstd([1.0, float("nan"), 3.0]))
        1.0
    """
    return sqrt(nanvar(x, axis, keepdims))


def _extreme(function: Any, x: Any, axis: Axis, keepdims: bool, worst: float) -> Any:
    if not is_float(dtype_of(x)):
        return function(x, axis, keepdims)
    found = function(_filled(x, worst), axis, keepdims)
    return where(all(isnan(x), axis, keepdims), _NAN, found)


def nanmax(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest element along axes, NaN left out; NaN where there is nothing else.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nanmax([1.0, float("nan"), 3.0]))
        3.0
    """
    return _extreme(max, x, axis, keepdims, -float("inf"))


def nanmin(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Smallest element along axes, NaN left out; NaN where there is nothing else.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nanmin([1.0, float("nan"), 3.0]))
        1.0
    """
    return _extreme(min, x, axis, keepdims, float("inf"))


def _position(function: Any, x: Any, axis: Any, keepdims: bool, worst: float) -> Any:
    if not is_float(dtype_of(x)):
        return function(x, axis, keepdims)
    found = function(_filled(x, worst), axis, keepdims)
    return where(all(isnan(x), axis, keepdims), -1, found)


def nanargmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Position of the largest element along an axis, NaN left out; -1 where there is nothing else.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, or None (the default) for the position among all elements in row-major order.
        keepdims: whether the axis stays, with size 1. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nanargmax([1.0, float("nan"), 3.0]))
        2
    """
    return _position(argmax, x, axis, keepdims, -float("inf"))


def nanargmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Position of the smallest element along an axis, NaN left out; -1 where there is nothing else.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, or None (the default) for the position among all elements in row-major order.
        keepdims: whether the axis stays, with size 1. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nanargmin([4.0, float("nan"), 3.0]))
        2
    """
    return _position(argmin, x, axis, keepdims, float("inf"))


def _recorded_quantile(x: Any, q: Any, axis: Any, method: str, keepdims: bool) -> Any:
    axes = all_axes("nanquantile", axis, rank(x))
    q = q if symbolic.is_symbolic(q) else array(q, "float32")
    flat = at_end(x, axes)
    count = count_nonzero(logical_not(isnan(flat)), -1)
    position = multiply(expand_dims(subtract(count, 1), -1), reshape(q, (-1,)))
    position = symbolic.map_("nanquantile", lambda p: apply("max", p, 0.0), (position,))
    line = sort(flat, -1)
    ends = []
    for op in ("floor", "ceil"):
        end = symbolic.map_("nanquantile", lambda p, op=op: apply(op, p), (position,), "int32")
        ends.append(take_along_axis(line, end, -1))
    found = between((ends[0], ends[1]), position, method)
    found = symbolic.regroup(found, (*extents(flat)[:-1], *extents(q)))
    return cast(restore(found, axes, rank(q), keepdims), dtype_of(x))


def nanquantile(
    x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Values below which given shares of the elements lie, NaN left out.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        q: shares in [0, 1]: a number, or a vector whose axis comes first in the result.
        axis: an axis, several, or None (the default) for all.
        method: as of `quantile`. Default ``"linear"``.
        keepdims: whether the axes stay, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis or method.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nanquantile([1.0, float("nan"), 3.0], 0.5))
        2.0
    """
    if method not in METHODS:
        raise ValueError(f"Invalid method: {method!r}. Choose one of: {', '.join(METHODS)}.")
    if symbolic.is_symbolic(x, q):
        x = symbolic.tensor(x)
        if not is_float(dtype_of(x)):
            x = cast(x, "float32")
        return _recorded_quantile(x, q, axis, method, keepdims)
    values = array(x)
    axes = all_axes("nanquantile", axis, values.ndim)
    made: Any = np.nanquantile
    found = made(values.astype(np.float64), array(q), axes, method=method, keepdims=keepdims)
    return np.asarray(found).astype(floating(dtype_of(values)))


def nanpercentile(
    x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Values below which given percentages of the elements lie, NaN left out.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        q: percentages in [0, 100]: a number, or a vector whose axis comes first in the result.
        axis: an axis, several, or None (the default) for all.
        method: as of `quantile`. Default ``"linear"``.
        keepdims: whether the axes stay, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis or method.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nanpercentile([1.0, float("nan"), 3.0], 50))
        2.0
    """
    return nanquantile(x, divide(q, 100.0), axis, method, keepdims)


def nanmedian(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle one of the sorted elements along axes, NaN left out.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nanmedian([1.0, float("nan"), 3.0]))
        2.0
    """
    return nanquantile(x, 0.5, axis, keepdims=keepdims)
