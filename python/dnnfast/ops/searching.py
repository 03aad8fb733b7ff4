"""Where elements are: places in sorted sequences, bins, counts, what is not 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.expressions import Expression, apply, constant
from dnnfast.ops.arithmetic import multiply
from dnnfast.ops.core import cast
from dnnfast.ops.logic import equal, logical_not
from dnnfast.ops.probability import one_hot
from dnnfast.ops.reduction import any, sum
from dnnfast.ops.shaping import expand_dims, reshape
from dnnfast.ops.values import array, dtype_of, is_float, rank, unsupported

_SIZE = "Its result has a size that depends on the values; use ops.where with a mask instead."


def nonzero(x: Any) -> tuple[Any, ...]:
    """Positions of the elements that are not 0, one array (int32) for each axis; on arrays only.

    Args:
        x: an array, a list or a variable.

    Raises:
        NotImplementedError: for a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> [part.tolist() for part in dnnfast.ops.nonzero([[0, 2], [3, 0]])]
        [[0, 1], [1, 0]]
    """
    if symbolic.is_symbolic(x):
        raise unsupported("nonzero", _SIZE)
    return tuple(part.astype("int32") for part in np.nonzero(array(x)))


def unique(
    x: Any,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """Different elements, in ascending order; on arrays only.

    Args:
        x: an array, a list or a variable.
        sorted: whether they are wanted in order; they always are. Default True.
        return_index: whether the positions of the first ones are returned. Default False.
        return_inverse: whether the position of each element among them is. Default False.
        return_counts: whether the number of each is. Default False.
        axis: the parts along an axis are compared; None (the default): single elements.
        size: how many are returned, filled up or cut. Default all.
        fill_value: fills up. Default the smallest one.

    Raises:
        NotImplementedError: for a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.unique([3, 1, 3]))
        [1 3]
    """
    if symbolic.is_symbolic(x):
        raise unsupported("unique", _SIZE)
    values = array(x)
    found = np.unique(values, True, True, True, axis=axis)
    parts: list[Any] = list(found)
    parts[2] = parts[2].reshape(values.shape if axis is None else (-1,))
    along = axis or 0
    if size is not None:
        for i, filler in ((0, fill_value), (1, None), (3, 0)):
            parts[i] = _sized(parts[i], along if i == 0 else 0, size, filler)
    wanted = (True, return_index, return_inverse, return_counts)
    chosen = [part if i == 0 else part.astype("int32") for i, part in enumerate(parts) if wanted[i]]
    return chosen[0] if len(chosen) == 1 else tuple(chosen)


def _sized(values: np.ndarray, axis: int, size: int, filler: Any) -> np.ndarray:
    count = values.shape[axis]
    if count >= size:
        return np.take(values, range(size), axis)
    first = np.take(values, [0] * (size - count), axis)
    rest = first if filler is None else np.full_like(first, filler)
    return np.concatenate([values, rest], axis)


def isin(x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each element is among those of another tensor.

    Args:
        x1: an array, a number, a list, a variable or a symbolic tensor.
        x2: the same; a symbolic one must not depend on the batch.
        assume_unique: makes no difference. Default False.
        invert: whether it is not among them. Default False.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.isin([1, 2, 3], [3, 1]))
        [ True False  True]
    """
    a, b = (x if symbolic.is_symbolic(x) else array(x) for x in (x1, x2))
    found = any(equal(expand_dims(a, -1), reshape(b, (-1,))), -1)
    return logical_not(found) if invert else found


def searchsorted(sorted_sequence: Any, values: Any, side: str = "left") -> Any:
    """Positions at which values would be put into a sorted vector (int32).

    Args:
        sorted_sequence: a vector in ascending order.
        values: an array, a number, a list, a variable or a symbolic tensor.
        side: ``"left"`` (the default): before equal elements, or ``"right"``.

    Raises:
        ValueError: if the sequence is no vector, or ``side`` is neither.

    Formula: how many elements are smaller (``"right"``: not larger) than the value

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.searchsorted([1, 3, 5], [3, 4]))
        [1 2]
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right', got {side!r}.")
    traced = symbolic.is_symbolic(sorted_sequence, values)
    line = sorted_sequence if symbolic.is_symbolic(sorted_sequence) else array(sorted_sequence)
    if rank(line) != 1:
        raise ValueError(
            f"`searchsorted` only supports 1-D sorted sequences. Received: {rank(line)} axes."
        )
    if not traced:
        place: Any = np.searchsorted
        return np.asarray(place(line, array(values), side)).astype("int32")
    wide = expand_dims(symbolic.tensor(values), -1)
    op = "less" if side == "left" else "less_equal"
    smaller = symbolic.map_("searchsorted", lambda a, b: apply(op, a, b), (line, wide), "int32")
    return sum(smaller, -1)


def digitize(x: Any, bins: Any) -> Any:
    """Number of the bin that each element falls into (int32).

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        bins: the edges, a vector in ascending order (of arrays: or descending).

    Raises:
        ValueError: if the edges are no vector.

    Formula: how many edges are not larger than the element

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.digitize([0.5, 1.0, 7.0], [1.0, 2.0]))
        [0 1 2]
    """
    if not symbolic.is_symbolic(x, bins):
        return np.asarray(np.digitize(array(x), array(bins))).astype("int32")
    edges = bins if symbolic.is_symbolic(bins) else array(bins)
    if not symbolic.is_symbolic(edges) and len(edges) > 1 and edges[0] > edges[-1]:
        # Counted from the other end, and equal edges on the other side.
        return len(edges) - searchsorted(edges[::-1].copy(), x, "left")
    return searchsorted(edges, x, "right")


def bincount(x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False) -> Any:
    """How often each integer occurs, or the sum of its weights.

    Args:
        x: integers from 0: a vector, or rows, each of which is counted.
        weights: of the shape of x, or None.
        minlength: least length of the result. A symbolic tensor needs it: it is the length then,
            and larger integers are left out.
        sparse: must be False.

    Raises:
        ValueError: if ``sparse`` is set, or a symbolic tensor comes without ``minlength``.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.bincount([1, 1, 3], minlength=5))
        [0 2 0 1 0]
    """
    if sparse:
        raise ValueError("bincount: sparse tensors are not supported.")
    traced = symbolic.is_symbolic(x, weights)
    value = x if symbolic.is_symbolic(x) else array(x)
    if is_float(dtype_of(value)):
        raise TypeError(f"bincount: expected integers, got {dtype_of(value)}.")
    dtype = "int32" if weights is None else dtype_of(weights)
    if not traced:
        length = max(minlength, int(value.max()) + 1 if value.size else 0)
    elif minlength < 1:
        raise ValueError("bincount: minlength must be given for symbolic tensors.")
    else:
        length = minlength
    if not traced and rank(value) == 1:
        given = None if weights is None else array(weights)
        return np.bincount(value, given, length).astype(dtype)
    counted = one_hot(value, length, dtype=dtype)
    if weights is not None:
        counted = multiply(counted, expand_dims(_operand(weights), -1))
    return cast(sum(counted, -2), dtype)


def _operand(x: Any) -> Any:
    return x if symbolic.is_symbolic(x) else array(x)


def histogram(x: Any, bins: int = 10, range: Any = None) -> tuple[Any, Any]:
    """How many elements fall into each of some equal bins.

    Args:
        x: an array, a list, a variable or a symbolic tensor; all its elements are counted.
        bins: how many bins. Default 10.
        range: ``(lowest, highest)`` edge. Default those of the elements; needed by a symbolic one.

    Raises:
        ValueError: if ``bins`` is not a positive integer, the range is no pair in ascending order,
            or a symbolic tensor comes without it.

    Returns the counts (float32) and the edges; the last bin includes its upper edge.

    Example:
        >>> import dnnfast
        >>> counts, edges = dnnfast.ops.histogram([0.0, 1.0, 4.0], bins=2)
        >>> print(counts, edges)
        [2. 1.] [0. 2. 4.]
    """
    if not isinstance(bins, (int, np.integer)) or bins <= 0:
        raise ValueError(f"Argument `bins` should be a non-negative integer. Received: bins={bins}")
    if range is not None and (len(range) != 2 or range[1] < range[0]):
        raise ValueError(f"histogram: range must be (lowest, highest), got {range}.")
    if not symbolic.is_symbolic(x):
        counts, edges = np.histogram(array(x), bins, range)
        return counts.astype(np.float32), edges.astype(np.float32)
    if range is None:
        raise ValueError("histogram: range must be given for symbolic tensors.")
    low, high = (float(edge) for edge in range)
    width = (high - low) / int(bins)

    def build(e: Expression) -> Expression:
        place = apply("min", apply("floor", (e - low) / constant(width)), float(bins - 1))
        inside = apply("less_equal", low, e) * apply("less_equal", e, high)
        return place * inside - (constant(1.0) - inside)

    number = symbolic.map_("histogram", build, (x,), "int32")
    edges = np.linspace(low, high, int(bins) + 1, dtype=np.float32)
    return cast(bincount(reshape(number, (-1,)), minlength=int(bins)), "float32"), edges
