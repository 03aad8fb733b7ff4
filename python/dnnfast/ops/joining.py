"""Tensors put together, and cut."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.ops import indexing
from dnnfast.ops.core import cast
from dnnfast.ops.shaping import broadcast_extents, expand_dims, reshape, squeeze
from dnnfast.ops.values import (
    array,
    dtype_of,
    extents,
    integers,
    one_axis,
    rank,
    result_type,
    shown,
)


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Join tensors along an axis.

    Args:
        xs: arrays, lists, variables or symbolic tensors whose other sizes agree.
        axis: the axis. Default 0.

    Raises:
        ValueError: if the sizes do not fit, or there is nothing to join.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.concatenate([[1, 2], [3]]))
        [1 2 3]
    """
    xs = list(xs)
    if not xs:
        raise ValueError("concatenate: there is nothing to join.")
    dtype = result_type(*(dtype_of(x) for x in xs))
    if not symbolic.is_symbolic(*xs):
        values = [array(x, dtype) for x in xs]
        return np.concatenate(values, one_axis("concatenate", axis, values[0].ndim))
    parts = [cast(x, dtype) if symbolic.is_symbolic(x) else array(x, dtype) for x in xs]
    ranks = {rank(part) for part in parts}
    position = one_axis("concatenate", axis, max(ranks))
    if len(ranks) > 1:
        listed = ", ".join(str(shown(extents(part))) for part in parts)
        raise ValueError(f"concatenate: shapes {listed} have different numbers of axes.")
    if len(parts) == 1:
        return parts[0]
    result = symbolic.join([_like_others(part, parts, position) for part in parts], position)
    return cast(result, dtype)


def _like_others(part: Any, parts: list[Any], axis: int) -> Any:
    """Repeat an array of one row along the batch of the others."""
    if symbolic.is_symbolic(part):
        return part
    other = next(p for p in parts if symbolic.is_symbolic(p))
    sizes = list(extents(part))
    for i, n in enumerate(extents(other)):
        if i != axis and n < 0 and sizes[i] == 1:
            sizes[i] = n
    return broadcast_extents(part, sizes)


def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Join tensors of one shape along a new axis.

    Args:
        x: arrays, numbers, lists, variables or symbolic tensors of one shape.
        axis: the new axis. Default 0.

    Raises:
        ValueError: if the shapes differ, or there is nothing to join.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.stack([[1, 2], [3, 4]], axis=1))
        [[1 3]
         [2 4]]
    """
    parts = list(x)
    shapes = {extents(part) for part in parts}
    if len(shapes) > 1:
        listed = ", ".join(str(shown(extents(part))) for part in parts)
        raise ValueError(f"stack: shapes {listed} must be equal.")
    return concatenate([expand_dims(part, axis) for part in parts], axis)


def append(x1: Any, x2: Any, axis: int | None = None) -> Any:
    """Join two tensors.

    Args:
        x1: an array, a list, a variable or a symbolic tensor.
        x2: the same.
        axis: the axis; None (the default): all elements along one axis.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.append([1, 2], [[3]]))
        [1 2 3]
    """
    if axis is None:
        return concatenate([reshape(x1, (-1,)), reshape(x2, (-1,))], 0)
    return concatenate([x1, x2], axis)


def hstack(xs: Sequence[Any]) -> Any:
    """Join along the second axis (vectors: along the first).

    Args:
        xs: arrays, lists, variables or symbolic tensors.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.hstack([[1, 2], [3]]))
        [1 2 3]
    """
    parts = [_at_least(x, 1) for x in xs]
    return concatenate(parts, 0 if parts and rank(parts[0]) == 1 else 1)


def vstack(xs: Sequence[Any]) -> Any:
    """Join along the first axis; vectors are rows.

    Args:
        xs: arrays, lists, variables or symbolic tensors.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.vstack([[1, 2], [3, 4]]))
        [[1 2]
         [3 4]]
    """
    return concatenate([_at_least(x, 2) for x in xs], 0)


def dstack(xs: Sequence[Any]) -> Any:
    """Join along the third axis; vectors are rows, matrices have one element along it.

    Args:
        xs: arrays, lists, variables or symbolic tensors.

    Example:
        >>> import dnnfast
        >>> dnnfast.ops.dstack([[1, 2], [3, 4]]).shape
        (1, 2, 2)
    """
    return concatenate([_at_least(x, 3) for x in xs], 2)


def _at_least(x: Any, count: int) -> Any:
    value = x if symbolic.is_symbolic(x) else array(x)
    if rank(value) == 0:
        value = expand_dims(value, 0)
    if count >= 2 and rank(value) == 1:
        value = expand_dims(value, 0)
    return expand_dims(value, -1) if count == 3 and rank(value) == 2 else value


def _pieces(what: str, size: int, sections: Any, equal: bool) -> list[tuple[int, int]]:
    """Return where each piece of an axis begins and ends."""
    if isinstance(sections, (list, tuple, np.ndarray)):
        cuts = [0, *(slice(None, n).indices(size)[1] for n in integers(what, sections)), size]
        return [(a, max(a, b)) for a, b in itertools.pairwise(cuts)]
    (count,) = integers(what, sections)
    if count < 1 or (equal and size % count):
        raise ValueError(f"{what}: an axis of size {size} cannot be cut into {count} equal parts.")
    small, larger = divmod(size, count)
    cuts = [i * small + min(i, larger) for i in range(count + 1)]
    return list(itertools.pairwise(cuts))


def _split(what: str, x: Any, sections: Any, axis: int, equal: bool) -> list[Any]:
    traced = symbolic.is_symbolic(x)
    value = x if traced else array(x)
    position = one_axis(what, axis, rank(value))
    size = extents(value)[position]
    if size < 0:
        return _split_batch(what, x, sections, position)
    pieces = _pieces(what, size, sections, equal)
    front = (slice(None),) * position
    keys = [(*front, slice(a, b)) for a, b in pieces]
    return [indexing.get_item(x, key) if traced else value[key] for key in keys]


def _split_batch(what: str, x: Any, sections: Any, axis: int) -> list[Any]:
    """Cut an axis of n times the batch into parts that are each a multiple of the batch."""
    sizes = list(extents(x))
    if not isinstance(sections, (int, np.integer)) or -sizes[axis] % int(sections):
        raise ValueError(
            f"{what}: axis {axis} depends on the batch ({-sizes[axis]} times its size); it can be "
            f"cut into a divisor of {-sizes[axis]} equal parts, got {sections}."
        )
    count = int(sections)
    sizes[axis : axis + 1] = [count, sizes[axis] // count]
    parts = symbolic.regroup(x, sizes)
    front = (slice(None),) * axis
    return [indexing.get_item(parts, (*front, i)) for i in range(count)]


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut a tensor along an axis.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        indices_or_sections: how many equal parts, or the positions of the cuts.
        axis: the axis. Default 0.

    Raises:
        ValueError: if the parts would not be equal, or there is no such axis.

    Example:
        >>> import dnnfast
        >>> [part.tolist() for part in dnnfast.ops.split([1, 2, 3, 4], 2)]
        [[1, 2], [3, 4]]
    """
    return _split("split", x, indices_or_sections, axis, equal=True)


def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut a tensor along an axis into parts of about equal size, the larger ones first.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        indices_or_sections: how many parts, or the positions of the cuts.
        axis: the axis. Default 0.

    Example:
        >>> import dnnfast
        >>> [part.tolist() for part in dnnfast.ops.array_split([1, 2, 3], 2)]
        [[1, 2], [3]]
    """
    return _split("array_split", x, indices_or_sections, axis, equal=False)


def hsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut along the second axis (a vector: along the first).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        indices_or_sections: how many equal parts, or the positions of the cuts.

    Example:
        >>> import dnnfast
        >>> [part.tolist() for part in dnnfast.ops.hsplit([[1, 2, 3]], [1])]
        [[[1]], [[2, 3]]]
    """
    value = x if symbolic.is_symbolic(x) else array(x)
    return split(value, indices_or_sections, 0 if rank(value) == 1 else 1)


def vsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut along the first axis.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        indices_or_sections: how many equal parts, or the positions of the cuts.

    Example:
        >>> import dnnfast
        >>> [part.tolist() for part in dnnfast.ops.vsplit([[1], [2]], 2)]
        [[[1]], [[2]]]
    """
    return split(x, indices_or_sections, 0)


def dsplit(x: Any, indices_or_sections: Any) -> list[Any]:
    """Cut along the third axis.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        indices_or_sections: how many equal parts, or the positions of the cuts.

    Example:
        >>> import dnnfast
        >>> [part.shape for part in dnnfast.ops.dsplit(dnnfast.ops.zeros((1, 2, 4)), 2)]
        [(1, 2, 2), (1, 2, 2)]
    """
    return split(x, indices_or_sections, 2)


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """Return the parts of an axis, without it.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        num: how many; only needed where the size is not known. Default None.
        axis: the axis. Default 0.

    Raises:
        ValueError: if the axis depends on the batch, or ``num`` is not its size.

    Example:
        >>> import dnnfast
        >>> [part.tolist() for part in dnnfast.ops.unstack([[1, 2], [3, 4]])]
        [[1, 2], [3, 4]]
    """
    value = x if symbolic.is_symbolic(x) else array(x)
    position = one_axis("unstack", axis, rank(value))
    size = extents(value)[position]
    if size < 0 or num not in (None, size):
        raise ValueError(
            f"unstack: axis {axis} of a tensor of shape {shown(extents(value))} cannot be cut into "
            f"{num or 'single'} parts."
        )
    return [squeeze(part, position) for part in split(value, size, position)]
