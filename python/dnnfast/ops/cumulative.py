"""Running sums and products, differences, integrals."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.expressions import Expression, apply, select
from dnnfast.ops.arithmetic import add, divide, multiply, subtract
from dnnfast.ops.core import cast
from dnnfast.ops.logic import isnan, not_equal, where
from dnnfast.ops.reduction import sum
from dnnfast.ops.shaping import expand_dims, moveaxis, reshape
from dnnfast.ops.taking import get_item
from dnnfast.ops.values import (
    array,
    checked_dtype,
    dtype_of,
    extents,
    floating,
    is_float,
    one_axis,
    rank,
)


def _running(name: str, kind: str, function: Any, x: Any, axis: int | None, dtype: Any) -> Any:
    result = dtype_of(x) if dtype is None else checked_dtype(dtype)
    result = "int32" if result == "bool" and dtype is None else result
    traced = symbolic.is_symbolic(x)
    value = x if traced else array(x)
    if axis is None:
        value, axis = reshape(value, (-1,)), 0
    place = one_axis(name, axis, rank(value))
    if traced and kind == "product" and is_float(dtype_of(x)):
        return cast(_differentiable_products(value, place, dtype_of(x)), result)
    if traced:
        return cast(symbolic.scan(value, kind, place), result)
    wide = np.float64 if value.dtype.kind == "f" else result
    return function(value, place, dtype=wide).astype(result, copy=False)


def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Sums of all elements up to each one along an axis.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: the axis; None (the default): of all elements in row-major order.
        dtype: of the result. Default that of x; truth values give int32.

    Raises:
        ValueError: if there is no such axis.

    Formula: ``y[i] = x[0] + ... + x[i]``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.cumsum([1, 2, 3]))
        [1 3 6]
    """
    return _running("cumsum", "sum", np.cumsum, x, axis, dtype)


def _differentiable_products(x: Any, place: int, dtype: str) -> Any:
    """Record running products as products of rows in which later elements are 1."""
    moved = moveaxis(x, place, -1)
    sizes = extents(moved)
    last = len(sizes)
    row, column = (Expression("coordinate", (), axis) for axis in (last - 1, last))
    square = (*sizes[:-1], sizes[-1], sizes[-1])

    def build(e: Expression) -> Expression:
        return select(apply("less_equal", column, row), e, 1.0)

    factors = symbolic.map_("cumprod", build, (expand_dims(moved, -2),), dtype, square)
    return moveaxis(symbolic.reduce(factors, "product", (last,), False), -1, place)


def cumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Products of all elements up to each one along an axis.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: the axis; None (the default): of all elements in row-major order.
        dtype: of the result. Default that of x; truth values give int32.

    Raises:
        ValueError: if there is no such axis.

    Formula: ``y[i] = x[0] ... x[i]``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.cumprod([1, 2, 3]))
        [1 2 6]
    """
    return _running("cumprod", "product", np.cumprod, x, axis, dtype)


def _zero_for_nan(x: Any, neutral: float) -> Any:
    return where(isnan(x), neutral, x) if is_float(dtype_of(x)) else x


def nancumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Sums of all elements up to each one along an axis, NaN counted as 0.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: the axis; None (the default): of all elements in row-major order.
        dtype: of the result. Default that of x; truth values give int32.

    Raises:
        ValueError: if there is no such axis.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nancumsum([1.0, float("nan"), 3.0]))
        [1. 1. 4.]
    """
    return cumsum(_zero_for_nan(x, 0.0), axis, dtype)


def nancumprod(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Products of all elements up to each one along an axis, NaN counted as 1.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: the axis; None (the default): of all elements in row-major order.
        dtype: of the result. Default that of x; truth values give int32.

    Raises:
        ValueError: if there is no such axis.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nancumprod([2.0, float("nan"), 3.0]))
        [2. 2. 6.]
    """
    return cumprod(_zero_for_nan(x, 1.0), axis, dtype)


def _sides(x: Any, axis: int) -> tuple[Any, Any]:
    """Return all elements but the first along an axis, and all but the last."""
    front = (slice(None),) * axis
    return get_item(x, (*front, slice(1, None))), get_item(x, (*front, slice(None, -1)))


def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours along an axis.

    Args:
        a: an array, a list, a variable or a symbolic tensor.
        n: how often. Default 1.
        axis: the axis. Default -1.

    Raises:
        ValueError: if there is no such axis.

    Formula: ``y[i] = x[i + 1] - x[i]``; truth values: whether they differ.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.diff([1, 4, 9]))
        [3 5]
    """
    value = a if symbolic.is_symbolic(a) else array(a)
    place = one_axis("diff", axis, rank(value))
    function = not_equal if dtype_of(value) == "bool" else subtract
    for _ in range(n):
        value = function(*_sides(value, place))
    return value


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Integral along an axis by the trapezoidal rule.

    Args:
        y: values: an array, a list, a variable or a symbolic tensor.
        x: where they were taken, a vector or of the shape of y. Default: at distances ``dx``.
        dx: the distance. Default 1.
        axis: the axis. Default -1.

    Raises:
        ValueError: if there is no such axis.

    Formula: ``sum of (x[i + 1] - x[i]) (y[i + 1] + y[i]) / 2``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.trapezoid([1.0, 2.0, 3.0]))
        4.0
    """
    value = y if symbolic.is_symbolic(y) else array(y, floating(dtype_of(y)))
    place = one_axis("trapezoid", axis, rank(value))
    width: Any = dx
    if x is not None:
        at = x if symbolic.is_symbolic(x) else array(x)
        if rank(at) == 1:
            width = diff(at)
            width = reshape(width, [-1 if i == place else 1 for i in range(rank(value))])
        else:
            width = diff(at, axis=place)
    heights = divide(add(*_sides(value, place)), 2.0)
    return sum(multiply(heights, width), place)
