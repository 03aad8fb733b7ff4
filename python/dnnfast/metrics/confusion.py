"""Counts of right and wrong predictions at thresholds, precision and recall."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import ops
from dnnfast.losses.base import scalar
from dnnfast.metrics.counting import LOWEST, Thresholds, check_count, chosen, counts, prepared
from dnnfast.metrics.metric import Metric
from dnnfast.variable import Variable


def ratio(part: Variable, other: Variable) -> Any:
    """Return the share of one count in the sum of two, 0 of nothing."""
    return ops.divide_no_nan(part, ops.add(part, other))


class ConfusionMetric(Metric):
    """A metric of counts at thresholds, each in a variable."""

    # Names of the counts that it keeps.
    _counted: tuple[str, ...] = ()
    _thresholds: Thresholds
    top_k: int | None = None
    class_id: int | None = None

    def _keep_counts(self, thresholds: Thresholds) -> None:
        """Create the variables."""
        self._thresholds = thresholds
        self._counts = {
            name: self.add_variable((len(thresholds),), "zeros", name=name)
            for name in self._counted
        }

    @property
    def thresholds(self) -> list[float]:
        """What predictions are compared with."""
        return list(self._thresholds.values)

    def __getattr__(self, name: str) -> Any:
        kept = self.__dict__.get("_counts", {})
        if name in kept:
            return kept[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: 0 or 1.
            y_pred: predictions in [0, 1], one a target.
            sample_weight: one weight a sample or prediction; default 1.
        """
        values = prepared(y_true, y_pred, sample_weight, self.dtype)
        values = chosen(*values, self.top_k, self.class_id)
        for name, found in counts(list(self._counts), values, self._thresholds).items():
            self._counts[name].assign_add(found)

    def _one_or_all(self, values: Any) -> Any:
        """Return a number for one threshold, else an array."""
        return scalar(np.asarray(values)[0] if len(self._thresholds) == 1 else values)


class _Count(ConfusionMetric):
    """One of the four counts."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(dtype, name)
        self.init_thresholds = thresholds
        self._thresholds = Thresholds.given(type(self).__name__, thresholds)
        self.accumulator = self.add_variable((len(self._thresholds),), "zeros", name="accumulator")
        self._counts = {self._counted[0]: self.accumulator}

    def result(self) -> Any:
        """Return the count so far, one for each threshold if there are several."""
        return self._one_or_all(ops.convert_to_tensor(self.accumulator))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"name": self.name, "dtype": self.dtype, "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """Weight of predictions above a threshold whose targets are 1.

    Args:
        thresholds: in [0, 1], a number or several; default 0.5.
        name: default ``"true_positives"``, numbered.
        dtype: as of `Metric`.

    Raises:
        ValueError: if a threshold is not in [0, 1].

    Formula: ``sum(weight where t = 1 and p > threshold)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.TruePositives()([0, 1, 1, 1], [1.0, 0.0, 1.0, 0.8]))
        2.0
    """

    _counted = ("true_positives",)


class TrueNegatives(_Count):
    """Weight of predictions not above a threshold whose targets are 0.

    Args:
        thresholds: in [0, 1], a number or several; default 0.5.
        name: default ``"true_negatives"``, numbered.
        dtype: as of `Metric`.

    Raises:
        ValueError: if a threshold is not in [0, 1].

    Formula: ``sum(weight where t = 0 and p <= threshold)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.TrueNegatives()([0, 1, 0, 0], [1.0, 0.0, 0.2, 0.5]))
        2.0
    """

    _counted = ("true_negatives",)


class FalsePositives(_Count):
    """Weight of predictions above a threshold whose targets are 0.

    Args:
        thresholds: in [0, 1], a number or several; default 0.5.
        name: default ``"false_positives"``, numbered.
        dtype: as of `Metric`.

    Raises:
        ValueError: if a threshold is not in [0, 1].

    Formula: ``sum(weight where t = 0 and p > threshold)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.FalsePositives([0.3, 0.6])([0, 1, 0], [0.5, 0.9, 0.7]))
        [2. 1.]
    """

    _counted = ("false_positives",)


class FalseNegatives(_Count):
    """Weight of predictions not above a threshold whose targets are 1.

    Args:
        thresholds: in [0, 1], a number or several; default 0.5.
        name: default ``"false_negatives"``, numbered.
        dtype: as of `Metric`.

    Raises:
        ValueError: if a threshold is not in [0, 1].

    Formula: ``sum(weight where t = 1 and p <= threshold)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.FalseNegatives()([0, 1, 1, 1], [0.0, 1.0, 0.2, 0.5]))
        2.0
    """

    _counted = ("false_negatives",)


class _Share(ConfusionMetric):
    """Precision and recall."""

    _direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(dtype, name)
        where = type(self).__name__
        self.init_thresholds = thresholds
        self.top_k = None if top_k is None else check_count(where, "top_k", top_k, 1)
        self.class_id = None if class_id is None else check_count(where, "class_id", class_id, 0)
        default = 0.5 if top_k is None else LOWEST
        self._keep_counts(Thresholds.given(where, thresholds, default))

    def result(self) -> Any:
        """Return the share so far, one for each threshold if there are several; 0 of nothing."""
        return self._one_or_all(ratio(*self._counts.values()))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            "name": self.name,
            "dtype": self.dtype,
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


class Precision(_Share):
    """Share of right ones among what is predicted.

    Args:
        thresholds: predictions above them count as positive; in [0, 1], a number or several.
            Default 0.5, or none with ``top_k``.
        top_k: only the k largest predictions of a row may be positive. Default None: all.
        class_id: the only class that counts. Default None: all.
        name: default ``"precision"``, numbered.
        dtype: as of `Metric`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``true positives / (true positives + false positives)``, 0 of nothing.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.Precision()([0, 1, 1, 1], [1.0, 0.0, 1.0, 0.8]).round(4))
        0.6667
    """

    _counted = ("true_positives", "false_positives")


class Recall(_Share):
    """Share of what is predicted among what is true.

    Args:
        thresholds: predictions above them count as positive; in [0, 1], a number or several.
            Default 0.5, or none with ``top_k``.
        top_k: only the k largest predictions of a row may be positive. Default None: all.
        class_id: the only class that counts. Default None: all.
        name: default ``"recall"``, numbered.
        dtype: as of `Metric`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``true positives / (true positives + false negatives)``, 0 of nothing.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.Recall()([0, 1, 1, 1], [0.0, 0.0, 1.0, 0.8]).round(4))
        0.6667
    """

    _counted = ("true_positives", "false_negatives")
