"""The base class of initializers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import checks, dtypes
from dnnfast.configurable import Configurable


class Initializer(Configurable):
    """A callable of ``(shape, dtype)`` that gives initial values; subclass it and define it.

    Example:
        >>> import dnnfast, numpy
        >>> class Halves(dnnfast.initializers.Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return numpy.full(shape, 0.5)
        >>> Halves()((2,)).tolist()
        [0.5, 0.5]
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """Return an array of the given shape."""
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(shape, dtype).")

    def clone(self) -> Initializer:
        """Return an initializer with the same arguments."""
        clone: Initializer = type(self).from_config(self.get_config())
        return clone

    # For the subclasses here.

    def _shape(self, shape: Any) -> tuple[int, ...]:
        return checks.known_shape(type(self).__name__, shape)

    def _typed(self, values: np.ndarray, dtype: Any) -> np.ndarray:
        return values.astype(dtypes.numpy_dtype(dtype, type(self).__name__), copy=False)
