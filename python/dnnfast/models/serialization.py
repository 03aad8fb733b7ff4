"""The structure of functional models as plain data, in the form of Keras 3."""

from __future__ import annotations

from typing import Any

from dnnfast import tree
from dnnfast.keras_tensor import KerasTensor
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object


def _numbers(graph: Any) -> dict[tuple[int, int], int]:
    """Calls of a layer, counted within the model: (layer, node index) -> number."""
    numbers: dict[tuple[int, int], int] = {}
    for layer in graph.layers:
        used = sorted(n.index for n in graph.nodes if n.layer is layer)
        numbers.update({(id(layer), index): i for i, index in enumerate(used)})
    return numbers


def _place(tensor: KerasTensor, numbers: dict[tuple[int, int], int]) -> list[Any]:
    history = tensor._keras_history
    if history is None:
        raise ValueError(
            f"{tensor!r} is no output of a layer or function of other tensors, so it has no place "
            "in a model's configuration. Make it inside of a layer's `call`."
        )
    number = numbers.get((id(history.operation), history.node_index), 0)
    return [history.operation.name, number, history.tensor_index]


def functional_config(model: Any) -> dict[str, Any]:
    """Return the structure of a functional model."""
    graph = model._functional
    numbers = _numbers(graph)

    def argument(leaf: Any) -> Any:
        if not isinstance(leaf, KerasTensor):
            return serialize_keras_object(leaf)
        config = {
            "shape": list(leaf.shape),
            "dtype": leaf.dtype,
            "keras_history": _place(leaf, numbers),
        }
        return {"class_name": "__keras_tensor__", "config": config}

    layers = []
    for layer in graph.layers:
        entry = serialize_keras_object(layer)
        nodes = sorted((n for n in graph.nodes if n.layer is layer), key=lambda n: n.index)
        entry["name"] = layer.name
        entry["inbound_nodes"] = [
            {
                "args": [tree.map_structure(argument, arg) for arg in node.args],
                "kwargs": tree.map_structure(argument, node.kwargs),
            }
            for node in nodes
            if node.inputs
        ]
        layers.append(entry)
    place = lambda tensor: tuple(_place(tensor, numbers))  # noqa: E731
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _as_lists(_mapped(place, graph.input_structure)),
        "output_layers": _as_lists(_mapped(place, graph.output_structure)),
    }


def _mapped(function: Any, structure: Any) -> Any:
    if isinstance(structure, dict):
        return {key: _mapped(function, value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return [_mapped(function, value) for value in structure]
    return function(structure)


def _as_lists(structure: Any) -> Any:
    if isinstance(structure, dict):
        return {key: _as_lists(value) for key, value in structure.items()}
    return [_as_lists(v) for v in structure] if isinstance(structure, (list, tuple)) else structure


def _is_place(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    )


def _node(given: Any) -> dict[str, Any]:
    """Arguments of a call; Keras 2 wrote a list of ``[layer, call, output, keywords]`` instead."""
    if isinstance(given, dict):
        return given
    tensors = [
        {"class_name": "__keras_tensor__", "config": {"keras_history": place[:3]}}
        for place in given
    ]
    kwargs = given[0][3] if given and len(given[0]) > 3 else {}
    return {"args": tensors if len(tensors) == 1 else [tensors], "kwargs": kwargs}


def _single(structure: Any) -> Any:
    one = isinstance(structure, list) and len(structure) == 1
    return structure[0] if one else structure


class _Builder:
    """Creates the layers, then repeats their calls as soon as the inputs exist."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.layers = {c["name"]: deserialize_keras_object(c) for c in config["layers"]}
        self.outputs: dict[tuple[str, int], list[KerasTensor]] = {}

    def tensor(self, place: Any) -> KerasTensor:
        return self.outputs[place[0], place[1]][place[2]]

    def run(self) -> None:
        waiting = []
        for entry in self.config["layers"]:
            name = entry["name"]
            if not entry["inbound_nodes"]:
                self.outputs[name, 0] = self.layers[name]._inbound_nodes[0].outputs
            nodes = [_node(given) for given in entry["inbound_nodes"]]
            waiting += [(name, i, node) for i, node in enumerate(nodes)]
        while waiting:
            later = [item for item in waiting if not self._call(*item)]
            if len(later) == len(waiting):
                raise ValueError(f"the calls of layer {later[0][0]!r} have unknown inputs.")
            waiting = later

    def _call(self, name: str, number: int, node: dict[str, Any]) -> bool:
        if number and (name, number - 1) not in self.outputs:
            return False
        try:
            args = [self._value(arg) for arg in node["args"]]
            kwargs = {key: self._value(value) for key, value in node["kwargs"].items()}
        except KeyError:
            return False
        self.outputs[name, number] = tree.flatten(self.layers[name](*args, **kwargs))
        return True

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            return self.tensor(value["config"]["keras_history"])
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if isinstance(value, dict) and "class_name" not in value:
            return {key: self._value(item) for key, item in value.items()}
        return deserialize_keras_object(value)

    def structure(self, places: Any) -> Any:
        if _is_place(places):
            return self.tensor(places)
        if isinstance(places, dict):
            return {key: self.structure(value) for key, value in places.items()}
        return [self.structure(value) for value in places]


def functional_from_config(cls: Any, config: dict[str, Any]) -> Any:
    """Create a functional model from its structure."""
    builder = _Builder(config)
    builder.run()
    inputs = builder.structure(config["input_layers"])
    outputs = builder.structure(config["output_layers"])
    if any(isinstance(node, list) for entry in config["layers"] for node in entry["inbound_nodes"]):
        # Keras 2 wrote one input or output as a list of one.
        inputs, outputs = _single(inputs), _single(outputs)
    model = cls(inputs, outputs, name=config.get("name"))
    if config.get("trainable") is False:
        model.trainable = False
    return model
