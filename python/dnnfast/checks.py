"""Checks of numbers and shapes given as arguments."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np


def number(
    where: str, name: str, value: Any, least: float = -math.inf, above: float | None = None
) -> float:
    """Return a finite number, or raise.

    Args:
        where: the class or function whose argument it is, for the message.
        name: the argument.
        value: what was given.
        least: the smallest number allowed.
        above: a number that the value must exceed.

    Raises:
        ValueError: if it is no finite number in that range.
    """
    if above is not None:
        expected = f"a number above {above:g}"
    else:
        expected = "a finite number" if least == -math.inf else f"a number of at least {least:g}"
    error = ValueError(f"{where}: {name} must be {expected}, got {value!r}.")
    if isinstance(value, (bool, np.bool_, str, bytes)) or value is None:
        raise error
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        raise error from None
    if not math.isfinite(result) or result < least or (above is not None and result <= above):
        raise error
    return result


def flag(where: str, name: str, value: Any) -> bool:
    """Return a truth value, or raise: a word such as "no" would count as true.

    Raises:
        ValueError: if it is neither a bool nor 0 or 1.
    """
    if isinstance(value, (bool, np.bool_)) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise ValueError(f"{where}: {name} must be True or False, got {value!r}.")


def known_shape(where: str, shape: Any) -> tuple[int, ...]:
    """Return a shape without unknown sizes; an int is a shape of one axis.

    Raises:
        ValueError: if it is no such shape.
    """
    sizes: tuple[int, ...]
    try:
        sizes = (operator.index(shape),)
    except TypeError:
        try:
            sizes = tuple(operator.index(size) for size in shape)
        except TypeError:
            sizes = (-1,)
    if any(size < 0 for size in sizes):
        raise ValueError(
            f"{where}: shape must be a tuple of known sizes of at least 0, got {shape!r}."
        )
    return sizes


def partial_shape(where: str, shape: Any) -> tuple[int | None, ...]:
    """Return a shape in which sizes may be None.

    Raises:
        ValueError: if it is no tuple or list of sizes of at least 0 and None.
    """
    try:
        sizes = tuple(None if size is None else operator.index(size) for size in shape)
    except TypeError:
        sizes = (-1,)
    if isinstance(shape, str) or any(size is not None and size < 0 for size in sizes):
        raise ValueError(
            f"{where}: a shape is a tuple of sizes of at least 0, or None where unknown; got "
            f"{shape!r}."
        )
    return sizes
