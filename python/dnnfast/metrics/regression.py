"""Mean differences, and how much of the variance of targets predictions explain."""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np

from dnnfast import ops
from dnnfast.errors import unknown_name
from dnnfast.losses.arguments import check_axis, pair
from dnnfast.losses.base import array_type, product_of, rank_of, scalar, to_same_rank
from dnnfast.losses.regression import (
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from dnnfast.losses.similarity import cosine
from dnnfast.metrics.mean import Mean, NamedMetric
from dnnfast.metrics.metric import Metric, weights_of


class MeanSquaredError(NamedMetric):
    """Mean of squared differences.

    Args:
        name: default ``"mean_squared_error"``.
        dtype: as of `Metric`.

    Formula: ``mean((t - p)^2)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.MeanSquaredError()([[0.0]], [[2.0]]))
        4.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(mean_squared_error, name, dtype)


class RootMeanSquaredError(Mean):
    """Root of the mean of squared differences.

    Args:
        name: default ``"root_mean_squared_error"``.
        dtype: as of `Metric`.

    Formula: ``sqrt(mean((t - p)^2))`` over all samples since the last reset.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.RootMeanSquaredError()([[0.0], [0.0]], [[1.0], [7.0]]))
        5.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add a batch of targets and predictions, with one weight a sample or value."""
        weight = weights_of(y_pred, sample_weight, self.dtype)
        y_true, y_pred = pair(y_true, y_pred)
        super().update_state(ops.square(y_pred - y_true), weight)

    def result(self) -> Any:
        """Return the root of the mean so far."""
        return scalar(ops.sqrt(super().result()))


class MeanAbsoluteError(NamedMetric):
    """Mean of absolute differences.

    Args:
        name: default ``"mean_absolute_error"``.
        dtype: as of `Metric`.

    Formula: ``mean(|t - p|)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.MeanAbsoluteError()([[0.0]], [[2.0]]))
        2.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(NamedMetric):
    """Mean of differences in percent of the targets.

    Args:
        name: default ``"mean_absolute_percentage_error"``.
        dtype: as of `Metric`.

    Formula: ``100 mean(|t - p| / max(|t|, epsilon))`` with `config.epsilon`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.MeanAbsolutePercentageError()([[2.0]], [[1.0]]))
        50.0
    """

    _direction = "down"

    def __init__(
        self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(NamedMetric):
    """Mean of squared differences of logarithms.

    Args:
        name: default ``"mean_squared_logarithmic_error"``.
        dtype: as of `Metric`.

    Formula: ``mean((ln(max(t, epsilon) + 1) - ln(max(p, epsilon) + 1))^2)`` with `config.epsilon`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.MeanSquaredLogarithmicError()([[1.0]], [[3.0]]).round(4))
        0.4805
    """

    _direction = "down"

    def __init__(
        self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, name, dtype)


class LogCoshError(NamedMetric):
    """Mean of the logarithm of the cosh of differences.

    Args:
        name: default ``"logcosh"``.
        dtype: as of `Metric`.

    Formula: ``mean(ln(cosh(p - t)))``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.LogCoshError()([[0.0, 0.0]], [[1.0, 0.0]]).round(4))
        0.2169
    """

    _direction = "down"

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(log_cosh, name, dtype)


class CosineSimilarity(NamedMetric):
    """Mean cosine of the angle of targets and predictions.

    Args:
        name: default ``"cosine_similarity"``.
        dtype: as of `Metric`.
        axis: of the vectors. Default -1.

    Raises:
        ValueError: if the axis is no integer.

    Formula: ``mean(sum(t p) / (|t| |p|))``: 1 in the same, -1 in the opposite direction (the loss
    of this name has the other sign).

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.CosineSimilarity()([[3.0, 4.0]], [[1.0, 0.0]]).round(4))
        0.6
    """

    _direction = "up"

    def __init__(
        self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1
    ) -> None:
        check_axis("CosineSimilarity", axis)
        super().__init__(cosine, name, dtype, axis=axis)


class R2Score(Metric):
    """How much of the variance of targets predictions explain, the coefficient of determination.

    Args:
        class_aggregation: how the scores of the columns become one: ``"uniform_average"`` (the
            default), ``"variance_weighted_average"``, or None for one score a column.
        num_regressors: of inputs, for the adjusted score; default 0 for the plain one.
        name: default ``"r2_score"``.
        dtype: as of `Metric`.

    Raises:
        ValueError: if an argument is out of range, or targets or predictions are no matrices.

    Formula: ``1 - sum((t - p)^2) / sum((t - mean(t))^2)``; adjusted for r regressors and n values
    ``1 - (1 - score) (n - 1) / (n - r - 1)``.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]).round(4))
        0.5714
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        known = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in known:
            raise unknown_name("class_aggregation", class_aggregation, [str(k) for k in known])
        if operator.index(num_regressors) < 0:
            raise ValueError(
                f"R2Score: num_regressors must be an integer of at least 0, got {num_regressors!r}."
            )
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def _build(self, y_true: Any, y_pred: Any) -> None:
        if rank_of(y_true) != 2 or rank_of(y_pred) != 2:
            raise ValueError(
                "R2Score: expected targets and predictions of shape (samples, columns), got "
                f"{tuple(y_true.shape)} and {tuple(y_pred.shape)}."
            )
        shape = (y_pred.shape[-1],)
        self.squared_sum = self.add_variable(shape, "zeros", name="squared_sum")
        self.sum = self.add_variable(shape, "zeros", name="sum")
        self.total_mse = self.add_variable(shape, "zeros", name="residual")
        self.count = self.add_variable(shape, "zeros", name="count")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: targets of shape (samples, columns), or (samples,) for one column.
            y_pred: predictions.
            sample_weight: one weight a sample or value; default 1.
        """
        weight = weights_of(y_pred, sample_weight, self.dtype)
        kind = array_type(self.dtype)
        y_true, y_pred = to_same_rank(
            ops.convert_to_tensor(y_true, kind), ops.convert_to_tensor(y_pred, kind)
        )
        if not self._built:
            self._build(y_true, y_pred)
        weight = product_of(ops.ones_like(y_true), weight)
        weighted = y_true * weight
        self.sum.assign_add(ops.sum(weighted, axis=0))
        self.squared_sum.assign_add(ops.sum(y_true * weighted, axis=0))
        self.total_mse.assign_add(ops.sum(ops.square(y_true - y_pred) * weight, axis=0))
        self.count.assign_add(ops.sum(weight, axis=0))
        self.num_samples.assign_add(ops.size(y_true))

    def result(self) -> Any:
        """Return the score so far, 0 of nothing."""
        if not self._built:
            return np.float32(0.0)
        total, count = np.asarray(self.sum), np.asarray(self.count)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.asarray(self.squared_sum) - total * (total / count)
            scores = 1.0 - np.asarray(self.total_mse) / spread
            scores = np.where(np.isinf(scores), np.float32(0.0), scores)
            if self.class_aggregation == "uniform_average":
                scores = np.mean(scores)
            elif self.class_aggregation == "variance_weighted_average":
                scores = np.sum(spread * scores) / np.sum(spread)
        return scalar(self._adjusted(scores))

    def _adjusted(self, score: Any) -> Any:
        if not self.num_regressors:
            return score
        count = float(self.num_samples)
        if self.num_regressors >= count - 1:
            warnings.warn(
                f"R2Score: {self.num_regressors} regressors are too many for {count:g} values to "
                "adjust the score; it is the plain one.",
                stacklevel=3,
            )
            return score
        factor = (count - 1.0) / (count - self.num_regressors - 1.0)
        return np.asarray(1.0 - (1.0 - score) * factor, np.float32)
