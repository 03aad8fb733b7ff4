"""Element-wise activations."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.kernels.device import native as _native

Array = NDArray[np.float32]


def activation_forward(x: ArrayLike, kind: str, alpha: float = 0.0, beta: float = 0.0) -> Array:
    """Return ``f(x)``.

    Args:
        x: ``(rows, columns)``.
        kind: name of the activation; the formulas are those of `dnnfast.reference`.
        alpha: its first parameter, where it has one.
        beta: its second parameter, where it has one.

    Raises:
        ValueError: if the name is unknown or x is not a matrix.

    Example:

    >>> activation_forward([[-1.0, 2.0]], "relu")
    array([[0., 2.]], dtype=float32)
    """
    return _native.activation_forward(x, kind, alpha, beta)


def activation_backward(
    x: ArrayLike, dy: ArrayLike, kind: str, alpha: float = 0.0, beta: float = 0.0
) -> Array:
    """Return ``dy f'(x)``.

    Args:
        x: ``(rows, columns)``, the activation's input.
        dy: gradient of its output, of the same shape.
        kind: as in `activation_forward`; also ``alpha`` and ``beta``.
        alpha: as in `activation_forward`.
        beta: as in `activation_forward`.

    Raises:
        ValueError: if the name is unknown or a shape does not fit.

    Example:

    >>> activation_backward([[-1.0, 2.0]], [[5.0, 5.0]], "relu")
    array([[0., 5.]], dtype=float32)
    """
    return _native.activation_backward(x, dy, kind, alpha, beta)
