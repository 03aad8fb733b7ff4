"""Real numbers at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.checks import known_shape
from dnnfast.random import distributions, recorded
from dnnfast.random.arguments import check_broadcast, finite, float_dtype, non_negative, positive
from dnnfast.random.recorded import recorded_by
from dnnfast.random.seed import generator


@recorded_by(recorded.normal)
def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> np.ndarray:
    """Return samples of a normal distribution.

    Args:
        shape: of the result.
        mean: a number, or an array that broadcasts to the shape. Default 0.
        stddev: standard deviation, at least 0, as ``mean``. Default 1.
        dtype: a floating-point type, default float32.
        seed: an integer for the same values at every call, a `SeedGenerator` for new ones from its
            state, or None for new ones from the global seed.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> dnnfast.random.normal((2, 3), seed=1).shape
        (2, 3)
    """
    name, drawn = float_dtype("normal", dtype)
    shape = known_shape("normal", shape)
    mean, stddev = finite("normal", "mean", mean), non_negative("normal", "stddev", stddev)
    check_broadcast("normal", shape, mean=mean, stddev=stddev)
    values = distributions.normal(generator(seed), shape, mean, stddev, drawn)
    return values.astype(name, copy=False)


@recorded_by(recorded.truncated_normal)
def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> np.ndarray:
    """Return samples of a normal distribution without values beyond two standard deviations.

    Args:
        shape: of the result.
        mean: a number, or an array that broadcasts to the shape. Default 0.
        stddev: standard deviation before truncation, at least 0, as ``mean``. Default 1; after it
            the standard deviation is 0.8796 of that.
        dtype: a floating-point type, default float32.
        seed: as in `normal`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> bool(abs(dnnfast.random.truncated_normal((99,))).max() <= 2)
        True
    """
    name, drawn = float_dtype("truncated_normal", dtype)
    shape = known_shape("truncated_normal", shape)
    mean = finite("truncated_normal", "mean", mean)
    stddev = non_negative("truncated_normal", "stddev", stddev)
    check_broadcast("truncated_normal", shape, mean=mean, stddev=stddev)
    values = distributions.truncated_normal(generator(seed), shape, mean, stddev, drawn)
    return values.astype(name, copy=False)


@recorded_by(recorded.uniform)
def uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> np.ndarray:
    """Return samples of a uniform distribution on [minval, maxval).

    Args:
        shape: of the result.
        minval: lower end: a number, or an array that broadcasts to the shape. Default 0.
        maxval: upper end, at least ``minval``. Default 1.
        dtype: a floating-point type, default float32.
        seed: as in `normal`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> samples = dnnfast.random.uniform((99,), -1.0, 1.0)
        >>> bool((samples >= -1).all() and (samples < 1).all())
        True
    """
    name, drawn = float_dtype("uniform", dtype)
    shape = known_shape("uniform", shape)
    minval, maxval = finite("uniform", "minval", minval), finite("uniform", "maxval", maxval)
    check_broadcast("uniform", shape, minval=minval, maxval=maxval)
    if np.any(np.asarray(minval) > np.asarray(maxval)):
        raise ValueError(
            f"uniform: minval must be at most maxval, got minval={minval!r}, maxval={maxval!r}."
        )
    values = distributions.uniform(generator(seed), shape, minval, maxval, drawn)
    return values.astype(name, copy=False)


@recorded_by(recorded.not_recorded("gamma"))
def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> np.ndarray:
    """Return samples of a gamma distribution of rate 1.

    Args:
        shape: of the result.
        alpha: above 0: a number, or an array that broadcasts to the shape.
        dtype: a floating-point type, default float32.
        seed: as in `normal`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: density ``x^(alpha - 1) exp(-x) / Gamma(alpha)``; mean and variance ``alpha``.

    Example:
        >>> import dnnfast
        >>> bool((dnnfast.random.gamma((9,), 2.0) > 0).all())
        True
    """
    name, _ = float_dtype("gamma", dtype)
    shape = known_shape("gamma", shape)
    alpha = positive("gamma", "alpha", alpha)
    check_broadcast("gamma", shape, alpha=alpha)
    return distributions.gamma(generator(seed), shape, alpha).astype(name)


@recorded_by(recorded.not_recorded("beta"))
def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> np.ndarray:
    """Return samples of a beta distribution.

    Args:
        shape: of the result.
        alpha: above 0: a number, or an array that broadcasts to the shape.
        beta: as ``alpha``.
        dtype: a floating-point type, default float32.
        seed: as in `normal`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: density proportional to ``x^(alpha - 1) (1 - x)^(beta - 1)`` on [0, 1].

    Example:
        >>> import dnnfast
        >>> samples = dnnfast.random.beta((9,), 1.0, 3.0)
        >>> bool((samples >= 0).all() and (samples <= 1).all())
        True
    """
    name, _ = float_dtype("beta", dtype)
    shape = known_shape("beta", shape)
    alpha, other = positive("beta", "alpha", alpha), positive("beta", "beta", beta)
    check_broadcast("beta", shape, alpha=alpha, beta=other)
    return distributions.beta(generator(seed), shape, alpha, other).astype(name)
