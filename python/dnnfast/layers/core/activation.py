"""An activation as a layer."""

from __future__ import annotations

from typing import Any

from dnnfast import activations
from dnnfast.layers.arguments import single_input
from dnnfast.layers.base import Layer


class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: a name or a function.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if the name is not known.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Activation("tanh")(dnnfast.Input((6,))).shape
        (None, 6)
    """

    supports_masking = True
    _built_from_start = True

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        """Return the layer's output."""
        return self.activation(single_input(self, (inputs,)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
