"""Dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import ops, symbolic, tracing
from dnnfast.layers.arguments import single_input
from dnnfast.layers.input_spec import InputSpec
from dnnfast.layers.regularization import random_bits
from dnnfast.layers.same_shape import SameShape
from dnnfast.random import SeedGenerator
from dnnfast.random.seed import is_whole


def checked_rate(layer: Any, name: str, value: Any, below_one: bool = False) -> float:
    """Return a share in [0, 1], or raise."""
    limits = "[0, 1)" if below_one else "[0, 1]"
    good = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not good or not 0 <= value <= 1 or (below_one and value == 1):
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r}: {name} must be a number in {limits}, got "
            f"{value!r}."
        )
    return float(value)


def checked_noise_shape(layer: Any, shape: Any) -> tuple[int | None, ...] | None:
    """Return the shape of random bits, with None where it is that of the input, or raise."""
    if shape is None:
        return None
    error = ValueError(
        f"{type(layer).__name__} {layer.name!r}: noise_shape must be a tuple of positive integers "
        f"and None, got {shape!r}."
    )
    if isinstance(shape, str) or not isinstance(shape, Sequence):
        raise error
    if not all(size is None or (is_whole(size) and size > 0) for size in shape):
        raise error
    return tuple(size if size is None else int(size) for size in shape)


def noise_extents(layer: Any, x: Any, shape: Any) -> tuple[int, ...]:
    """Return the sizes of random bits for an input."""
    sizes = symbolic.extents_of(x)
    if shape is None:
        return sizes
    if len(shape) != len(sizes):
        raise ValueError(
            f"Layer {layer.name!r}: noise_shape {shape} must have as many sizes as the input, of "
            f"shape {x.shape}."
        )
    # A size given for the batch axis has to be that of the batch, unless it is 1.
    given = [-1 if i == 0 and size not in (None, 1) else size for i, size in enumerate(shape)]
    return tuple(n if size is None else size for n, size in zip(sizes, given, strict=True))


class Dropout(SameShape):
    """Sets a random share of the elements to zero in training and scales up the others.

    Args:
        rate: the share, in [0, 1].
        noise_shape: shape of the random choices, batch axis included: None for the size of the
            input, 1 for an axis along which all elements share one. Default: one for each element.
        seed: an integer that changes this layer's masks, or None. All masks also depend on the
            model's seed (`utils.set_random_seed`).
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``y = x / (1 - rate)`` where kept, else 0 (Srivastava et al., 2014, inverted form).

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.Dropout(0.5)([[1.0, 2.0]]).tolist()
        [[1.0, 2.0]]
    """

    _built_from_start = True

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate = checked_rate(self, "rate", rate)
        self.noise_shape = checked_noise_shape(self, noise_shape)
        self.seed = seed
        if self.rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def _noise_shape_for(self, x: Any) -> Any:
        return self.noise_shape

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        mode = tracing.mode_of(training)
        if mode == "infer" or self.rate == 0:
            return x
        shape = self._noise_shape_for(x)
        if shape is not None or self.rate == 1 or not x.batched:
            return random_bits.in_training(x, training, lambda t: self._dropped(t, shape))
        attrs: dict[str, Any] = {"rate": self.rate, "mode": mode}
        stream = random_bits.stream_of(self.seed)
        if stream is not None:
            attrs["stream"] = stream
        return tracing.emit("dropout", [x], attrs)

    def _dropped(self, x: Any, shape: Any) -> Any:
        if self.rate == 1:
            return ops.zeros_like(x)
        bits = random_bits.uniform(noise_extents(self, x, shape), self.seed)
        kept = ops.greater_equal(bits, self.rate)
        return ops.where(kept, ops.multiply(x, 1.0 / (1.0 - self.rate)), 0.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }


class SpatialDropout1D(Dropout):
    """Sets a random share of the columns to zero in training: each over all steps of a sample.

    Args:
        rate: the share, in [0, 1].
        seed: an integer that changes this layer's masks, or None.
        name: default numbered.
        dtype: the layer's policy.

    Raises:
        ValueError: if an argument is out of range; when called, unless the input has 3 axes.

    Formula: that of `Dropout`, with one choice for each sample and each element of the last axis.

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.SpatialDropout1D(0.5)(dnnfast.Input((3, 4))).shape
        (None, 3, 4)
    """

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def _noise_shape_for(self, x: Any) -> Any:
        return None, 1, None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        # Keras's own takes no more than these.
        return {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype}


class MCDropout(Dropout):
    """Dropout that also drops in prediction, for Monte Carlo estimates of uncertainty.

    Args:
        rate: the share, in [0, 1].
        noise_shape: as that of `Dropout`.
        seed: an integer that changes this layer's masks, or None.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range.

    Formula: that of `Dropout` (Gal and Ghahramani, 2016). The mean of many predictions is the
    estimate, their standard deviation its uncertainty; ``model.predict(x, mc_samples=100)`` gives
    both in one call, with any dropout.

    Example:
        >>> import dnnfast
        >>> y = dnnfast.layers.MCDropout(0.5)([[1.0] * 64])
        >>> sorted(set(y[0].tolist()))
        [0.0, 2.0]
    """

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return the layer's output."""
        return super().call(inputs, training=True)
