"""Windows of signals; on arrays only."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.ops.values import array, unsupported


def _window(name: str, function: Any, x: Any, *more: float) -> np.ndarray:
    if symbolic.is_symbolic(x):
        raise unsupported(name, "Its result has a size that depends on the value.")
    return np.asarray(function(int(array(x)), *more)).astype(np.float32)


def bartlett(x: Any) -> Any:
    """Triangular window.

    Args:
        x: number of points.

    Raises:
        NotImplementedError: for a symbolic tensor.

    Formula: ``1 - |2 n / (x - 1) - 1|``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.bartlett(3))
        [0. 1. 0.]
    """
    return _window("bartlett", np.bartlett, x)


def blackman(x: Any) -> Any:
    """Blackman's window.

    Args:
        x: number of points.

    Raises:
        NotImplementedError: for a symbolic tensor.

    Formula: ``0.42 - 0.5 cos(2 pi n / (x - 1)) + 0.08 cos(4 pi n / (x - 1))``

    Example:
        >>> import dnnfast
        >>> print(abs(dnnfast.ops.blackman(3)).round(3))
        [0. 1. 0.]
    """
    return _window("blackman", np.blackman, x)


def hamming(x: Any) -> Any:
    """Hamming's window.

    Args:
        x: number of points.

    Raises:
        NotImplementedError: for a symbolic tensor.

    Formula: ``0.54 - 0.46 cos(2 pi n / (x - 1))``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.hamming(3).round(3))
        [0.08 1.   0.08]
    """
    return _window("hamming", np.hamming, x)


def hanning(x: Any) -> Any:
    """Hann's window.

    Args:
        x: number of points.

    Raises:
        NotImplementedError: for a symbolic tensor.

    Formula: ``0.5 - 0.5 cos(2 pi n / (x - 1))``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.hanning(3).round(3))
        [0. 1. 0.]
    """
    return _window("hanning", np.hanning, x)


def kaiser(x: Any, beta: float) -> Any:
    """Kaiser's window.

    Args:
        x: number of points.
        beta: shape: 0 is a rectangle.

    Raises:
        NotImplementedError: for a symbolic tensor.

    Formula: ``I0(beta sqrt(1 - (2 n / (x - 1) - 1)^2)) / I0(beta)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.kaiser(3, 0.0))
        [1. 1. 1.]
    """
    return _window("kaiser", np.kaiser, x, float(np.asarray(beta)))
