"""Element-wise functions and reductions of arrays with any number of axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.reference.tape import Positions, run_tape

Array = NDArray[np.float64]
Tape = Sequence[int]


def sizes_of(extents: Sequence[int], batch: int) -> tuple[int, ...]:
    """Return the sizes that a step has: where one is -n, n times the batch.

    Example:

    >>> sizes_of((-3, 5), batch=4)
    (12, 5)
    """
    return tuple(int(size) if size >= 0 else -int(size) * batch for size in extents)


def sum_to(x: ArrayLike, shape: Sequence[int]) -> Array:
    """Return the sums of ``x`` along the axes that broadcasting from ``shape`` made.

    Args:
        x: an array.
        shape: one that broadcasts to that of ``x``.

    Formula: the gradient of `numpy.broadcast_to`.

    Example:

    >>> sum_to([[1.0, 2.0], [3.0, 4.0]], (1, 2))
    array([[4., 6.]])
    """
    x = np.asarray(x, dtype=np.float64)
    new = x.ndim - len(shape)
    made = [i for i in range(x.ndim) if i < new or shape[i - new] == 1]
    return np.asarray(x.sum(axis=tuple(made))).reshape(tuple(shape))


def map_forward(tape: Tape, inputs: Sequence[ArrayLike], positions: Positions) -> Array:
    """Return an element-wise function of broadcast arrays.

    Args:
        tape: the function, see `run_tape`.
        inputs: arrays that broadcast to the space of the positions.
        positions: those of the result.

    Formula: ``y_p = f(x_p, ...)``.

    Example:

    >>> from dnnfast.expressions import operand, tape_of
    >>> map_forward(tape_of(operand(0) - operand(1)), [[1.0, 5.0], 2.0], Positions((2,)))
    array([-1.,  3.])
    """
    return run_tape(tape, inputs, positions)


def map_backward(
    dy: ArrayLike,
    inputs: Sequence[ArrayLike],
    gradients: Sequence[Tape | None],
    positions: Positions,
) -> list[Array | None]:
    """Return the gradients of the inputs of `map_forward`, or None where they are zero.

    Args:
        dy: gradient of the result.
        inputs: as in `map_forward`.
        gradients: a tape for each input, whose operand 0 is ``dy`` and whose operand i + 1 is input
            i; None is zero.
        positions: those of the result.

    Formula: ``dx_i = sum of gradient_i(dy_p, x_p, ...)`` over the positions p that read an element.

    Example:

    >>> from dnnfast.expressions import operand, tape_of
    >>> tape = tape_of(operand(0) * operand(1))  # of dy and x
    >>> map_backward([1.0, 1.0], [3.0], [tape], Positions((2,)))
    [array(6.)]
    """
    arrays = [np.asarray(x, dtype=np.float64) for x in inputs]
    operands = [np.asarray(dy, dtype=np.float64), *arrays]
    return [
        None if tape is None else sum_to(run_tape(tape, operands, positions), x.shape)
        for x, tape in zip(arrays, gradients, strict=True)
    ]


def _lines(x: Array, axes: Sequence[int]) -> Array:
    """Return x with the reduced axes as one, behind the kept ones."""
    kept = [i for i in range(x.ndim) if i not in axes]
    moved = x.transpose([*kept, *sorted(axes)])
    return moved.reshape(*moved.shape[: len(kept)], math.prod(x.shape[i] for i in axes))


# Of arrays of which the last axis is reduced. NaN stays in all of them.
_REDUCTIONS: dict[str, Callable[[Array], Array]] = {
    "sum": lambda x: x.sum(axis=-1),
    "mean": lambda x: x.mean(axis=-1),
    "product": lambda x: x.prod(axis=-1),
    "max": lambda x: x.max(axis=-1),
    "min": lambda x: x.min(axis=-1),
    "arg_max": lambda x: x.argmax(axis=-1).astype(np.float64),
    "arg_min": lambda x: x.argmin(axis=-1).astype(np.float64),
}


def reduce_forward(
    kind: str,
    axes: Sequence[int],
    tape: Tape,
    inputs: Sequence[ArrayLike],
    positions: Positions,
    shape: Sequence[int],
) -> Array:
    """Return the reduction of an element-wise function over some axes.

    Args:
        kind: ``sum mean product max min arg_max arg_min``.
        axes: which axes of the space go, or become 1.
        tape: the function, see `run_tape`.
        inputs: arrays that broadcast to the space of the positions.
        positions: the full space.
        shape: that of the result: the kept axes, with or without 1 for the others.

    Formula: ``arg_max`` and ``arg_min`` count the reduced positions in row-major order and give the
    first extremum; NaN is one.

    Example:

    >>> from dnnfast.expressions import operand, tape_of
    >>> square = tape_of(operand(0) * operand(0))
    >>> reduce_forward("sum", [1], square, [[[1.0, 2.0]]], Positions((1, 2)), (1,))
    array([5.])
    """
    values = run_tape(tape, inputs, positions)
    with np.errstate(all="ignore"):
        return np.asarray(_REDUCTIONS[kind](_lines(values, axes))).reshape(tuple(shape))


def _product_of_others(x: Array, axes: Sequence[int]) -> Array:
    """Return for each element the product of the others, which division would miss at zeros."""
    lines = _lines(x, axes)
    ones = np.ones((*lines.shape[:-1], 1))
    before = np.concatenate([ones, lines[..., :-1]], axis=-1).cumprod(axis=-1)
    behind = np.concatenate([ones, lines[..., :0:-1]], axis=-1).cumprod(axis=-1)[..., ::-1]
    kept = [i for i in range(x.ndim) if i not in axes]
    order = [*kept, *sorted(axes)]
    others = (before * behind).reshape([x.shape[i] for i in order])
    return others.transpose(np.argsort(order))


def reduce_backward(
    kind: str,
    axes: Sequence[int],
    dy: ArrayLike,
    inputs: Sequence[ArrayLike],
    gradients: Sequence[Tape | None],
    positions: Positions,
) -> list[Array | None]:
    """Return the gradients of the inputs of `reduce_forward`, or None where they are zero.

    Args:
        kind: as in `reduce_forward`; all but sum and mean reduce the first input itself.
        axes: as in `reduce_forward`.
        dy: gradient of the result.
        inputs: as in `reduce_forward`.
        gradients: of the function, for sum and mean; see `map_backward`.
        positions: the full space.

    Formula: sum and mean: ``dy`` (divided by the number of elements) at all of them, through the
    function; max and min: ``dy`` shared equally among the extrema; product: ``dy`` times the
    product of the other elements.

    Example:

    >>> reduce_backward("max", [0], 1.0, [[2.0, 7.0, 7.0]], [None], Positions((3,)))
    [array([0. , 0.5, 0.5])]
    """
    space = positions.space
    kept = [1 if i in axes else size for i, size in enumerate(space)]
    dy = np.broadcast_to(np.asarray(dy, dtype=np.float64).reshape(kept), space)
    if kind == "sum":
        return map_backward(dy, inputs, gradients, positions)
    if kind == "mean":
        return map_backward(dy / math.prod(space[i] for i in axes), inputs, gradients, positions)
    if kind not in ("max", "min", "product"):
        return [None] * len(inputs)
    original = np.asarray(inputs[0], dtype=np.float64)
    x = np.broadcast_to(original, space)
    with np.errstate(all="ignore"):
        if kind == "product":
            dx = dy * _product_of_others(x, axes)
        else:
            best = x.max(axis=tuple(axes), keepdims=True)
            if kind == "min":
                best = x.min(axis=tuple(axes), keepdims=True)
            equal = x == best
            dx = np.where(equal, dy / equal.sum(axis=tuple(axes), keepdims=True), 0.0)
    return [sum_to(dx, original.shape)]


def product_forward(a: ArrayLike, b: ArrayLike) -> Array:
    """Return the matrix products of the last two axes; the axes before them are broadcast.

    Args:
        a: ``[..., rows, inner]``.
        b: ``[..., inner, columns]``.

    Formula: ``y_...rc = sum_i a_...ri b_...ic``.

    Example:

    >>> product_forward([[[1.0, 2.0]], [[3.0, 4.0]]], [[10.0], [1.0]]).ravel()
    array([12., 34.])
    """
    with np.errstate(all="ignore"):
        return np.matmul(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))


def product_backward(dy: ArrayLike, a: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    """Return the gradients of both inputs of `product_forward`.

    Args:
        dy: gradient of the result.
        a: as in `product_forward`.
        b: as in `product_forward`.

    Formula: ``da = dy b^T``, ``db = a^T dy``, summed over the axes that were broadcast.

    Example:

    >>> product_backward([[1.0]], [[2.0, 3.0]], [[4.0], [5.0]])
    (array([[4., 5.]]), array([[2.],
           [3.]]))
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    da = product_forward(dy, b.swapaxes(-1, -2))
    db = product_forward(a.swapaxes(-1, -2), dy)
    return sum_to(da, a.shape), sum_to(db, b.shape)
