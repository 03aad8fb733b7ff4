"""Batch normalization."""

from __future__ import annotations

from typing import Any

from dnnfast import checks, ops, tracing
from dnnfast.config import settings
from dnnfast.layers.arguments import checked_axes, float_input
from dnnfast.layers.input_spec import InputSpec
from dnnfast.layers.normalization.affine import Affine
from dnnfast.saving.objects import serialize_keras_object
from dnnfast.symbolic import switch


class BatchNormalization(Affine):
    """Normalizes each column by the statistics of the batch (Ioffe and Szegedy, 2015).

    Inference, and training of a frozen layer (``trainable = False``), use the moving statistics.
    Where the input has a mask, what it excludes does not count in the statistics.

    Args:
        axis: the axis whose elements have statistics of their own. Default -1.
        momentum: of the moving statistics, in [0, 1]. Default 0.99.
        epsilon: added to the variance. Default 1e-3.
        center: whether to add beta. Default True.
        scale: whether to multiply by gamma. Default True.
        beta_initializer: default ``"zeros"``.
        gamma_initializer: default ``"ones"``.
        moving_mean_initializer: default ``"zeros"``.
        moving_variance_initializer: default ``"ones"``.
        beta_regularizer: a penalty on beta, or None.
        gamma_regularizer: a penalty on gamma, or None.
        beta_constraint: what beta is mapped to after each step, or None.
        gamma_constraint: the same for gamma.
        synchronized: accepted, without effect in one process; an error in the training of several
            (`distribution.DataParallel`), each of which takes the moments of its own samples.
        **kwargs: ``name``, ``trainable``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range, or ``renorm`` is asked for.

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
        self.axis, self.synchronized = axis, bool(synchronized)
        self.momentum = checks.number(what, "momentum", momentum, least=0.0)
        if self.momentum > 1:
            raise ValueError(f"{what}: momentum must be in [0, 1], got {momentum!r}.")
        options = {
            "beta_initializer": beta_initializer,
            "gamma_initializer": gamma_initializer,
            "moving_mean_initializer": moving_mean_initializer,
            "moving_variance_initializer": moving_variance_initializer,
            "beta_regularizer": beta_regularizer,
            "gamma_regularizer": gamma_regularizer,
            "beta_constraint": beta_constraint,
            "gamma_constraint": gamma_constraint,
        }
        self._keep(epsilon, center, scale, options)
        self.moving_mean: Any = None
        self.moving_variance: Any = None

    def _axes_for(self, ndim: int) -> tuple[int, ...]:
        return checked_axes(self, self.axis, ndim)

    def build(self, input_shape: Any) -> None:
        """Create gamma, beta and the moving statistics."""
        (axis,) = self._axes_for(len(input_shape))
        size = input_shape[axis]
        if size is None:
            raise ValueError(
                f"BatchNormalization {self.name!r}: axis {self.axis} of the input, of shape "
                f"{tuple(input_shape)}, must have a known size."
            )
        self._add_affine((size,))
        for name in ("moving_mean", "moving_variance"):
            initializer = getattr(self, f"{name}_initializer")
            setattr(self, name, self.add_weight((size,), initializer, trainable=False, name=name))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Return the layer's output."""
        x = float_input(self, inputs)
        mode = tracing.mode_of(training) if self.trainable else "infer"
        if mask is not None and len(mask.shape) != x.ndim - 1:
            raise ValueError(
                f"Layer {self.name!r} (BatchNormalization): the mask must have one axis less than "
                f"the input, got shapes {tuple(mask.shape)} and {x.shape}."
            )
        (axis,) = self._axes_for(x.ndim)
        fused = mask is None and x.batched and axis == x.ndim - 1 and axis > 0
        if fused and not (mode == "train" and tracing.eager()):
            own = [v for v in (self.gamma, self.beta) if v is not None]
            attrs = {
                "momentum": self.momentum,
                "epsilon": self.epsilon,
                "scale": self.scale,
                "center": self.center,
                "mode": mode,
            }
            variables = [*own, self.moving_mean, self.moving_variance]
            return tracing.emit("batchnorm", [x, *variables], attrs)
        usual = None
        if mode != "train":
            usual = self._normalized(x, axis, self.moving_mean, self.moving_variance)
            if mode == "infer":
                return usual
        mean, variance = self._moments(x, axis, mask)
        y = self._normalized(x, axis, mean, variance)
        for moving, found in ((self.moving_mean, mean), (self.moving_variance, variance)):
            kept = ops.multiply(moving, self.momentum)
            moving.assign(ops.add(kept, ops.multiply(found, 1.0 - self.momentum)))
        return y if usual is None else switch(y, usual)

    def _normalized(self, x: Any, axis: int, mean: Any, variance: Any) -> Any:
        return ops.batch_normalization(x, mean, variance, axis, self.beta, self.gamma, self.epsilon)

    def _moments(self, x: Any, axis: int, mask: Any) -> tuple[Any, Any]:
        """Return mean and variance over all axes but one, of what a mask leaves."""
        axes = tuple(i for i in range(x.ndim) if i != axis)
        if mask is None:
            return ops.moments(x, axes=axes)
        valid = ops.broadcast_to(ops.expand_dims(ops.cast(mask, "float32"), -1), x.extents)
        count = ops.add(ops.sum(valid, axes, keepdims=True), settings.epsilon())
        kept = ops.where(valid, x, 0.0)
        mean = ops.divide(ops.sum(kept, axes, keepdims=True), count)
        apart = ops.where(valid, ops.subtract(x, mean), 0.0)
        variance = ops.divide(ops.sum(ops.square(apart), axes, keepdims=True), count)
        return ops.squeeze(mean, axes), ops.squeeze(variance, axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {
            **super().get_config(),
            **self._affine_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "synchronized": self.synchronized,
            "renorm": False,
            "renorm_clipping": None,
            "renorm_momentum": 0.99,
        }
        for key in ("moving_mean_initializer", "moving_variance_initializer"):
            config[key] = serialize_keras_object(getattr(self, key))
        return config
