"""The program of a model as a graph that TensorBoard draws."""

from __future__ import annotations

import json
from typing import Any

from dnnfast.summaries.wire import Field, message

# Attributes of ops that say something to a reader, apart from numbers of streams and the like.
_TOLD = ("kind", "kinds", "rate", "epsilon", "momentum", "axis", "axes", "alpha", "beta", "mode")


def _histories(value: Any) -> list[Any]:
    """Return the serialized symbolic tensors in the arguments of a call."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return [value]
        value = list(value.values())
    return [found for part in value for found in _histories(part)] if _nested(value) else []


def _nested(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _places(value: Any) -> list[Any]:
    """Return the triples (layer, call, output) of a structure of inputs or outputs."""
    if isinstance(value, dict):
        value = list(value.values())
    if len(value) == 3 and isinstance(value[0], str):
        return [list(value)]
    return [place for part in value for place in _places(part)]


def _readable(config: Any) -> Any:
    """Return a serialized layer as TensorBoard reads it.

    It takes every argument of a call for a tensor, and the inputs of a model for a list of names.
    """
    inside = config.get("config")
    if isinstance(inside, dict) and _nested(inside.get("layers")):
        inside = {**inside, "layers": [_readable(layer) for layer in inside["layers"]]}
        if "input_layers" in inside:
            inside["input_layers"] = [place[0] for place in _places(inside["input_layers"])]
            inside["output_layers"] = _places(inside["output_layers"])
        config = {**config, "config": inside}
    if _nested(config.get("inbound_nodes")):
        calls = [_histories([n.get("args"), n.get("kwargs")]) for n in config["inbound_nodes"]]
        config = {**config, "inbound_nodes": [{"args": c, "kwargs": {}} for c in calls]}
    return config


def layers_json(model: Any) -> str:
    """Return a model of layer calls as JSON, for TensorBoard's graph of its layers.

    Raises:
        TypeError: if a layer's configuration is no plain data.
    """
    return json.dumps(_readable(json.loads(model.to_json())))


def _shape(extents: tuple[int, ...]) -> bytes:
    dims = [(2, message([(1, size if size >= 0 else -1)])) for size in extents]
    return message(dims)


def _attribute(name: str, value: bytes) -> Field:
    return (5, message([(1, name), (2, value)]))


def _node(name: str, op: str, inputs: list[str], attributes: list[Field]) -> bytes:
    return message([(1, name), (2, op), *((3, source) for source in inputs), *attributes])


def graph_def(model: Any) -> bytes:
    """Return the program of a built model as a ``GraphDef``: its inputs, weights and ops.

    Raises:
        ValueError: if the model is not built.
    """
    graph = model._lower().graph
    names: dict[int, str] = {}
    used: set[str] = set()

    def unique(name: str) -> str:
        number, found = 0, name
        while found in used:
            number += 1
            found = f"{name}_{number}"
        used.add(found)
        return found

    nodes: list[bytes] = []

    def add(i: int, name: str, op: str, inputs: list[str], attributes: list[Field]) -> None:
        names[i] = unique(name)
        # AttrValue.list.shape: the sizes of the only output.
        shapes = _attribute("_output_shapes", message([(1, message([(7, _shape(extents))]))]))
        nodes.append(_node(names[i], op, inputs, [*attributes, shapes]))

    def scope_of(node: Any) -> str:
        return str(node.name).removeprefix(f"{model.name}/")

    # A weight stands beside the first op that reads it.
    readers: dict[int, Any] = {}
    for node in graph.nodes:
        for source in node.inputs:
            readers.setdefault(source, node)
    for i, tensor in enumerate(graph.tensors):
        extents = tensor.extents
        if tensor.kind == "input":
            add(i, graph.inputs[tensor.index], "Placeholder", [], [])
        elif tensor.kind == "parameter":
            name = graph.parameters[tensor.index].name
            if i in readers:
                name = f"{scope_of(readers[i])}/{name.rpartition('/')[2]}"
            add(i, name, "Variable", [], [])
        elif tensor.kind == "node":
            node = graph.nodes[tensor.index]
            told = [
                _attribute(key, message([(2, str(node.attrs[key]))]))
                for key in _TOLD
                if key in node.attrs
            ]
            add(i, f"{scope_of(node)}/{node.op}", node.op, [names[k] for k in node.inputs], told)
    return message([*((1, node) for node in nodes), (4, message([(1, 1)]))])
