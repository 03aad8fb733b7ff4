"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.ops.arithmetic import power
from dnnfast.ops.core import cast
from dnnfast.ops.elementwise import absolute, sqrt, square
from dnnfast.ops.logic import not_equal
from dnnfast.ops.reduction import max, min, sum
from dnnfast.ops.shaping import squeeze
from dnnfast.ops.values import all_axes, array, dtype_of, floating, rank, unsupported


def _vector_norm(x: Any, order: Any, axes: Any, keepdims: bool) -> Any:
    if order is None or order == 2 or order == "fro":
        return sqrt(sum(square(x), axes, keepdims))
    if order == math.inf:
        return max(absolute(x), axes, keepdims)
    if order == -math.inf:
        return min(absolute(x), axes, keepdims)
    if order == 1:
        return sum(absolute(x), axes, keepdims)
    if order == 0:
        return sum(cast(not_equal(x, 0), dtype_of(x)), axes, keepdims)
    return power(sum(power(absolute(x), order), axes, keepdims), 1.0 / order)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Norms of vectors or matrices.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        ord: of vectors a number, or infinity of either sign; of matrices ``"fro"``, 1, -1 or
            infinity of either sign, and for arrays 2, -2 and ``"nuc"``. Default: the root of the
            sum of the squares.
        axis: one axis (vectors) or two (matrices). Default: all axes, of at most 2 if ``ord`` is
            given.
        keepdims: whether the axes stay, with size 1. Default False.

    Raises:
        ValueError: if there is no such norm.

    Formula: ``(sum |x|^ord)^(1 / ord)`` of vectors

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.norm([3.0, 4.0]))
        5.0
    """
    count = rank(x)
    axes = all_axes("norm", axis, count)
    if ord is None and axis is None:
        return _vector_norm(_floats(x), None, axes, keepdims)
    if len(axes) not in (1, 2):
        raise ValueError(f"norm: ord={ord!r} is of 1 or 2 axes, got {len(axes)}.")
    if isinstance(ord, str) and (len(axes) == 1 or ord not in ("fro", "nuc")):
        raise ValueError(
            f"Invalid `ord` argument for {'vector' if len(axes) == 1 else 'matrix'} norm. "
            f"Received: ord={ord}"
        )
    if len(axes) == 1 or ord in (None, "fro"):
        return _vector_norm(_floats(x), ord, axes, keepdims)
    if ord not in (1, -1, 2, -2, "nuc", math.inf, -math.inf):
        raise ValueError(f"Invalid `ord` argument for matrix norm. Received: ord={ord}")
    given = axes if axis is None else tuple(a % count for a in axis)
    if ord in (2, -2, "nuc"):
        if symbolic.is_symbolic(x):
            raise unsupported(f"norm with ord={ord!r}", "Of matrices use ord='fro', 1 or infinity.")
        made: Any = np.linalg.norm
        return np.asarray(made(_floats(x), ord, given, keepdims))
    inner, outer = given if abs(ord) == 1 else given[::-1]
    sums = sum(absolute(_floats(x)), inner, keepdims=True)
    found = (max if ord > 0 else min)(sums, outer, keepdims=True)
    return found if keepdims else squeeze(found, axes)


def _floats(x: Any) -> Any:
    return x if symbolic.is_symbolic(x) else array(x, floating(dtype_of(x)))
