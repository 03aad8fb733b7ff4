"""Batch normalization."""

from __future__ import annotations

from typing import Any

from dnnfast import checks, initializers, regularizers, tracing
from dnnfast.layers.arguments import single_input
from dnnfast.layers.base import Layer
from dnnfast.saving.objects import serialize_keras_object


class BatchNormalization(Layer):
    """Normalizes each column by the statistics of the batch (Ioffe and Szegedy, 2015).

    Inference, and training of a frozen layer (``trainable = False``), use the moving statistics.

    Args:
        axis: only the last one. Default -1.
        momentum: of the moving statistics, in [0, 1]. Default 0.99.
        epsilon: added to the variance. Default 1e-3.
        center: whether to add beta. Default True.
        scale: whether to multiply by gamma. Default True.
        beta_initializer: default ``"zeros"``.
        gamma_initializer: default ``"ones"``.
        moving_mean_initializer: default ``"zeros"``.
        moving_variance_initializer: default ``"ones"``.
        beta_regularizer: L1, L2 or L1L2, or None.
        gamma_regularizer: L1, L2 or L1L2, or None.
        **kwargs: ``name``, ``trainable``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range or not supported.

    Formula: ``y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`` with the biased variance,
    and ``moving = moving * momentum + batch * (1 - momentum)``.

    Example:
        >>> import dnnfast
        >>> layer = dnnfast.layers.BatchNormalization()
        >>> layer(dnnfast.Input((3,))).shape
        (None, 3)
        >>> [w.name for w in layer.weights]
        ['gamma', 'beta', 'moving_mean', 'moving_variance']
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        for key in ("renorm", "renorm_clipping", "fused", "virtual_batch_size"):
            if not kwargs.get(key):
                kwargs.pop(key, None)
        if "renorm" not in kwargs:
            kwargs.pop("renorm_momentum", None)  # it means nothing then
        super().__init__(**kwargs)
        what = f"BatchNormalization {self.name!r}"
        if isinstance(axis, (list, tuple)) and len(axis) == 1:
            axis = axis[0]
        if isinstance(axis, bool) or not isinstance(axis, int):
            raise ValueError(f"{what}: axis must be an integer, got {axis!r}.")
        if checks.number(what, "momentum", momentum, 0.0) > 1:
            raise ValueError(f"{what}: momentum must be in [0, 1], got {momentum!r}.")
        checks.number(what, "epsilon", epsilon, above=0.0)
        if beta_constraint is not None or gamma_constraint is not None:
            raise ValueError(f"{what}: weight constraints are not supported; leave them out.")
        self.axis, self.momentum, self.epsilon = axis, float(momentum), float(epsilon)
        self.center, self.scale = bool(center), bool(scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.gamma: Any = None
        self.beta: Any = None

    def build(self, input_shape: Any) -> None:
        """Create gamma, beta and the moving statistics."""
        if self.axis not in (-1, len(input_shape) - 1):
            raise ValueError(
                f"BatchNormalization {self.name!r}: only the last axis is supported, got "
                f"axis={self.axis} for inputs of shape {tuple(input_shape)}."
            )
        shape = (input_shape[-1],)
        if self.scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, regularizer=self.gamma_regularizer, name="gamma"
            )
        if self.center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, regularizer=self.beta_regularizer, name="beta"
            )
        self.moving_mean = self.add_weight(
            shape, self.moving_mean_initializer, trainable=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        mode = tracing.mode_of(training) if self.trainable else "infer"
        attrs = {
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "scale": self.scale,
            "center": self.center,
            "mode": mode,
        }
        own = [v for v in (self.gamma, self.beta) if v is not None]
        return tracing.emit("batchnorm", [x, *own, self.moving_mean, self.moving_variance], attrs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
        }
        for key in (
            "beta_initializer",
            "gamma_initializer",
            "moving_mean_initializer",
            "moving_variance_initializer",
            "beta_regularizer",
            "gamma_regularizer",
        ):
            config[key] = serialize_keras_object(getattr(self, key))
        return {**config, "beta_constraint": None, "gamma_constraint": None, "synchronized": False}
