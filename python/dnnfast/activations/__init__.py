"""Activation functions by name, as functions, and for layers' ``activation=``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dnnfast.activations.curves import (
    exponential,
    glu,
    log_sigmoid,
    log_softmax,
    sigmoid,
    softmax,
    sparsemax,
    tanh,
)
from dnnfast.activations.piecewise import (
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    heaviside,
    leaky_relu,
    linear,
    relu,
    relu6,
    sign,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
    threshold,
)
from dnnfast.activations.smooth import (
    celu,
    elu,
    gelu,
    mish,
    selu,
    silu,
    softplus,
    softsign,
    squareplus,
    swish,
    tanh_shrink,
)
from dnnfast.lookup import by_name
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object

ALL: dict[str, Callable[..., Any]] = {
    "celu": celu,
    "elu": elu,
    "exponential": exponential,
    "gelu": gelu,
    "glu": glu,
    "hard_shrink": hard_shrink,
    "hard_sigmoid": hard_sigmoid,
    "hard_silu": hard_silu,
    "hard_swish": hard_swish,
    "hard_tanh": hard_tanh,
    "heaviside": heaviside,
    "leaky_relu": leaky_relu,
    "linear": linear,
    "log_sigmoid": log_sigmoid,
    "log_softmax": log_softmax,
    "mish": mish,
    "relu": relu,
    "relu6": relu6,
    "selu": selu,
    "sigmoid": sigmoid,
    "sign": sign,
    "silu": silu,
    "soft_shrink": soft_shrink,
    "softmax": softmax,
    "softplus": softplus,
    "softsign": softsign,
    "sparse_plus": sparse_plus,
    "sparse_sigmoid": sparse_sigmoid,
    "sparsemax": sparsemax,
    "squareplus": squareplus,
    "swish": swish,
    "tanh": tanh,
    "tanh_shrink": tanh_shrink,
    "threshold": threshold,
}


def get(identifier: Any) -> Callable[..., Any]:
    """Return the activation for a name, a function, a layer or a serialized form.

    Args:
        identifier: ``"relu"``, ``activations.relu``, ``layers.LeakyReLU()``, any function of one
            tensor written with `dnnfast.ops`, or None for `linear`.

    Raises:
        ValueError: if the name is not known, or it is none of these.

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.get("relu") is dnnfast.activations.relu
        True
    """
    if identifier is None:
        return linear
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return by_name("activation", identifier, ALL)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(
        f"activation: expected a name, a function or a layer, got {type(identifier).__name__}."
    )


def serialize(activation: Callable[..., Any]) -> Any:
    """Return the activation's name, or its serialized form if it is not one of ours.

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.serialize(dnnfast.activations.relu)
        'relu'
    """
    name = getattr(activation, "__name__", "")
    if ALL.get(name) is activation:
        return name
    return serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Callable[..., Any]:
    """Return the activation of a serialized form.

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.deserialize("relu") is dnnfast.activations.relu
        True
    """
    if isinstance(config, str):
        return get(config)
    return deserialize_keras_object(config, custom_objects)


__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "heaviside",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "sign",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]
