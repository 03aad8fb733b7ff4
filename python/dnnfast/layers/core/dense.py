"""Fully connected layers."""

from __future__ import annotations

from typing import Any

from dnnfast import activations, initializers, regularizers, tracing
from dnnfast.layers.base import Layer, positive_int, single_input
from dnnfast.saving.objects import serialize_keras_object


class Dense(Layer):
    """A fully connected layer.

    Args:
        units: width of the output, a positive integer.
        activation: a name, a function, a layer, or None for none.
        use_bias: default True.
        kernel_initializer: default ``"glorot_uniform"``.
        bias_initializer: default ``"zeros"``.
        kernel_regularizer: L1, L2 or L1L2, or None.
        bias_regularizer: L1, L2 or L1L2, or None.
        activity_regularizer: not supported; None.
        kernel_constraint: not supported; None.
        bias_constraint: not supported; None.
        **kwargs: ``name``, ``trainable``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range or not supported.
        TypeError: if an argument is not known.

    Formula: ``y = activation(x @ kernel + bias)`` along the last axis; the kernel has shape
    (inputs, units).

    Example:
        >>> import dnnfast
        >>> layer = dnnfast.layers.Dense(2, activation="relu")
        >>> layer(dnnfast.Input((3,))).shape
        (None, 2)
        >>> [w.shape for w in layer.weights]
        [(3, 2), (2,)]
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        for key in ("lora_rank", "lora_alpha", "quantization_config"):
            if kwargs.get(key) is None:
                kwargs.pop(key, None)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_int(f"Dense {self.name!r}", "units", units)
        if kernel_constraint is not None or bias_constraint is not None:
            raise ValueError(
                f"Dense {self.name!r}: weight constraints are not supported; leave them out."
            )
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel: Any = None
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        """Create kernel and bias."""
        if len(input_shape) < 2 or input_shape[-1] is None:
            raise ValueError(
                f"Dense {self.name!r}: the input needs a last axis of known size, got shape "
                f"{tuple(input_shape)}. Give Input(shape=(n,)) or add a Reshape."
            )
        self.kernel = self.add_weight(
            (input_shape[-1], self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,), self.bias_initializer, regularizer=self.bias_regularizer, name="bias"
            )

    def _check_inputs(self, args: tuple[Any, ...]) -> None:
        x = single_input(self, args)
        if self.built and self.kernel is not None and x.shape[-1] != self.kernel.shape[0]:
            raise ValueError(
                f"Layer {self.name!r} (Dense): the input has shape {x.shape}, but the layer was "
                f"built for a last axis of {self.kernel.shape[0]}. Use a new layer, or inputs of "
                "that width."
            )

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        variables = [self.kernel] if self.bias is None else [self.kernel, self.bias]
        precision = self._own_policy.precision
        attrs = {} if precision == "float32" else {"precision": precision}
        return self.activation(tracing.emit("dense", [x, *variables], attrs))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": serialize_keras_object(self.kernel_initializer),
            "bias_initializer": serialize_keras_object(self.bias_initializer),
            "kernel_regularizer": serialize_keras_object(self.kernel_regularizer),
            "bias_regularizer": serialize_keras_object(self.bias_regularizer),
            "activity_regularizer": None,
            "kernel_constraint": None,
            "bias_constraint": None,
        }
