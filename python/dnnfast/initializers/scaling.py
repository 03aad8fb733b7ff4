"""Initializers whose variance follows the number of inputs and outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import random
from dnnfast.errors import unknown_name
from dnnfast.initializers.base import Initializer
from dnnfast.initializers.plain import scaled, truncated_normal

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("uniform", "truncated_normal", "untruncated_normal")

# Standard deviation of a unit normal distribution cut off at two standard deviations.
_TRUNCATED_STDDEV = 0.87962566103423978


def _fans(shape: Sequence[int]) -> tuple[int, int]:
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


class VarianceScaling(Initializer):
    """Variance ``scale / n`` where n is the number of inputs, of outputs, or their average.

    Args:
        scale: positive, default 1.
        mode: ``"fan_in"`` (default), ``"fan_out"`` or ``"fan_avg"``.
        distribution: ``"truncated_normal"`` (default), ``"untruncated_normal"`` or ``"uniform"``.
        seed: an integer for the same values at every call; None for new ones.

    Raises:
        ValueError: if an argument is out of range.

    Formula: uniform on +-sqrt(3 scale / n), or normal with standard deviation sqrt(scale / n),
    which for the truncated one is that after truncation.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.VarianceScaling(2.0, "fan_avg", "uniform", seed=1)((4, 2)).shape
        (4, 2)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        if scale <= 0:
            raise ValueError(f"VarianceScaling: scale must be positive, got {scale!r}.")
        distribution = {"normal": "truncated_normal"}.get(distribution, distribution)
        if mode not in _MODES:
            raise unknown_name("VarianceScaling mode", mode, _MODES)
        if distribution not in _DISTRIBUTIONS:
            raise unknown_name("VarianceScaling distribution", distribution, _DISTRIBUTIONS)
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution, seed

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> np.ndarray:
        fan_in, fan_out = _fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        scale = self.scale / max(1.0, n)
        generator = random.generator(self.seed)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * scale)
            return scaled(generator.random(tuple(shape), dtype=np.float32), 2 * limit, -limit)
        if self.distribution == "untruncated_normal":
            values = generator.standard_normal(tuple(shape), dtype=np.float32)
            return scaled(values, math.sqrt(scale))
        return truncated_normal(generator, shape, 0.0, math.sqrt(scale) / _TRUNCATED_STDDEV)


class _Named(VarianceScaling):
    """A variance scaling whose only argument is the seed."""

    def __init__(self, scale: float, mode: str, distribution: str, seed: int | None) -> None:
        super().__init__(scale, mode, distribution, seed)


class GlorotUniform(_Named):
    """Uniform on +-sqrt(6 / (fan_in + fan_out)), the default of kernels (Glorot and Bengio, 2010).

    Args:
        seed: an integer for the same values at every call; None for new ones.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.GlorotUniform(seed=1)((4, 2)).shape
        (4, 2)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed)


class GlorotNormal(_Named):
    """Truncated normal with variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010).

    Args:
        seed: an integer for the same values at every call; None for new ones.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.GlorotNormal(seed=1)((4, 2)).shape
        (4, 2)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed)


class HeUniform(_Named):
    """Uniform on +-sqrt(6 / fan_in), for ReLU and its relatives (He et al., 2015).

    Args:
        seed: an integer for the same values at every call; None for new ones.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.HeUniform(seed=1)((4, 2)).shape
        (4, 2)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "uniform", seed)


class HeNormal(_Named):
    """Truncated normal with variance 2 / fan_in, for ReLU and its relatives (He et al., 2015).

    Args:
        seed: an integer for the same values at every call; None for new ones.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.HeNormal(seed=1)((4, 2)).shape
        (4, 2)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(2.0, "fan_in", "truncated_normal", seed)


class LecunUniform(_Named):
    """Uniform on +-sqrt(3 / fan_in) (LeCun et al., 1998).

    Args:
        seed: an integer for the same values at every call; None for new ones.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.LecunUniform(seed=1)((4, 2)).shape
        (4, 2)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "uniform", seed)


class LecunNormal(_Named):
    """Truncated normal with variance 1 / fan_in, for SELU (LeCun et al., 1998).

    Args:
        seed: an integer for the same values at every call; None for new ones.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.LecunNormal(seed=1)((4, 2)).shape
        (4, 2)
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(1.0, "fan_in", "truncated_normal", seed)
