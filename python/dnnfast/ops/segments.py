"""Reductions of groups of rows, and values put at given positions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.expressions import Expression, apply, constant
from dnnfast.ops.arithmetic import add, maximum, minimum, multiply
from dnnfast.ops.core import cast
from dnnfast.ops.creation import ones_like
from dnnfast.ops.logic import greater, less, where
from dnnfast.ops.probability import one_hot
from dnnfast.ops.reduction import max, min, prod
from dnnfast.ops.shaping import broadcast_extents, expand_dims
from dnnfast.ops.values import array, dtype_of, extents, integers, is_float, rank, shown

_FUNCTIONS: dict[str, tuple[Any, Any]] = {
    "max": (np.maximum, max),
    "min": (np.minimum, min),
    "prod": (np.multiply, prod),
    "sum": (np.add, None),
}


def _neutral(kind: str, dtype: str) -> Any:
    if kind in ("sum", "prod"):
        return float(kind == "prod")
    if is_float(dtype):
        return -np.inf if kind == "max" else np.inf
    limits = np.iinfo("int32" if dtype == "bool" else dtype)
    return limits.min if kind == "max" else limits.max


def _segment(kind: str, data: Any, segment_ids: Any, num_segments: int | None) -> Any:
    traced = symbolic.is_symbolic(data, segment_ids)
    x = data if symbolic.is_symbolic(data) else array(data)
    ids = segment_ids if symbolic.is_symbolic(segment_ids) else array(segment_ids)
    if rank(ids) != 1 or not rank(x) or extents(x)[0] != extents(ids)[0]:
        raise ValueError(
            f"segment_{kind}: segment_ids must be a vector with one number a row of data; got "
            f"shapes {shown(extents(ids))} and {shown(extents(x))}."
        )
    if num_segments is None and symbolic.is_symbolic(ids):
        raise ValueError(f"segment_{kind}: num_segments must be given for symbolic tensors.")
    if num_segments is None:
        num_segments = int(ids.max()) + 1 if ids.size else 0
    dtype = dtype_of(x)
    if traced and kind == "sum":
        return _added(x, ids, num_segments)
    neutral = _neutral(kind, dtype)
    function, reduce = _FUNCTIONS[kind]
    if not traced:
        result = np.full((num_segments, *x.shape[1:]), neutral, dtype)
        inside = (ids >= 0) & (ids < num_segments)
        function.at(result, ids[inside], x[inside])
        return result
    own = one_hot(ids, num_segments, dtype="bool")
    extra = tuple(range(2, rank(x) + 1))
    own = expand_dims(own, extra) if extra else own
    return cast(reduce(where(own, expand_dims(x, 1), neutral), 0), dtype)


def _added(values: Any, numbers: Any, size: int) -> Any:
    """Record sums of rows by number; what has none of the numbers is left out."""
    numbers = numbers if symbolic.is_symbolic(numbers) else symbolic.tensor(numbers)

    def within(e: Expression) -> Expression:
        count = Expression("batch") * float(-size) if size < 0 else constant(float(size))
        return apply("less_equal", 0.0, e) * apply("less", e, count)

    inside = symbolic.map_("scatter", within, (numbers,), "bool")
    extra = rank(values) - rank(numbers)
    if extra:
        inside = expand_dims(inside, [rank(numbers) + i for i in range(extra)])
    return symbolic.scatter(where(inside, values, 0), numbers, 0, size)


def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """Sums of the rows of each segment.

    Args:
        data: rows: an array, a list, a variable or a symbolic tensor.
        segment_ids: for each row the number of its segment; others than the segments' are left out.
        num_segments: how many segments. Default the largest number + 1; needed where the numbers
            are symbolic.
        sorted: whether the numbers ascend; makes no difference. Default False.

    Raises:
        ValueError: if the shapes do not fit, or num_segments is needed.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.segment_sum([1, 2, 30], [0, 0, 1]))
        [ 3 30]
    """
    return _segment("sum", data, segment_ids, num_segments)


def segment_max(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """Largest elements of the rows of each segment; the smallest number where there are none.

    Args:
        data: rows: an array, a list, a variable or a symbolic tensor.
        segment_ids: for each row the number of its segment; others than the segments' are left out.
        num_segments: how many segments. Default the largest number + 1; needed where the numbers
            are symbolic.
        sorted: whether the numbers ascend; makes no difference. Default False.

    Raises:
        ValueError: if the shapes do not fit, or num_segments is needed.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.segment_max([1, 2, 30], [0, 0, 1]))
        [ 2 30]
    """
    return _segment("max", data, segment_ids, num_segments)


def segment_min(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """Smallest elements of the rows of each segment; the largest number where there are none.

    Args:
        data: rows: an array, a list, a variable or a symbolic tensor.
        segment_ids: for each row the number of its segment; others than the segments' are left out.
        num_segments: how many segments. Default the largest number + 1; needed where the numbers
            are symbolic.
        sorted: whether the numbers ascend; makes no difference. Default False.

    Raises:
        ValueError: if the shapes do not fit, or num_segments is needed.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.segment_min([1, 2, 30], [0, 0, 1]))
        [ 1 30]
    """
    return _segment("min", data, segment_ids, num_segments)


def segment_prod(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """Products of the rows of each segment; 1 where there are none.

    Args:
        data: rows: an array, a list, a variable or a symbolic tensor.
        segment_ids: for each row the number of its segment; others than the segments' are left out.
        num_segments: how many segments. Default the largest number + 1; needed where the numbers
            are symbolic.
        sorted: whether the numbers ascend; makes no difference. Default False.

    Raises:
        ValueError: if the shapes do not fit, or num_segments is needed.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.segment_prod([2, 3, 30], [0, 0, 1]))
        [ 6 30]
    """
    return _segment("prod", data, segment_ids, num_segments)


def _row_numbers(what: str, indices: Any, sizes: Sequence[int]) -> Any:
    """Return the row-major number of positions given by one index for each of the sizes."""
    if any(size < 0 for size in sizes[1:]):
        raise ValueError(f"{what}: only the first axis may depend on the batch.")
    number: Any = None
    for j, size in enumerate(sizes):
        part = indices[..., j]
        if size >= 0:  # negative ones count from the end
            part = where(less(part, 0), add(part, size), part)
        number = part if number is None else add(multiply(number, size), part)
    return number


def scatter(indices: Any, values: Any, shape: Sequence[int]) -> Any:
    """Zeros with values added at positions.

    Args:
        indices: integers; its last axis holds the position, one index for each of the first axes of
            the result.
        values: what is added, of the shape of indices without the last axis, and of the axes of the
            result that are not indexed. Several at one position are summed.
        shape: the result's.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.scatter([[0], [2], [2]], [1, 5, 7], (4,)))
        [ 1  0 12  0]
    """
    sizes = integers("scatter", shape)
    at = indices if symbolic.is_symbolic(indices) else array(indices)
    x = values if symbolic.is_symbolic(values) else array(values)
    count = extents(at)[-1]
    if not 0 < count <= len(sizes) or extents(x) != (*extents(at)[:-1], *sizes[count:]):
        raise ValueError(
            f"scatter: indices of shape {shown(extents(at))} and values of shape "
            f"{shown(extents(x))} do not fit the shape {shown(sizes)}."
        )
    if not symbolic.is_symbolic(indices, values):
        result = np.zeros(sizes, x.dtype)
        np.add.at(result, tuple(np.moveaxis(at, -1, 0)), x)
        return result
    numbers = _row_numbers("scatter", at, sizes[:count])
    rows = _added(x, numbers, math.prod(sizes[:count]))
    return symbolic.regroup(rows, sizes)


def scatter_update(inputs: Any, indices: Any, updates: Any, reduction: str | None = None) -> Any:
    """A tensor with elements replaced at positions, or combined with others.

    Args:
        inputs: an array, a list, a variable or a symbolic tensor.
        indices: integers of shape (count, k): for each update the position along the first k axes.
        updates: of shape (count, ...), the axes that are not indexed behind the first.
        reduction: None (the default): the last update of a position stays (in models the indices
            must differ), or ``"add"``, ``"max"``, ``"min"``, ``"mul"`` with what was there.

    Raises:
        ValueError: if the shapes do not fit, or there is no such reduction.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.scatter_update([1, 2, 3], [[0], [2]], [7, 9]))
        [7 2 9]
    """
    if reduction is not None:
        reduction = reduction.lower()
        if reduction not in ("add", "max", "min", "mul"):
            raise ValueError(
                f"Invalid reduction: {reduction}. Choose one of: None, 'add', 'max', 'min', 'mul'."
            )
    x = inputs if symbolic.is_symbolic(inputs) else array(inputs)
    at = indices if symbolic.is_symbolic(indices) else array(indices)
    new = updates if symbolic.is_symbolic(updates) else array(updates, dtype_of(x))
    sizes, count = extents(x), extents(at)[-1]
    if rank(at) != 2 or count > len(sizes):
        raise ValueError(
            f"scatter_update: indices of shape {shown(extents(at))} for inputs of shape "
            f"{shown(sizes)}; expected (count, k) with k up to {len(sizes)}."
        )
    if extents(new) not in ((), (extents(at)[0], *sizes[count:])):
        raise ValueError(
            f"scatter_update: updates of shape {shown(extents(new))}; expected "
            f"{shown((extents(at)[0], *sizes[count:]))}."
        )
    if not symbolic.is_symbolic(inputs, indices, updates):
        return _updated(x, at, new, reduction)
    numbers = _row_numbers("scatter_update", at, sizes[:count])
    if rank(new) == 0:
        new = broadcast_extents(symbolic.tensor(new), (extents(at)[0], *sizes[count:]))
    if reduction is None and not symbolic.is_symbolic(at):
        # The last one of equal positions.
        last = sorted({int(n): i for i, n in enumerate(np.asarray(numbers))}.values())
        numbers, new = np.asarray(numbers)[last], symbolic.gather(new, np.asarray(last), 0, False)
    return cast(_recorded_update(x, numbers, new, reduction, count), dtype_of(x))


def _updated(x: np.ndarray, at: np.ndarray, new: np.ndarray, reduction: str | None) -> Any:
    result = x.copy()
    key = tuple(at.T)
    if reduction is None:
        result[key] = new
        return result
    names = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}
    names[reduction].at(result, key, new)
    return result


def _recorded_update(x: Any, numbers: Any, new: Any, reduction: str | None, count: int) -> Any:
    x = symbolic.tensor(x)
    sizes = extents(x)
    rows = math.prod(sizes[:count])
    if reduction in (None, "add"):
        total = symbolic.regroup(_added(new, numbers, rows), sizes)
        if reduction == "add":
            return add(x, total)
        hits = _added(ones_like(new), numbers, rows)
        return where(greater(symbolic.regroup(hits, sizes), 0), total, x)
    if rows < 0:
        raise ValueError(f"scatter_update: {reduction!r} along the batch is not supported.")
    kind, combine = {
        "max": ("max", maximum),
        "min": ("min", minimum),
        "mul": ("prod", multiply),
    }[str(reduction)]
    found = _segment(kind, symbolic.tensor(new), numbers, rows)
    return combine(x, symbolic.regroup(found, sizes))
