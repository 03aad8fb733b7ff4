"""Smooth activations."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import ops
from dnnfast.activations.apply import activation_op


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Exponential linear unit (Clevert et al., 2016).

    Args:
        x: an array or a symbolic tensor.
        alpha: minus the limit at minus infinity. Default 1.0.

    Formula: x where x > 0, else alpha * (exp(x) - 1)

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.elu([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "elu", alpha)


def selu(x: Any) -> Any:
    """Scaled exponential linear unit (Klambauer et al., 2017).

    Args:
        x: an array or a symbolic tensor.

    Formula: 1.0507 * (x where x > 0, else 1.6733 * (exp(x) - 1))

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.selu([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "selu")


def celu(x: Any, alpha: float = 1.0) -> Any:
    """Continuously differentiable exponential linear unit (Barron, 2017).

    Args:
        x: an array or a symbolic tensor.
        alpha: scale of the negative part. Default 1.0.

    Formula: max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.celu([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "celu", alpha)


def gelu(x: Any, approximate: bool = False) -> Any:
    """Gaussian error linear unit (Hendrycks and Gimpel, 2016).

    Args:
        x: an array or a symbolic tensor.
        approximate: use the tanh approximation. Default False.

    Formula: ``x * Phi(x)`` with the normal distribution function Phi.

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.gelu([[0.0]]).tolist()
        [[0.0]]
    """
    return activation_op(x, "gelu_tanh" if approximate else "gelu")


def silu(x: Any, beta: Any = 1.0) -> Any:
    """Sigmoid-weighted linear unit, also called swish (Ramachandran et al., 2017).

    Args:
        x: an array or a symbolic tensor.
        beta: factor inside the sigmoid: a number, or a weight of a layer, which is trained
            (`layers.Swish` has one). Default 1.

    Raises:
        ValueError: if it is neither.

    Formula: ``x * sigmoid(beta * x)``

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.silu([[0.0]]).tolist()
        [[0.0]]
    """
    if not hasattr(beta, "shape") or isinstance(beta, np.generic):
        return activation_op(x, "silu", beta)
    return ops.multiply(x, ops.sigmoid(ops.multiply(beta, x)))


swish = silu


def mish(x: Any) -> Any:
    """Mish (Misra, 2019).

    Args:
        x: an array or a symbolic tensor.

    Formula: x * tanh(softplus(x))

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.mish([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "mish")


def softplus(x: Any) -> Any:
    """Smooth rectifier.

    Args:
        x: an array or a symbolic tensor.

    Formula: log(1 + exp(x))

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.softplus([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "softplus")


def softsign(x: Any) -> Any:
    """Softsign.

    Args:
        x: an array or a symbolic tensor.

    Formula: x / (1 + abs(x))

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.softsign([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "softsign")


def squareplus(x: Any, b: float = 4.0) -> Any:
    """Smooth rectifier without exponentials (Barron, 2021).

    Args:
        x: an array or a symbolic tensor.
        b: smoothness, at least 0. Default 4.0.

    Formula: (x + sqrt(x^2 + b)) / 2

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.squareplus([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "squareplus", b)


def tanh_shrink(x: Any) -> Any:
    """The rest that tanh leaves.

    Args:
        x: an array or a symbolic tensor.

    Formula: x - tanh(x)

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.tanh_shrink([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "tanh_shrink")
