"""Tensors repeated, padded, rolled and turned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.expressions import Expression, apply
from dnnfast.expressions import constant as constant_of
from dnnfast.ops import indexing
from dnnfast.ops.creation import constant
from dnnfast.ops.shaping import broadcast_extents, expand_dims, reshape, swapaxes
from dnnfast.ops.values import all_axes, dtype_of, extents, integers, one_axis, rank
from dnnfast.ops.values import array as values_of


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Repeat each element along an axis.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        repeats: how often: an integer, or one for each position of the axis.
        axis: the axis; None (the default): of all elements along one.

    Raises:
        ValueError: if the numbers do not fit the axis.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.repeat([1, 2], 2), dnnfast.ops.repeat([1, 2], [1, 2]))
        [1 1 2 2] [1 2 2]
    """
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    if not symbolic.is_symbolic(x):
        return np.repeat(values_of(x), values_of(repeats), axis)
    position = one_axis("repeat", axis, rank(x))
    counts = integers("repeat", repeats)
    sizes = list(extents(x))
    if len(counts) > 1:
        if len(counts) != sizes[position]:
            raise ValueError(
                f"repeat: {len(counts)} repeats for axis {axis} of a tensor of shape {x.shape}."
            )
        index = np.repeat(np.arange(len(counts)), counts)
        return symbolic.gather(x, index, position, along=False)
    after = [*sizes[: position + 1], counts[0], *sizes[position + 1 :]]
    wide = broadcast_extents(expand_dims(x, position + 1), after)
    sizes[position] *= counts[0]
    return symbolic.regroup(wide, sizes)


def tile(x: Any, repeats: Any) -> Any:
    """Repeat a tensor as a whole along its axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        repeats: how often along each axis; where there are fewer, along the last ones, where there
            are more, x gets axes in front.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.tile([1, 2], 2))
        [1 2 1 2]
    """
    if not symbolic.is_symbolic(x):
        return np.tile(values_of(x), repeats)
    counts = list(integers("tile", repeats))
    if len(counts) > rank(x):
        x = expand_dims(x, tuple(range(len(counts) - rank(x))))
    counts = [1] * (rank(x) - len(counts)) + counts
    for axis, count in enumerate(counts):
        if count != 1:
            sizes = list(extents(x))
            after = [*sizes[:axis], count, *sizes[axis:]]
            wide = broadcast_extents(expand_dims(x, axis), after)
            sizes[axis] *= count
            x = symbolic.regroup(wide, sizes)
    return x


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """Add elements around a tensor.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        pad_width: how many before and after, ``(before, after)`` for each axis, one pair for all
            axes, or an integer.
        mode: ``"constant"`` (the default) or one of ``"edge" "reflect" "symmetric" "wrap"`` and,
            for arrays, the other modes of `numpy.pad`.
        constant_values: what is added in the mode ``"constant"``. Default 0.

    Raises:
        ValueError: if constant_values come with another mode, or the batch would be padded.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.pad([1, 2], (1, 2)))
        [0 1 2 0 0]
    """
    if constant_values is not None and mode != "constant":
        raise ValueError(
            "Argument `constant_values` can only be provided when `mode == 'constant'`. Received: "
            f"mode={mode}"
        )
    given = {"constant_values": constant_values or 0} if mode == "constant" else {}
    if not symbolic.is_symbolic(x):
        return np.pad(values_of(x), values_of(pad_width), mode=mode, **given)  # type: ignore[call-overload]
    pairs = np.broadcast_to(np.asarray(pad_width, int), (rank(x), 2)).tolist()
    for axis, (before, after) in enumerate(pairs):
        if before == after == 0:
            continue
        size = extents(x)[axis]
        if size < 0:
            raise ValueError(f"pad: axis {axis} depends on the batch and cannot be padded.")
        if mode == "constant":
            x = _pad_constant(x, axis, before, after, given["constant_values"])
        else:
            index = np.pad(np.arange(size), (before, after), mode=mode)  # type: ignore[call-overload]
            x = symbolic.gather(x, index, axis, along=False)
    return x


def _pad_constant(x: Any, axis: int, before: int, after: int, value: Any) -> Any:
    def edge(count: int) -> list[Any]:
        sizes = list(extents(x))
        sizes[axis] = count
        return [constant(sizes, value, dtype_of(x))] if count else []

    return symbolic.join([*edge(before), x, *edge(after)], axis)


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Move elements along axes; what leaves at the end comes in at the front.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        shift: by how many positions; one for each axis.
        axis: an axis or several; None (the default): all elements along one.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.roll([1, 2, 3], 1))
        [3 1 2]
    """
    if not symbolic.is_symbolic(x):
        return np.roll(values_of(x), shift, axis)
    if axis is None:
        return symbolic.regroup(roll(reshape(x, (-1,)), shift, 0), extents(x))
    axes = axis if isinstance(axis, (list, tuple)) else (axis,)
    shifts = np.broadcast_to(np.asarray(shift, int), (len(axes),)).tolist()
    for one, by in zip(axes, shifts, strict=True):
        x = _roll_axis(x, one_axis("roll", one, rank(x)), by)
    return x


def _roll_axis(x: Any, axis: int, by: int) -> Any:
    size = extents(x)[axis]

    def index() -> Any:
        count = constant_of(size) if size >= 0 else Expression("batch") * float(-size)
        return apply("mod", Expression("coordinate", (), 0) - by, count)

    return symbolic.gather(x, symbolic.map_("roll", index, [], "int32", (size,)), axis, False)


def flip(x: Any, axis: Any = None) -> Any:
    """Reverse axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis, several, or None (the default) for all.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.flip([[1, 2], [3, 4]], 1))
        [[2 1]
         [4 3]]
    """
    traced = symbolic.is_symbolic(x)
    value = x if traced else values_of(x)
    axes = all_axes("flip", axis, rank(value))
    key = tuple(slice(None, None, -1 if i in axes else 1) for i in range(rank(value)))
    return indexing.get_item(x, key) if traced else value[key].copy()


def fliplr(x: Any) -> Any:
    """Reverse the second axis.

    Args:
        x: an array, a list, a variable or a symbolic tensor of at least 2 axes.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.fliplr([[1, 2], [3, 4]]))
        [[2 1]
         [4 3]]
    """
    return flip(x, 1)


def flipud(x: Any) -> Any:
    """Reverse the first axis.

    Args:
        x: an array, a list, a variable or a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.flipud([[1, 2], [3, 4]]))
        [[3 4]
         [1 2]]
    """
    return flip(x, 0)


def rot90(array: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """Turn by 90 degrees in the plane of two axes.

    Args:
        array: an array, a list, a variable or a symbolic tensor of at least 2 axes.
        k: how often, from the first axis towards the second. Default 1.
        axes: the two axes. Default (0, 1).

    Raises:
        ValueError: if there are fewer than 2 axes, or the axes are not two.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.rot90([[1, 2], [3, 4]]))
        [[2 4]
         [1 3]]
    """
    value = array if symbolic.is_symbolic(array) else values_of(array)
    count = rank(value)
    if count < 2:
        raise ValueError(
            f"Input array must have at least 2 dimensions. Received: array.ndim={count}"
        )
    i, j = (one_axis("rot90", axis, count) for axis in axes)
    if i == j:
        raise ValueError(f"Invalid axes: {axes}. Axes must be a tuple of two different dimensions.")
    turns = k % 4
    if turns == 0:
        return value
    if turns == 2:
        return flip(value, (i, j))
    return swapaxes(flip(value, j), i, j) if turns == 1 else flip(swapaxes(value, i, j), j)
