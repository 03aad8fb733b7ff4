"""Activations made of straight pieces, and steps."""

from __future__ import annotations

from typing import Any

from dnnfast import checks, ops
from dnnfast.activations.apply import activation_op


def linear(x: Any) -> Any:
    """The identity.

    Args:
        x: an array or a symbolic tensor.

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.linear(3.0)
        3.0
    """
    return x


def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """Rectified linear unit.

    Args:
        x: an array or a symbolic tensor.
        negative_slope: slope below the threshold. Default 0.
        max_value: cap, or None.
        threshold: up to it values count as negative. Default 0.

    Raises:
        ValueError: if an argument is not a finite number, or ``max_value`` is negative.

    Formula: ``min(x, max_value)`` where x > threshold, else ``negative_slope * (x - threshold)``

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.relu([[-1.0, 1.0]]).tolist()
        [[0.0, 1.0]]
    """
    slope = checks.number("relu", "negative_slope", negative_slope)
    low = checks.number("relu", "threshold", threshold)
    if max_value is not None:
        max_value = checks.number("relu", "max_value", max_value, 0.0)
    if max_value is None and low == 0.0:
        return activation_op(x, "leaky_relu", slope) if slope else activation_op(x, "relu")
    if low != 0.0:
        above = activation_op(x, "threshold", low, 0.0)
    elif max_value == 6:
        above = activation_op(x, "relu6")
    else:
        above = activation_op(x, "relu")
    if max_value is not None and not (low == 0.0 and max_value == 6):
        above = ops.clip(above, 0.0, max_value)
    if slope == 0.0:
        return above
    below = activation_op(ops.subtract(low, x), "relu")
    return ops.subtract(above, ops.multiply(below, slope))


def relu6(x: Any) -> Any:
    """Rectified linear unit capped at 6.

    Args:
        x: an array or a symbolic tensor.

    Formula: min(max(x, 0), 6)

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.relu6([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "relu6")


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """Rectified linear unit with a slope for negative values.

    Args:
        x: an array or a symbolic tensor.
        negative_slope: slope for negative values. Default 0.2.

    Formula: max(x, 0) + negative_slope * min(x, 0)

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.leaky_relu([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "leaky_relu", negative_slope)


def hard_sigmoid(x: Any) -> Any:
    """Piecewise linear sigmoid.

    Args:
        x: an array or a symbolic tensor.

    Formula: clip(x / 6 + 0.5, 0, 1)

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.hard_sigmoid([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "hard_sigmoid")


def hard_tanh(x: Any) -> Any:
    """Piecewise linear hyperbolic tangent.

    Args:
        x: an array or a symbolic tensor.

    Formula: clip(x, -1, 1)

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.hard_tanh([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "hard_tanh")


def hard_silu(x: Any) -> Any:
    """Silu with the hard sigmoid, also called hard swish.

    Args:
        x: an array or a symbolic tensor.

    Formula: x * hard_sigmoid(x)

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.hard_silu([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "hard_silu")


hard_swish = hard_silu


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Shrinks values towards zero.

    Args:
        x: an array or a symbolic tensor.
        threshold: the amount. Default 0.5.

    Formula: sign(x) * max(abs(x) - threshold, 0)

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.soft_shrink([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "soft_shrink", threshold)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Sets small values to zero.

    Args:
        x: an array or a symbolic tensor.
        threshold: the limit. Default 0.5.

    Formula: x where abs(x) > threshold, else 0

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.hard_shrink([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "hard_shrink", threshold)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """Replace values up to a threshold.

    Args:
        x: an array or a symbolic tensor.
        threshold: the limit.
        default_value: what replaces values that are not above it.

    Formula: x where x > threshold, else default_value

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.threshold([[0.0, 2.0]], 1.0, 9.0).tolist()
        [[9.0, 2.0]]
    """
    return activation_op(x, "threshold", threshold, default_value)


def sparse_plus(x: Any) -> Any:
    """Rectifier with a quadratic bend.

    Args:
        x: an array or a symbolic tensor.

    Formula: 0 where x <= -1, (x + 1)^2 / 4 where x < 1, else x

    Example:
        >>> import dnnfast
        >>> print(dnnfast.activations.sparse_plus([-2.0, 0.0, 2.0]))
        [0.   0.25 2.  ]
    """
    return activation_op(x, "sparse_plus")


def sparse_sigmoid(x: Any) -> Any:
    """Straight line from 0 to 1 between -1 and 1.

    Args:
        x: an array or a symbolic tensor.

    Formula: clip((x + 1) / 2, 0, 1)

    Example:
        >>> import dnnfast
        >>> print(dnnfast.activations.sparse_sigmoid([-2.0, 0.0, 2.0]))
        [0.  0.5 1. ]
    """
    return activation_op(x, "sparse_sigmoid")


def heaviside(x: Any) -> Any:
    """Step function.

    Args:
        x: an array or a symbolic tensor.

    Formula: 1 where x > 0, else 0

    The derivative is 0 everywhere: layers before it do not learn.

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.heaviside([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "heaviside")


def sign(x: Any) -> Any:
    """Sign function.

    Args:
        x: an array or a symbolic tensor.

    Formula: -1, 0 or 1

    The derivative is 0 everywhere: layers before it do not learn.

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.sign([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "sign")
