"""Layers around another layer."""

from __future__ import annotations

from typing import Any

from dnnfast import ops
from dnnfast.layers.arguments import single_input
from dnnfast.layers.base import Layer
from dnnfast.masks import set_mask
from dnnfast.saving import limits
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object


class Wrapper(Layer):
    """The base class of layers that hold another one; subclass it and define ``call``.

    Args:
        layer: the layer inside.
        **kwargs: ``name``.

    Raises:
        ValueError: if it is no layer.

    Example:
        >>> import dnnfast as keras
        >>> class Twice(keras.layers.Wrapper):
        ...     def call(self, x):
        ...         return keras.layers.add([self.layer(x), self.layer(x)])
        >>> Twice(keras.layers.ReLU())([[1.0, -1.0]]).tolist()
        [[2.0, 0.0]]
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                f"{type(self).__name__}: expected a layer, got {type(layer).__name__} ({layer!r})."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside."""
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Create the layer from the result of `get_config`."""
        config = dict(config)
        layer = deserialize_keras_object(config.pop("layer"), custom_objects)
        return cls(layer, **config)


class TimeDistributed(Wrapper):
    """Applies a layer to each step of a sample, with the same weights.

    Args:
        layer: the layer, for inputs of shape (batch, ...).
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if it is no layer; when called, if the input has fewer than 3 axes.

    Formula: ``y[:, t] = layer(x[:, t])``, one call for each step. (A `Dense` needs no wrapper: it
    works along the last axis.)

    Example:
        >>> import dnnfast as keras
        >>> layer = keras.layers.TimeDistributed(keras.layers.Dense(8))
        >>> layer(keras.Input((5, 3))).shape
        (None, 5, 8)
    """

    supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside."""
        self._check_axes(input_shape)
        super().build((input_shape[0], *input_shape[2:]))

    def _check_axes(self, shape: Any) -> None:
        if shape is None or len(shape) < 3:
            raise ValueError(
                f"TimeDistributed {self.name!r}: expected inputs of shape (batch, steps, ...), got "
                f"{shape}."
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape (batch axis included)."""
        self._check_axes(input_shape)
        inner = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (inner[0], input_shape[1], *inner[1:])

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        self._check_axes(x.shape)
        if mask is not None and (len(mask.shape) < 2 or mask.shape[1] != x.extents[1]):
            raise ValueError(
                f"TimeDistributed {self.name!r}: a mask of shape {tuple(mask.shape)} does not fit "
                f"inputs of shape {x.shape}: both must have the same steps."
            )
        limits.take(10_000 * x.extents[1], f"TimeDistributed {self.name!r}")
        steps = []
        for t in range(x.extents[1]):
            step = x[:, t]
            if mask is not None:
                set_mask(step, mask[:, t])
            steps.append(self.layer(step, training=training))
        return ops.stack(steps, axis=1)
