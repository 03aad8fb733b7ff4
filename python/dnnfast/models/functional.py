"""The graph of layer calls between symbolic inputs and outputs."""

from __future__ import annotations

from typing import Any

from dnnfast import tree
from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.call_node import CallNode
from dnnfast.layers.core.input_layer import InputLayer


def _node_of(tensor: KerasTensor) -> CallNode:
    history = tensor._keras_history
    if history is None:
        raise ValueError(
            f"{tensor!r} was not made by Input or by a layer call; a model cannot be built on it."
        )
    node: CallNode = history.operation._inbound_nodes[history.node_index]
    return node


def _is_constant(tensor: KerasTensor) -> bool:
    """Tell whether a tensor is made of nothing but numbers, such as ``ops.zeros((None, 3))``."""
    if tensor.record is None or tensor._keras_history is not None:
        return False
    return not any(isinstance(t, KerasTensor) for t in tensor.record.inputs)


class FunctionalGraph:
    """Inputs, outputs and the calls between them, in an order in which they can run."""

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.input_structure = inputs
        self.output_structure = outputs
        self.inputs: list[KerasTensor] = tree.flatten(inputs)
        self.outputs: list[KerasTensor] = tree.flatten(outputs)
        for what, tensors in (("inputs", self.inputs), ("outputs", self.outputs)):
            for tensor in tensors:
                if not isinstance(tensor, KerasTensor):
                    raise ValueError(
                        f"Model: `{what}` must be symbolic tensors (from Input and layer calls), "
                        f"got {type(tensor).__name__}."
                    )
        if len({id(t) for t in self.inputs}) != len(self.inputs):
            raise ValueError("Model: every input may be given only once.")
        self.nodes = self._sorted_nodes()
        self.layers = self._sorted_layers()
        names = [layer.name for layer in self.layers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"Model: the layer name {name!r} is used {names.count(name)} times; names must "
                    "be unique. Rename a layer."
                )

    def _sorted_nodes(self) -> list[CallNode]:
        """Depth-first from the outputs, without recursion; stops at the model's inputs."""
        ends = {id(t) for t in self.inputs}
        done: set[int] = set()
        order: list[CallNode] = []
        stack = [(t, False) for t in reversed(self.outputs)]
        while stack:
            tensor, visited = stack.pop()
            if id(tensor) in ends and not isinstance(_node_of(tensor).layer, InputLayer):
                continue
            node = _node_of(tensor)
            if id(node) in done:
                continue
            if visited or id(tensor) in ends:
                done.add(id(node))
                order.append(node)
                continue
            if isinstance(node.layer, InputLayer):
                raise ValueError(
                    f"Model: the outputs depend on {tensor.name!r}, which is not among the inputs. "
                    "Add it to `inputs`."
                )
            stack.append((tensor, True))
            stack.extend((t, False) for t in reversed(node.inputs) if not _is_constant(t))
        return order

    def _depths(self) -> dict[int, int]:
        """Distance of each layer from the outputs: the longest over its calls."""
        node_depth: dict[int, int] = {}
        layer_depth: dict[int, int] = {}
        for node in reversed(self.nodes):
            depth = max(node_depth.get(id(node), 0), layer_depth.get(id(node.layer), 0))
            node_depth[id(node)] = layer_depth[id(node.layer)] = depth
            for tensor in node.inputs:
                if _is_constant(tensor):
                    continue
                source = id(_node_of(tensor))
                node_depth[source] = max(node_depth.get(source, 0), depth + 1)
        return layer_depth

    def _sorted_layers(self) -> list[Any]:
        """Layers from the inputs to the outputs; equally deep ones as they were met."""
        depth = self._depths()
        found: dict[int, Any] = {}
        for tensor in self.inputs:
            layer = _node_of(tensor).layer
            if isinstance(layer, InputLayer):
                found.setdefault(id(layer), layer)
                depth.setdefault(id(layer), 1 << 30)
        for node in self.nodes:
            found.setdefault(id(node.layer), node.layer)
        # Input layers keep the order of `inputs` among equally deep ones.
        return sorted(found.values(), key=lambda layer: -depth[id(layer)])

    def match_inputs(self, given: Any) -> list[Any]:
        """Return one value per input from a list, a dict by name, or the same structure."""
        if isinstance(given, dict):
            if isinstance(self.input_structure, dict):
                names = tree.flatten({key: key for key in self.input_structure})
            else:
                names = [t.name for t in self.inputs]
            missing = [name for name in names if name not in given]
            if missing:
                raise ValueError(
                    f"the inputs {missing} are missing; expected a dict with the keys {names}, got "
                    f"{list(given)}."
                )
            return tree.flatten([given[name] for name in names])
        values = tree.flatten(given)
        if len(values) != len(self.inputs):
            raise ValueError(f"expected {len(self.inputs)} inputs, got {len(values)}.")
        return values

    def run(self, given: Any) -> Any:
        """Call every layer again, on other symbolic inputs, and return the outputs."""
        values: dict[int, Any] = {}
        for tensor, value in zip(self.inputs, self.match_inputs(given), strict=True):
            _check_shape(tensor, value)
            values[id(tensor)] = value

        def replaced(leaf: Any) -> Any:
            return values.get(id(leaf), leaf) if isinstance(leaf, KerasTensor) else leaf

        for node in self.nodes:
            if isinstance(node.layer, InputLayer):
                continue
            args = tree.map_structure(replaced, node.args)
            kwargs = tree.map_structure(replaced, node.kwargs)
            outputs = tree.flatten(node.layer(*args, **kwargs))
            for tensor, value in zip(node.outputs, outputs, strict=True):
                values.setdefault(id(tensor), value)
        return tree.map_structure(replaced, self.output_structure)


def _check_shape(tensor: KerasTensor, value: Any) -> None:
    if isinstance(value, KerasTensor) and value.shape[1:] != tensor.shape[1:]:
        raise ValueError(
            f"the input {tensor.name!r} expects shape {tensor.shape}, got {value.shape}."
        )
