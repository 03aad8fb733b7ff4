"""Losses of differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.losses.base import Loss


class MeanSquaredError(Loss):
    """Mean over the last axis of squared differences.

    Args:
        reduction: see `Loss`.
        name: default ``"mean_squared_error"``.

    Formula: ``mean((t - p)^2)``

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.MeanSquaredError()([[0.0, 2.0]], [[0.0, 0.0]])
        2.0
    """

    kind = "mean_squared_error"

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None
    ) -> None:
        super().__init__(name, reduction)


class MeanAbsoluteError(Loss):
    """Mean over the last axis of absolute differences.

    Args:
        reduction: see `Loss`.
        name: default ``"mean_absolute_error"``.

    Formula: ``mean(abs(t - p))``, with derivative 0 where they are equal.

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.MeanAbsoluteError()([[0.0, 2.0]], [[0.0, 0.0]])
        1.0
    """

    kind = "mean_absolute_error"

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None
    ) -> None:
        super().__init__(name, reduction)


def mean_squared_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return the mean squared error of each row.

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.mean_squared_error([[0.0, 2.0]], [[0.0, 0.0]]).tolist()
        [2.0]
    """
    return MeanSquaredError().call(y_true, y_pred)


def mean_absolute_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return the mean absolute error of each row.

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.mean_absolute_error([[0.0, 2.0]], [[0.0, 0.0]]).tolist()
        [1.0]
    """
    return MeanAbsoluteError().call(y_true, y_pred)
