"""Initializers whose variance follows the number of inputs and outputs."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import checks
from dnnfast.errors import unknown_name
from dnnfast.initializers.drawn import RandomInitializer
from dnnfast.random import distributions
from dnnfast.saving.objects import serialize_keras_object

_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("uniform", "truncated_normal", "untruncated_normal")

# Standard deviation of a unit normal distribution cut off at two standard deviations.
_TRUNCATED_STDDEV = 0.87962566103423978


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Numbers of inputs and outputs; of more than two axes the first ones are a receptive field."""
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def _axes(cls: str, name: str, axes: Any) -> list[int] | None:
    if axes is None:
        return None
    try:
        return [operator.index(axis) for axis in axes]
    except TypeError:
        raise ValueError(f"{cls}: {name} must be a list of axes or None, got {axes!r}.") from None


class VarianceScaling(RandomInitializer):
    """Variance ``scale / n`` where n is the number of inputs, of outputs, or their average.

    Args:
        scale: positive, default 1.
        mode: ``"fan_in"`` (default), ``"fan_out"`` or ``"fan_avg"``.
        distribution: ``"truncated_normal"`` (default), ``"untruncated_normal"`` or ``"uniform"``.
        seed: an integer for the same values at every call, a `random.SeedGenerator` or None for new
            ones.
        input_axes: the axes that count as inputs, if ``output_axes`` is given, too. Default: the
            last but one axis, times those before it; of a vector, the only one.
        output_axes: the axes that count as outputs. Default: the last one, times those before the
            last but one.

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
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        cls = type(self).__name__
        self.scale = checks.number(cls, "scale", scale, above=0.0)
        if mode not in _MODES:
            raise unknown_name(f"{cls} mode", mode, _MODES)
        folded = str(distribution).lower()
        folded = "truncated_normal" if folded == "normal" else folded
        if folded not in _DISTRIBUTIONS:
            raise unknown_name(f"{cls} distribution", distribution, _DISTRIBUTIONS)
        self.mode, self.distribution = mode, folded
        self.input_axes = _axes(cls, "input_axes", input_axes)
        self.output_axes = _axes(cls, "output_axes", output_axes)

    def _variance(self, shape: tuple[int, ...]) -> float:
        fan_in, fan_out = _fans(shape)
        if self.input_axes is not None and self.output_axes is not None:
            try:
                fan_in = math.prod(shape[axis] for axis in self.input_axes)
                fan_out = math.prod(shape[axis] for axis in self.output_axes)
            except IndexError:
                raise ValueError(
                    f"{type(self).__name__}: a weight of shape {shape} lacks one of the axes "
                    f"{self.input_axes} and {self.output_axes}."
                ) from None
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        return self.scale / max(1.0, n)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        sizes = self._shape(shape)
        variance, generator = self._variance(sizes), self._generator()
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            values = distributions.uniform(generator, sizes, -limit, limit)
        elif self.distribution == "untruncated_normal":
            values = distributions.normal(generator, sizes, 0.0, math.sqrt(variance))
        else:
            stddev = math.sqrt(variance) / _TRUNCATED_STDDEV
            values = distributions.truncated_normal(generator, sizes, 0.0, stddev)
        return self._typed(values, dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _Named(VarianceScaling):
    """A variance scaling with scale, mode and distribution of its own."""

    _fixed: tuple[float, str, str]

    def __init__(
        self,
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(*self._fixed, seed, input_axes, output_axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            "seed": serialize_keras_object(self.seed),
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class GlorotUniform(_Named):
    """Uniform on +-sqrt(6 / (fan_in + fan_out)), the default of kernels (Glorot and Bengio, 2010).

    Args:
        seed: an integer for the same values at every call, a `random.SeedGenerator` or None for new
            ones.
        input_axes: see `VarianceScaling`, as ``output_axes``.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.GlorotUniform(seed=1)((4, 2)).shape
        (4, 2)
    """

    _fixed = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Named):
    """Truncated normal with variance 2 / (fan_in + fan_out) (Glorot and Bengio, 2010).

    Args:
        seed: an integer for the same values at every call, a `random.SeedGenerator` or None for new
            ones.
        input_axes: see `VarianceScaling`, as ``output_axes``.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.GlorotNormal(seed=1)((4, 2)).shape
        (4, 2)
    """

    _fixed = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Named):
    """Uniform on +-sqrt(6 / fan_in), for ReLU and its relatives (He et al., 2015).

    Args:
        seed: an integer for the same values at every call, a `random.SeedGenerator` or None for new
            ones.
        input_axes: see `VarianceScaling`, as ``output_axes``.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.HeUniform(seed=1)((4, 2)).shape
        (4, 2)
    """

    _fixed = (2.0, "fan_in", "uniform")


class HeNormal(_Named):
    """Truncated normal with variance 2 / fan_in, for ReLU and its relatives (He et al., 2015).

    Args:
        seed: an integer for the same values at every call, a `random.SeedGenerator` or None for new
            ones.
        input_axes: see `VarianceScaling`, as ``output_axes``.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.HeNormal(seed=1)((4, 2)).shape
        (4, 2)
    """

    _fixed = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Named):
    """Uniform on +-sqrt(3 / fan_in) (LeCun et al., 1998).

    Args:
        seed: an integer for the same values at every call, a `random.SeedGenerator` or None for new
            ones.
        input_axes: see `VarianceScaling`, as ``output_axes``.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.LecunUniform(seed=1)((4, 2)).shape
        (4, 2)
    """

    _fixed = (1.0, "fan_in", "uniform")


class LecunNormal(_Named):
    """Truncated normal with variance 1 / fan_in, for SELU (LeCun et al., 1998).

    Args:
        seed: an integer for the same values at every call, a `random.SeedGenerator` or None for new
            ones.
        input_axes: see `VarianceScaling`, as ``output_axes``.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.LecunNormal(seed=1)((4, 2)).shape
        (4, 2)
    """

    _fixed = (1.0, "fan_in", "truncated_normal")
