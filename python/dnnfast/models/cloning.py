"""Models of the same structure with new layers and new weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dnnfast import tree
from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.base import Layer
from dnnfast.layers.core.input_layer import InputLayer
from dnnfast.models.graph_copies import GraphPlan
from dnnfast.models.model import Model
from dnnfast.models.sequential import Sequential
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Model:
    """Return a model of the same structure, with new layers whose weights are drawn anew.

    It is compiled as the model was, with an optimizer of its own at its start.

    Args:
        model: the model.
        input_tensors: symbolic tensors to build on, in the structure of ``model.input``; default
            new inputs.
        clone_function: gives the new layer for each layer, or the same one to share its weights.
            Default a layer of the same configuration.
        call_function: ``call_function(layer, *args, **kwargs)`` calls a new layer, for functional
            models.
        recursive: whether ``clone_function`` is given the layers of nested models, not these.
            Default False.

    Raises:
        ValueError: if an argument does not fit the kind of model.

    Example:
        >>> import dnnfast as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> copy = keras.models.clone_model(model)
        >>> copy.count_params(), bool((copy.get_weights()[0] == model.get_weights()[0]).all())
        (15, False)
    """
    if not isinstance(model, Model):
        raise ValueError(f"clone_model: expected a model, got {type(model).__name__}.")
    if call_function is not None and (isinstance(model, Sequential) or model._functional is None):
        raise ValueError("clone_model: call_function is for functional models only.")
    clones = _Clones(clone_function, call_function, recursive)
    if isinstance(model, Sequential):
        clone: Model = clones.of_sequential(model, input_tensors)
    elif model._functional is not None:
        clone = clones.of_functional(model, input_tensors)
    else:
        if clone_function is not None or input_tensors is not None:
            raise ValueError(
                f"clone_model: {model.name!r} ({type(model).__name__}) defines `call`, so "
                "clone_function and input_tensors cannot be used."
            )
        classes = {type(model).__name__: type(model)}
        made: Model = deserialize_keras_object(serialize_keras_object(model), classes)
        return made
    if (config := model.get_compile_config()) is not None:
        clone.compile_from_config(config)
    return clone


class _Clones:
    """The new layers, each once."""

    def __init__(self, clone: Any, call: Any, recursive: bool) -> None:
        self._clone, self._call, self._recursive = clone, call, recursive
        self._known: dict[int, Any] = {}

    def __call__(self, layer: Any) -> Any:
        if id(layer) not in self._known:
            nested = isinstance(layer, Model) and self._recursive
            if nested and isinstance(layer, Sequential):
                new: Any = self.of_sequential(layer, None)
            elif nested and layer._functional is not None:
                new = self.of_functional(layer, None)
            elif self._clone is not None:
                new = self._clone(layer)
                if not isinstance(new, Layer):
                    raise ValueError(
                        f"clone_model: clone_function returned {type(new).__name__} for layer "
                        f"{layer.name!r}; expected a layer."
                    )
            else:
                new = type(layer).from_config(layer.get_config())
            self._known[id(layer)] = new
        return self._known[id(layer)]

    def of_sequential(self, model: Sequential, input_tensors: Any) -> Sequential:
        layers: list[Any] = [self(layer) for layer in model.layers]
        if input_tensors is not None:
            found = _tensors(input_tensors)
            if len(found) != 1:
                raise ValueError(f"clone_model: expected one input tensor, got {len(found)}.")
            layers.insert(0, found[0])
        elif model._chain and isinstance(model._chain[0], InputLayer):
            layers.insert(0, InputLayer.from_config(model._chain[0].get_config()))
        return Sequential(layers, name=model.name, trainable=model.trainable)

    def of_functional(self, model: Model, input_tensors: Any) -> Model:
        assert model._functional is not None
        plan = GraphPlan(model._functional)
        plan.inputs = [
            InputLayer.from_config(made.get_config()) if isinstance(made, InputLayer) else made
            for made in plan.inputs
        ]
        given = None
        if input_tensors is not None:
            given = _tensors(input_tensors)
            if len(given) != len(plan.inputs):
                raise ValueError(
                    f"clone_model: the model has {len(plan.inputs)} inputs, got {len(given)} "
                    "input_tensors; give them in the structure of model.input."
                )
        call = {} if self._call is None else {"call": self._call}
        graph = plan.graph(given, self, **call)
        return Model(graph.input_structure, graph.output_structure, name=model.name)


def _tensors(given: Any) -> list[KerasTensor]:
    found = tree.flatten(given)
    if not all(isinstance(tensor, KerasTensor) for tensor in found):
        raise ValueError(f"clone_model: input_tensors must be symbolic tensors, got {given!r}.")
    return found
