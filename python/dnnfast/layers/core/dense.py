"""Fully connected layers."""

from __future__ import annotations

from typing import Any

from dnnfast import activations, constraints, initializers, ops, regularizers, tracing
from dnnfast.layers.arguments import positive_int, single_input
from dnnfast.layers.base import Layer
from dnnfast.layers.input_spec import InputSpec
from dnnfast.saving.objects import serialize_keras_object


class Dense(Layer):
    """A fully connected layer.

    Args:
        units: width of the output, a positive integer.
        activation: a name, a function, a layer, or None for none.
        use_bias: default True.
        kernel_initializer: default ``"glorot_uniform"``.
        bias_initializer: default ``"zeros"``.
        kernel_regularizer: a penalty on the kernel, or None.
        bias_regularizer: a penalty on the bias, or None.
        activity_regularizer: a penalty on the output (divided by the batch), or None.
        kernel_constraint: what the kernel is mapped to after each step, or None.
        bias_constraint: the same for the bias.
        **kwargs: ``name``, ``trainable``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range or not known.

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

    supports_masking = True

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
        self.activation = activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Any = None
        self.bias: Any = None
        self.input_spec = InputSpec(min_ndim=2)

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
            constraint=self.kernel_constraint,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self.input_spec = InputSpec(min_ndim=2, axes={-1: input_shape[-1]})

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the output shape for an input shape (batch axis included)."""
        return (*input_shape[:-1], self.units)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        if not x.batched:
            y = ops.matmul(x, self.kernel)
            return self._activated(y if self.bias is None else ops.add(y, self.bias))
        variables = [self.kernel] if self.bias is None else [self.kernel, self.bias]
        precision = self._own_policy.precision
        attrs = {} if precision == "float32" else {"precision": precision}
        return self._activated(tracing.emit("dense", [x, *variables], attrs))

    def _activated(self, y: Any) -> Any:
        return y if self.activation is None else self.activation(y)

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
            "kernel_constraint": serialize_keras_object(self.kernel_constraint),
            "bias_constraint": serialize_keras_object(self.bias_constraint),
            "quantization_config": None,
        }
