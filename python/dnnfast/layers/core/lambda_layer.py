"""A function as a layer."""

from __future__ import annotations

import inspect
from typing import Any

from dnnfast import tree
from dnnfast.layers.base import Layer
from dnnfast.layers.building import map_shapes
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object


class Lambda(Layer):
    """Applies a function written with `dnnfast.ops`.

    Args:
        function: takes the input, and if it names them ``mask`` and ``training``; returns the
            output. It may not use weights of its own; write a `Layer` for those.
        output_shape: shape of a sample of the output, or a function of the input's shape. Default
            found by calling the function.
        mask: the mask of the output, or a function of inputs and their mask. Default none.
        arguments: further arguments of the function, a dict.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        TypeError: if ``function`` is no function.

    A model with a lambda can be saved, but is loaded only with ``safe_mode=False``: a saved lambda
    may do anything. A named function is loaded by its name (``custom_objects``, or
    `utils.register_keras_serializable`).

    Example:
        >>> import dnnfast as keras
        >>> keras.layers.Lambda(lambda x: keras.ops.square(x))([[1.0, 2.0]]).tolist()
        [[1.0, 4.0]]
    """

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda {self.name!r}: expected a function, got {function!r}.")
        self.function, self.mask, self.arguments = function, mask, dict(arguments or {})
        self._output_shape = output_shape
        self.supports_masking = mask is not None

    def call(self, inputs: Any, mask: Any = None, training: Any = None) -> Any:
        """Return the function's result."""
        names = inspect.signature(self.function).parameters
        given = dict(self.arguments)
        if "mask" in names:
            given["mask"] = mask
        if "training" in names:
            given["training"] = training
        return self.function(inputs, **given)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape (batch axis included)."""
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        batch = tree.flatten(input_shape)[0]
        return map_shapes(lambda shape: (batch, *shape), self._output_shape)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Return the mask that was given, or what its function returns."""
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {**super().get_config(), "function": _serialized(self.function)}
        if self._output_shape is not None:
            config["output_shape"] = _serialized(self._output_shape)
        if self.mask is not None:
            config["mask"] = _serialized(self.mask)
        return {**config, "arguments": serialize_keras_object(self.arguments)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: bool = True
    ) -> Any:
        """Create the layer from the result of `get_config`.

        Raises:
            ValueError: if it holds a lambda, unless ``safe_mode`` is False.
        """
        config = dict(config)
        for name in ("function", "output_shape", "mask", "arguments"):
            if name in config:
                config[name] = deserialize_keras_object(config[name], custom_objects, safe_mode)
        return cls(**config)


def _serialized(value: Any) -> Any:
    """Return plain data; this layer's lambdas have a form of their own in Keras."""
    data = serialize_keras_object(value)
    if isinstance(data, dict) and data.get("class_name") == "__lambda__":
        parts = zip(("code", "defaults", "closure"), data["config"]["value"], strict=True)
        return {**data, "config": dict(parts)}
    return data
