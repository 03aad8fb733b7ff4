"""The classic curves, and the activations that work along an axis."""

from __future__ import annotations

from typing import Any

from dnnfast import ops
from dnnfast.activations.apply import activation_op


def sigmoid(x: Any) -> Any:
    """Logistic function.

    Args:
        x: an array or a symbolic tensor.

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
        x: an array or a symbolic tensor.

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
        x: an array or a symbolic tensor.

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
        x: an array or a symbolic tensor.

    Formula: -softplus(-x)

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.log_sigmoid([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "log_sigmoid")


def softmax(x: Any, axis: Any = -1) -> Any:
    """Probabilities along an axis.

    Args:
        x: an array or a symbolic tensor.
        axis: the axis along which they sum to 1, or several. Default -1.

    Raises:
        ValueError: if there is no such axis.

    Formula: exp(x) / sum(exp(x))

    Example:
        >>> import dnnfast
        >>> print(dnnfast.activations.softmax([[0.0, 0.0]]))
        [[0.5 0.5]]
    """
    return ops.softmax(x, axis)


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Logarithm of `softmax`.

    Args:
        x: an array or a symbolic tensor.
        axis: the axis along which the probabilities sum to 1, or several. Default -1.

    Raises:
        ValueError: if there is no such axis.

    Formula: x - log(sum(exp(x)))

    Example:
        >>> import dnnfast
        >>> print(dnnfast.activations.log_softmax([[0.0, 0.0]]).round(3))
        [[-0.693 -0.693]]
    """
    return ops.log_softmax(x, axis)


def sparsemax(x: Any, axis: int = -1) -> Any:
    """Probabilities along an axis, most of them 0 (Martins and Astudillo, 2016).

    Args:
        x: an array or a symbolic tensor.
        axis: the axis along which they sum to 1. Default -1.

    Raises:
        ValueError: if there is no such axis.

    Formula: max(x - tau, 0), with tau such that the sum is 1

    Example:
        >>> import dnnfast
        >>> print(dnnfast.activations.sparsemax([[1.0, 0.5, -1.0]]))
        [[0.75 0.25 0.  ]]
    """
    return ops.sparsemax(x, axis)


def glu(x: Any, axis: int = -1) -> Any:
    """Gated linear unit: halves an axis (Dauphin et al., 2017).

    Args:
        x: an array or a symbolic tensor.
        axis: the axis, of even size. Default -1.

    Raises:
        ValueError: if the size of the axis is odd.

    Formula: a * sigmoid(b), with a and b the halves of x

    Example:
        >>> import dnnfast
        >>> print(dnnfast.activations.glu([[4.0, 0.0]]))
        [[2.]]
    """
    return ops.glu(x, axis)
