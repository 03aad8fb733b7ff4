"""Functions that NumPy lacks: the error function, its complement and inverse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_erf = np.vectorize(math.erf, otypes=[np.float64])
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def erf(x: Any) -> np.ndarray:
    """Return the error function, in float64."""
    return np.asarray(_erf(x))


def erfc(x: Any) -> np.ndarray:
    """Return 1 - erf(x) without cancellation, in float64."""
    return np.asarray(_erfc(x))


def erfinv(x: Any) -> np.ndarray:
    """Return the inverse of the error function, in float64.

    Three Newton steps on log(erfc) from the approximation of Winitzki (2008).
    """
    x = np.asarray(x, np.float64)
    inside = np.abs(x) < 1.0
    t = np.where(inside, np.abs(x), 0.5)
    a = 0.147
    u = np.log1p(-t * t)
    v = 2.0 / (math.pi * a) + 0.5 * u
    y = np.sqrt(np.sqrt(v * v - u / a) - v)
    for _ in range(3):
        tail = erfc(y)
        # log keeps its precision where erfc is tiny; its slope is -2 exp(-y^2) / (sqrt(pi) erfc).
        slope = -2.0 / math.sqrt(math.pi) * np.exp(-y * y) / tail
        y = y - (np.log(tail) - np.log1p(-t)) / slope
    outside = np.where(np.abs(x) == 1.0, np.inf, np.nan)
    return np.copysign(np.where(inside, y, outside), x)
