"""The losses as plain NumPy formulas in float64, one value a sample, and data for them."""

from __future__ import annotations

from typing import Any

import numpy as np

EPSILON = 1e-7


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def inside(p: np.ndarray) -> np.ndarray:
    return np.clip(p, EPSILON, 1.0 - EPSILON)


def squared(t: Any, p: Any) -> Any:
    return ((t - p) ** 2).mean(axis=-1)


def absolute(t: Any, p: Any) -> Any:
    return np.abs(t - p).mean(axis=-1)


def percentage(t: Any, p: Any) -> Any:
    return 100.0 * (np.abs(t - p) / np.maximum(np.abs(t), EPSILON)).mean(axis=-1)


def logarithmic(t: Any, p: Any) -> Any:
    t, p = (np.log(np.maximum(y, EPSILON) + 1.0) for y in (t, p))
    return ((t - p) ** 2).mean(axis=-1)


def huber(t: Any, p: Any, delta: float = 1.0) -> Any:
    error = np.abs(t - p)
    linear = delta * error - delta**2 / 2
    return np.where(error <= delta, error**2 / 2, linear).mean(axis=-1)


def log_cosh(t: Any, p: Any) -> Any:
    return np.log(np.cosh(p - t)).mean(axis=-1)


def smoothed(t: Any, share: float, count: float) -> Any:
    return t * (1.0 - share) + share / count


def binary(t: Any, p: Any, from_logits: bool = False, label_smoothing: float = 0.0) -> Any:
    t = smoothed(t, label_smoothing, 2.0)
    p = sigmoid(p) if from_logits else inside(p)
    return -(t * np.log(p) + (1.0 - t) * np.log(1.0 - p)).mean(axis=-1)


def shares(p: Any, from_logits: bool) -> Any:
    return softmax(p) if from_logits else inside(p / p.sum(axis=-1, keepdims=True))


def categorical(t: Any, p: Any, from_logits: bool = False, label_smoothing: float = 0.0) -> Any:
    t = smoothed(t, label_smoothing, p.shape[-1])
    return -(t * np.log(shares(p, from_logits))).sum(axis=-1)


def of_label(t: Any, p: Any) -> Any:
    return np.take_along_axis(p, t[..., None], axis=-1)[..., 0]


def sparse(t: Any, p: Any, from_logits: bool = False) -> Any:
    return -np.log(of_label(t, shares(p, from_logits)))


def binary_focal(
    t: Any,
    p: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Any:
    t = smoothed(t, label_smoothing, 2.0)
    p = sigmoid(p) if from_logits else p
    right = t * p + (1.0 - t) * (1.0 - p)
    values = -((1.0 - right) ** gamma) * (t * np.log(p) + (1.0 - t) * np.log(1.0 - p))
    if apply_class_balancing:
        values = values * (t * alpha + (1.0 - t) * (1.0 - alpha))
    return values.mean(axis=-1)


def categorical_focal(
    t: Any,
    p: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Any:
    t, p = smoothed(t, label_smoothing, p.shape[-1]), shares(p, from_logits)
    return -(np.asarray(alpha) * (1.0 - p) ** gamma * t * np.log(p)).sum(axis=-1)


def divergence(t: Any, p: Any) -> Any:
    t, p = (np.clip(y, EPSILON, 1.0) for y in (t, p))
    return (t * np.log(t / p)).sum(axis=-1)


def poisson(t: Any, p: Any) -> Any:
    return (p - t * np.log(p + EPSILON)).mean(axis=-1)


def generalized(t: Any, p: Any, q: float = 0.5) -> Any:
    return (1.0 - of_label(t, p) ** q) / q


def hinge(t: Any, p: Any, power: int = 1) -> Any:
    t = 2.0 * t - 1.0 if np.isin(t, (0.0, 1.0)).all() else t
    return (np.maximum(1.0 - t * p, 0.0) ** power).mean(axis=-1)


def squared_hinge(t: Any, p: Any) -> Any:
    return hinge(t, p, 2)


def categorical_hinge(t: Any, p: Any) -> Any:
    return np.maximum(((1.0 - t) * p).max(axis=-1) - (t * p).sum(axis=-1) + 1.0, 0.0)


def cosine(t: Any, p: Any) -> Any:
    return -(t * p).sum(axis=-1) / np.linalg.norm(t, axis=-1) / np.linalg.norm(p, axis=-1)


def dice(t: Any, p: Any) -> Any:
    return 1.0 - 2.0 * (t * p).sum() / (t.sum() + p.sum() + EPSILON)


def tversky(t: Any, p: Any, alpha: float = 0.5, beta: float = 0.5) -> Any:
    shared = (t * p).sum()
    missed, wrong = (t * (1.0 - p)).sum(), ((1.0 - t) * p).sum()
    return 1.0 - shared / (shared + alpha * missed + beta * wrong + EPSILON)


def circle(t: Any, p: Any, gamma: float = 80.0, margin: float = 0.4) -> Any:
    """One value a sample, one by one; those of 0 do not count in means."""
    found = np.zeros(len(t))
    distance = np.maximum(1.0 - p @ p.T, 0.0)
    for i in range(len(t)):
        d = distance[i]
        same = (t == t[i]) & (np.arange(len(t)) != i)
        near = np.exp(-gamma * (margin + d) * (margin - d))[same].sum()
        weight = np.maximum(1.0 + margin - d, 0.0)
        far = np.exp(gamma * weight * (1.0 - margin - d))[t != t[i]].sum()
        found[i] = np.log1p(near * far)
    return found


# By class: the formula, and the form of the data.
FORMULAS: dict[str, tuple[Any, str]] = {
    "BinaryCrossentropy": (binary, "binary"),
    "BinaryFocalCrossentropy": (binary_focal, "binary"),
    "CategoricalCrossentropy": (categorical, "shares"),
    "CategoricalFocalCrossentropy": (categorical_focal, "shares"),
    "CategoricalGeneralizedCrossEntropy": (generalized, "labels"),
    "CategoricalHinge": (categorical_hinge, "one-hot"),
    "Circle": (circle, "vectors"),
    "CosineSimilarity": (cosine, "real"),
    "Dice": (dice, "binary"),
    "Hinge": (hinge, "signs"),
    "Huber": (huber, "real"),
    "KLDivergence": (divergence, "shares"),
    "LogCosh": (log_cosh, "real"),
    "MeanAbsoluteError": (absolute, "real"),
    "MeanAbsolutePercentageError": (percentage, "real"),
    "MeanSquaredError": (squared, "real"),
    "MeanSquaredLogarithmicError": (logarithmic, "positive"),
    "Poisson": (poisson, "positive"),
    "SparseCategoricalCrossentropy": (sparse, "labels"),
    "SquaredHinge": (squared_hinge, "signs"),
    "Tversky": (tversky, "binary"),
}


def targets(form: str, rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """Return targets of a form."""
    rng = np.random.default_rng(seed)
    shape = (rows, columns)
    if form in ("labels", "vectors"):
        return rng.integers(0, 2 if form == "vectors" else columns, rows)
    if form == "one-hot":
        return np.eye(columns)[rng.integers(0, columns, rows)]
    if form == "shares":
        return softmax(rng.normal(size=shape))
    if form == "binary":
        return rng.integers(0, 2, shape).astype(float)
    if form == "signs":
        return 2.0 * rng.integers(0, 2, shape) - 1.0
    return rng.uniform(0.1, 3.0, shape) if form == "positive" else rng.normal(size=shape) + 0.5


def predictions(form: str, z: np.ndarray) -> np.ndarray:
    """Return real numbers as predictions of a form."""
    if form in ("labels", "shares"):
        return softmax(z)
    if form == "binary":
        return sigmoid(z)
    if form == "positive":
        return np.log1p(np.exp(z)) + 0.1
    return z / np.linalg.norm(z, axis=-1, keepdims=True) if form == "vectors" else z


def example(form: str, rows: int, columns: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and predictions of a form, in float64."""
    z = np.random.default_rng(seed + 100).normal(size=(rows, columns))
    return targets(form, rows, columns, seed), predictions(form, z)
