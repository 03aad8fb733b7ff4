"""Mean and spread of a prediction over stochastic passes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def sample_moments(x: ArrayLike) -> tuple[Array, Array]:
    """Return mean and standard deviation over passes, element by element.

    Args:
        x: ``[passes, rows, columns]``, at least one pass.

    Raises:
        ValueError: if x has no such shape.

    Formula: ``mean = sum(x) / passes``, ``deviation = sqrt(sum((x - mean)^2) / passes)``, that of
    the population as in `numpy.std`; Gal and Ghahramani, "Dropout as a Bayesian Approximation"
    (ICML 2016), section 4, takes both over passes with dropout.

    Example:

    >>> mean, deviation = sample_moments([[[1.0, 5.0]], [[3.0, 5.0]]])
    >>> mean.tolist(), deviation.tolist()
    ([[2.0, 5.0]], [[1.0, 0.0]])
    """
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 3 or x.size == 0:
        raise ValueError(f"x has shape {x.shape}; expected (passes, rows, columns), none of them 0")
    # About the first pass, so that equal passes have no deviation at all.
    shift = np.where(np.isfinite(x[0]), x[0], 0.0)
    with np.errstate(invalid="ignore"):
        return shift + (x - shift).mean(axis=0), (x - shift).std(axis=0)
