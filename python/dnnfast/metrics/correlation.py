"""Correlations of targets and predictions."""

from __future__ import annotations

from typing import Any

from dnnfast import ops
from dnnfast.config import settings
from dnnfast.losses.arguments import check_axis, pair
from dnnfast.metrics.mean import NamedMetric


def _centered(y: Any, axis: Any) -> Any:
    return y - ops.mean(y, axis=axis, keepdims=True)


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return the correlation of targets and predictions along an axis.

    Args:
        y_true: targets.
        y_pred: predictions.
        axis: default -1.

    Raises:
        ValueError: if the axis is no integer.

    Formula: ``mean((t - mean(t)) (p - mean(p))) / (std(t) std(p))``; NaN of values that are equal.

    Example:
        >>> import dnnfast
        >>> found = dnnfast.metrics.pearson_correlation([[0.0, 1.0, 2.0]], [[3.0, 5.0, 7.0]])
        >>> print(found.round(4))
        [1.]
    """
    check_axis("pearson_correlation", axis)
    y_true, y_pred = (_centered(y, axis) for y in pair(y_true, y_pred))
    y_true = y_true / ops.std(y_true, axis=axis, keepdims=True)
    y_pred = y_pred / ops.std(y_pred, axis=axis, keepdims=True)
    return ops.mean(y_true * y_pred, axis=axis)


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return how close targets and predictions along an axis are to a line of slope 1 through 0.

    Args:
        y_true: targets.
        y_pred: predictions.
        axis: default -1.

    Raises:
        ValueError: if the axis is no integer.

    Formula: ``mean(2 (t - mean(p)) (p - mean(p)) / (var(t) + var(p) + (mean(t) - mean(p))^2 +
    epsilon))`` with `config.epsilon` (Lin, 1989).

    Example:
        >>> import dnnfast
        >>> found = dnnfast.metrics.concordance_correlation([[0.0, 1.0, 2.0]], [[0.0, 1.0, 3.0]])
        >>> print(found.round(4))
        [0.8571]
    """
    check_axis("concordance_correlation", axis)
    y_true, y_pred = pair(y_true, y_pred)
    center, mean = (ops.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred))
    spread = ops.var(y_true, axis=axis, keepdims=True) + ops.var(y_pred, axis=axis, keepdims=True)
    both = 2.0 * (y_true - mean) * (y_pred - mean)
    norm = spread + ops.square(center - mean) + settings.epsilon()
    return ops.mean(both / norm, axis=axis)


class PearsonCorrelation(NamedMetric):
    """Mean correlation of targets and predictions along an axis.

    Args:
        name: default ``"pearson_correlation"``.
        dtype: as of `Metric`.
        axis: default -1.

    Raises:
        ValueError: if the axis is no integer.

    Formula: see `pearson_correlation`.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.PearsonCorrelation()
        >>> print(metric([[0.0, 1.0, 2.0]], [[3.0, 5.0, 7.0]]).round(4))
        1.0
    """

    _direction = "up"
    _always = ("axis",)

    def __init__(
        self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        check_axis("PearsonCorrelation", axis)
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(NamedMetric):
    """Mean concordance of targets and predictions along an axis.

    Args:
        name: default ``"concordance_correlation"``.
        dtype: as of `Metric`.
        axis: default -1.

    Raises:
        ValueError: if the axis is no integer.

    Formula: see `concordance_correlation`.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.ConcordanceCorrelation()
        >>> print(metric([[0.0, 1.0, 2.0]], [[0.0, 1.0, 3.0]]).round(4))
        0.8571
    """

    _direction = "up"
    _always = ("axis",)

    def __init__(
        self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1
    ) -> None:
        check_axis("ConcordanceCorrelation", axis)
        super().__init__(concordance_correlation, name, dtype, axis=axis)
