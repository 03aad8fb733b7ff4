"""The array ops of a program's graph as ONNX nodes, with the meaning of `dnnfast.reference`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast.exporting.builder import Builder, Extents

_LAST, _FIRST = 2**63 - 1, -(2**63)
_REDUCTIONS = {
    "sum": "ReduceSum",
    "mean": "ReduceMean",
    "product": "ReduceProd",
    "max": "ReduceMax",
    "min": "ReduceMin",
}


def reduction(b: Builder, kind: str, x: str, space: Extents, axes: Sequence[int]) -> str:
    """Reduce axes, which become 1 (of positions: vanish)."""
    if kind in _REDUCTIONS:
        return b.op(_REDUCTIONS[kind], x, b.whole(list(axes)), keepdims=1)
    # Positions count the reduced axes in row-major order.
    kept = [i for i in range(len(space)) if i not in axes]
    moved = b.transpose(x, [*kept, *axes])
    line = -1 if any(space[i] < 0 for i in axes) else math.prod(space[i] for i in axes)
    if line < 0 and any(space[i] < 0 for i in kept):
        raise ValueError(f"export: layer {b.scope!r}: a reduction over several sizes of the batch.")
    merged = b.reshape(moved, [*(space[i] for i in kept), line])
    name = "ArgMax" if kind == "arg_max" else "ArgMin"
    return b.cast(b.op(name, merged, axis=len(kept), keepdims=0), "FLOAT")


def _bounds(b: Builder, before: int, after: int, start: int, step: int) -> tuple[int, int, int]:
    """Return first position, end and step of a slice; below 0 positions count from the end."""
    if after < 0:
        if abs(step) * after != before:
            raise ValueError(
                f"export: layer {b.scope!r} takes every {step}th of some rows of the batch, which "
                "is not supported."
            )
        return start, _LAST if step > 0 else _FIRST, step
    if start == -1:
        return -1, _LAST if step > 0 else -1 + after * step, step or 1
    end = start + after * step if step else start + 1
    return start, end if end >= 0 else _FIRST, step or 1


def _slice(b: Builder, x: str, axis: int, sizes: tuple[int, int], start: int, step: int) -> str:
    before, after = sizes
    if start == 0 and step == 1 and before == after:
        return x
    first, end, by = _bounds(b, before, after, start, step)
    return b.op("Slice", x, b.whole([first]), b.whole([end]), b.whole([axis]), b.whole([by]))


def view(b: Builder, x: str, before: Extents, after: Extents, attrs: Any) -> str:
    """Add a strided view: a transpose, slice, flip, expanded or broadcast array."""
    source, start, step = attrs["source"], attrs["start"], attrs["step"]
    made: list[int] = []  # which axis of the result each axis is now
    for axis, size in enumerate(before):
        along = [i for i, from_ in enumerate(source) if from_ == axis]
        if not along:
            x = b.op("Gather", x, b.whole(start[axis]), axis=len(made))
        elif len(along) == 1:
            sizes = (size, after[along[0]])
            x = _slice(b, x, len(made), sizes, start[axis], step[along[0]])
        else:
            lines = [np.arange(after[i]) * step[i] for i in along]
            first = size - 1 if start[axis] == -1 else start[axis]
            places = sum(np.meshgrid(*lines, indexing="ij")) + first
            x = b.op("Gather", x, b.whole(places), axis=len(made))
        made += along
    x = b.transpose(x, sorted(range(len(made)), key=lambda k: made[k]))
    x = b.unsqueeze(x, [i for i, from_ in enumerate(source) if from_ == -1])
    repeated = [i for i, from_ in enumerate(source) if (from_ == -1 or step[i] == 0)]
    return b.expand(x, after) if any(after[i] != 1 for i in repeated) else x


def _places(b: Builder, index: str, size: int) -> tuple[str, str]:
    """Return positions as whole numbers (0 for those outside of an axis), and which are inside."""
    if size >= 0:
        end, begin = b.number(float(size)), b.number(float(-size))
    else:
        end = b.cast(b.size(size), "FLOAT")
        begin = b.op("Neg", end)
    not_before = b.op("GreaterOrEqual", index, begin)
    inside = b.op("And", not_before, b.op("Less", index, end))
    return b.cast(b.op("Where", inside, index, b.number(0.0)), "INT64"), inside


def gather(b: Builder, x: str, index: str, shapes: tuple[Extents, Extents], attrs: Any) -> str:
    """Add elements at positions along an axis; NaN where a position is outside of it."""
    (before, at), axis = shapes, attrs["axis"]
    places, inside = _places(b, index, before[axis])
    if attrs["along"]:
        found = b.op("GatherElements", x, places, axis=axis)
    else:
        found = b.op("Gather", x, places, axis=axis)
        inside = b.unsqueeze(inside, range(len(at), len(at) + len(before) - axis - 1))
    return b.op("Where", inside, found, b.number(math.nan))


def scatter(
    b: Builder, values: str, index: str, shapes: tuple[Extents, Extents], axis: int, size: int
) -> str:
    """Add sums of values by position."""
    before, at = shapes
    front, behind = before[:axis], before[axis + len(at) :]
    places, inside = _places(b, index, size)
    inside = b.unsqueeze(inside, range(len(at), len(at) + len(behind)))
    kept = b.op("Where", inside, values, b.number(0.0))
    order = [*range(axis, axis + len(at)), *range(axis), *range(axis + len(at), len(before))]
    empty = b.expand(b.number(0.0), [size, *front, *behind])
    places = b.unsqueeze(places, [len(at)])
    sums = b.op("ScatterND", empty, places, b.transpose(kept, order), reduction="add")
    return b.transpose(
        sums, [*range(1, axis + 1), 0, *range(axis + 1, 1 + len(front) + len(behind))]
    )


def _running(b: Builder, x: str, extents: Extents, attrs: Any) -> str:
    """Add running products or maxima: a loop over the first axis, to which the scanned one goes."""
    helper, kind = b.onnx.helper, b.onnx.TensorProto.FLOAT
    name, first = {"product": ("Mul", 1.0), "max": ("Max", -math.inf)}[attrs["kind"]]
    axis = attrs["axis"]
    rest = [size for i, size in enumerate(extents) if i != axis]
    shape = [size if size >= 0 else None for size in rest]
    infos = [helper.make_tensor_value_info(v, kind, shape) for v in ("state", "x", "next", "y")]
    nodes = [
        helper.make_node(name, ["state", "x"], ["next"]),
        helper.make_node("Identity", ["state" if attrs["exclusive"] else "next"], ["y"]),
    ]
    body = helper.make_graph(nodes, "running", infos[:2], infos[2:])

    def turned(value: str) -> str:
        if not attrs["reverse"]:
            return value
        ends = (b.whole([-1]), b.whole([_FIRST]), b.whole([0]), b.whole([-1]))
        return b.op("Slice", value, *ends)

    lines = turned(b.transpose(x, [axis, *(i for i in range(len(extents)) if i != axis)]))
    begin = b.expand(b.number(first), rest)
    _, found = b.several("Scan", [begin, lines], 2, body=body, num_scan_inputs=1)
    return b.transpose(turned(found), [*range(1, axis + 1), 0, *range(axis + 1, len(extents))])


def scan(b: Builder, x: str, extents: Extents, attrs: Any) -> str:
    """Add running sums, products or maxima, or elements in order."""
    kind, axis, reverse = attrs["kind"], attrs["axis"], int(attrs["reverse"])
    if kind == "sum":
        options = {"exclusive": int(attrs["exclusive"]), "reverse": reverse}
        return b.op("CumSum", x, b.whole(axis), **options)
    if kind in ("product", "max"):
        return _running(b, x, extents, attrs)
    # NaN comes last in both directions.
    last = b.number(-math.inf if reverse else math.inf)
    keys = b.op("Where", b.op("IsNaN", x), last, x)
    count = b.sizes([extents[axis]])
    _, places = b.several("TopK", [keys, count], 2, axis=axis, largest=reverse, sorted=1)
    if kind == "arg_sort":
        return b.cast(places, "FLOAT")
    return b.op("GatherElements", x, places, axis=axis)
