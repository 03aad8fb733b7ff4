"""Models with the structure of others and layers of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dnnfast import tree
from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.base import Layer
from dnnfast.layers.core.input_layer import InputLayer
from dnnfast.models.model import Model
from dnnfast.models.sequential import Sequential


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Any:
    """Return a model of new layers with newly drawn weights; ``set_weights`` copies the old ones.

    Args:
        model: a sequential or functional model; a subclass's own ``get_config`` is used for others.
        input_tensors: symbolic inputs (`Input`) of the new model; default new ones.
        clone_function: called with each layer (but inputs) and returns the one that takes its
            place, which may be of another class. Default a layer of the same configuration.
        call_function: called with ``(layer, *args, **kwargs)`` to call a new layer in a functional
            model. Default ``layer(*args, **kwargs)``.
        recursive: whether ``clone_function`` is called with the layers of models inside, too.

    Raises:
        ValueError: if the arguments do not fit the kind of model.

    Example:
        >>> import dnnfast as keras
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> copy = keras.models.clone_model(model)
        >>> copy.set_weights(model.get_weights())
        >>> copy.layers[0] is model.layers[0], copy.count_params()
        (False, 8)
    """
    if not isinstance(model, Model):
        raise ValueError(f"clone_model: expected a model, got {type(model).__name__}.")
    clone = _cloner(clone_function, recursive)
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError("clone_model: call_function is for functional models, not Sequential.")
        return _sequential(model, input_tensors, clone)
    if model._functional is not None:
        return _functional(model, input_tensors, clone, call_function)
    if any(given is not None for given in (input_tensors, clone_function, call_function)):
        raise ValueError(
            f"clone_model: {type(model).__name__} defines its own `call`; only the model itself "
            "can be given."
        )
    return type(model).from_config(model.get_config())


def _cloner(
    clone_function: Callable[[Layer], Layer] | None, recursive: bool
) -> Callable[[Layer], Layer]:
    def clone(layer: Layer) -> Layer:
        if recursive and isinstance(layer, Model):
            return clone_model(layer, clone_function=clone_function, recursive=True)
        if clone_function is None:
            return type(layer).from_config(layer.get_config())
        found = clone_function(layer)
        if not isinstance(found, Layer):
            raise ValueError(
                f"clone_model: clone_function returned {type(found).__name__} for layer "
                f"{layer.name!r}; expected a layer."
            )
        return found

    return clone


def _sequential(model: Sequential, input_tensors: Any, clone: Callable[[Layer], Layer]) -> Any:
    layers: list[Any] = [clone(layer) for layer in model.layers]
    if input_tensors is not None:
        tensors = tree.flatten(input_tensors)
        if len(tensors) != 1:
            raise ValueError(
                f"clone_model: a Sequential model has one input, got {len(tensors)} input_tensors."
            )
        layers.insert(0, _as_input(tensors[0]))
    elif model._functional is not None:
        layers.insert(0, _new_input(model.inputs[0]))
    return type(model)(layers, name=model.name)


def _new_input(tensor: KerasTensor) -> KerasTensor:
    layer = InputLayer(tensor.sample_shape, dtype=tensor.dtype, name=tensor.name)
    found: KerasTensor = layer.output
    return found


def _as_input(tensor: Any) -> KerasTensor:
    if not isinstance(tensor, KerasTensor):
        raise ValueError(
            f"clone_model: input_tensors must be made with Input, got {type(tensor).__name__}."
        )
    return tensor


def _functional(
    model: Model,
    input_tensors: Any,
    clone: Callable[[Layer], Layer],
    call_function: Callable[..., Any] | None,
) -> Model:
    graph = model._functional
    assert graph is not None
    call = call_function or (lambda layer, *args, **kwargs: layer(*args, **kwargs))
    if input_tensors is None:
        fresh = [_new_input(tensor) for tensor in graph.inputs]
    else:
        fresh = [_as_input(tensor) for tensor in tree.flatten(input_tensors)]
        if len(fresh) != len(graph.inputs):
            raise ValueError(
                f"clone_model: the model has {len(graph.inputs)} inputs, got {len(fresh)} "
                "input_tensors."
            )
    known = {id(old): new for old, new in zip(graph.inputs, fresh, strict=True)}
    clones: dict[int, Layer] = {}

    def new(leaf: Any) -> Any:
        return known[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

    for node in graph.nodes:
        if not node.inputs:
            continue
        if id(node.layer) not in clones:
            clones[id(node.layer)] = clone(node.layer)
        args, kwargs = tree.map_structure(new, [list(node.args), node.kwargs])
        outputs = tree.flatten(call(clones[id(node.layer)], *args, **kwargs))
        known.update({id(a): b for a, b in zip(node.outputs, outputs, strict=True)})
    inputs = tree.pack_sequence_as(graph.input_structure, fresh)
    outputs = tree.map_structure(new, graph.output_structure)
    return Model(inputs, outputs, name=model.name)
