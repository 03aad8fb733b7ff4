"""Makes the functions parts of functional models, when they are called outside of layers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from dnnfast import tracing
from dnnfast.keras_tensor import KerasTensor

# They give no tensors, or call functions that do.
NOT_PARTS = [
    "associative_scan",
    "cond",
    "convert_to_numpy",
    "custom_gradient",
    "dtype",
    "fori_loop",
    "is_tensor",
    "map",
    "ndim",
    "scan",
    "shape",
    "switch",
    "vectorize",
    "vectorized_map",
    "while_loop",
]


def _has_tensor(values: Any) -> bool:
    for value in values:
        if isinstance(value, KerasTensor):
            return True
        if isinstance(value, (list, tuple)) and _has_tensor(value):
            return True
    return False


def in_models(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that on symbolic tensors outside of layers adds a layer to the model."""
    if name in NOT_PARTS:
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if tracing.depth() == 0 and (_has_tensor(args) or _has_tensor(kwargs.values())):
            from dnnfast.layers.core.function_layer import call_in_model

            return call_in_model(function, args, kwargs)
        return function(*args, **kwargs)

    call.__module__ = "dnnfast.ops"  # where it is found by name
    return call
