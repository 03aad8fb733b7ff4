"""Activations made of straight pieces, and steps."""

from __future__ import annotations

from typing import Any

import numpy as np

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
        x: an array (which gives a float64 array) or a symbolic tensor.
        negative_slope: slope below the threshold. Default 0.
        max_value: cap, or None. On symbolic tensors 1 and 6 are supported.
        threshold: below it values count as negative. Default 0.

    Raises:
        ValueError: for a combination that the engines do not have.

    Formula: ``max_value`` where x >= max_value, x where threshold <= x < max_value,
    ``negative_slope * (x - threshold)`` below. The derivative at 0 is 0.

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.relu([[-1.0, 1.0]]).tolist()
        [[0.0, 1.0]]
    """
    slope, low = float(negative_slope), float(threshold)
    if max_value is None and low == 0.0:
        return activation_op(x, "leaky_relu", slope) if slope else activation_op(x, "relu")
    if max_value is None and slope == 0.0:
        # The op keeps x > alpha, the definition x >= threshold: alpha is the float32 just below.
        below = float(np.nextafter(np.float32(low), np.float32(-np.inf)))
        return activation_op(x, "threshold", below, 0.0)
    if slope == 0.0 and low == 0.0 and max_value == 6:
        return activation_op(x, "relu6")
    if slope == 0.0 and low == 0.0 and max_value == 1:
        return activation_op(activation_op(x, "hard_tanh"), "relu")
    raise ValueError(
        f"relu: negative_slope={negative_slope}, max_value={max_value}, threshold={threshold} is "
        "not supported together; supported are one of negative_slope and threshold without "
        "max_value, or max_value=1 or 6 alone."
    )


def relu6(x: Any) -> Any:
    """Rectified linear unit capped at 6.

    Args:
        x: an array (which gives a float64 array) or a symbolic tensor.

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
        x: an array (which gives a float64 array) or a symbolic tensor.
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
        x: an array (which gives a float64 array) or a symbolic tensor.

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
        x: an array (which gives a float64 array) or a symbolic tensor.

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
        x: an array (which gives a float64 array) or a symbolic tensor.

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
        x: an array (which gives a float64 array) or a symbolic tensor.
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
        x: an array (which gives a float64 array) or a symbolic tensor.
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
        x: an array (which gives a float64 array) or a symbolic tensor.
        threshold: the limit.
        default_value: what replaces values that are not above it.

    Formula: x where x > threshold, else default_value

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.threshold([[0.0, 2.0]], 1.0, 9.0).tolist()
        [[9.0, 2.0]]
    """
    return activation_op(x, "threshold", threshold, default_value)


def heaviside(x: Any) -> Any:
    """Step function.

    Args:
        x: an array (which gives a float64 array) or a symbolic tensor.

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
        x: an array (which gives a float64 array) or a symbolic tensor.

    Formula: -1, 0 or 1

    The derivative is 0 everywhere: layers before it do not learn.

    Example:
        >>> import dnnfast
        >>> dnnfast.activations.sign([[-1.0, 1.0]]).shape
        (1, 2)
    """
    return activation_op(x, "sign")
