"""Tensors behind one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast import tracing
from dnnfast.layers.base import Layer
from dnnfast.layers.merging.merge import several_inputs


class Concatenate(Layer):
    """Joins tensors along the last axis.

    Args:
        axis: only the last one. Default -1.
        **kwargs: ``name``.

    Raises:
        ValueError: if the other axes differ, when called, or for another axis.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.Concatenate()([x, x]).shape
        (None, 6)
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        tensors = several_inputs(self, (inputs,), 1)
        if self.axis not in (-1, tensors[0].ndim - 1):
            raise ValueError(
                f"Layer {self.name!r} (Concatenate): only the last axis is supported, got "
                f"axis={self.axis} for inputs of {tensors[0].ndim} axes."
            )
        return tracing.emit("concatenate", tensors)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "axis": self.axis}


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """Return tensors joined along the last axis: ``Concatenate(axis, **kwargs)(inputs)``.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.Input((3,))
        >>> dnnfast.layers.concatenate([x, x]).shape
        (None, 6)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)
