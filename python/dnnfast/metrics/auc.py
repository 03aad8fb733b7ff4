"""The area under a curve of two shares."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import checks, ops
from dnnfast.config import settings
from dnnfast.errors import unknown_name
from dnnfast.losses.arguments import check_share
from dnnfast.losses.base import rank_of, scalar
from dnnfast.metrics.counting import Thresholds, check_count, counts, prepared
from dnnfast.metrics.metric import Metric

_CURVES = ("ROC", "PR", "PRGAIN")
_METHODS = ("interpolation", "minoring", "majoring")
_COUNTED = ("true_positives", "false_positives", "true_negatives", "false_negatives")
Array = Any


def _one_of(where: str, given: Any, known: tuple[str, ...]) -> str:
    """Return a name in its own spelling; an enumeration's member counts as its value."""
    value = getattr(given, "value", given)
    for name in known:
        if isinstance(value, str) and value.lower() == name.lower():
            return name
    raise unknown_name(where, given, known)


def _ratio(part: Array, whole: Array) -> Array:
    return ops.divide_no_nan(part, whole)


class AUC(Metric):
    """The area under the ROC or the precision-recall curve, by a sum over thresholds.

    Args:
        num_thresholds: how many thresholds from 0 to 1, above 1. Default 200.
        curve: ``"ROC"`` (true over false positive rate, the default), ``"PR"`` (precision over
            recall) or ``"PRGAIN"`` (the gains of both).
        summation_method: ``"interpolation"`` (of neighbours' heights, for precision and recall of
            the true positives; the default), ``"minoring"`` (the smaller one, too little) or
            ``"majoring"`` (the larger one, too much).
        name: default ``"auc"``, numbered.
        dtype: as of `Metric`.
        thresholds: in (0, 1), instead of ``num_thresholds`` even ones; 0 and 1 are added.
        multi_label: whether each column has a curve of its own; the result is their mean. Default
            False: one curve of all predictions.
        num_labels: how many columns, for ``multi_label``; default found at the first batch.
        label_weights: one weight a column; default 1.
        from_logits: whether predictions are logits, not probabilities. Default False.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``sum((x[i] - x[i + 1]) h[i])`` over thresholds, with the heights ``h[i]`` of
    ``summation_method``; the interpolated precision-recall curve is that of Davis and Goadrich
    (2006).

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
        0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        self._from_given = thresholds is not None
        inner = self._inner(num_thresholds, thresholds)
        self.num_thresholds = len(inner) + 2
        # The first threshold is below all predictions, and the last one above.
        epsilon = settings.epsilon()
        self._thresholds = Thresholds([-epsilon, *inner, 1.0 + epsilon])
        self.curve = _one_of("AUC curve", curve, _CURVES)
        self.summation_method = _one_of("AUC summation_method", summation_method, _METHODS)
        self.multi_label = checks.flag("AUC", "multi_label", multi_label)
        self.num_labels = num_labels
        if num_labels is not None and not multi_label:
            raise ValueError(f"AUC: num_labels={num_labels} is only for multi_label=True.")
        self.label_weights = None if label_weights is None else np.array(label_weights, np.float32)
        self.from_logits = checks.flag("AUC", "from_logits", from_logits)
        self._built = False
        if not multi_label:
            self._build(())
        elif num_labels:
            self._build((check_count("AUC", "num_labels", num_labels, 1),))

    @staticmethod
    def _inner(num_thresholds: Any, thresholds: Any) -> list[float]:
        if thresholds is not None:
            return sorted(float(check_share("AUC", "thresholds", t)) for t in thresholds)
        return Thresholds.evenly(check_count("AUC", "num_thresholds", num_thresholds, 2)).values[
            1:-1
        ]

    @property
    def thresholds(self) -> list[float]:
        """What predictions are compared with."""
        return list(self._thresholds.values)

    def _build(self, labels: tuple[int, ...]) -> None:
        shape = (self.num_thresholds, *labels)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        self.false_positives = self.add_variable(shape, "zeros", name="false_positives")
        self.true_negatives = self.add_variable(shape, "zeros", name="true_negatives")
        self.false_negatives = self.add_variable(shape, "zeros", name="false_negatives")
        self._built = True

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: 0 or 1.
            y_pred: predictions in [0, 1] (or logits), one a target.
            sample_weight: one weight a sample or prediction; default 1.

        Raises:
            ValueError: if there are no columns and ``multi_label`` is set.
        """
        y_true, y_pred, weight = prepared(y_true, y_pred, sample_weight, self.dtype)
        if self.multi_label and rank_of(y_pred) != 2:
            raise ValueError(
                "AUC: with multi_label=True predictions must have shape (samples, labels), got "
                f"{tuple(y_pred.shape)}."
            )
        if not self._built:
            self._build((y_pred.shape[1],))
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        if self.label_weights is not None and not self.multi_label:
            factor = np.ones((1, len(self.label_weights)), np.float32) * self.label_weights
            weight = factor if weight is None else ops.multiply(weight, factor)
        values = (y_true, y_pred, weight)
        for name, found in counts(_COUNTED, values, self._thresholds, self.multi_label).items():
            getattr(self, name).assign_add(found)

    def result(self) -> Any:
        """Return the area so far, 0 of nothing."""
        if not self._built:
            return np.float32(0.0)
        tp, fp, tn, fn = (np.asarray(getattr(self, name)) for name in _COUNTED)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._over_labels(_interpolated(tp, fp, fn))
        x, y = self._points(tp, fp, tn, fn)
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2.0
        else:
            choose = np.minimum if self.summation_method == "minoring" else np.maximum
            heights = choose(y[:-1], y[1:])
        return self._over_labels((x[:-1] - x[1:]) * heights)

    def _points(self, tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
        recall = _ratio(tp, tp + fn)
        if self.curve == "ROC":
            return _ratio(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, _ratio(tp, tp + fp)
        odds = _ratio(tp + fn, tn + fp)
        gain = 1.0 - odds * _ratio(fn, tp)
        precision_gain = np.where(tp == 0.0, 1.0, 1.0 - odds * _ratio(fp, tp))
        return np.maximum(np.where(tp == 0.0, 0.0, gain), 0.0), precision_gain

    def _over_labels(self, terms: Array) -> Any:
        if not self.multi_label:
            return scalar(ops.sum(terms))
        areas = ops.sum(terms, axis=0)
        if self.label_weights is None:
            return scalar(ops.mean(areas))
        total = ops.sum(areas * self.label_weights)
        return scalar(ops.divide_no_nan(total, ops.sum(self.label_weights)))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        weights = self.label_weights
        config: dict[str, Any] = {
            "name": self.name,
            "dtype": self.dtype,
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if weights is None else weights.tolist(),
            "from_logits": self.from_logits,
        }
        return config | ({"thresholds": self.thresholds[1:-1]} if self._from_given else {})


def _interpolated(tp: Array, fp: Array, fn: Array) -> Array:
    """Return the parts of the area under a precision-recall curve.

    Between two thresholds the true positives are taken as linear in the predicted ones, p:
    ``tp = intercept + slope p``; precision is their ratio, whose integral over recall is
    ``slope (dtp + intercept ln(p[i] / p[i + 1])) / (tp + fn)``.
    """
    predicted = tp + fp
    dtp = tp[:-1] - tp[1:]
    slope = _ratio(dtp, np.maximum(predicted[:-1] - predicted[1:], 0.0))
    intercept = tp[1:] - slope * predicted[1:]
    both = (predicted[:-1] > 0.0) & (predicted[1:] > 0.0)
    growth = np.where(both, _ratio(predicted[:-1], np.maximum(predicted[1:], 0.0)), 1.0)
    whole = np.maximum(tp[1:] + fn[1:], 0.0)
    return _ratio(slope * (dtp + intercept * np.log(growth)), whole)
