"""Samples as NumPy arrays: one small function for each distribution, arguments checked by others.

Floating-point samples are drawn as float32, or as float64 for a ``dtype`` of that name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Shape = tuple[int, ...]


def scaled(values: np.ndarray, scale: Any, shift: Any = 0.0) -> np.ndarray:
    """Return ``values * scale + shift`` in their own memory: large layers are drawn only once."""
    values *= np.asarray(scale, values.dtype)
    if np.any(shift):
        values += np.asarray(shift, values.dtype)
    return values


def uniform(
    generator: np.random.Generator, shape: Shape, low: Any, high: Any, dtype: Any = np.float32
) -> np.ndarray:
    """Return samples from [low, high)."""
    values = np.asarray(generator.random(shape, dtype=dtype))
    ends = np.asarray(low, values.dtype), np.asarray(high, values.dtype)
    values = scaled(values, ends[1] - ends[0], ends[0])
    # Rounding may have reached the upper end.
    last = np.maximum(np.nextafter(ends[1], ends[0]), ends[0])
    return np.minimum(values, last, out=values)


def normal(
    generator: np.random.Generator, shape: Shape, mean: Any, stddev: Any, dtype: Any = np.float32
) -> np.ndarray:
    """Return samples of a normal distribution."""
    values = np.asarray(generator.standard_normal(shape, dtype=dtype))
    return scaled(values, stddev, mean)


def truncated_normal(
    generator: np.random.Generator, shape: Shape, mean: Any, stddev: Any, dtype: Any = np.float32
) -> np.ndarray:
    """Return normal samples; those beyond two standard deviations are drawn again."""
    values = np.asarray(generator.standard_normal(shape, dtype=dtype))
    flat = values.reshape(-1)
    outside = np.flatnonzero((flat > 2.0) | (flat < -2.0))
    while outside.size:
        again = generator.standard_normal(outside.size, dtype=dtype)
        flat[outside] = again
        outside = outside[np.abs(again) > 2.0]
    return scaled(values, stddev, mean)


def gamma(generator: np.random.Generator, shape: Shape, alpha: Any) -> np.ndarray:
    """Return samples of a gamma distribution of rate 1."""
    return np.asarray(generator.standard_gamma(np.asarray(alpha, np.float64), shape))


def beta(generator: np.random.Generator, shape: Shape, alpha: Any, beta: Any) -> np.ndarray:
    """Return samples of a beta distribution."""
    return np.asarray(generator.beta(alpha, beta, shape))


def randint(
    generator: np.random.Generator, shape: Shape, low: Any, high: Any, dtype: str
) -> np.ndarray:
    """Return integers from [low, high)."""
    return np.asarray(generator.integers(low, high, shape, dtype=np.dtype(dtype)))


def binomial(
    generator: np.random.Generator, shape: Shape, counts: Any, probabilities: Any
) -> np.ndarray:
    """Return numbers of successes."""
    whole = np.asarray(counts).astype(np.int64)
    return np.asarray(generator.binomial(whole, probabilities, shape))


def categorical(generator: np.random.Generator, logits: np.ndarray, samples: int) -> np.ndarray:
    """Return class numbers ``[rows, samples]`` for unnormalized log-probabilities."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    cumulated = np.cumsum(shifted, axis=1)
    # Divided by themselves the last ones are exactly 1, and samples are below it.
    cumulated /= cumulated[:, -1:]
    drawn = generator.random((len(logits), samples))
    rows = [np.searchsorted(c, u, side="right") for c, u in zip(cumulated, drawn, strict=True)]
    return np.asarray(rows, np.int64).reshape(len(logits), samples)


def dropout(
    generator: np.random.Generator, inputs: np.ndarray, rate: float, noise_shape: Shape
) -> np.ndarray:
    """Return inputs of which a share is set to zero, and the others scaled up."""
    kept = generator.random(noise_shape, dtype=np.float32) >= rate
    scale = np.asarray(1.0 / (1.0 - rate), inputs.dtype)
    return np.where(kept, inputs * scale, np.zeros((), inputs.dtype))
