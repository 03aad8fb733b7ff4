"""What layers with several inputs share."""

from __future__ import annotations

from typing import Any

from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers.base import Layer


def several_inputs(layer: Layer, args: tuple[Any, ...], least: int) -> list[KerasTensor]:
    """Return the list of inputs of a merging layer, or raise."""
    tensors = args[0] if args else None
    if not isinstance(tensors, (list, tuple)) or len(tensors) < least:
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) expects a list of at least {least} "
            f"tensors, got {tensors!r}."
        )
    for tensor in tensors:
        if not isinstance(tensor, KerasTensor):
            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}) expects a list of tensors, got "
                f"{type(tensor).__name__} in it."
            )
    return list(tensors)
