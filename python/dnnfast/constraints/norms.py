"""Bounds on the lengths of vectors in a weight, and on its sign."""

from __future__ import annotations

from typing import Any

from dnnfast import checks, ops
from dnnfast.config import settings
from dnnfast.constraints.base import Constraint

Axis = int | tuple[int, ...] | list[int] | None


def _lengths(w: Any, axis: Axis) -> Any:
    axes = tuple(axis) if isinstance(axis, list) else axis
    return ops.sqrt(ops.sum(ops.square(w), axis=axes, keepdims=True))


def _scaled(w: Any, lengths: Any, wanted: Any) -> Any:
    return ops.multiply(w, ops.divide(wanted, ops.add(lengths, settings.epsilon())))


class MaxNorm(Constraint):
    """Bounds the length of each vector along some axes.

    Args:
        max_value: the largest length, at least 0. Default 2.
        axis: an axis or several, along which a vector lies. Default 0: in a kernel of shape
            (inputs, units) all weights into one unit.

    Raises:
        ValueError: if ``max_value`` is negative or no number.

    Formula: ``w * min(|w|, max_value) / (|w| + epsilon)`` with ``config.epsilon()``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.constraints.MaxNorm(1.0)([[3.0], [4.0]]).round(4))
        [[0.6]
         [0.8]]
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        checks.number("MaxNorm", "max_value", max_value, least=0.0)
        self.max_value, self.axis = max_value, axis

    def __call__(self, w: Any) -> Any:
        """Return the allowed weight for an array, a variable or a symbolic tensor."""
        w = ops.convert_to_tensor(w)
        lengths = _lengths(w, self.axis)
        return _scaled(w, lengths, ops.clip(lengths, 0, self.max_value))


class NonNeg(Constraint):
    """Sets negative weights to zero.

    Formula: ``max(w, 0)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.constraints.NonNeg()([-1.0, 2.0]))
        [0. 2.]
    """

    def __call__(self, w: Any) -> Any:
        """Return the allowed weight for an array, a variable or a symbolic tensor."""
        return ops.maximum(ops.convert_to_tensor(w), 0)


class UnitNorm(Constraint):
    """Gives each vector along some axes the length 1.

    Args:
        axis: an axis or several, along which a vector lies. Default 0.

    Formula: ``w / (|w| + epsilon)`` with ``config.epsilon()``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.constraints.UnitNorm()([[3.0], [4.0]]).round(4))
        [[0.6]
         [0.8]]
    """

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """Return the allowed weight for an array, a variable or a symbolic tensor."""
        w = ops.convert_to_tensor(w)
        return ops.divide(w, ops.add(_lengths(w, self.axis), settings.epsilon()))


class MinMaxNorm(Constraint):
    """Bounds the length of each vector along some axes on both sides.

    Args:
        min_value: the smallest length, at least 0. Default 0.
        max_value: the largest length, at least 0. Default 1.
        rate: the share of the way to the bound that one step goes, in [0, 1]. Default 1.
        axis: an axis or several, along which a vector lies. Default 0.

    Raises:
        ValueError: if one of the numbers is out of range.

    Formula: ``w * (rate * clip(|w|, min_value, max_value) + (1 - rate) * |w|) / (|w| + epsilon)``
    with ``config.epsilon()``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.constraints.MinMaxNorm(rate=0.5)([[3.0], [4.0]]).round(4))
        [[1.8]
         [2.4]]
    """

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0
    ) -> None:
        checks.number("MinMaxNorm", "min_value", min_value, least=0.0)
        checks.number("MinMaxNorm", "max_value", max_value, least=0.0)
        if checks.number("MinMaxNorm", "rate", rate, least=0.0) > 1:
            raise ValueError(f"MinMaxNorm: rate must be in [0, 1], got {rate!r}.")
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w: Any) -> Any:
        """Return the allowed weight for an array, a variable or a symbolic tensor."""
        w = ops.convert_to_tensor(w)
        lengths = _lengths(w, self.axis)
        bounded = ops.clip(lengths, self.min_value, self.max_value)
        wanted = ops.add(ops.multiply(bounded, self.rate), ops.multiply(lengths, 1 - self.rate))
        return _scaled(w, lengths, wanted)
