"""Losses of differences."""

from __future__ import annotations

import math
from typing import Any

from dnnfast import checks, ops
from dnnfast.config import settings
from dnnfast.losses.arguments import pair
from dnnfast.losses.base import NamedLoss, has_kernel

_LN2 = math.log(2.0)


@has_kernel("mean_squared_error")
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of squared differences.

    Args:
        y_true: targets.
        y_pred: predictions.

    Formula: ``mean((t - p)^2)``

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.mean_squared_error([[0.0, 2.0]], [[0.0, 0.0]]).tolist()
        [2.0]
    """
    y_true, y_pred = pair(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@has_kernel("mean_absolute_error")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of absolute differences.

    Args:
        y_true: targets.
        y_pred: predictions.

    Formula: ``mean(|t - p|)``, with derivative 0 where they are equal.

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.mean_absolute_error([[0.0, 2.0]], [[0.0, 0.0]]).tolist()
        [1.0]
    """
    y_true, y_pred = pair(y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of differences in percent of the targets.

    Args:
        y_true: targets.
        y_pred: predictions.

    Formula: ``100 mean(|t - p| / max(|t|, epsilon))`` with `config.epsilon`.

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]).tolist()
        [25.0]
    """
    y_true, y_pred = pair(y_true, y_pred)
    least = ops.maximum(ops.abs(y_true), settings.epsilon())
    return 100.0 * ops.mean(ops.abs((y_true - y_pred) / least), axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of squared differences of logarithms.

    Args:
        y_true: targets, not negative.
        y_pred: predictions; those below 0 count as 0.

    Formula: ``mean((ln(max(t, epsilon) + 1) - ln(max(p, epsilon) + 1))^2)`` with `config.epsilon`.

    Example:
        >>> import dnnfast
        >>> loss = dnnfast.losses.mean_squared_logarithmic_error
        >>> print(loss([[0.0, 1.0]], [[0.0, 3.0]]).round(4))
        [0.2402]
    """
    y_true, y_pred = pair(y_true, y_pred)
    least = settings.epsilon()
    logs = [ops.log1p(ops.maximum(y, least)) for y in (y_true, y_pred)]
    return ops.mean(ops.square(logs[0] - logs[1]), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Return the mean over the last axis of differences, squared while they are small.

    Args:
        y_true: targets.
        y_pred: predictions.
        delta: from which difference on the loss is linear, above 0. Default 1.

    Raises:
        ValueError: if delta is not a number above 0.

    Formula: the mean of ``e^2 / 2`` where ``|e| <= delta``, else ``delta (|e| - delta / 2)``, with
    ``e = p - t`` (Huber, 1964).

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.huber([[0.0, 0.0]], [[1.0, 3.0]]).tolist()
        [1.5]
    """
    delta = checks.number("huber", "delta", delta, above=0.0)
    y_true, y_pred = pair(y_true, y_pred)
    error = ops.abs(y_pred - y_true)
    linear = delta * error - 0.5 * delta * delta
    return ops.mean(ops.where(error <= delta, 0.5 * ops.square(error), linear), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of the logarithm of the cosh of differences.

    Args:
        y_true: targets.
        y_pred: predictions.

    Formula: ``mean(ln(cosh(p - t)))``: about ``e^2 / 2`` for small and ``|e| - ln(2)`` for large
    differences e.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.log_cosh([[0.0, 0.0]], [[1.0, 0.0]]).round(4))
        [0.2169]
    """
    y_true, y_pred = pair(y_true, y_pred)
    error = ops.abs(y_pred - y_true)
    # ln(cosh e) = ln(1 + sinh(e)^2) / 2 keeps the digits that e - ln 2 + ... cancels for small e.
    small = 0.5 * ops.log1p(ops.square(ops.sinh(ops.minimum(error, 1.0))))
    large = error + ops.log1p(ops.exp(-2.0 * error)) - _LN2
    return ops.mean(ops.where(error < 1.0, small, large), axis=-1)


class MeanSquaredError(NamedLoss):
    """Mean over the last axis of squared differences.

    Args:
        reduction: see `Loss`.
        name: default ``"mean_squared_error"``.
        dtype: see `Loss`.

    Formula: ``mean((t - p)^2)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.MeanSquaredError()([[0.0, 2.0]], [[0.0, 0.0]]))
        2.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(NamedLoss):
    """Mean over the last axis of absolute differences.

    Args:
        reduction: see `Loss`.
        name: default ``"mean_absolute_error"``.
        dtype: see `Loss`.

    Formula: ``mean(|t - p|)``, with derivative 0 where they are equal.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.MeanAbsoluteError()([[0.0, 2.0]], [[0.0, 0.0]]))
        1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(NamedLoss):
    """Mean over the last axis of differences in percent of the targets.

    Args:
        reduction: see `Loss`.
        name: default ``"mean_absolute_percentage_error"``.
        dtype: see `Loss`.

    Formula: ``100 mean(|t - p| / max(|t|, epsilon))`` with `config.epsilon`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.MeanAbsolutePercentageError()([[2.0, 4.0]], [[1.0, 4.0]]))
        25.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(NamedLoss):
    """Mean over the last axis of squared differences of logarithms.

    Args:
        reduction: see `Loss`.
        name: default ``"mean_squared_logarithmic_error"``.
        dtype: see `Loss`.

    Formula: ``mean((ln(max(t, epsilon) + 1) - ln(max(p, epsilon) + 1))^2)`` with `config.epsilon`.

    Example:
        >>> import dnnfast
        >>> loss = dnnfast.losses.MeanSquaredLogarithmicError()
        >>> print(loss([[0.0, 1.0]], [[0.0, 3.0]]).round(4))
        0.2402
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(NamedLoss):
    """Mean over the last axis of differences, squared while they are small (Huber, 1964).

    Args:
        delta: from which difference on the loss is linear, above 0. Default 1.
        reduction: see `Loss`.
        name: default ``"huber_loss"``.
        dtype: see `Loss`.

    Raises:
        ValueError: if delta is not a number above 0.

    Formula: the mean of ``e^2 / 2`` where ``|e| <= delta``, else ``delta (|e| - delta / 2)``, with
    ``e = p - t``.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.Huber()([[0.0, 0.0]], [[1.0, 3.0]]))
        1.5
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        checks.number("Huber", "delta", delta, above=0.0)
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(NamedLoss):
    """Mean over the last axis of the logarithm of the cosh of differences.

    Args:
        reduction: see `Loss`.
        name: default ``"log_cosh"``.
        dtype: see `Loss`.

    Formula: ``mean(ln(cosh(p - t)))``: about ``e^2 / 2`` for small and ``|e| - ln(2)`` for large
    differences e.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.LogCosh()([[0.0, 0.0]], [[1.0, 0.0]]).round(4))
        0.2169
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)
