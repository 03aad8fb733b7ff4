"""Elements of tensors by their positions, and tensors with some elements replaced."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.expressions import Expression, apply
from dnnfast.ops import indexing
from dnnfast.ops.arithmetic import clip, floor_divide, mod
from dnnfast.ops.core import cast
from dnnfast.ops.logic import where
from dnnfast.ops.shaping import broadcast_extents, reshape
from dnnfast.ops.tiling import pad
from dnnfast.ops.values import (
    array,
    dtype_of,
    extents,
    integers,
    is_float,
    one_axis,
    rank,
)


def _positions(what: str, index: Any) -> Any:
    if is_float(dtype_of(index)):
        raise TypeError(f"{what}: indices must be integers, got {dtype_of(index)}.")
    return index if symbolic.is_symbolic(index) else array(index)


def get_item(x: Any, key: Any) -> Any:
    """Return ``x[key]``.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        key: integers, slices, ``...`` and None; one index tensor; for arrays all that NumPy takes.

    Raises:
        IndexError: if an index is out of bounds.

    Example:
        >>> import dnnfast
        >>> int(dnnfast.ops.get_item([[1, 2], [3, 4]], (1, 0)))
        3
    """
    if symbolic.is_symbolic(x, *(key if isinstance(key, tuple) else (key,))):
        return indexing.get_item(symbolic.tensor(x), key)
    return np.asarray(array(x)[key])


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return elements at positions along an axis; the axis is replaced by those of the indices.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        indices: integers, of any shape; negative ones count from the end.
        axis: the axis; None (the default): among all elements in row-major order.

    Raises:
        TypeError: if the indices are not integers.
        IndexError: if a position of an array is out of bounds; in models the result is NaN there.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.take([[1, 2], [3, 4]], [1, 1, 0], axis=1))
        [[2 2 1]
         [4 4 3]]
    """
    at = _positions("take", indices)
    if not symbolic.is_symbolic(x, indices):
        values = array(x)
        return np.asarray(np.take(values, at, axis))
    if axis is None:
        x, axis = reshape(symbolic.tensor(x), (-1,)), 0
    return symbolic.gather(x, at, one_axis("take", axis, rank(x)), along=False)


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return for each position along the other axes the elements at given ones along an axis.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        indices: integers with as many axes as x; the sizes of the other axes are broadcast.
        axis: the axis; None (the default): among all elements in row-major order.

    Raises:
        TypeError: if the indices are not integers.
        ValueError: if the numbers of axes differ.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.take_along_axis([[1, 2], [3, 4]], [[1], [0]], axis=1))
        [[2]
         [3]]
    """
    at = _positions("take_along_axis", indices)
    traced = symbolic.is_symbolic(x, indices)
    values = x if symbolic.is_symbolic(x) else array(x)
    if axis is None:
        values, axis = reshape(values, (-1,)), 0
    if rank(values) != rank(at):
        raise ValueError(
            f"take_along_axis: x has {rank(values)} axes, indices {rank(at)}; they must be as many."
        )
    position = one_axis("take_along_axis", axis, rank(values))
    shapes = [list(extents(value)) for value in (values, at)]
    sizes = [[n for i, n in enumerate(s) if i != position] for s in shapes]
    common = list(symbolic.broadcast([tuple(s) for s in sizes], "take_along_axis"))
    wide = [[*common[:position], s[position], *common[position:]] for s in shapes]
    if traced:
        values, at = (
            broadcast_extents(symbolic.tensor(value), size)
            for value, size in zip((values, at), wide, strict=True)
        )
        return symbolic.gather(values, at, position, along=True)
    values, at = (np.broadcast_to(v, s) for v, s in zip((values, at), wide, strict=True))
    return np.take_along_axis(values, at, position)


def _start_indices(what: str, starts: Any, count: int) -> list[Any]:
    """Return one position for each axis: integers, or symbolic ones."""
    if symbolic.is_symbolic(starts):
        found: list[Any] = [starts[i] for i in range(starts.shape[0])]
    else:
        given = starts if isinstance(starts, (list, tuple)) else list(np.atleast_1d(array(starts)))
        found = [n if symbolic.is_symbolic(n) else int(np.asarray(n).reshape(())) for n in given]
    if len(found) != count:
        raise ValueError(f"{what}: {len(found)} start indices for a tensor of {count} axes.")
    return found


def slice(inputs: Any, start_indices: Any, shape: Sequence[int]) -> Any:
    """Return a block of a tensor.

    Args:
        inputs: an array, a list, a variable or a symbolic tensor.
        start_indices: for each axis the first position. The block is moved so far that it fits.
        shape: for each axis the size of the block; -1: up to the end (of the batch: None or -1).

    Raises:
        ValueError: if there are not as many numbers as axes, or the block is too large.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2)))
        [[2 3]
         [5 6]]
    """
    traced = symbolic.is_symbolic(inputs)
    x = inputs if traced else array(inputs)
    sizes = extents(x)
    starts = _start_indices("slice", start_indices, len(sizes))
    asked = integers("slice", shape)
    if len(asked) != len(sizes):
        raise ValueError(f"slice: shape {shape} for a tensor of {len(sizes)} axes.")
    for axis, (start, count, size) in enumerate(zip(starts, asked, sizes, strict=True)):
        if size < 0 or symbolic.is_symbolic(start):
            x = _moving_slice(x, axis, start, count, size)
            continue
        count = size - start if count == -1 else count
        if not 0 <= count <= size:
            raise ValueError(f"slice: a block of {count} along axis {axis} of size {size}.")
        start = min(max(start, 0), size - count)
        key = (*[builtins.slice(None)] * axis, builtins.slice(start, start + count))
        x = indexing.get_item(x, key) if symbolic.is_symbolic(x) else x[key]
    return x


def _moving_slice(x: Any, axis: int, start: Any, count: int, size: int) -> Any:
    if size < 0:
        # A block of the whole size starts at 0, whatever is asked.
        if count == size and (symbolic.is_symbolic(start) or start == 0):
            return x
        raise ValueError(f"slice: axis {axis} depends on the batch and can only be taken whole.")
    first = clip(cast(start, "int32"), 0, size - count)
    at = symbolic.map_(
        "slice", lambda e: e + Expression("coordinate", (), 0), (first,), "int32", (count,)
    )
    return symbolic.gather(x, at, axis, along=False)


def slice_update(inputs: Any, start_indices: Any, updates: Any) -> Any:
    """Return a tensor with a block replaced.

    Args:
        inputs: an array, a list, a variable or a symbolic tensor.
        start_indices: for each axis the first position of the block.
        updates: the block.

    Raises:
        ValueError: if there are not as many numbers as axes.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.slice_update([1, 2, 3], [1], [9]))
        [1 9 3]
    """
    traced = symbolic.is_symbolic(inputs, updates)
    x = inputs if traced else array(inputs)
    sizes, block = extents(x), extents(updates)
    starts = _start_indices("slice_update", start_indices, len(sizes))
    if len(block) != len(sizes):
        raise ValueError(f"slice_update: updates of {len(block)} axes for {len(sizes)} axes.")
    if symbolic.is_symbolic(*starts) or traced:
        return _update_recorded(x, starts, updates)
    starts = [min(max(s, 0), n - b) for s, n, b in zip(starts, sizes, block, strict=True)]
    key = tuple(builtins.slice(s, s + b) for s, b in zip(starts, block, strict=True))
    result = x.copy()
    result[key] = array(updates, x.dtype.name)
    return result


def _update_recorded(x: Any, starts: list[Any], updates: Any) -> Any:
    x, sizes, block = symbolic.tensor(x), extents(x), extents(updates)
    inside: Any = None
    for axis, (start, size, count) in enumerate(zip(starts, sizes, block, strict=True)):
        if size == count:
            continue
        if size < 0 or count < 0:
            raise ValueError(
                f"slice_update: axis {axis} depends on the batch and can only be replaced whole."
            )
        first = clip(start, 0, size - count)
        before = int(first) if not symbolic.is_symbolic(first) else None
        here = Expression("coordinate", (), axis)

        def within(e: Expression, here: Any = here, count: int = count) -> Expression:
            place = here - e
            return apply("less_equal", 0.0, place) * apply("less", place, float(count))

        width = (*[1] * axis, size, *[1] * (len(sizes) - axis - 1))
        mask = symbolic.map_("slice_update", within, (first,), "bool", width)
        inside = mask if inside is None else inside & mask
        if before is not None:
            around = [(0, 0)] * len(sizes)
            around[axis] = (before, size - count - before)
            updates = pad(updates, around)
        else:
            at = symbolic.map_(
                "slice_update",
                lambda e: apply("max", Expression("coordinate", (), 0) - e, 0.0),
                (first,),
                "int32",
                (size,),
            )
            updates = symbolic.gather(updates, clip(at, 0, count - 1), axis, along=False)
    if inside is None:
        return cast(symbolic.tensor(updates), dtype_of(x))
    return cast(where(inside, updates, x), dtype_of(x))


def unravel_index(indices: Any, shape: Sequence[int]) -> tuple[Any, ...]:
    """Return the position along each axis of elements numbered in row-major order.

    Args:
        indices: integers.
        shape: sizes of the axes.

    Example:
        >>> import dnnfast
        >>> [int(part) for part in dnnfast.ops.unravel_index(5, (2, 3))]
        [1, 2]
    """
    at = _positions("unravel_index", indices)
    sizes = integers("unravel_index", shape)
    steps = list(itertools.accumulate(reversed(sizes), lambda a, b: a * b, initial=1))[:-1]
    return tuple(
        mod(floor_divide(at, step), size) for size, step in zip(sizes, reversed(steps), strict=True)
    )
