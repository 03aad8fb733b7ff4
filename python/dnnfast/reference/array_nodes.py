"""The array ops as nodes of a graph: their attributes, and the sizes that a step gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dnnfast.reference import array, array_index
from dnnfast.reference.tape import Positions

Array = NDArray[np.float64]
Gradients = list[Array | None]

# The attributes that are arguments of functions.
_VIEW = "source start step"
_GATHER = "axis along"
_SCAN = "kind axis reverse exclusive"


def _sizes(run: Any, node: Any) -> tuple[int, ...]:
    return array.sizes_of(run.graph.tensors[node.output].extents, run.batch)


def _positions(run: Any, node: Any) -> Positions:
    """Return the full space of a reduction, else that of the output."""
    space = node.attrs.get("space")
    sizes = _sizes(run, node) if space is None else array.sizes_of(space, run.batch)
    return Positions(sizes, run.batch, run.seed, run.step)


def _tapes(node: Any) -> list[Any]:
    return [node.attrs.get(f"gradient_{i}") for i in range(len(node.inputs))]


def _attributes(node: Any, names: str) -> dict[str, Any]:
    return {name: node.attrs[name] for name in names.split()}


def _map_value(run: Any, node: Any) -> Array:
    return array.map_forward(node.attrs["tape"], run.inputs(node), _positions(run, node))


def _map_gradients(run: Any, node: Any, dy: Array) -> Gradients:
    return array.map_backward(dy, run.inputs(node), _tapes(node), _positions(run, node))


def _reduce_value(run: Any, node: Any) -> Array:
    kind, axes, tape = (node.attrs[name] for name in ("kind", "axes", "tape"))
    inputs, sizes = run.inputs(node), _sizes(run, node)
    return array.reduce_forward(kind, axes, tape, inputs, _positions(run, node), sizes)


def _reduce_gradients(run: Any, node: Any, dy: Array) -> Gradients:
    kind, axes = node.attrs["kind"], node.attrs["axes"]
    inputs, tapes = run.inputs(node), _tapes(node)
    return array.reduce_backward(kind, axes, dy, inputs, tapes, _positions(run, node))


def _view_value(run: Any, node: Any) -> Array:
    return array_index.view_forward(
        run.inputs(node)[0], _sizes(run, node), **_attributes(node, _VIEW)
    )


def _view_gradients(run: Any, node: Any, dy: Array) -> Gradients:
    return [array_index.view_backward(dy, run.inputs(node)[0].shape, **_attributes(node, _VIEW))]


def _regroup_value(run: Any, node: Any) -> Array:
    return run.inputs(node)[0].reshape(_sizes(run, node))


def _regroup_gradients(run: Any, node: Any, dy: Array) -> Gradients:
    return [dy.reshape(run.inputs(node)[0].shape)]


def _product_gradients(run: Any, node: Any, dy: Array) -> Gradients:
    return [*array.product_backward(dy, *run.inputs(node))]


def _gather_value(run: Any, node: Any) -> Array:
    return array_index.gather_forward(*run.inputs(node), **_attributes(node, _GATHER))


def _gather_gradients(run: Any, node: Any, dy: Array) -> Gradients:
    x, index = run.inputs(node)
    return [array_index.gather_backward(dy, index, x.shape, **_attributes(node, _GATHER)), None]


def _scatter_value(run: Any, node: Any) -> Array:
    values, index = run.inputs(node)
    axis = node.attrs["axis"]
    return array_index.scatter_forward(values, index, axis, _sizes(run, node)[axis])


def _scatter_gradients(run: Any, node: Any, dy: Array) -> Gradients:
    return [array_index.scatter_backward(dy, run.inputs(node)[1], node.attrs["axis"]), None]


def _join_gradients(run: Any, node: Any, dy: Array) -> Gradients:
    axis = node.attrs["axis"]
    sizes = [x.shape[axis] for x in run.inputs(node)]
    return [*array_index.join_backward(dy, sizes, axis)]


def _takes_first(run: Any, node: Any) -> bool:
    return bool(run.training or (run.sampling and node.attrs.get("samples", 0)))


def _switch_gradients(run: Any, node: Any, dy: Array) -> Gradients:
    return [dy, None] if _takes_first(run, node) else [None, dy]


# Value and gradients of each op, by the names graphs use.
ARRAY_OPS: dict[str, tuple[Callable[..., Array], Callable[..., Gradients]]] = {
    "map": (_map_value, _map_gradients),
    "reduce": (_reduce_value, _reduce_gradients),
    "view": (_view_value, _view_gradients),
    "regroup": (_regroup_value, _regroup_gradients),
    "product": (lambda run, node: array.product_forward(*run.inputs(node)), _product_gradients),
    "gather": (_gather_value, _gather_gradients),
    "scatter": (_scatter_value, _scatter_gradients),
    "scan": (
        lambda run, node: array_index.scan_forward(*run.inputs(node), **_attributes(node, _SCAN)),
        lambda run, node, dy: [array_index.scan_backward(dy, **_attributes(node, _SCAN))],
    ),
    "join": (
        lambda run, node: array_index.join_forward(run.inputs(node), node.attrs["axis"]),
        _join_gradients,
    ),
    "switch": (
        lambda run, node: run.inputs(node)[0 if _takes_first(run, node) else 1],
        _switch_gradients,
    ),
}
