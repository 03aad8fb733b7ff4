"""Sums, products, means, extremes and their positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.ops.logic import is_true
from dnnfast.ops.values import (
    all_axes,
    array,
    checked_dtype,
    dtype_of,
    extents,
    floating,
    one_axis,
    rank,
)

Axis = Any  # an integer, several of them, or None for all


def total_type(dtype: str) -> str:
    """Return the type of sums and products: small integers grow."""
    if dtype in ("bool", "int8", "int16"):
        return "int32"
    return "uint32" if dtype in ("uint8", "uint16") else dtype


def record(what: str, x: Any, kind: str, axis: Axis, keepdims: bool, dtype: str = "") -> Any:
    """Record a reduction over axes; over none it changes nothing."""
    axes = all_axes(what, axis, rank(x))
    if not axes:
        return symbolic.map_(what, lambda e: e, (x,), dtype or dtype_of(x))
    if kind == "product" and len(axes) > 1:
        for position in reversed(axes):  # its gradient is that of one axis
            x = symbolic.reduce(x, kind, (position,), keepdims, dtype)
        return x
    return symbolic.reduce(x, kind, axes, keepdims, dtype or dtype_of(x))


def compute(
    what: str, function: Any, x: Any, axis: Axis, keepdims: bool, wide: bool = False
) -> np.ndarray:
    """Reduce an array; ``wide``: floats in float64, so that long sums stay exact."""
    x = array(x)
    axes = all_axes(what, axis, x.ndim)
    given = {"dtype": np.float64} if wide and x.dtype.kind == "f" else {}
    with np.errstate(all="ignore"):
        return np.asarray(function(x, axis=axes, keepdims=keepdims, **given))


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum over axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis.

    Small integers and truth values give 32 bits.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.sum([[1, 2], [3, 4]], axis=1))
        [3 7]
    """
    dtype = total_type(dtype_of(x))
    if symbolic.is_symbolic(x):
        return record("sum", x, "sum", axis, keepdims, dtype)
    return compute("sum", np.sum, x, axis, keepdims, wide=True).astype(dtype, copy=False)


def prod(x: Any, axis: Axis = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Multiply over axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.
        dtype: of the result. Default that of x; small integers give 32 bits.

    Raises:
        ValueError: if there is no such axis.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.prod([[1, 2], [3, 4]], axis=1))
        [ 2 12]
    """
    result = total_type(dtype_of(x)) if dtype is None else checked_dtype(dtype)
    if symbolic.is_symbolic(x):
        return record("prod", x, "product", axis, keepdims, result)
    return compute("prod", np.prod, x, axis, keepdims, wide=True).astype(result, copy=False)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Average over axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis.

    Formula: ``sum(x) / n``; integers give float32.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.mean([[1, 2], [3, 4]], axis=1))
        [1.5 3.5]
    """
    dtype = floating(dtype_of(x))
    if symbolic.is_symbolic(x):
        return record("mean", x, "mean", axis, keepdims, dtype)
    return compute("mean", np.mean, x, axis, keepdims, wide=True).astype(dtype, copy=False)


def _extreme(name: str, x: Any, axis: Axis, keepdims: bool, initial: Any) -> Any:
    if symbolic.is_symbolic(x):
        result = record(name, x, name, axis, keepdims)
    else:
        x = array(x)
        axes = all_axes(name, axis, x.ndim)
        if initial is None and 0 in [x.shape[a] for a in axes]:
            raise ValueError(f"{name}: x of shape {x.shape} is empty; give `initial`.")
        given = {} if initial is None else {"initial": initial}
        function = np.max if name == "max" else np.min
        return np.asarray(function(x, axis=axes, keepdims=keepdims, **given))
    if initial is None:
        return result
    from dnnfast.ops.arithmetic import maximum, minimum

    return (maximum if name == "max" else minimum)(result, initial)


def max(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the largest element along axes; NaN stays. Equal ones share the gradient.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.
        initial: the result is at least this. Default None.

    Raises:
        ValueError: if there is no such axis, or no element and no ``initial``.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.max([[1, 2], [4, 3]], axis=1))
        [2 4]
    """
    return _extreme("max", x, axis, keepdims, initial)


def min(x: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the smallest element along axes; NaN stays. Equal ones share the gradient.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.
        initial: the result is at most this. Default None.

    Raises:
        ValueError: if there is no such axis, or no element and no ``initial``.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.min([[1, 2], [4, 3]], axis=1))
        [1 3]
    """
    return _extreme("min", x, axis, keepdims, initial)


def amax(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the largest element along axes; as `max`.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.amax([[1, 2], [4, 3]], axis=1))
        [2 4]
    """
    return max(x, axis, keepdims)


def amin(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the smallest element along axes; as `min`.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.amin([[1, 2], [4, 3]], axis=1))
        [1 3]
    """
    return min(x, axis, keepdims)


def ptp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return the difference of the largest and the smallest element along axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Formula: ``max(x) - min(x)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.ptp([[1, 2], [7, 3]], axis=1))
        [1 4]
    """
    from dnnfast.ops.arithmetic import subtract

    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


def _position(name: str, x: Any, axis: Any, keepdims: bool) -> Any:
    kind = "arg_max" if name.endswith("max") else "arg_min"
    if symbolic.is_symbolic(x):
        count = rank(x)
        if axis is None:
            sizes = extents(x)
            result = record(name, x, kind, None, keepdims, "int32")
            return result if sizes else symbolic.map_(name, lambda e: e * 0.0, (x,), "int32")
        return record(name, x, kind, one_axis(name, axis, count), keepdims, "int32")
    x = array(x)
    if axis is not None:
        axis = one_axis(name, axis, x.ndim)
    function = np.argmax if kind == "arg_max" else np.argmin
    return np.asarray(function(x, axis=axis, keepdims=keepdims)).astype("int32")


def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the position of the largest element along an axis, the first of equal ones (int32).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, or None (the default) for the position among all elements in row-major order.
        keepdims: whether the axis stays, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.argmax([[1, 2], [4, 3]], axis=1))
        [1 0]
    """
    return _position("argmax", x, axis, keepdims)


def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the position of the smallest element along an axis, the first of equal ones (int32).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, or None (the default) for the position among all elements in row-major order.
        keepdims: whether the axis stays, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.argmin([[1, 2], [4, 3]], axis=1))
        [0 1]
    """
    return _position("argmin", x, axis, keepdims)


def _truth(x: Any) -> Any:
    return symbolic.map_("truth", is_true, (x,), "bool")


def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Tell whether all elements along axes are true (not 0).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.all([[True, False], [True, True]], axis=1))
        [False  True]
    """
    if symbolic.is_symbolic(x):
        return record("all", _truth(x), "min", axis, keepdims, "bool")
    return compute("all", np.all, x, axis, keepdims)


def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Tell whether one of the elements along axes is true (not 0).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.any([[True, False], [False, False]], axis=1))
        [ True False]
    """
    if symbolic.is_symbolic(x):
        return record("any", _truth(x), "max", axis, keepdims, "bool")
    return compute("any", np.any, x, axis, keepdims)


def count_nonzero(x: Any, axis: Axis = None) -> Any:
    """Count the elements along axes that are not 0 (int32).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.

    Raises:
        ValueError: if there is no such axis.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.count_nonzero([[0, 2], [4, 3]], axis=1))
        [1 2]
    """
    if symbolic.is_symbolic(x):
        return record("count_nonzero", _truth(x), "sum", axis, False, "int32")
    return compute("count_nonzero", np.count_nonzero, x, axis, False).astype("int32")
