"""Moments, and tensors scaled to standard moments or norms."""

from __future__ import annotations

import warnings
from typing import Any

from dnnfast import symbolic
from dnnfast.config import settings
from dnnfast.ops.arithmetic import add, divide, maximum, multiply, power, subtract
from dnnfast.ops.core import cast
from dnnfast.ops.elementwise import absolute, rsqrt, square
from dnnfast.ops.reduction import max, mean, sum
from dnnfast.ops.shaping import reshape, squeeze
from dnnfast.ops.values import all_axes, array, dtype_of, extents, floating, one_axis, rank, shown


def _values(x: Any) -> Any:
    return x if symbolic.is_symbolic(x) else array(x, floating(dtype_of(x)))


def moments(
    x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False
) -> tuple[Any, Any]:
    """Return mean and variance along axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axes: an axis, several, or None for all.
        keepdims: whether the axes stay, with size 1. Default False.
        synchronized: must be False: there are no replicas.

    Raises:
        NotImplementedError: if ``synchronized`` is set.

    Formula: ``mean = sum(x) / n``, ``variance = sum((x - mean)^2) / n``

    Example:
        >>> import dnnfast
        >>> [float(part) for part in dnnfast.ops.moments([1.0, 3.0], axes=0)]
        [2.0, 1.0]
    """
    if synchronized:
        raise NotImplementedError("moments: synchronized=True is not supported.")
    x = _values(x)
    axes = all_axes("moments", axes, rank(x))
    center = mean(x, axes, keepdims=True)
    variance = mean(square(subtract(x, center)), axes, keepdims=True)
    if keepdims:
        return center, variance
    return squeeze(center, axes), squeeze(variance, axes)


def normalize(x: Any, axis: Any = -1, order: Any = 2, epsilon: float | None = None) -> Any:
    """Divide by the norm along axes.

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        axis: an axis or several. Default -1.
        order: of the norm: a positive number, or infinity. Default 2.
        epsilon: the norm is at least this. Default `config.epsilon`.

    Raises:
        ValueError: if the order is not positive.

    Formula: ``x / max((sum |x|^order)^(1 / order), epsilon)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.normalize([3.0, 4.0]))
        [0.6 0.8]
    """
    if not isinstance(order, (int, float)) or order < 1:
        raise ValueError(f"Argument `order` must be an int >= 1. Received: order={order}")
    x = _values(x)
    axes = all_axes("normalize", axis, rank(x))
    least = settings.epsilon() if epsilon is None else epsilon
    if order == 2:
        total = sum(square(x), axes, keepdims=True)
        return multiply(x, rsqrt(maximum(total, least**2)))
    if order == float("inf"):
        norm = max(absolute(x), axes, keepdims=True)
    else:
        norm = power(sum(power(absolute(x), order), axes, keepdims=True), 1.0 / order)
    return divide(x, maximum(norm, least))


def _along(what: str, parameter: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """Return a parameter with as many axes as x, its own at ``axes``."""
    value = parameter if symbolic.is_symbolic(parameter) else array(parameter)
    shape = [n if i in axes else 1 for i, n in enumerate(extents(x))]
    if rank(value) == rank(x):
        return value
    wanted = tuple(extents(x)[a] for a in axes)
    if extents(value) not in (wanted, (1,) * len(wanted)):
        raise ValueError(
            f"{what} has shape {shown(extents(value))}; expected {shown(wanted)} for x of shape "
            f"{shown(extents(x))}."
        )
    if extents(value) != wanted:
        shape = [1] * len(shape)
    return reshape(value, shape)


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:
    """Scale by a mean and a variance for each position of an axis (Ioffe and Szegedy, 2015).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        mean: a vector along ``axis``.
        variance: the same.
        axis: which one.
        offset: a vector that is added, or None.
        scale: a vector that is multiplied with, or None.
        epsilon: added to the variance. Default 1e-3.

    Raises:
        ValueError: if a vector does not fit the axis.

    Formula: ``scale (x - mean) / sqrt(variance + epsilon) + offset``

    Example:
        >>> import dnnfast
        >>> x, mean, variance = [[1.0, 3.0]], [1.0, 1.0], [1.0, 4.0]
        >>> print(dnnfast.ops.batch_normalization(x, mean, variance, axis=-1, epsilon=0.0))
        [[0. 1.]]
    """
    x = _values(x)
    axes = (one_axis("batch_normalization", axis, rank(x)),)
    factor = rsqrt(add(_along("batch_normalization: variance", variance, x, axes), epsilon))
    if scale is not None:
        factor = multiply(factor, _along("batch_normalization: scale", scale, x, axes))
    centered = subtract(x, _along("batch_normalization: mean", mean, x, axes))
    result = multiply(centered, factor)
    if offset is not None:
        result = add(result, _along("batch_normalization: offset", offset, x, axes))
    return cast(result, dtype_of(x))


def layer_normalization(
    x: Any,
    gamma: Any = None,
    beta: Any = None,
    axis: Any = -1,
    epsilon: float | None = None,
    **kwargs: Any,
) -> Any:
    """Scale each sample by its own mean and variance along axes (Ba et al., 2016).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        gamma: multiplied with, of the sizes of the axes, or None.
        beta: added, of the sizes of the axes, or None.
        axis: an axis or several. Default -1.
        epsilon: added to the variance. Default `config.epsilon`.
        kwargs: ``rms_scaling``, the old form of `rms_normalization`, that divides by the standard
            deviation.

    Raises:
        ValueError: if gamma or beta do not fit the axes.

    Formula: ``gamma (x - mean) / sqrt(variance + epsilon) + beta``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.layer_normalization([1.0, 3.0]))
        [-1.  1.]
    """
    rms_scaling = kwargs.pop("rms_scaling", False)
    if kwargs:
        raise TypeError(f"layer_normalization: unknown arguments {sorted(kwargs)}.")
    x = _values(x)
    axes = all_axes("layer_normalization", axis, rank(x))
    least = settings.epsilon() if epsilon is None else epsilon
    center, variance = moments(x, axes, keepdims=True)
    factor = rsqrt(add(variance, least))
    if rms_scaling:
        warnings.warn(
            "layer_normalization: rms_scaling divides by the standard deviation, not the root mean "
            "square; use ops.rms_normalization.",
            DeprecationWarning,
            stacklevel=2,
        )
        result = multiply(x, factor)
    else:
        result = multiply(subtract(x, center), factor)
    if gamma is not None:
        result = multiply(result, _along("layer_normalization: gamma", gamma, x, axes))
    if beta is not None and not rms_scaling:
        result = add(result, _along("layer_normalization: beta", beta, x, axes))
    return cast(result, dtype_of(x))


def rms_normalization(
    x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None
) -> Any:
    """Divide each sample by its root mean square along axes (Zhang and Sennrich, 2019).

    Args:
        x: an array, a list, a variable or a symbolic tensor.
        scale: multiplied with, of the sizes of the axes, or None.
        axis: an axis or several. Default -1.
        epsilon: added to the mean square. Default `config.epsilon`.

    Raises:
        ValueError: if ``scale`` does not fit the axes.

    Formula: ``scale x / sqrt(mean(x^2) + epsilon)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.rms_normalization([1.0, 7.0]))
        [0.2 1.4]
    """
    x = _values(x)
    axes = all_axes("rms_normalization", axis, rank(x))
    least = settings.epsilon() if epsilon is None else epsilon
    result = multiply(x, rsqrt(add(mean(square(x), axes, keepdims=True), least)))
    if scale is not None:
        result = multiply(result, _along("rms_normalization: scale", scale, x, axes))
    return cast(result, dtype_of(x))
