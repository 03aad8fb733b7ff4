"""Mean and spread of a prediction over stochastic passes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.kernels.device import native as _native

Array = NDArray[np.float32]


def sample_moments(x: ArrayLike) -> tuple[Array, Array]:
    """Return mean and standard deviation over passes, element by element.

    Args:
        x: ``(passes, rows, columns)``, at least one pass.

    Raises:
        ValueError: if x has no such shape.

    Formula: ``mean = sum(x) / passes``, ``deviation = sqrt(sum((x - mean)^2) / passes)``, that of
    the population as in `numpy.std`; the kernel adds one pass at a time, in double precision.

    Example:

    >>> mean, deviation = sample_moments([[[1.0, 5.0]], [[3.0, 5.0]]])
    >>> mean.tolist(), deviation.tolist()
    ([[2.0, 5.0]], [[1.0, 0.0]])
    """
    x = np.asarray(x, dtype=np.float32)
    if x.ndim != 3 or x.size == 0:
        raise ValueError(f"x has shape {x.shape}; expected (passes, rows, columns), none of them 0")
    mean, deviation = _native.sample_moments(x.reshape(-1, x.shape[2]), x.shape[0])
    return mean, deviation
