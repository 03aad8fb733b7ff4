"""Penalties by the absolute values and the squares of weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast import ops
from dnnfast.configurable import Configurable


def checked_factor(cls: str, name: str, value: Any) -> float:
    """Return a factor of a penalty, or raise."""
    error = ValueError(f"{cls}: {name} must be a number of at least 0, got {value!r}.")
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise error
    if not math.isfinite(value) or value < 0:
        raise error
    return float(value)


class Regularizer(Configurable):
    """The base class of penalties on weights and on outputs of layers.

    Subclass it and define ``__call__(self, x)`` with functions of `dnnfast.ops`, so that it works
    on arrays and in training. What it returns, one number, is added to the loss.

    Example:
        >>> import dnnfast as keras
        >>> class Largest(keras.regularizers.Regularizer):
        ...     def __call__(self, x):
        ...         return 0.1 * keras.ops.max(keras.ops.abs(x))
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(
        ...     2, kernel_regularizer=Largest())])
    """

    def __call__(self, x: Any) -> Any:
        """Return the penalty of an array, a variable or a symbolic tensor; here 0."""
        return 0.0


class L1(Regularizer):
    """The penalty ``l1 * sum|w|``.

    Args:
        l1: at least 0, default 0.01.

    Raises:
        ValueError: if it is negative or not a number.

    Example:
        >>> import dnnfast
        >>> float(dnnfast.regularizers.L1(0.5)([1.0, -2.0]))
        1.5
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = checked_factor("L1", "l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> Any:
        """Return the penalty of an array, a variable or a symbolic tensor."""
        return ops.multiply(self.l1, ops.sum(ops.absolute(x)))


class L2(Regularizer):
    """The penalty ``l2 * sum w^2``.

    Args:
        l2: at least 0, default 0.01.

    Raises:
        ValueError: if it is negative or not a number.

    Example:
        >>> import dnnfast
        >>> float(dnnfast.regularizers.L2(0.5)([1.0, -2.0]))
        2.5
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = checked_factor("L2", "l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        """Return the penalty of an array, a variable or a symbolic tensor."""
        return ops.multiply(self.l2, ops.sum(ops.square(x)))


class L1L2(Regularizer):
    """The penalty ``l1 * sum|w| + l2 * sum w^2``.

    Args:
        l1: at least 0, default 0.
        l2: at least 0, default 0.

    Raises:
        ValueError: if one is negative or not a number.

    Example:
        >>> import dnnfast
        >>> float(dnnfast.regularizers.L1L2(0.5, 0.5)([1.0, -2.0]))
        4.0
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = checked_factor("L1L2", "l1", 0.0 if l1 is None else l1)
        self.l2 = checked_factor("L1L2", "l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> Any:
        """Return the penalty of an array, a variable or a symbolic tensor."""
        total: Any = 0.0
        if self.l1:
            total = ops.multiply(self.l1, ops.sum(ops.absolute(x)))
        if self.l2:
            total = ops.add(total, ops.multiply(self.l2, ops.sum(ops.square(x))))
        return total
