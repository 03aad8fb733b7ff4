"""Records the ops of csrc/ops/array.h on symbolic tensors: what `dnnfast.ops` is made of.

Sizes are those of `KerasTensor.extents`: -n is n times the batch. Operands may be symbolic tensors,
variables, arrays and numbers; a number in a map becomes part of its expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import expressions, tracing
from dnnfast.expressions import Expression, operand
from dnnfast.keras_tensor import KerasTensor
from dnnfast.variable import Variable

MAX_AXES = 6
Extents = tuple[int, ...]


def is_symbolic(*values: Any) -> bool:
    """Tell whether a function of these values is to be recorded, not computed.

    It is if one is a symbolic tensor, or if one is a variable while a layer, loss, metric or
    regularizer is being traced.
    """
    if any(isinstance(value, KerasTensor) for value in values):
        return True
    return tracing.recording() and any(isinstance(value, Variable) for value in values)


def tensor(value: Any) -> KerasTensor | Variable:
    """Return an operand: a tensor, the current value of a variable, an array as a constant."""
    if isinstance(value, KerasTensor):
        return value
    if isinstance(value, Variable):
        return tracing.current_value(value)
    return tracing.constant(np.asarray(value, np.float32))


def extents_of(value: Any) -> Extents:
    """Return the sizes of an operand."""
    if isinstance(value, KerasTensor):
        return value.extents
    if isinstance(value, Variable):
        return value.shape
    return np.shape(value)


def broadcast(shapes: Sequence[Extents], what: str) -> Extents:
    """Return the common sizes of operands, as NumPy finds them.

    Raises:
        ValueError: if there are none.
    """
    rank = max((len(shape) for shape in shapes), default=0)
    result = [1] * rank
    for shape in shapes:
        for i, size in enumerate(shape, rank - len(shape)):
            if result[i] == 1:
                result[i] = size
            elif size not in (1, result[i]):
                listed = ", ".join(str(_shown(s)) for s in shapes)
                raise ValueError(f"{what}: shapes {listed} cannot be broadcast together.")
    return tuple(result)


def _shown(extents: Extents) -> tuple[int | None, ...]:
    return tuple(None if size < 0 else size for size in extents)


def _emit(
    op: str, inputs: Sequence[Any], attrs: dict[str, Any], extents: Sequence[int], dtype: str
) -> KerasTensor:
    if len(extents) > MAX_AXES:
        raise ValueError(
            f"{tracing.current_layer_name() or op}: a tensor of {len(extents)} axes; at most "
            f"{MAX_AXES} are supported. Reshape to fewer."
        )
    name = tracing.current_layer_name() or op
    record = tracing.OpRecord(op, tuple(inputs), attrs, name)
    return tracing.with_batch_of(inputs, KerasTensor((), dtype, record=record, extents=extents))


def map_(
    what: str, build: Any, values: Sequence[Any], dtype: str = "float32", extents: Any = None
) -> KerasTensor:
    """Record an element-wise function of broadcast operands.

    Args:
        what: its name, for messages.
        build: called with one expression an operand; returns the result's.
        values: the operands; a number is put into the expression.
        dtype: of the result.
        extents: sizes of the result; default the common ones of the operands.
    """
    inputs: list[Any] = []
    arguments: list[Expression] = []
    for value in values:
        if not isinstance(value, (KerasTensor, Variable)) and np.ndim(value) == 0:
            arguments.append(expressions.constant(float(value)))
            continue
        value = tensor(value)
        found = next((i for i, known in enumerate(inputs) if known is value), None)
        if found is None:
            inputs.append(value)
            found = len(inputs) - 1
        arguments.append(operand(found))
    shapes = [extents_of(value) for value in inputs]
    if extents is not None:
        shapes.append(tuple(extents))
    result = broadcast(shapes, what)
    return _emit("map", inputs, {"expression": build(*arguments)}, result, dtype)


def coordinates(extents: Sequence[int], axis: int, dtype: str = "int32") -> KerasTensor:
    """Record an array whose elements are their positions along an axis."""
    index = Expression("coordinate", (), axis)
    return map_("coordinates", lambda: index, [], dtype, extents)


def uniform(extents: Sequence[int], words: int, build: Any, stream: Any) -> KerasTensor:
    """Record random numbers: ``build`` of ``words`` (at most 4) independent numbers in [0, 1).

    ``stream`` numbers them (an int), or is None: then they get a number of their own in each model.
    """
    mark = tracing.RandomStream() if stream is None else int(stream)
    parts = [Expression("uniform", (), (mark, word)) for word in range(words)]
    return map_("random", lambda: build(*parts), [], "float32", extents)


def reduce(x: Any, kind: str, axes: Sequence[int], keepdims: bool, dtype: str = "") -> KerasTensor:
    """Record a reduction over some axes (not negative).

    The kinds are ``sum mean product max min arg_max arg_min``.
    """
    x = tensor(x)
    before = extents_of(x)
    gone = set(axes)
    after = [1 if i in gone else n for i, n in enumerate(before) if keepdims or i not in gone]
    attrs = {"kind": kind, "axes": sorted(gone), "expression": operand(0), "space": list(before)}
    return _emit("reduce", [x], attrs, after, dtype or x.dtype)


def view(
    x: Any,
    extents: Sequence[int],
    source: Sequence[int],
    start: Sequence[int] = (),
    step: Sequence[int] = (),
) -> KerasTensor:
    """Record a strided view: a transpose, slice, flip, expanded or broadcast tensor.

    Args:
        x: the operand.
        extents: sizes of the result.
        source: for each axis of the result the axis of ``x`` that it runs along, or -1.
        start: for each axis of ``x`` the first position. Default 0.
        step: for each axis of the result the distance of positions. Default 1. An axis of ``x``
            whose start is -1 starts at its end.
    """
    x = tensor(x)
    rank = len(extents_of(x))
    attrs = {
        "source": [int(axis) for axis in source],
        "start": [int(n) for n in (start or [0] * rank)],
        "step": [int(n) for n in (step or [1] * len(source))],
    }
    return _emit("view", [x], attrs, extents, x.dtype)


def regroup(x: Any, extents: Sequence[int]) -> KerasTensor:
    """Record the same elements in another shape, in row-major order."""
    x = tensor(x)
    return _emit("regroup", [x], {}, extents, x.dtype)


def product(a: Any, b: Any) -> KerasTensor:
    """Record the matrix products of the last two axes; the axes before them are broadcast."""
    a, b = tensor(a), tensor(b)
    left, right = extents_of(a), extents_of(b)
    if left[-1] != right[-2]:
        raise ValueError(
            f"matmul: shapes {_shown(left)} and {_shown(right)} do not fit: the last size of the "
            "first must be the last but one of the second."
        )
    outer = broadcast([left[:-2], right[:-2]], "matmul")
    return _emit("product", [a, b], {}, (*outer, left[-2], right[-1]), "float32")


def gather(x: Any, index: Any, axis: int, along: bool) -> KerasTensor:
    """Record elements of ``x`` at positions along an axis (not negative).

    ``along`` False: the axis is replaced by the axes of ``index`` (`numpy.take`); True: ``index``
    has the shape of ``x`` but for this axis (`numpy.take_along_axis`).
    """
    x, index = tensor(x), tensor(index)
    before, at = extents_of(x), extents_of(index)
    after = at if along else (*before[:axis], *at, *before[axis + 1 :])
    return _emit("gather", [x, index], {"axis": axis, "along": int(along)}, after, x.dtype)


def scatter(values: Any, index: Any, axis: int, size: int) -> KerasTensor:
    """Record sums of ``values`` by position: the inverse of `gather` with ``along`` False.

    The axes of ``index`` stand in ``values`` from ``axis`` on, and are replaced by one of ``size``.
    """
    values, index = tensor(values), tensor(index)
    before, count = extents_of(values), len(extents_of(index))
    after = (*before[:axis], size, *before[axis + count :])
    return _emit("scatter", [values, index], {"axis": axis}, after, values.dtype)


def scan(
    x: Any, kind: str, axis: int, reverse: bool = False, exclusive: bool = False
) -> KerasTensor:
    """Record a scan along an axis (not negative): ``sum product max sort arg_sort``."""
    x = tensor(x)
    attrs = {"kind": kind, "axis": axis, "reverse": int(reverse), "exclusive": int(exclusive)}
    dtype = "int32" if kind == "arg_sort" else x.dtype
    return _emit("scan", [x], attrs, extents_of(x), dtype)


def join(values: Sequence[Any], axis: int) -> KerasTensor:
    """Record tensors behind one another along an axis (not negative).

    Raises:
        ValueError: if their other sizes differ.
    """
    inputs = [tensor(value) for value in values]
    shapes = [extents_of(value) for value in inputs]
    first = list(shapes[0])
    for shape in shapes:
        same = list(shape)
        if len(same) == len(first):
            same[axis] = first[axis]
        if same != first:
            listed = ", ".join(str(_shown(s)) for s in shapes)
            raise ValueError(f"concatenate: shapes {listed} must agree in all but axis {axis}.")
    sizes = [shape[axis] for shape in shapes]
    if any(size < 0 for size in sizes) and any(size >= 0 for size in sizes):
        raise ValueError("concatenate: a batch axis cannot be joined with one of fixed size.")
    first[axis] = sum(sizes)
    return _emit("join", inputs, {"axis": axis}, first, inputs[0].dtype)


def switch(training: Any, inference: Any, samples: bool = False) -> KerasTensor:
    """Record a choice made when the model runs: the first in training mode, else the second.

    ``samples``: Monte Carlo prediction takes the first, too (noise, but not batch statistics).
    """
    a, b = tensor(training), tensor(inference)
    if extents_of(a) != extents_of(b):
        raise ValueError(
            f"{tracing.current_layer_name() or 'A layer'}: the result has shape "
            f"{_shown(extents_of(a))} in training and {_shown(extents_of(b))} otherwise; they must "
            "be equal."
        )
    return _emit("switch", [a, b], {"samples": int(samples)}, extents_of(a), a.dtype)
