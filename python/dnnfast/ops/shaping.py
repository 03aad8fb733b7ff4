"""The same elements in other shapes: reshape, transpose, new and dropped axes, diagonals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.ops.values import all_axes, array, extents, integers, one_axis, rank, shown


def _target(before: tuple[int, ...], asked: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the sizes for a shape with None (the batch) and at most one -1 (what is left)."""

    def fail(why: str) -> ValueError:
        return ValueError(f"reshape: a tensor of shape {shown(before)} cannot have {asked}: {why}.")

    unknown = [i for i, n in enumerate(asked) if n == -1]
    if len(unknown) > 1:
        raise fail("only one size may be -1")
    if any(n is not None and n < -1 for n in asked):
        raise fail("a size must be -1 or more")
    # A size is a number times a power of the batch.
    total = abs(math.prod(before))
    power = sum(1 for n in before if n < 0)
    given = math.prod(n for n in asked if n is not None and n != -1)
    left = power - sum(1 for n in asked if n is None)
    sizes = [-1 if n is None else int(n) for n in asked]
    if unknown:
        if left not in (0, 1) or (given and total % given) or (given == 0 and total):
            raise fail("the number of elements differs")
        rest = total // given if given else 0
        sizes[unknown[0]] = -rest if left else rest
    elif left == 1 and None not in asked and len(asked) > 0 and given:
        raise fail("give None or -1 for the size that depends on the batch")
    elif left != 0 or given != total:
        raise fail("the number of elements differs")
    return tuple(sizes)


def reshape(x: Any, newshape: Any) -> Any:
    """Return the same elements in another shape, in row-major order.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        newshape: its sizes; one may be -1 (what is left). Of symbolic tensors None is the batch.

    Raises:
        ValueError: if the number of elements differs.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.reshape([[1, 2, 3, 4]], (2, -1)).shape
        (2, 2)
        >>> x = dnnfast.Input((4,))
        >>> dnnfast.ops.reshape(x, (-1, 2, 2)).shape
        (None, 2, 2)
    """
    asked = tuple(newshape) if isinstance(newshape, (list, tuple)) else (newshape,)
    asked = tuple(None if n is None else integers("reshape", n)[0] for n in asked)
    if not symbolic.is_symbolic(x):
        values = array(x)
        return values.reshape(_target(values.shape, asked))
    before, batch = extents(x), getattr(x, "batch_size", None)
    if batch is not None and asked[:1] == (batch,):  # of a fixed size
        asked = (None, *asked[1:])
    sizes = _target(before, asked)
    return x if sizes == before else symbolic.regroup(x, sizes)


def ravel(x: Any) -> Any:
    """Return all elements along one axis, in row-major order.

    Args:
        x: an array, a list, a variable or a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.ravel([[1, 2], [3, 4]]))
        [1 2 3 4]
    """
    return reshape(x, (-1,))


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Return the axes in another order.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axes: for each axis of the result that of x. Default the reverse order.

    Raises:
        ValueError: if ``axes`` does not name every axis once.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.transpose([[1, 2], [3, 4]]))
        [[1 3]
         [2 4]]
    """
    traced = symbolic.is_symbolic(x)
    value = x if traced else array(x)
    count = rank(value)
    order = tuple(range(count))[::-1]
    if axes is not None:
        order = tuple(one_axis("transpose", axis, count) for axis in axes)
    if sorted(order) != list(range(count)):
        raise ValueError(f"transpose: axes={axes} must name each of the {count} axes once.")
    if not traced:
        return np.transpose(value, order)
    if order == tuple(range(count)):
        return x
    before = extents(x)
    return symbolic.view(x, [before[axis] for axis in order], order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis1: an axis.
        axis2: the other one.

    Raises:
        ValueError: if there is no such axis.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.swapaxes(dnnfast.ops.zeros((2, 3, 4)), 0, 2).shape
        (4, 3, 2)
    """
    value = x if symbolic.is_symbolic(x) else array(x)
    order = list(range(rank(value)))
    i, j = (one_axis("swapaxes", axis, len(order)) for axis in (axis1, axis2))
    order[i], order[j] = order[j], order[i]
    return transpose(value, order)


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Move axes to other places; the others keep their order.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        source: an axis or several.
        destination: as many places.

    Raises:
        ValueError: if there is no such axis, or their numbers differ.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.moveaxis(dnnfast.ops.zeros((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    value = x if symbolic.is_symbolic(x) else array(x)
    count = rank(value)
    given = [list(a) if isinstance(a, (list, tuple)) else [a] for a in (source, destination)]
    moved, places = ([one_axis("moveaxis", axis, count) for axis in axes] for axes in given)
    if len(moved) != len(places) or len(set(moved)) < len(moved) or len(set(places)) < len(places):
        raise ValueError(
            f"moveaxis: source={source} and destination={destination} must have as many axes, "
            "each once."
        )
    order = [axis for axis in range(count) if axis not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        order.insert(place, axis)
    return transpose(value, order)


def expand_dims(x: Any, axis: Any) -> Any:
    """Insert axes of size 1.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: the new axis in the result, or several.

    Raises:
        ValueError: if the result has no such axis.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.expand_dims(dnnfast.ops.zeros((2, 3)), -1).shape
        (2, 3, 1)
    """
    traced = symbolic.is_symbolic(x)
    value = x if traced else array(x)
    added = len(axis) if isinstance(axis, (list, tuple)) else 1
    new = all_axes("expand_dims", axis, rank(value) + added)
    if not traced:
        return np.expand_dims(value, new)
    before, source = extents(x), []
    old = iter(range(len(before)))
    for i in range(len(before) + added):
        source.append(-1 if i in new else next(old))
    return symbolic.view(x, [1 if a < 0 else before[a] for a in source], source)


def squeeze(x: Any, axis: Any = None) -> Any:
    """Drop axes of size 1.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all of size 1.

    Raises:
        ValueError: if an axis has another size.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.squeeze(dnnfast.ops.zeros((2, 1, 3))).shape
        (2, 3)
    """
    traced = symbolic.is_symbolic(x)
    value = x if traced else array(x)
    before = extents(value)
    if axis is None:
        gone: Any = [i for i, n in enumerate(before) if n == 1]
    else:
        gone = all_axes("squeeze", axis, len(before))
    for i in gone:
        if before[i] != 1:
            raise ValueError(
                f"squeeze: axis {i} of a tensor of shape {shown(before)} has a size other than 1."
            )
    kept = [i for i in range(len(before)) if i not in gone]
    if not traced:
        return value.reshape([before[i] for i in kept])
    return symbolic.view(x, [before[i] for i in kept], kept) if gone else x


def broadcast_to(x: Any, shape: Any) -> Any:
    """Repeat axes of size 1, and add axes in front, up to a shape.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        shape: the result's; None is the batch.

    Raises:
        ValueError: if x does not fit.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.broadcast_to([1, 2], (2, 2)))
        [[1 2]
         [1 2]]
    """
    asked = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
    sizes = integers("broadcast_to", asked)
    if not symbolic.is_symbolic(x) and None not in asked:
        return np.broadcast_to(array(x), sizes).copy()
    return broadcast_extents(x, sizes)


def broadcast_extents(x: Any, sizes: Sequence[int]) -> Any:
    """Record `broadcast_to` for sizes of which -n is n times the batch."""
    before = extents(x)
    if before == tuple(sizes):
        return x
    if symbolic.broadcast([before, tuple(sizes)], "broadcast_to") != tuple(sizes):
        raise ValueError(
            f"broadcast_to: a tensor of shape {shown(before)} cannot be broadcast to shape "
            f"{shown(sizes)}."
        )
    offset = len(sizes) - len(before)
    source = [
        i - offset if i >= offset and before[i - offset] == n else -1 for i, n in enumerate(sizes)
    ]
    return symbolic.view(x, sizes, source)


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the diagonal of two axes, as the last axis.

    Args:
        x: an array, a list, a variable or a symbolic tensor of at least 2 axes.
        offset: which diagonal; positive ones lie above the main one. Default 0.
        axis1: the axis of the rows. Default 0.
        axis2: the axis of the columns. Default 1.

    Raises:
        ValueError: if x has fewer than 2 axes, or the axes are the same.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.diagonal([[1, 2], [3, 4]]))
        [1 4]
    """
    traced = symbolic.is_symbolic(x)
    value = x if traced else array(x)
    count = rank(value)
    if count < 2:
        raise ValueError(f"diagonal: x must have at least 2 axes, got {count}.")
    i, j = one_axis("diagonal", axis1, count), one_axis("diagonal", axis2, count)
    if i == j:
        raise ValueError(f"diagonal: axis1={axis1} and axis2={axis2} are the same axis.")
    if not traced:
        return np.diagonal(value, offset, i, j).copy()
    moved = moveaxis(x, (i, j), (-2, -1))
    *outer, rows, cols = moved.extents
    if rows < 0 or cols < 0:
        raise ValueError("diagonal: axes that depend on the batch have no diagonal in a model.")
    first = offset if offset >= 0 else -offset * cols
    length = max(0, min(rows + min(offset, 0), cols - max(offset, 0)))
    if length == 0:
        raise ValueError(f"diagonal: offset={offset} lies outside of {rows} rows, {cols} columns.")
    flat = symbolic.regroup(moved, [*outer, rows * cols])
    axes = range(len(outer) + 1)
    starts = [0] * len(outer) + [first]
    return symbolic.view(flat, [*outer, length], axes, starts, [1] * len(outer) + [cols + 1])


def diag(x: Any, k: int = 0) -> Any:
    """Return a diagonal of a matrix, or the matrix with a diagonal.

    Args:
        x: a matrix, or a vector: an array, a list, a variable or a symbolic tensor.
        k: which diagonal; positive ones lie above the main one. Default 0.

    Raises:
        ValueError: if x has not 1 or 2 axes.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.diag([1, 2]))
        [[1 0]
         [0 2]]
    """
    traced = symbolic.is_symbolic(x)
    value = x if traced else array(x)
    count = rank(value)
    if count not in (1, 2):
        raise ValueError(f"diag: x must have 1 or 2 axes, got {count}.")
    if not traced:
        return np.diag(value, k).copy()
    if count == 2:
        return diagonal(x, k)
    (size,) = extents(x)
    if size < 0:
        raise ValueError("diag: a vector that depends on the batch makes no matrix in a model.")
    from dnnfast.ops.arithmetic import multiply
    from dnnfast.ops.tiling import pad

    before, after = max(-k, 0), max(k, 0)
    column = pad(expand_dims(x, 1), [(before, after), (0, 0)])
    return multiply(column, np.eye(size + abs(k), k=k, dtype=bool))


def diagflat(x: Any, k: int = 0) -> Any:
    """Return the matrix whose diagonal holds all elements.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        k: which diagonal; positive ones lie above the main one. Default 0.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.diagflat([[1, 2]]))
        [[1 0]
         [0 2]]
    """
    return diag(ravel(x), k)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the sum of the diagonal of two axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor of at least 2 axes.
        offset: which diagonal; positive ones lie above the main one. Default 0.
        axis1: the axis of the rows. Default 0.
        axis2: the axis of the columns. Default 1.

    Raises:
        ValueError: if x has fewer than 2 axes, or the axes are the same.

    Formula: ``sum of x[i, i + offset]``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.trace([[1, 2], [3, 4]]))
        5
    """
    from dnnfast.ops.reduction import sum

    return sum(diagonal(x, offset, axis1, axis2), -1)
