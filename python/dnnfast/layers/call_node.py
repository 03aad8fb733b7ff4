"""Calls of layers on symbolic tensors, from which models are made."""

from __future__ import annotations

from typing import Any

from dnnfast import tree
from dnnfast.keras_tensor import KerasHistory, KerasTensor


class CallNode:
    """One call of a layer on symbolic tensors: an edge bundle of a functional model."""

    def __init__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.layer = layer
        self.args = args
        self.kwargs = kwargs
        self.inputs = [t for t in tree.flatten([args, kwargs]) if isinstance(t, KerasTensor)]
        self.outputs: list[KerasTensor] = []
        self.index = len(layer._inbound_nodes)

    def attach(self, outputs: list[KerasTensor]) -> None:
        """Make the tensors outputs of this call."""
        self.outputs = outputs
        for i, tensor in enumerate(outputs):
            tensor._keras_history = KerasHistory(self.layer, self.index, i)
        self.layer._inbound_nodes.append(self)
