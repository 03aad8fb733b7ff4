"""The classic curves, and the activations that work along an axis."""

from __future__ import annotations

from typing import Any

from dnnfast.activations.apply import activation_op, along_axis


def sigmoid(x: Any) -> Any:
    """Logistic function.

    Args:
        x: an array (which gives a float64 array) or a symbolic tensor.

    Formula: 1 / (1 + exp(-x))

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.sigmoid([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "sigmoid")


def tanh(x: Any) -> Any:
    """Hyperbolic tangent.

    Args:
        x: an array (which gives a float64 array) or a symbolic tensor.

    Formula: tanh(x)

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.tanh([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "tanh")


def exponential(x: Any) -> Any:
    """Exponential function.

    Args:
        x: an array (which gives a float64 array) or a symbolic tensor.

    Formula: exp(x)

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.exponential([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "exponential")


def log_sigmoid(x: Any) -> Any:
    """Logarithm of the logistic function.

    Args:
        x: an array (which gives a float64 array) or a symbolic tensor.

    Formula: -softplus(-x)

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.log_sigmoid([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "log_sigmoid")


def softmax(x: Any, axis: int = -1) -> Any:
    """Probabilities along an axis.

    Args:
        x: an array (which gives a float64 array) or a symbolic tensor.
        axis: which axis. Default -1, the last one.

    Raises:
        ValueError: if there is no such axis.

    Formula: exp(x) / sum(exp(x))

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.softmax([[0.0, 0.0]]).ndim
        2
    """
    return along_axis(x, "softmax", axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """Logarithm of `softmax`.

    Args:
        x: an array (which gives a float64 array) or a symbolic tensor.
        axis: which axis. Default -1, the last one.

    Raises:
        ValueError: if there is no such axis.

    Formula: x - log(sum(exp(x)))

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.log_softmax([[0.0, 0.0]]).ndim
        2
    """
    return along_axis(x, "log_softmax", axis)


def glu(x: Any, axis: int = -1) -> Any:
    """Gated linear unit: halves an axis (Dauphin et al., 2017).

    Args:
        x: an array (which gives a float64 array) or a symbolic tensor.
        axis: which axis. Default -1, the last one.

    Raises:
        ValueError: if there is no such axis.

    Formula: a * sigmoid(b), with a and b the halves of x

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.glu([[0.0, 0.0]]).ndim
        2
    """
    return along_axis(x, "glu", axis)
