"""Normal noise."""

from __future__ import annotations

import math
from typing import Any

from dnnfast import ops, symbolic
from dnnfast.layers.arguments import single_input
from dnnfast.layers.regularization import random_bits
from dnnfast.layers.regularization.dropout import checked_rate
from dnnfast.layers.same_shape import SameShape
from dnnfast.random import SeedGenerator


class GaussianNoise(SameShape):
    """Adds normal noise in training.

    Args:
        stddev: its standard deviation, in [0, 1].
        seed: an integer that changes this layer's noise, or None. All noise also depends on the
            model's seed (`utils.set_random_seed`).
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``y = x + stddev * n`` with n of the standard normal distribution

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.GaussianNoise(0.5)([[1.0, 2.0]]).tolist()
        [[1.0, 2.0]]
    """

    _built_from_start = True

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = checked_rate(self, "stddev", stddev)
        self.seed = seed
        if self.stddev > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        return random_bits.in_training(x, training, self._noisy) if self.stddev else x

    def _noisy(self, x: Any) -> Any:
        noise = random_bits.normal(symbolic.extents_of(x), self.seed)
        return ops.add(x, ops.multiply(noise, self.stddev))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


class GaussianDropout(SameShape):
    """Multiplies by normal noise of mean 1 in training.

    Args:
        rate: the drop rate of the `Dropout` with noise of the same variance, in [0, 1).
        seed: an integer that changes this layer's noise, or None. All noise also depends on the
            model's seed (`utils.set_random_seed`).
        **kwargs: ``name``, ``input_shape``.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``y = x * (1 + sqrt(rate / (1 - rate)) * n)`` with n of the standard normal
    distribution (Srivastava et al., 2014)

    Example:
        >>> import dnnfast
        >>> dnnfast.layers.GaussianDropout(0.5)([[1.0, 2.0]]).tolist()
        [[1.0, 2.0]]
    """

    _built_from_start = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = checked_rate(self, "rate", rate, below_one=True)
        self.seed = seed
        if self.rate > 0:
            self.seed_generator = SeedGenerator(seed)

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Return the layer's output."""
        x = single_input(self, (inputs,))
        return random_bits.in_training(x, training, self._noisy) if self.rate else x

    def _noisy(self, x: Any) -> Any:
        noise = random_bits.normal(symbolic.extents_of(x), self.seed)
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        return ops.multiply(x, ops.add(ops.multiply(noise, stddev), 1.0))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
