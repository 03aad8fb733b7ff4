"""Inputs in other units."""

from __future__ import annotations

from typing import Any

from dnnfast import ops
from dnnfast.layers.arguments import float_input
from dnnfast.layers.same_shape import SameShape
from dnnfast.saving.objects import serialize_keras_object


class Rescaling(SameShape):
    """Multiplies by a factor and adds an offset, in preprocessing.

    Args:
        scale: the factor: a number, or one for each element of the last axis.
        offset: the offset, likewise. Default 0.
        **kwargs: ``name``, ``input_shape``.

    Formula: ``y = x * scale + offset``, such as ``Rescaling(1 / 255)`` for images

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Rescaling(2.0, offset=1.0)([[1.0, 2.0]]).tolist()
        [[3.0, 5.0]]
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        return ops.add(ops.multiply(x, self.scale), self.offset)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "scale": serialize_keras_object(self.scale),
            "offset": serialize_keras_object(self.offset),
        }
