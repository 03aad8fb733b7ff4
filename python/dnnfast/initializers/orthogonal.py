"""Orthogonal matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import random
from dnnfast.initializers.base import Initializer


class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns, times a gain.

    Args:
        gain: the factor. Default 1.
        seed: an integer for the same values at every call; None for new ones.

    Raises:
        ValueError: when called for a shape with fewer than two axes.

    Formula: Q of the QR decomposition of a normal matrix, signs fixed by the diagonal of R
    (Saxe et al., 2014).

    Example:
        >>> import dnnfast, numpy
        >>> q = dnnfast.initializers.Orthogonal(seed=1)((3, 3))
        >>> bool(numpy.allclose(q @ q.T, numpy.eye(3), atol=1e-6))
        True
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain, self.seed = gain, seed

    def __call__(self, shape: Sequence[int], dtype: Any = None, **kwargs: Any) -> np.ndarray:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: expected at least two axes, got shape {tuple(shape)}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        square = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(random.generator(self.seed).standard_normal(square))
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        q = q.T if rows < columns else q
        return (self.gain * q.reshape(tuple(shape))).astype(np.float32)
