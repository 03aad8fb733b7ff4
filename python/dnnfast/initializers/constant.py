"""Initializers without randomness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

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

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> np.ndarray:
        return np.zeros(shape, np.float32)


class Ones(Initializer):
    """Ones.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.Ones()((2,)).tolist()
        [1.0, 1.0]
    """

    def __init__(self) -> None:
        pass

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> np.ndarray:
        return np.ones(shape, np.float32)


class Constant(Initializer):
    """One value everywhere, or a given array.

    Args:
        value: a number, or an array that broadcasts to the shape. Default 0.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.Constant(0.5)((2,)).tolist()
        [0.5, 0.5]
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> np.ndarray:
        return np.broadcast_to(np.asarray(self.value, np.float32), tuple(shape)).copy()


class Identity(Initializer):
    """A multiple of the identity matrix, for square or rectangular matrices.

    Args:
        gain: the factor. Default 1.

    Raises:
        ValueError: when called for a shape that is not a matrix.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.Identity()((2, 2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> np.ndarray:
        if len(shape) != 2:
            raise ValueError(f"Identity: expected the shape of a matrix, got {tuple(shape)}.")
        return (self.gain * np.eye(shape[0], shape[1])).astype(np.float32)
