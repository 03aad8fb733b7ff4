"""Random initializers with fixed parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import random
from dnnfast.initializers.base import Initializer


def scaled(values: np.ndarray, scale: float, shift: float = 0.0) -> np.ndarray:
    """Return ``values * scale + shift`` in their own memory: large layers are drawn only once."""
    values *= np.float32(scale)
    values += np.float32(shift)
    return values


def truncated_normal(
    generator: np.random.Generator, shape: Sequence[int], mean: float, stddev: float
) -> np.ndarray:
    """Draw from a normal distribution; values beyond two standard deviations are drawn again."""
    values = generator.standard_normal(tuple(shape), dtype=np.float32)
    while (outside := np.abs(values) > 2.0).any():
        values[outside] = generator.standard_normal(int(outside.sum()), dtype=np.float32)
    return scaled(values, stddev, mean)


class RandomNormal(Initializer):
    """A normal distribution.

    Args:
        mean: default 0.
        stddev: standard deviation, default 0.05.
        seed: an integer for the same values at every call; None for new ones.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.RandomNormal(seed=1)((2, 3)).shape
        (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> np.ndarray:
        values = random.generator(self.seed).standard_normal(tuple(shape), dtype=np.float32)
        return scaled(values, self.stddev, self.mean)


class RandomUniform(Initializer):
    """A uniform distribution.

    Args:
        minval: lower end, default -0.05.
        maxval: upper end, default 0.05.
        seed: an integer for the same values at every call; None for new ones.

    Example:
        >>> import dnnfast
        >>> bool(abs(dnnfast.initializers.RandomUniform()((9,))).max() <= 0.05)
        True
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> np.ndarray:
        values = random.generator(self.seed).random(tuple(shape), dtype=np.float32)
        return scaled(values, self.maxval - self.minval, self.minval)


class TruncatedNormal(Initializer):
    """A normal distribution without values beyond two standard deviations.

    Args:
        mean: default 0.
        stddev: standard deviation before truncation, default 0.05.
        seed: an integer for the same values at every call; None for new ones.

    Example:
        >>> import dnnfast
        >>> bool(abs(dnnfast.initializers.TruncatedNormal()((99,))).max() <= 0.1)
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> np.ndarray:
        return truncated_normal(random.generator(self.seed), shape, self.mean, self.stddev)
