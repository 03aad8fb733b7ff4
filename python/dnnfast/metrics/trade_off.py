"""The best of one share while another one is at least so high."""

from __future__ import annotations

from typing import Any

from dnnfast import ops
from dnnfast.losses.arguments import check_share
from dnnfast.losses.base import scalar
from dnnfast.metrics.confusion import ConfusionMetric, ratio
from dnnfast.metrics.counting import Thresholds, check_count


class _TradeOff(ConfusionMetric):
    """The largest share at the thresholds where another one is at least a given value."""

    _direction = "up"
    _counted = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    # The argument with the least value of the share, and the counts of both shares.
    _argument = ""
    _least: tuple[str, str]
    _wanted: tuple[str, str]

    def __init__(
        self, value: Any, num_thresholds: Any, class_id: Any, name: Any, dtype: Any
    ) -> None:
        where = type(self).__name__
        super().__init__(dtype, name)
        self.value = check_share(where, self._argument, value)
        setattr(self, self._argument, value)
        self.num_thresholds = check_count(where, "num_thresholds", num_thresholds, 1)
        self.class_id = None if class_id is None else check_count(where, "class_id", class_id, 0)
        self._keep_counts(Thresholds.evenly(self.num_thresholds))

    def result(self) -> Any:
        """Return the largest share so far, 0 if the other one is nowhere high enough."""
        least = ratio(*(self._counts[name] for name in self._least))
        wanted = ratio(*(self._counts[name] for name in self._wanted))
        allowed = ops.where(ops.greater_equal(least, self.value), wanted, 0.0)
        return scalar(ops.max(allowed, initial=0.0))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "class_id": self.class_id,
            "num_thresholds": self.num_thresholds,
            self._argument: self.value,
        }


_SENSITIVITY = _RECALL = ("true_positives", "false_negatives")
_SPECIFICITY = ("true_negatives", "false_positives")
_PRECISION = ("true_positives", "false_positives")


class SensitivityAtSpecificity(_TradeOff):
    """The best sensitivity while the specificity is at least so high.

    Args:
        specificity: in [0, 1].
        num_thresholds: how many thresholds from 0 to 1 are looked at. Default 200.
        class_id: the only class that counts. Default None: all.
        name: default ``"sensitivity_at_specificity"``, numbered.
        dtype: as of `Metric`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: the largest ``TP / (TP + FN)`` of thresholds with ``TN / (TN + FP) >= specificity``.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.SensitivityAtSpecificity(0.5)
        >>> print(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    _argument, _least, _wanted = "specificity", _SPECIFICITY, _SENSITIVITY

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_TradeOff):
    """The best specificity while the sensitivity is at least so high.

    Args:
        sensitivity: in [0, 1].
        num_thresholds: how many thresholds from 0 to 1 are looked at. Default 200.
        class_id: the only class that counts. Default None: all.
        name: default ``"specificity_at_sensitivity"``, numbered.
        dtype: as of `Metric`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: the largest ``TN / (TN + FP)`` of thresholds with ``TP / (TP + FN) >= sensitivity``.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.SpecificityAtSensitivity(0.5)
        >>> print(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]).round(4))
        0.6667
    """

    _argument, _least, _wanted = "sensitivity", _SENSITIVITY, _SPECIFICITY

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_TradeOff):
    """The best precision while the recall is at least so high.

    Args:
        recall: in [0, 1].
        num_thresholds: how many thresholds from 0 to 1 are looked at. Default 200.
        class_id: the only class that counts. Default None: all.
        name: default ``"precision_at_recall"``, numbered.
        dtype: as of `Metric`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: the largest ``TP / (TP + FP)`` of thresholds with ``TP / (TP + FN) >= recall``.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.PrecisionAtRecall(0.5)
        >>> print(metric([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
        0.5
    """

    _argument, _least, _wanted = "recall", _RECALL, _PRECISION

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_TradeOff):
    """The best recall while the precision is at least so high.

    Args:
        precision: in [0, 1].
        num_thresholds: how many thresholds from 0 to 1 are looked at. Default 200.
        class_id: the only class that counts. Default None: all.
        name: default ``"recall_at_precision"``, numbered.
        dtype: as of `Metric`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: the largest ``TP / (TP + FN)`` of thresholds with ``TP / (TP + FP) >= precision``.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.RecallAtPrecision(0.8)
        >>> print(metric([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
        0.5
    """

    _argument, _least, _wanted = "precision", _PRECISION, _RECALL

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
