"""Layers that change only the shape, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dnnfast import tracing
from dnnfast.layers.arguments import shape_tuple, single_input
from dnnfast.layers.base import Layer


class Flatten(Layer):
    """Makes a vector of each sample.

    Args:
        data_format: ignored; the order in memory is kept.
        **kwargs: ``name``, ``input_shape``.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Flatten()(dnnfast.Input((28, 28))).shape
        (None, 784)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = data_format

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        return tracing.emit("reshape", [single_input(self, (inputs,))], {"shape": [-1]})

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "data_format": self.data_format or "channels_last"}


class Reshape(Layer):
    """Gives each sample another shape.

    Args:
        target_shape: without the batch axis; one size may be -1.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if the number of elements differs.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Reshape((2, -1))(dnnfast.Input((6,))).shape
        (None, 2, 3)
    """

    def __init__(self, target_shape: int | Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = shape_tuple(f"Reshape {self.name!r}: target_shape", target_shape)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        return tracing.emit("reshape", [x], {"shape": list(self.target_shape)})

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "target_shape": list(self.target_shape)}


class Identity(Layer):
    """Returns its input.

    Args:
        **kwargs: ``name``, ``input_shape``.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Identity()(dnnfast.Input((6,))).shape
        (None, 6)
    """

    def call(self, inputs: Any) -> Any:
        """Return the input."""
        return inputs
