"""Metrics for tests: how to create each, data for it, and its value by a plain NumPy formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dnnfast as keras
from api import formulas

# Arguments without a default.
REQUIRED: dict[str, dict[str, Any]] = {
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "MeanIoU": {"num_classes": 3},
    "MeanMetricWrapper": {"fn": keras.losses.log_cosh},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
}


def new_metric(cls: type, **options: Any) -> Any:
    """Return a metric of a class, with arguments for what has no default."""
    return cls(**{**REQUIRED.get(cls.__name__, {}), **options})


Array = np.ndarray
Formula = Callable[..., Any]


def mean_of(rows: Formula) -> Formula:
    """The weighted mean of a formula of samples."""

    def value(t: Array, p: Array, w: Array) -> float:
        found = rows(t, p)
        found = found.reshape(len(found), -1).mean(axis=1)
        return (found * w).sum() / w.sum() if w.sum() else 0.0

    return value


def share(part: Any, whole: Any) -> Any:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)


def confusion(t: Array, p: Array, w: Array, thresholds: Any) -> tuple[Array, ...]:
    """Counts (true and false positives, true and false negatives) by threshold."""
    w = np.broadcast_to(w.reshape(-1, *[1] * (p.ndim - 1)), p.shape)
    above = [p > limit for limit in thresholds]
    true, false = t == 1, t == 0
    return tuple(
        np.array([(w * (a if positive else ~a) * side).sum() for a in above])
        for positive, side in ((True, true), (True, false), (False, false), (False, true))
    )


def count(which: int, thresholds: Any = (0.5,)) -> Formula:
    return lambda t, p, w: np.squeeze(confusion(t, p, w, thresholds)[which])


def precision(t: Array, p: Array, w: Array, thresholds: Any = (0.5,)) -> Any:
    tp, fp, _, _ = confusion(t, p, w, thresholds)
    return np.squeeze(share(tp, tp + fp))


def recall(t: Array, p: Array, w: Array, thresholds: Any = (0.5,)) -> Any:
    tp, _, _, fn = confusion(t, p, w, thresholds)
    return np.squeeze(share(tp, tp + fn))


def trade_off(least: str, wanted: str, value: float = 0.5) -> Formula:
    def best(t: Array, p: Array, w: Array) -> float:
        tp, fp, tn, fn = confusion(t, p, w, np.arange(200) / 199)
        shares = {"recall": share(tp, tp + fn), "precision": share(tp, tp + fp)}
        shares["specificity"] = share(tn, tn + fp)
        return max([0.0, *shares[wanted][shares[least] >= value]])

    return best


def roc_area(t: Array, p: Array, w: Array) -> float:
    """The share of pairs in the right order, by thresholds: ties within a step count half."""
    w = np.broadcast_to(w.reshape(-1, *[1] * (p.ndim - 1)), p.shape).ravel()
    steps = np.ceil(p.ravel() * 199)
    yes, no = t.ravel() == 1, t.ravel() == 0
    right = (steps[yes][:, None] > steps[no]) + 0.5 * (steps[yes][:, None] == steps[no])
    pairs = w[yes][:, None] * w[no]
    return float((right * pairs).sum() / pairs.sum()) if pairs.sum() else 0.0


def f_score(t: Array, p: Array, w: Array, beta: float = 1.0, average: Any = None) -> Any:
    chosen = (p == p.max(axis=-1, keepdims=True)) * 1.0
    axis = None if average == "micro" else 0
    tp = (w[:, None] * chosen * t).sum(axis)
    fp, fn = (w[:, None] * chosen * (1 - t)).sum(axis), (w[:, None] * (1 - chosen) * t).sum(axis)
    scores = share((1 + beta**2) * tp, (1 + beta**2) * tp + beta**2 * fn + fp)
    if average == "weighted":
        return (scores * (w[:, None] * t).sum(0)).sum() / max((w[:, None] * t).sum(), 1e-7)
    return scores if average is None else scores.mean()


def overlaps(t: Array, p: Array, w: Array, ids: Any = range(3)) -> float:
    if t.ndim > 1:
        t = t.argmax(axis=-1)
    if p.ndim > 1:
        p = p.argmax(axis=-1)
    found = []
    for i in ids:
        union = (w * ((t == i) | (p == i))).sum()
        if union:
            found.append((w * ((t == i) & (p == i))).sum() / union)
    return float(np.mean(found)) if found else 0.0


def binary_overlap(t: Array, p: Array, w: Array) -> float:
    w = np.broadcast_to(w[:, None], p.shape)
    return overlaps(t.ravel(), (p >= 0.5).ravel() * 1, w.ravel(), (0, 1))


def r2(t: Array, p: Array, w: Array) -> float:
    w = w[:, None]
    center = (w * t).sum(0) / w.sum()
    return float(np.mean(1 - (w * (t - p) ** 2).sum(0) / (w * (t - center) ** 2).sum(0)))


def pearson(t: Array, p: Array) -> Array:
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(t, p, strict=True)])


def concordance(t: Array, p: Array) -> Array:
    covariance = ((t - t.mean(1, keepdims=True)) * (p - p.mean(1, keepdims=True))).mean(1)
    return 2 * covariance / (t.var(1) + p.var(1) + (t.mean(1) - p.mean(1)) ** 2)


def among_largest(t: Array, p: Array, k: int = 5) -> Array:
    t = t.argmax(axis=-1) if t.ndim == p.ndim else t
    larger = (p > np.take_along_axis(p, t[..., None], -1)).sum(-1)
    return (larger < k) * 1.0


# By class: the formula (of targets, predictions and weights), and the form of the data.
MEASURES: dict[str, tuple[Formula, str]] = {
    "AUC": (roc_area, "binary"),
    "Accuracy": (mean_of(lambda t, p: (t == p) * 1.0), "pairs"),
    "BinaryAccuracy": (mean_of(lambda t, p: ((p > 0.5) == t) * 1.0), "binary"),
    "BinaryCrossentropy": (mean_of(formulas.binary), "binary"),
    "BinaryIoU": (binary_overlap, "binary"),
    "CategoricalAccuracy": (mean_of(lambda t, p: (t.argmax(-1) == p.argmax(-1)) * 1.0), "one-hot"),
    "CategoricalCrossentropy": (mean_of(formulas.categorical), "shares"),
    "CategoricalHinge": (mean_of(formulas.categorical_hinge), "one-hot"),
    "ConcordanceCorrelation": (mean_of(concordance), "real"),
    "CosineSimilarity": (mean_of(lambda t, p: -formulas.cosine(t, p)), "real"),
    "F1Score": (f_score, "binary"),
    "FBetaScore": (f_score, "binary"),
    "FalseNegatives": (count(3), "binary"),
    "FalsePositives": (count(1), "binary"),
    "Hinge": (mean_of(formulas.hinge), "signs"),
    "IoU": (lambda t, p, w: overlaps(t, p, w, (0, 2)), "classes"),
    "KLDivergence": (mean_of(formulas.divergence), "shares"),
    "LogCoshError": (mean_of(formulas.log_cosh), "real"),
    "MeanAbsoluteError": (mean_of(formulas.absolute), "real"),
    "MeanAbsolutePercentageError": (mean_of(formulas.percentage), "real"),
    "MeanIoU": (overlaps, "classes"),
    "MeanMetricWrapper": (mean_of(formulas.log_cosh), "real"),
    "MeanSquaredError": (mean_of(formulas.squared), "real"),
    "MeanSquaredLogarithmicError": (mean_of(formulas.logarithmic), "positive"),
    "OneHotIoU": (lambda t, p, w: overlaps(t, p, w, (0, 2)), "one-hot 3"),
    "OneHotMeanIoU": (overlaps, "one-hot 3"),
    "PearsonCorrelation": (mean_of(pearson), "real"),
    "Poisson": (mean_of(formulas.poisson), "positive"),
    "Precision": (precision, "binary"),
    "PrecisionAtRecall": (trade_off("recall", "precision"), "binary"),
    "R2Score": (r2, "real"),
    "Recall": (recall, "binary"),
    "RecallAtPrecision": (trade_off("precision", "recall"), "binary"),
    "RootMeanSquaredError": (lambda t, p, w: np.sqrt(mean_of(formulas.squared)(t, p, w)), "real"),
    "SensitivityAtSpecificity": (trade_off("specificity", "recall"), "binary"),
    "SparseCategoricalAccuracy": (mean_of(lambda t, p: (t == p.argmax(-1)) * 1.0), "labels"),
    "SparseCategoricalCrossentropy": (mean_of(formulas.sparse), "labels"),
    "SparseTopKCategoricalAccuracy": (mean_of(among_largest), "labels"),
    "SpecificityAtSensitivity": (trade_off("recall", "specificity"), "binary"),
    "SquaredHinge": (mean_of(formulas.squared_hinge), "signs"),
    "TopKCategoricalAccuracy": (mean_of(among_largest), "one-hot"),
    "TrueNegatives": (count(2), "binary"),
    "TruePositives": (count(0), "binary"),
}


def example(form: str, rows: int, columns: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and predictions of a form, in float64; predictions are exact in float32."""
    rng = np.random.default_rng(seed)
    if form == "classes":
        return rng.integers(0, 3, rows), rng.integers(0, 3, rows)
    if form == "pairs":
        return rng.integers(0, 2, (rows, columns)), rng.integers(0, 2, (rows, columns))
    if form == "one-hot 3":
        form, columns = "one-hot", 3
    t, p = formulas.example(form, rows, columns, seed)
    return t, p.astype(np.float32).astype(float)
