"""Initializers without randomness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import checks
from dnnfast.initializers.base import Initializer


class Zeros(Initializer):
    """Zeros.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.Zeros()((2,)).tolist()
        [0.0, 0.0]
    """

    def __init__(self) -> None:
        pass

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        return self._typed(np.zeros(self._shape(shape), np.float32), dtype)


class Ones(Initializer):
    """Ones.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.Ones()((2,)).tolist()
        [1.0, 1.0]
    """

    def __init__(self) -> None:
        pass

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        return self._typed(np.ones(self._shape(shape), np.float32), dtype)


class Constant(Initializer):
    """One value everywhere, or a given array.

    Args:
        value: a number, or an array that broadcasts to the shape. Default 0.

    Raises:
        ValueError: if it is not numeric or holds NaN; when called, if it does not broadcast to the
            shape.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.Constant(0.5)((2,)).tolist()
        [0.5, 0.5]
    """

    def __init__(self, value: Any = 0.0) -> None:
        try:
            numbers = np.asarray(value)
            valid = numbers.dtype.kind in "biuf" and not np.isnan(numbers).any()
        except (TypeError, ValueError):
            valid = False
        if not valid:
            raise ValueError(
                f"Constant: value must be a number or an array of numbers, got {value!r}."
            )
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        sizes = self._shape(shape)
        value = self._typed(np.asarray(self.value), dtype)
        try:
            return np.broadcast_to(value, sizes).copy()
        except ValueError:
            raise ValueError(
                f"Constant: a value of shape {value.shape} does not broadcast to the weight's "
                f"shape {sizes}."
            ) from None


class Given(Constant):
    """An array of exactly the weight's shape, as `get` makes it of one."""

    _serialized_class_name = "Constant"

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        if self._shape(shape) != np.shape(self.value):
            raise ValueError(
                f"initializer: the given array has shape {np.shape(self.value)}, expected that of "
                f"the weight, {tuple(shape)}."
            )
        return super().__call__(shape, dtype)


class Identity(Initializer):
    """A multiple of the identity matrix, for square or rectangular matrices.

    Args:
        gain: the factor. Default 1.

    Raises:
        ValueError: if the gain is no finite number; when called for a shape that is not a matrix.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.Identity()((2, 2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = checks.number("Identity", "gain", gain)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        sizes = self._shape(shape)
        if len(sizes) != 2:
            raise ValueError(f"Identity: expected the shape of a matrix, got {sizes}.")
        return self._typed(self.gain * np.eye(*sizes), dtype)
