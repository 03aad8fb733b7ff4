"""A graph of layer calls as a list of them, from which a copy of the layers makes its own graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dnnfast import tracing, tree
from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.core.input_layer import InputLayer
from dnnfast.models.functional import FunctionalGraph


class _Place(NamedTuple):
    """Stands for a tensor: number ``output`` of call ``call``; inputs are calls -1, -2, ..."""

    call: int
    output: int


class _Call(NamedTuple):
    layer: Any
    args: Any
    kwargs: Any


class GraphPlan:
    """The calls of a functional graph, in order, without symbolic tensors."""

    def __init__(self, graph: FunctionalGraph) -> None:
        places: dict[int, _Place] = {}
        self.inputs: list[Any] = []
        for i, tensor in enumerate(graph.inputs):
            places[id(tensor)] = _Place(-1 - i, 0)
            history = tensor._keras_history
            layer = None if history is None else history.operation
            # Elsewhere in a model a new input stands for what was computed there.
            described = (tensor.shape, tensor.dtype, tensor.name)
            self.inputs.append(layer if isinstance(layer, InputLayer) else described)

        def placed(leaf: Any) -> Any:
            return _Leaf(places[id(leaf)] if isinstance(leaf, KerasTensor) else leaf)

        self.calls: list[_Call] = []
        for node in graph.nodes:
            if isinstance(node.layer, InputLayer):
                continue
            args, kwargs = (tree.map_structure(placed, part) for part in (node.args, node.kwargs))
            for i, tensor in enumerate(node.outputs):
                places.setdefault(id(tensor), _Place(len(self.calls), i))
            self.calls.append(_Call(node.layer, args, kwargs))
        self.input_structure = tree.map_structure(placed, graph.input_structure)
        self.output_structure = tree.map_structure(placed, graph.output_structure)

    def new_inputs(self) -> list[KerasTensor]:
        """Return symbolic inputs like the graph's; those of input layers are these layers' own."""
        found = []
        for made in self.inputs:
            if not isinstance(made, InputLayer):
                shape, dtype, name = made
                made = InputLayer(batch_shape=shape, dtype=dtype, name=name)
            found.append(made.output)
        return found

    def graph(
        self,
        inputs: list[KerasTensor] | None = None,
        replace: Callable[[Any], Any] = lambda layer: layer,
        call: Callable[..., Any] = lambda layer, *args, **kwargs: layer(*args, **kwargs),
    ) -> FunctionalGraph:
        """Call the layers again, on new symbolic inputs.

        Args:
            inputs: the inputs, in order; default new ones.
            replace: gives the layer to call in place of one.
            call: calls a layer with its arguments.
        """
        new = self.new_inputs() if inputs is None else inputs
        tensors = {_Place(-1 - i, 0): tensor for i, tensor in enumerate(new)}

        def value(leaf: Any) -> Any:
            return tensors[leaf.held] if isinstance(leaf.held, _Place) else leaf.held

        with tracing.outside():
            for number, (layer, args, kwargs) in enumerate(self.calls):
                args, kwargs = tree.map_structure(value, args), tree.map_structure(value, kwargs)
                outputs = call(replace(layer), *args, **kwargs)
                for i, tensor in enumerate(tree.flatten(outputs)):
                    tensors[_Place(number, i)] = tensor
        given = tree.map_structure(value, self.input_structure)
        return FunctionalGraph(given, tree.map_structure(value, self.output_structure))


class _Leaf:
    """Keeps a place, which is a tuple, from being taken for a nested structure."""

    def __init__(self, held: Any) -> None:
        self.held = held
