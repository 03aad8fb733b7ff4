"""Variances, weighted means, quantiles, correlations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.expressions import Expression, apply
from dnnfast.ops.arithmetic import add, divide, multiply, subtract
from dnnfast.ops.contraction import record_product
from dnnfast.ops.core import cast
from dnnfast.ops.elementwise import log10, sqrt, square
from dnnfast.ops.logic import isnan, where
from dnnfast.ops.reduction import Axis, any, compute, mean, sum
from dnnfast.ops.shaping import expand_dims, reshape, squeeze, transpose
from dnnfast.ops.sorting import sort
from dnnfast.ops.taking import take
from dnnfast.ops.tiling import pad
from dnnfast.ops.values import (
    all_axes,
    array,
    dtype_of,
    extents,
    floating,
    one_axis,
    rank,
    result_type,
    shown,
)

METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def var(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Variance over axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis.

    Formula: ``mean((x - mean(x))^2)``; integers give float32.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.var([[1, 3], [2, 6]], axis=1))
        [1. 4.]
    """
    if symbolic.is_symbolic(x):
        return mean(square(subtract(x, mean(x, axis, keepdims=True))), axis, keepdims)
    dtype = floating(dtype_of(x))
    found = compute("var", np.var, array(x, dtype), axis, keepdims, wide=True)
    return found.astype(dtype, copy=False)


def std(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Standard deviation over axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis.

    Formula: ``sqrt(mean((x - mean(x))^2))``; its gradient at 0 is not finite.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.std([[1, 3], [2, 6]], axis=1))
        [1. 2.]
    """
    return sqrt(var(x, axis, keepdims))


def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Weighted mean over axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        weights: of the shape of x, or a vector along the axis. Default: all equal.

    Raises:
        ValueError: if the weights do not fit.

    Formula: ``sum(weights x) / sum(weights)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.average([1.0, 4.0], weights=[2.0, 1.0]))
        2.0
    """
    if weights is None:
        return mean(x, axis)
    dtype = floating(result_type(x, weights))
    x, w = (v if symbolic.is_symbolic(v) else array(v, dtype) for v in (x, weights))
    if rank(w) == 1 and rank(x) > 1 and axis is not None:
        place = one_axis("average", axis, rank(x))
        w = reshape(w, [-1 if i == place else 1 for i in range(rank(x))])
    elif extents(w) != extents(x):
        raise ValueError(
            f"average: weights of shape {shown(extents(w))} for x of shape {shown(extents(x))}; "
            "expected the same shape, or a vector along `axis`."
        )
    return divide(sum(multiply(x, w), axis), sum(add(w, multiply(x, 0)), axis))


def _check_method(method: str) -> None:
    if method not in METHODS:
        raise ValueError(f"Invalid method: {method!r}. Choose one of: {', '.join(METHODS)}.")


def at_end(x: Any, axes: tuple[int, ...]) -> Any:
    """Return a tensor with some axes made one, the last."""
    kept = [i for i in range(rank(x)) if i not in axes]
    moved = transpose(x, [*kept, *axes])
    gone = [extents(x)[i] for i in axes]
    if len([n for n in gone if n < 0]) > 1:
        raise ValueError("a quantile over two axes of the batch is not supported.")
    sizes = [*(extents(x)[i] for i in kept), math.prod(gone)]
    return moved if extents(moved) == tuple(sizes) else symbolic.regroup(moved, sizes)


def between(values: tuple[Any, Any], position: Any, method: str) -> Any:
    """Return what lies at a fractional position between two neighbours."""
    low, high = values
    if method == "lower":
        return low
    if method == "higher":
        return high
    if method == "midpoint":
        return multiply(add(low, high), 0.5)
    part = symbolic.map_("quantile", lambda p: p - apply("floor", p), (position,))
    if method == "nearest":  # halves go to even positions
        up = symbolic.map_(
            "quantile", lambda p: apply("less", apply("floor", p), apply("round", p)), (position,)
        )
        return where(up, high, low)
    return add(low, multiply(part, subtract(high, low)))


def restore(found: Any, axes: tuple[int, ...], count: int, keepdims: bool) -> Any:
    """Return results with their ``count`` axes of quantiles in front, the reduced ones as asked."""
    outer = rank(found) - count
    order = [*range(outer, outer + count), *range(outer)]
    found = transpose(found, order)
    return expand_dims(found, [a + count for a in axes]) if keepdims and axes else found


def _recorded_quantile(x: Any, q: Any, axis: Any, method: str, keepdims: bool) -> Any:
    axes = all_axes("quantile", axis, rank(x))
    q = q if symbolic.is_symbolic(q) else array(q, "float32")
    flat = at_end(x, axes)
    size = extents(flat)[-1]

    def place(e: Expression) -> Expression:
        count = Expression("batch") * float(-size) - 1.0 if size < 0 else float(size - 1)
        return e * count

    position = symbolic.map_("quantile", place, (symbolic.tensor(q),))
    ends = [
        symbolic.map_("quantile", lambda p, op=op: apply(op, p), (position,), "int32")
        for op in ("floor", "ceil")
    ]
    line = sort(flat, -1)
    low, high = (take(line, end, rank(flat) - 1) for end in ends)
    found = between((low, high), position, method)
    missing = any(isnan(flat), -1)
    if rank(q):
        missing = expand_dims(missing, [rank(missing) + i for i in range(rank(q))])
    found = where(missing, float("nan"), found)
    return cast(restore(found, axes, rank(q), keepdims), floating(dtype_of(x)))


def quantile(
    x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Values below which given shares of the elements lie.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        q: shares in [0, 1]: a number, or a vector whose axis comes first in the result.
        axis: an axis, several, or None (the default) for all.
        method: between two neighbours ``"linear"`` (the default), ``"lower"``, ``"higher"``,
            ``"midpoint"`` or ``"nearest"``.
        keepdims: whether the axes stay, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis or method.

    Formula: the sorted elements at the position ``q (n - 1)``; NaN if one of them is.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.quantile([1.0, 2.0, 4.0], [0.5, 0.75]))
        [2. 3.]
    """
    _check_method(method)
    if symbolic.is_symbolic(x, q):
        return _recorded_quantile(symbolic.tensor(x), q, axis, method, keepdims)
    values = array(x)
    axes = all_axes("quantile", axis, values.ndim)
    made: Any = np.quantile
    found = made(values.astype(np.float64), array(q), axes, method=method, keepdims=keepdims)
    return np.asarray(found).astype(floating(dtype_of(values)))


def percentile(
    x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Any:
    """Values below which given percentages of the elements lie; as `quantile`.

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
        >>> print(dnnfast.ops.percentile([1.0, 2.0, 4.0], 50))
        2.0
    """
    return quantile(x, divide(q, 100.0), axis, method, keepdims)


def median(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle one of the sorted elements along axes, or the mean of the two middle ones.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.
        keepdims: whether the axes stay, with size 1. Default False.

    Raises:
        ValueError: if there is no such axis.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.median([1.0, 2.0, 4.0, 8.0]))
        3.0
    """
    return quantile(x, 0.5, axis, keepdims=keepdims)


def corrcoef(x: Any) -> Any:
    """Pearson's correlations of the rows of a matrix.

    Args:
        x: a matrix (each row a quantity) or a vector: an array, a list, a variable or a symbolic
            tensor.

    Raises:
        ValueError: if x has more than 2 axes.

    Formula: ``c[i, j] / sqrt(c[i, i] c[j, j])`` of the covariances c

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.corrcoef([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]).round(3))
        [[ 1. -1.]
         [-1.  1.]]
    """
    value = x if symbolic.is_symbolic(x) else array(x, floating(dtype_of(x)))
    if rank(value) > 2:
        raise ValueError(f"corrcoef: x must have 1 or 2 axes, got {rank(value)}.")
    if not symbolic.is_symbolic(value):
        return np.asarray(np.corrcoef(value)).astype(value.dtype.name)
    rows = value if rank(value) == 2 else expand_dims(value, 0)
    centered = subtract(rows, mean(rows, -1, keepdims=True))
    products = record_product(centered, transpose(centered))
    scale = sqrt(sum(square(centered), -1, keepdims=True))
    found = divide(divide(products, scale), transpose(scale))
    return found if rank(value) == 2 else squeeze(found)


def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """Cross-correlation of two vectors.

    Args:
        x1: a vector: an array, a list, a variable or a symbolic tensor.
        x2: the same.
        mode: ``"valid"`` (the default): where both overlap fully, ``"same"``: as long as the longer
            one, or ``"full"``.

    Raises:
        ValueError: if they are no vectors, depend on the batch, or there is no such mode.

    Formula: ``y[k] = sum over n of x1[n + k] x2[n]``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.correlate([1.0, 2.0, 3.0], [0.0, 1.0]))
        [2. 3.]
    """
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"correlate: mode must be 'valid', 'same' or 'full', got {mode!r}.")
    dtype = result_type(x1, x2)
    a, b = (x if symbolic.is_symbolic(x) else array(x, dtype) for x in (x1, x2))
    if rank(a) != 1 or rank(b) != 1:
        raise ValueError(f"correlate: expected vectors, got {rank(a)} and {rank(b)} axes.")
    if not symbolic.is_symbolic(x1, x2):
        made: Any = np.correlate
        return made(a, b, mode)
    n, m = extents(a)[0], extents(b)[0]
    if n < 0 or m < 0:
        raise ValueError("correlate: vectors that depend on the batch are not supported.")
    windows = np.arange(n + m - 1)[:, None] + np.arange(m)[None, :]
    full = record_product(take(pad(a, (m - 1, m - 1)), windows, 0), symbolic.tensor(b))
    first = {"full": 0, "same": (min(n, m) - 1) // 2, "valid": min(n, m) - 1}[mode]
    length = {"full": n + m - 1, "same": max(n, m), "valid": max(n, m) - min(n, m) + 1}[mode]
    if mode == "same" and n < m:
        first = min(n, m) // 2
    return cast(full[first : first + length], dtype)


def psnr(x1: Any, x2: Any, max_val: Any) -> Any:
    """Peak signal-to-noise ratio of two signals, in decibels.

    Args:
        x1: an array, a list, a variable or a symbolic tensor.
        x2: the same, of the same shape.
        max_val: the largest value that a signal may have.

    Raises:
        ValueError: if the shapes differ.

    Formula: ``20 log10(max_val) - 10 log10(mean((x1 - x2)^2))``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.psnr([0.0, 1.0], [0.1, 0.9], 1.0).round(3))
        20.0
    """
    if extents(x1) != extents(x2):
        raise ValueError(
            f"Input shapes {shown(extents(x1))} and {shown(extents(x2))} must match for PSNR "
            "calculation."
        )
    noise = mean(square(subtract(x1, x2)))
    return subtract(multiply(log10(cast(max_val, "float32")), 20.0), multiply(log10(noise), 10.0))
