"""Layers: the parts of models."""

from __future__ import annotations

from typing import Any

from dnnfast.layers.activation.rectifiers import ELU, LeakyReLU, ReLU, Softmax
from dnnfast.layers.base import Layer
from dnnfast.layers.core.activation import Activation
from dnnfast.layers.core.dense import Dense
from dnnfast.layers.core.input_layer import Input, InputLayer
from dnnfast.layers.core.operation_layer import OperationLayer
from dnnfast.layers.core.reshape import Flatten, Identity, Reshape
from dnnfast.layers.input_spec import InputSpec
from dnnfast.layers.merging.add import Add, add
from dnnfast.layers.merging.concatenate import Concatenate, concatenate
from dnnfast.layers.normalization.batchnorm import BatchNormalization
from dnnfast.layers.regularization.dropout import Dropout
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object


def serialize(layer: Any) -> Any:
    """Return the layer as plain data.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.serialize(dnnfast.layers.Dense(3))["class_name"]
        'Dense'
    """
    return serialize_keras_object(layer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the layer of plain data."""
    return deserialize_keras_object(config, custom_objects)


__all__ = [
    "ELU",
    "Activation",
    "Add",
    "BatchNormalization",
    "Concatenate",
    "Dense",
    "Dropout",
    "Flatten",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Layer",
    "LeakyReLU",
    "OperationLayer",
    "ReLU",
    "Reshape",
    "Softmax",
    "add",
    "concatenate",
    "deserialize",
    "serialize",
]
