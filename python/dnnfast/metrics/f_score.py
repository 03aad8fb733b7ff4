"""Means of precision and recall."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import checks, ops
from dnnfast.config import settings
from dnnfast.errors import unknown_name
from dnnfast.losses.base import array_type, product_of, rank_of, scalar
from dnnfast.metrics.metric import Metric, weights_of

_AVERAGES = (None, "micro", "macro", "weighted")
_SMALLEST = 1e-9


def _check_threshold(where: str, threshold: Any) -> float | None:
    if threshold is None:
        return None
    if checks.number(where, "threshold", threshold, above=0.0) > 1.0:
        raise ValueError(f"{where}: threshold must be above 0 and at most 1, got {threshold!r}.")
    return threshold


class FBetaScore(Metric):
    """The weighted harmonic mean of precision and recall of each class.

    Args:
        average: how the scores of the classes become one: ``"micro"`` (of all predictions
            together), ``"macro"`` (their mean), ``"weighted"`` (their mean by how many targets each
            has), or None (the default) for one score a class.
        beta: how much more recall counts than precision, above 0. Default 1.
        threshold: predictions above it count as positive, in (0, 1]; None (the default): the
            largest of each row.
        name: default ``"fbeta_score"``.
        dtype: as of `Metric`.

    Raises:
        ValueError: if an argument is out of range, or targets or predictions are no matrices.

    Formula: ``(1 + beta^2) precision recall / (beta^2 precision + recall + epsilon)`` with
    `config.epsilon` also under the shares, so that they are 0 of nothing.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.FBetaScore(beta=2.0, threshold=0.5)
        >>> y_true = [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
        >>> print(metric(y_true, [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]).round(4))
        [0.3846 0.9091 0.8333]
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        where = type(self).__name__
        super().__init__(dtype, name)
        if average not in _AVERAGES:
            raise unknown_name(f"{where} average", average, [str(a) for a in _AVERAGES])
        self.average = average
        self.beta = checks.number(where, "beta", beta, above=0.0)
        self.threshold = _check_threshold(where, threshold)
        self.axis = None if average == "micro" else 0
        self._built = False

    def _build(self, y_true: Any, y_pred: Any) -> None:
        if rank_of(y_true) != 2 or rank_of(y_pred) != 2:
            raise ValueError(
                f"{type(self).__name__}: expected targets and predictions of shape (samples, "
                f"classes), got {tuple(y_true.shape)} and {tuple(y_pred.shape)}."
            )
        shape = () if self.average == "micro" else (y_pred.shape[-1],)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")
        self.intermediate_weights = self.add_variable(shape, "zeros", name="intermediate_weights")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: 0 or 1, of shape (samples, classes).
            y_pred: predictions in the same shape.
            sample_weight: one weight a sample; default 1.
        """
        weight = weights_of(y_pred, sample_weight, self.dtype)
        kind = array_type(self.dtype)
        y_true, y_pred = ops.convert_to_tensor(y_true, kind), ops.convert_to_tensor(y_pred, kind)
        if not self._built:
            self._build(y_true, y_pred)
        if self.threshold is None:
            largest = ops.greater_equal(y_pred, ops.max(y_pred, axis=-1, keepdims=True))
            positive = ops.logical_and(largest, ops.greater(ops.abs(y_pred), _SMALLEST))
        else:
            positive = ops.greater(y_pred, self.threshold)
        found = ops.cast(positive, kind)

        def total(values: Any) -> Any:
            return ops.sum(product_of(values, weight), axis=self.axis)

        self.true_positives.assign_add(total(found * y_true))
        self.false_positives.assign_add(total(found * (1.0 - y_true)))
        self.false_negatives.assign_add(total((1.0 - found) * y_true))
        self.intermediate_weights.assign_add(total(y_true))

    def result(self) -> Any:
        """Return the score so far, or one a class; 0 of nothing."""
        if not self._built:
            return np.float32(0.0)
        least = settings.epsilon()
        right = np.asarray(self.true_positives)
        precision = right / (right + np.asarray(self.false_positives) + least)
        recall = right / (right + np.asarray(self.false_negatives) + least)
        factor = self.beta**2
        score = (1 + factor) * precision * recall / (factor * precision + recall + least)
        if self.average == "weighted":
            weights = np.asarray(self.intermediate_weights)
            score = np.sum(score * weights / (np.sum(weights) + least))
        elif self.average is not None:
            score = np.mean(score)
        return scalar(np.asarray(score, np.float32))


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall of each class.

    Args:
        average: how the scores of the classes become one: ``"micro"`` (of all predictions
            together), ``"macro"`` (their mean), ``"weighted"`` (their mean by how many targets each
            has), or None (the default) for one score a class.
        threshold: predictions above it count as positive, in (0, 1]; None (the default): the
            largest of each row.
        name: default ``"f1_score"``.
        dtype: as of `Metric`.

    Raises:
        ValueError: if an argument is out of range, or targets or predictions are no matrices.

    Formula: ``2 precision recall / (precision + recall + epsilon)`` with `config.epsilon`.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.F1Score(threshold=0.5)
        >>> y_true = [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
        >>> print(metric(y_true, [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]).round(4))
        [0.5    0.8    0.6667]
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)
