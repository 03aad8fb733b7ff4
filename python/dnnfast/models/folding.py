"""Batch normalizations taken into the weights of the dense layers beside them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from dnnfast import activations
from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.core.dense import Dense
from dnnfast.layers.core.input_layer import InputLayer
from dnnfast.layers.normalization.batchnorm import BatchNormalization
from dnnfast.models.functional import FunctionalGraph
from dnnfast.models.graph_copies import GraphPlan
from dnnfast.models.model import Model
from dnnfast.models.sequential import Sequential


def _affine(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return factor and offset of a normalization by its moving statistics."""
    mean = layer.moving_mean.numpy().astype(np.float64)
    variance = layer.moving_variance.numpy().astype(np.float64)
    gamma = 1.0 if layer.gamma is None else layer.gamma.numpy().astype(np.float64)
    beta = 0.0 if layer.beta is None else layer.beta.numpy().astype(np.float64)
    factor = gamma / np.sqrt(variance + layer.epsilon)
    return factor, beta - mean * factor


class _Folding:
    """Which normalizations of a graph go, and the weights that dense layers get instead."""

    def __init__(self, graph: FunctionalGraph) -> None:
        self.nodes = list(graph.nodes)
        self.outputs = {id(tensor) for tensor in graph.outputs}
        self.maker = {id(tensor): node for node in self.nodes for tensor in node.outputs}
        self.calls: dict[int, int] = {}
        for node in self.nodes:
            self.calls[id(node.layer)] = self.calls.get(id(node.layer), 0) + 1
        self.gone: set[int] = set()  # ids of normalization layers
        self.weights: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # by ids of dense layers
        while any(self._folds(node) for node in self.nodes):
            pass

    def _source(self, tensor: KerasTensor) -> KerasTensor:
        """Return what a tensor is now that some layers are gone."""
        while id(tensor) in self.maker and id(self.maker[id(tensor)].layer) in self.gone:
            tensor = self.maker[id(tensor)].inputs[0]
        return tensor

    def _readers(self, tensor: KerasTensor) -> list[Any]:
        """Return the calls that read a tensor, and None if it is an output of the model."""
        found: list[Any] = [
            node
            for node in self.nodes
            if id(node.layer) not in self.gone
            and any(self._source(given) is tensor for given in node.inputs)
        ]
        ends = [t for node in self.nodes for t in node.outputs if id(t) in self.outputs]
        return found + [None for end in ends if self._source(end) is tensor]

    def _is_dense(self, node: Any) -> bool:
        return type(getattr(node, "layer", None)) is Dense and self.calls[id(node.layer)] == 1

    def _folds(self, node: Any) -> bool:
        """Take a normalization into its neighbours, if it can be; tell whether it went."""
        layer = node.layer
        if type(layer) is not BatchNormalization or id(layer) in self.gone:
            return False
        if self.calls[id(layer)] > 1 or len(node.inputs) != 1 or node.kwargs.get("training"):
            return False
        rank = node.inputs[0].ndim
        if layer._axes_for(rank) != (rank - 1,):
            return False
        factor, offset = _affine(layer)
        given = self._source(node.inputs[0])
        before = self.maker.get(id(given))
        if self._is_dense(before) and self._readers(given) == [node]:
            assert before is not None
            if before.layer.activation in (None, activations.linear):
                kernel, bias = self._weights_of(before.layer)
                self.weights[id(before.layer)] = (kernel * factor, bias * factor + offset)
                self.gone.add(id(layer))
                return True
        after = self._readers(node.outputs[0])
        if not after or not all(self._is_dense(reader) for reader in after):
            return False
        for reader in after:
            kernel, bias = self._weights_of(reader.layer)
            self.weights[id(reader.layer)] = (kernel * factor[:, None], bias + offset @ kernel)
        self.gone.add(id(layer))
        return True

    def _weights_of(self, layer: Any) -> tuple[np.ndarray, np.ndarray]:
        if id(layer) in self.weights:
            return self.weights[id(layer)]
        kernel = layer.kernel.numpy().astype(np.float64)
        bias = np.zeros(layer.units) if layer.bias is None else layer.bias.numpy()
        return kernel, bias.astype(np.float64)


class _Copies:
    """The layers of the new model, each once."""

    def __init__(self) -> None:
        self.known: dict[int, Any] = {}
        self.values: list[tuple[Any, tuple[np.ndarray, np.ndarray]]] = []

    def of(self, layer: Any, folding: _Folding) -> Any:
        """Return the layer that stands for one of the old model."""
        if id(layer) not in self.known:
            new = layer
            if id(layer) in folding.weights:
                new = Dense.from_config({**layer.get_config(), "use_bias": True})
                new.trainable = layer.trainable
                self.values.append((new, folding.weights[id(layer)]))
            elif type(layer) in (Model, Sequential) and layer._functional is not None:
                new = self.model(layer)
            self.known[id(layer)] = new
        return self.known[id(layer)]

    def model(self, model: Any) -> Any:
        """Return a model without the normalizations that fold."""
        folding = _Folding(model._functional)
        if isinstance(model, Sequential):
            kept = [layer for layer in model.layers if id(layer) not in folding.gone]
            layers = [self.of(layer, folding) for layer in kept]
            begin = [model.inputs[0]._keras_history.operation]  # type: ignore[union-attr]
            inputs = [x for x in begin if isinstance(x, InputLayer)]
            return Sequential([*inputs, *layers], name=model.name, trainable=model.trainable)

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            return args[0] if id(layer) in folding.gone else layer(*args, **kwargs)

        graph = GraphPlan(model._functional).graph(
            None, lambda layer: self.of(layer, folding), call
        )
        new = Model(graph.input_structure, graph.output_structure, name=model.name)
        new.trainable = model.trainable
        return new


def fold_batch_normalization(model: Any) -> Any:
    """Return a copy without the batch normalizations that fold; see the method of `Model`."""
    if getattr(model, "_functional", None) is None or not isinstance(model, Model):
        raise ValueError(
            f"fold_batch_normalization: model {model.name!r} is no built Sequential or functional "
            "model, so it is not known what follows what; build it, or make it of layer calls."
        )
    copies = _Copies()
    new = copies.model(copy.deepcopy(model))
    for layer, (kernel, bias) in copies.values:
        layer.set_weights([kernel, bias])
    return new
