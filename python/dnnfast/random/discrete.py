"""Integers, choices and orders at random."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from dnnfast.checks import known_shape, number
from dnnfast.random import distributions, recorded
from dnnfast.random.arguments import check_broadcast, float_dtype, int_dtype, real
from dnnfast.random.recorded import recorded_by
from dnnfast.random.seed import generator


@recorded_by(recorded.randint)
def randint(
    shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None
) -> np.ndarray:
    """Return integers from [minval, maxval), all equally likely.

    Args:
        shape: of the result.
        minval: the smallest: a number, or an array that broadcasts to the shape.
        maxval: above the largest, above ``minval``.
        dtype: an integer type, default int32.
        seed: an integer for the same values at every call, a `SeedGenerator` for new ones from its
            state, or None for new ones from the global seed.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> sorted(set(dnnfast.random.randint((99,), 1, 4, seed=1).tolist()))
        [1, 2, 3]
    """
    name = int_dtype("randint", dtype)
    shape = known_shape("randint", shape)
    low = _whole("minval", minval, np.iinfo(name).max, name)
    high = _whole("maxval", maxval, np.iinfo(name).max + 1, name)
    check_broadcast("randint", shape, minval=low, maxval=high)
    if np.any(np.asarray(low) >= np.asarray(high)):
        raise ValueError(
            f"randint: minval must be below maxval, got minval={minval!r}, maxval={maxval!r}."
        )
    return distributions.randint(generator(seed), shape, low, high, name)


def _whole(what: str, value: Any, last: int, dtype: str) -> Any:
    """Return an end of `randint`'s range as integers; fractions are cut off."""
    first = np.iinfo(dtype).min
    expected = f"in [{first}, {last}] for {dtype}"
    held = real("randint", what, value, expected, lambda v: (v >= first) & (v <= last))
    return held if np.asarray(held).dtype.kind in "iu" else np.trunc(held)


@recorded_by(recorded.categorical)
def categorical(
    logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None
) -> np.ndarray:
    """Return class numbers ``[rows, num_samples]`` drawn with the probabilities of each row.

    Args:
        logits: ``[rows, classes]``, logarithms of probabilities up to a constant; minus infinity
            for a class that is never drawn.
        num_samples: samples of each row, at least 0.
        dtype: an integer type, default int32.
        seed: as in `randint`.

    Raises:
        ValueError: if ``logits`` is not such a matrix, or the number is negative.

    Example:
        >>> import dnnfast, numpy
        >>> dnnfast.random.categorical(numpy.log([[0.25, 0.75]]), 4).shape
        (1, 4)
    """
    name = int_dtype("categorical", dtype)
    values = np.asarray(logits, np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError(
            f"categorical: logits must have the shape (rows, classes), got {values.shape}."
        )
    if not (values.max(axis=1) < np.inf).all() or not np.isfinite(values.max(axis=1)).all():
        raise ValueError(
            "categorical: logits must be numbers below infinity, with a finite one in each row."
        )
    (count,) = known_shape("categorical: num_samples", operator.index(num_samples))
    return distributions.categorical(generator(seed), values, count).astype(name)


@recorded_by(recorded.not_recorded("binomial"))
def binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> np.ndarray:
    """Return the numbers of successes in ``counts`` trials.

    Args:
        shape: of the result.
        counts: whole numbers of at least 0: a number, or an array that broadcasts to the shape.
        probabilities: of success, in [0, 1], as ``counts``.
        dtype: a floating-point type, default float32.
        seed: as in `randint`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> dnnfast.random.binomial((2,), counts=[0, 5], probabilities=1.0).tolist()
        [0.0, 5.0]
    """
    name, _ = float_dtype("binomial", dtype)
    shape = known_shape("binomial", shape)
    counts = real("binomial", "counts", counts, "whole and at least 0",
                  lambda v: (v >= 0) & (v == np.trunc(v)) & (v < 2.0**63))  # fmt: skip
    shares = real("binomial", "probabilities", probabilities, "in [0, 1]",
                  lambda v: (v >= 0) & (v <= 1))  # fmt: skip
    check_broadcast("binomial", shape, counts=counts, probabilities=shares)
    return distributions.binomial(generator(seed), shape, counts, shares).astype(name)


@recorded_by(recorded.not_recorded("shuffle"))
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> np.ndarray:
    """Return an array with the slices along an axis in a new order; each slice stays whole.

    Args:
        x: an array.
        axis: default 0.
        seed: as in `randint`.

    Raises:
        ValueError: if the array lacks the axis.

    Example:
        >>> import dnnfast
        >>> sorted(dnnfast.random.shuffle([3, 1, 2]).tolist())
        [1, 2, 3]
    """
    array = np.asarray(x)
    if not -array.ndim <= operator.index(axis) < array.ndim:
        raise ValueError(f"shuffle: an array of shape {array.shape} has no axis {axis!r}.")
    return np.asarray(generator(seed).permutation(array, axis))


@recorded_by(recorded.dropout)
def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> np.ndarray:
    """Return inputs of which a random share is set to zero, and the others scaled up.

    Args:
        inputs: an array; integers are taken as float32.
        rate: the share, in [0, 1].
        noise_shape: shape of the mask, which broadcasts to the inputs: 1 for an axis along which
            all are dropped together, None for the size of the inputs. Default that of the inputs.
        seed: as in `randint`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``x / (1 - rate)`` where kept, else 0.

    Example:
        >>> import dnnfast, numpy
        >>> set(dnnfast.random.dropout(numpy.ones(99), 0.5, seed=1).tolist())
        {0.0, 2.0}
    """
    array = np.asarray(inputs)
    if array.dtype.kind != "f":
        array = array.astype(np.float32)
    rate = number("dropout", "rate", rate, 0.0)
    if rate > 1:
        raise ValueError(f"dropout: rate must be in [0, 1], got {rate!r}.")
    shape = array.shape
    if noise_shape is not None:
        if len(noise_shape) != array.ndim:
            raise ValueError(
                f"dropout: noise_shape must have {array.ndim} axes as the inputs, got "
                f"{noise_shape!r}."
            )
        sizes = zip(noise_shape, array.shape, strict=True)
        shape = known_shape("dropout: noise_shape", [own if n is None else n for n, own in sizes])
        if any(n not in (1, own) for n, own in zip(shape, array.shape, strict=True)):
            raise ValueError(
                f"dropout: noise_shape {tuple(noise_shape)} does not broadcast to inputs of shape "
                f"{array.shape}."
            )
    if rate == 1:
        return np.zeros_like(array)
    return array.copy() if rate == 0 else distributions.dropout(generator(seed), array, rate, shape)
