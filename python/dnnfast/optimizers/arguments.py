"""Checks of the arguments of optimizers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast.optimizers.scalar import Scalar


def _of(cls: Any) -> str:
    return cls if isinstance(cls, str) else type(cls).__name__


def number(cls: Any, name: str, value: Any, low: float = 0.0, high: float = math.inf) -> float:
    """Return a finite number in [low, high].

    Args:
        cls: the optimizer, or its name, for the message.
        name: of the argument.
        value: what was given.
        low: least value.
        high: largest value.

    Raises:
        ValueError: if it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number, Scalar)):
        raise ValueError(f"{_of(cls)}: {name} must be a number, got {value!r}.")
    if not (low <= float(value) <= high and math.isfinite(value)):
        limit = f"in [{low:g}, {high:g}]" if math.isfinite(high) else f"finite, at least {low:g}"
        raise ValueError(f"{_of(cls)}: {name} must be {limit}, got {value!r}.")
    return float(value)


def positive(cls: Any, name: str, value: Any) -> float:
    """Return a finite number above 0; raises ValueError for others."""
    if number(cls, name, value) == 0.0:
        raise ValueError(f"{_of(cls)}: {name} must be above 0, got {value!r}.")
    return float(value)


def nonpositive(cls: Any, name: str, value: Any) -> float:
    """Return a finite number that is at most 0; raises ValueError for others."""
    if number(cls, name, value, -math.inf) > 0.0:
        raise ValueError(f"{_of(cls)}: {name} must be at most 0, got {value!r}.")
    return float(value)


def fraction(cls: Any, name: str, value: Any) -> float:
    """Return a number in [0, 1); raises ValueError for others."""
    if number(cls, name, value, 0.0, 1.0) == 1.0:
        raise ValueError(f"{_of(cls)}: {name} must be in [0, 1), got {value!r}.")
    return float(value)


def count(cls: Any, name: str, value: Any, least: int) -> int:
    """Return an integer that is large enough; raises ValueError for others."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{_of(cls)}: {name} must be an integer >= {least}, got {value!r}.")
    return int(value)
