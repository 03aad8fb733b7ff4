"""Penalties by the absolute values and the squares of weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast.configurable import Configurable


def _factor(cls: str, name: str, value: Any) -> float:
    number = 0.0 if value is None else value
    if isinstance(number, bool) or not isinstance(number, (int, float, np.number)):
        raise ValueError(f"{cls}: {name} must be a number of at least 0, got {value!r}.")
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{cls}: {name} must be a number of at least 0, got {value!r}.")
    return float(number)


class Regularizer(Configurable):
    """The base class: a penalty ``l1 * sum|w| + l2 * sum w^2``; each subclass sets one or both.

    Example:
        >>> import dnnfast
        >>> isinstance(dnnfast.regularizers.L2(), dnnfast.regularizers.Regularizer)
        True
    """

    l1 = 0.0
    l2 = 0.0

    def __call__(self, x: Any) -> float:
        """Return the penalty of an array."""
        w = np.asarray(x, np.float64)
        return float(self.l1 * np.abs(w).sum() + self.l2 * np.square(w).sum())


class L1(Regularizer):
    """The penalty ``l1 * sum|w|``.

    Args:
        l1: at least 0, default 0.01.

    Raises:
        ValueError: if it is negative or not a number.

    Example:
        >>> import dnnfast
        >>> dnnfast.regularizers.L1(0.5)([1.0, -2.0])
        1.5
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor("L1", "l1", l1)


class L2(Regularizer):
    """The penalty ``l2 * sum w^2``.

    Args:
        l2: at least 0, default 0.01.

    Raises:
        ValueError: if it is negative or not a number.

    Example:
        >>> import dnnfast
        >>> dnnfast.regularizers.L2(0.5)([1.0, -2.0])
        2.5
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("L2", "l2", l2)


class L1L2(Regularizer):
    """The penalty ``l1 * sum|w| + l2 * sum w^2``.

    Args:
        l1: at least 0, default 0.
        l2: at least 0, default 0.

    Raises:
        ValueError: if one is negative or not a number.

    Example:
        >>> import dnnfast
        >>> dnnfast.regularizers.L1L2(0.5, 0.5)([1.0, -2.0])
        4.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _factor("L1L2", "l1", l1)
        self.l2 = _factor("L1L2", "l2", l2)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Return ``L1L2(l1, l2)``; here both default to 0.01.

    Example:
        >>> import dnnfast
        >>> dnnfast.regularizers.l1_l2()
        L1L2(l1=0.01, l2=0.01)
    """
    return L1L2(l1, l2)
