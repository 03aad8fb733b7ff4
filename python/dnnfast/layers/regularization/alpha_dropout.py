"""Dropout for self-normalizing networks."""

from __future__ import annotations

from typing import Any

from dnnfast import ops
from dnnfast.layers.arguments import single_input
from dnnfast.layers.regularization import random_bits
from dnnfast.layers.regularization.dropout import (
    checked_noise_shape,
    checked_rate,
    noise_extents,
)
from dnnfast.layers.same_shape import SameShape
from dnnfast.random import SeedGenerator

# What selu goes to at minus infinity: -alpha * scale.
_LOWEST = -1.6732632423543772 * 1.0507009873554805


class AlphaDropout(SameShape):
    """Sets a random share of the elements to selu's lowest value, and keeps mean and variance.

    Args:
        rate: the share, in [0, 1).
        noise_shape: as that of `Dropout`.
        seed: an integer that changes this layer's masks, or None. All masks also depend on the
            model's seed (`utils.set_random_seed`).
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``a * (x where kept, else m) + b`` with ``m = -1.7581``, the limit of selu,
    ``a = ((1 - rate) * (1 + rate * m^2))^(-1/2)`` and ``b = -a * rate * m``
    (Klambauer et al., 2017).

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.AlphaDropout(0.5)([[1.0, 2.0]]).tolist()
        [[1.0, 2.0]]
    """

    _built_from_start = True

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate = checked_rate(self, "rate", rate, below_one=True)
        self.noise_shape = checked_noise_shape(self, noise_shape)
        self.seed = seed
        if self.rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        return random_bits.in_training(x, training, self._dropped) if self.rate else x

    def _dropped(self, x: Any) -> Any:
        rate = self.rate
        scale = ((1 - rate) * (1 + rate * _LOWEST**2)) ** -0.5
        bits = random_bits.uniform(noise_extents(self, x, self.noise_shape), self.seed)
        kept = ops.where(ops.greater_equal(bits, rate), x, _LOWEST)
        return ops.add(ops.multiply(kept, scale), -scale * rate * _LOWEST)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }


class MCAlphaDropout(AlphaDropout):
    """Alpha dropout that also drops in prediction, for Monte Carlo estimates of uncertainty.

    Args:
        rate: the share, in [0, 1).
        noise_shape: as that of `Dropout`.
        seed: an integer that changes this layer's masks, or None.
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range.

    Formula: that of `AlphaDropout`; see `MCDropout`.

    Example:
        >>> import dnnfast
        >>> y = dnnfast.layers.MCAlphaDropout(0.5)([[1.0] * 64])
        >>> len(set(y[0].tolist()))
        2
    """

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return the layer's output."""
        return super().call(inputs, training=True)
