"""Layers: the parts of models."""

from __future__ import annotations

from typing import Any

from dnnfast.layers.activation.learned import PReLU, RReLU, Swish
from dnnfast.layers.activation.rectifiers import ELU, LeakyReLU, ReLU
from dnnfast.layers.activation.softmax import Softmax
from dnnfast.layers.base import Layer
from dnnfast.layers.core.activation import Activation
from dnnfast.layers.core.dense import Dense
from dnnfast.layers.core.einsum_dense import EinsumDense
from dnnfast.layers.core.embedding import Embedding
from dnnfast.layers.core.input_layer import Input, InputLayer
from dnnfast.layers.core.lambda_layer import Lambda
from dnnfast.layers.core.masking import Masking
from dnnfast.layers.core.operation_layer import OperationLayer
from dnnfast.layers.core.reshape import Flatten, Identity, Permute, RepeatVector, Reshape
from dnnfast.layers.core.wrapper import TimeDistributed, Wrapper
from dnnfast.layers.input_spec import InputSpec
from dnnfast.layers.merging.add import Add, add
from dnnfast.layers.merging.concatenate import Concatenate, concatenate
from dnnfast.layers.merging.dot import Dot, dot
from dnnfast.layers.merging.elementwise import (
    Average,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    average,
    maximum,
    minimum,
    multiply,
    subtract,
)
from dnnfast.layers.normalization.batchnorm import BatchNormalization
from dnnfast.layers.normalization.layernorm import (
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from dnnfast.layers.preprocessing.encoding import CategoryEncoding, Discretization
from dnnfast.layers.preprocessing.normalization import Normalization
from dnnfast.layers.preprocessing.rescaling import Rescaling
from dnnfast.layers.regularization.activity import ActivityRegularization
from dnnfast.layers.regularization.alpha_dropout import AlphaDropout, MCAlphaDropout
from dnnfast.layers.regularization.dropout import Dropout, MCDropout, SpatialDropout1D
from dnnfast.layers.regularization.noise import GaussianDropout, GaussianNoise
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
    """Return the layer of plain data.

    Example:
        >>> import dnnfast
        >>> data = dnnfast.layers.serialize(dnnfast.layers.Dense(3, name="d"))
        >>> dnnfast.layers.deserialize(data).units
        3
    """
    return deserialize_keras_object(config, custom_objects)


__all__ = [
    "ELU",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AlphaDropout",
    "Average",
    "BatchNormalization",
    "CategoryEncoding",
    "Concatenate",
    "Dense",
    "Discretization",
    "Dot",
    "Dropout",
    "EinsumDense",
    "Embedding",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GroupNormalization",
    "Identity",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "MCAlphaDropout",
    "MCDropout",
    "Masking",
    "Maximum",
    "Minimum",
    "Multiply",
    "Normalization",
    "OperationLayer",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "RReLU",
    "ReLU",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Softmax",
    "SpatialDropout1D",
    "Subtract",
    "Swish",
    "TimeDistributed",
    "UnitNormalization",
    "Wrapper",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
