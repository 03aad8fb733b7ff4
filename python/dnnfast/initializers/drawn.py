"""Random initializers with fixed parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import checks
from dnnfast.initializers.base import Initializer
from dnnfast.random import SeedGenerator, distributions, generator
from dnnfast.random.seed import is_whole
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object


class RandomInitializer(Initializer):
    """The base class of random initializers.

    Args:
        seed: an integer for the same values at every call, a `random.SeedGenerator` for new ones
            from its state, or None for new ones from the global seed.

    Raises:
        ValueError: if the seed is none of these.

    Example:
        >>> import dnnfast
        >>> seeded = dnnfast.initializers.RandomNormal(seed=1)
        >>> bool((seeded((3,)) == seeded((3,))).all())
        True
    """

    def __init__(self, seed: Any = None) -> None:
        if isinstance(seed, dict):
            seed = deserialize_keras_object(seed)
        if not (seed is None or is_whole(seed) or isinstance(seed, SeedGenerator)):
            raise ValueError(
                f"{type(self).__name__}: seed must be an integer, a random.SeedGenerator or None, "
                f"got {seed!r}."
            )
        self.seed = int(seed) if is_whole(seed) else seed

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"seed": serialize_keras_object(self.seed)}

    def _generator(self) -> np.random.Generator:
        return generator(self.seed)


class RandomNormal(RandomInitializer):
    """A normal distribution.

    Args:
        mean: default 0.
        stddev: standard deviation, at least 0, default 0.05.
        seed: an integer for the same values at every call, a `random.SeedGenerator` or None for new
            ones.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.RandomNormal(seed=1)((2, 3)).shape
        (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.mean = checks.number(type(self).__name__, "mean", mean)
        self.stddev = checks.number(type(self).__name__, "stddev", stddev, 0.0)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        sizes = self._shape(shape)
        values = distributions.normal(self._generator(), sizes, self.mean, self.stddev)
        return self._typed(values, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomNormal):
    """A normal distribution without values beyond two standard deviations.

    Args:
        mean: default 0.
        stddev: standard deviation before truncation, at least 0, default 0.05; after it the
            standard deviation is 0.8796 of that.
        seed: an integer for the same values at every call, a `random.SeedGenerator` or None for new
            ones.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> bool(abs(dnnfast.initializers.TruncatedNormal()((99,))).max() <= 0.1)
        True
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        sizes = self._shape(shape)
        values = distributions.truncated_normal(self._generator(), sizes, self.mean, self.stddev)
        return self._typed(values, dtype)


class RandomUniform(RandomInitializer):
    """A uniform distribution on [minval, maxval).

    Args:
        minval: lower end, default -0.05.
        maxval: upper end, at least ``minval``, default 0.05.
        seed: an integer for the same values at every call, a `random.SeedGenerator` or None for new
            ones.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> bool(abs(dnnfast.initializers.RandomUniform()((9,))).max() <= 0.05)
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        super().__init__(seed)
        self.minval = checks.number("RandomUniform", "minval", minval)
        self.maxval = checks.number("RandomUniform", "maxval", maxval, self.minval)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        sizes = self._shape(shape)
        values = distributions.uniform(self._generator(), sizes, self.minval, self.maxval)
        return self._typed(values, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal rows or columns, times a gain.

    Args:
        gain: the factor. Default 1.
        seed: an integer for the same values at every call, a `random.SeedGenerator` or None for new
            ones.

    Raises:
        ValueError: if an argument is out of range; when called for a shape with fewer than two
            axes.

    Formula: Q of the QR decomposition of a normal matrix, signs fixed by the diagonal of R
    (Saxe et al., 2014). A shape of more axes is a matrix of its last axis and all others.

    Example:
        >>> import dnnfast, numpy
        >>> q = dnnfast.initializers.Orthogonal(seed=1)((3, 3))
        >>> bool(numpy.allclose(q @ q.T, numpy.eye(3), atol=1e-6))
        True
    """

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        super().__init__(seed)
        self.gain = checks.number("Orthogonal", "gain", gain)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        sizes = self._shape(shape)
        if len(sizes) < 2:
            raise ValueError(f"Orthogonal: expected at least two axes, got shape {sizes}.")
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        tall = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(distributions.normal(self._generator(), tall, 0.0, 1.0))
        q = q * np.where(np.diag(r) < 0, -self.gain, self.gain).astype(np.float32)
        q = q.T if rows < columns else q
        return self._typed(np.ascontiguousarray(q.reshape(sizes)), dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "gain": self.gain}
