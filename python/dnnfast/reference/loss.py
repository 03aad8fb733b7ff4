"""Losses: one value a row, and the gradient of the weighted mean over rows.

The cross-entropies exist in two forms. From logits (``from_logits=True``) they are exact and
stable. From probabilities they clip to [1e-7, 1 - 1e-7] as Keras does, after normalising the rows
of the categorical ones; there the gradient is zero beyond the clip. The forms differ in the tails
only. A session uses the first form wherever a loss reads the output of a softmax or a sigmoid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.errors import unknown_name
from dnnfast.reference.activation import sigmoid, softplus
from dnnfast.reference.softmax import log_softmax_forward, softmax_forward

Array = NDArray[np.float64]
# Keras's epsilon. Rounded to float32, in which engines clip: 1 - 1e-7 becomes 1 - 1.2e-7 there, and
# the logarithm of what is left tells the two apart.
SMALLEST_PROBABILITY = float(np.float32(1e-7))
LARGEST_PROBABILITY = float(np.float32(1.0 - 1e-7))


@dataclass(frozen=True)
class LossKind:
    """Row losses and their gradient, both of ``(prediction, target, from_logits)``.

    ``labels``: the target holds class numbers. ``smoothing``: what label smoothing mixes in is
    1 over this number (None: the number of classes; 0: the loss has no label smoothing).
    ``compares`` False: there is no target, the predictions are the losses.
    """

    rows: Callable[[Array, Array, bool], Array]
    gradient: Callable[[Array, Array, bool], Array]
    labels: bool = False
    smoothing: int | None = 0
    compares: bool = True


def _clipped(p: Array) -> tuple[Array, Array]:
    """Return the clipped probabilities and the derivative of the clip."""
    low, high = SMALLEST_PROBABILITY, LARGEST_PROBABILITY
    return np.clip(p, low, high), np.where((p >= low) & (p <= high), 1.0, 0.0)


def _categorical_rows(p: Array, t: Array, from_logits: bool) -> Array:
    if from_logits:
        log_p = log_softmax_forward(p)
    else:
        log_p = np.log(_clipped(p / p.sum(axis=-1, keepdims=True))[0])
    return -np.where(t == 0.0, 0.0, t * log_p).sum(axis=-1)


def _categorical_gradient(p: Array, t: Array, from_logits: bool) -> Array:
    if from_logits:
        return softmax_forward(p) * t.sum(axis=-1, keepdims=True) - t
    total = p.sum(axis=-1, keepdims=True)
    normal = p / total
    clipped, inside = _clipped(normal)
    d_normal = -t / clipped * inside
    return (d_normal - (d_normal * normal).sum(axis=-1, keepdims=True)) / total


def _one_hot(labels: Array, classes: int) -> Array:
    """Return one row a label; a label that is no class gives NaN, which no one can overlook."""
    labels = labels.reshape(labels.shape[0], -1)
    if labels.shape[1] != 1:
        raise ValueError(
            f"sparse labels have {labels.shape[1]} elements a row; expected one class number"
        )
    whole = np.trunc(labels)
    valid = (whole >= 0) & (whole < classes)
    return np.where(valid, (whole == np.arange(classes)) * 1.0, np.nan)


def _sparse_rows(p: Array, t: Array, from_logits: bool) -> Array:
    return _categorical_rows(p, _one_hot(t, p.shape[-1]), from_logits)


def _sparse_gradient(p: Array, t: Array, from_logits: bool) -> Array:
    return _categorical_gradient(p, _one_hot(t, p.shape[-1]), from_logits)


def _binary_rows(p: Array, t: Array, from_logits: bool) -> Array:
    if from_logits:
        # softplus(p) - p t, written so that confident right answers do not cancel.
        return (t * softplus(-p) + (1.0 - t) * softplus(p)).mean(axis=-1)
    clipped, _ = _clipped(p)
    return -(t * np.log(clipped) + (1.0 - t) * np.log1p(-clipped)).mean(axis=-1)


def _binary_gradient(p: Array, t: Array, from_logits: bool) -> Array:
    if from_logits:
        return (sigmoid(p) - t) / p.shape[-1]
    clipped, inside = _clipped(p)
    return (clipped - t) / (clipped * (1.0 - clipped)) * inside / p.shape[-1]


def _squared_rows(p: Array, t: Array, from_logits: bool) -> Array:
    return ((p - t) ** 2).mean(axis=-1)


def _squared_gradient(p: Array, t: Array, from_logits: bool) -> Array:
    return 2.0 * (p - t) / p.shape[-1]


def _absolute_rows(p: Array, t: Array, from_logits: bool) -> Array:
    return np.abs(p - t).mean(axis=-1)


def _absolute_gradient(p: Array, t: Array, from_logits: bool) -> Array:
    return np.sign(p - t) / p.shape[-1]


# By the names graphs use; csrc/ops/loss.h lists the same ones.
LOSSES: dict[str, LossKind] = {
    "sparse_categorical_crossentropy": LossKind(_sparse_rows, _sparse_gradient, labels=True),
    "categorical_crossentropy": LossKind(_categorical_rows, _categorical_gradient, smoothing=None),
    "binary_crossentropy": LossKind(_binary_rows, _binary_gradient, smoothing=2),
    "mean_squared_error": LossKind(_squared_rows, _squared_gradient),
    "mean_absolute_error": LossKind(_absolute_rows, _absolute_gradient),
    "values": LossKind(
        lambda p, t, from_logits: p.mean(axis=-1),
        lambda p, t, from_logits: np.full_like(p, 1.0 / p.shape[-1]),
        compares=False,
    ),
}


def loss_table(kind: str) -> LossKind:
    """Return the table's entry of a loss.

    Args:
        kind: a key of ``LOSSES``.

    Raises:
        ValueError: if there is none of that name.

    Example:

    >>> loss_table("sparse_categorical_crossentropy").labels
    True
    """
    if kind not in LOSSES:
        raise unknown_name("loss", kind, LOSSES)
    return LOSSES[kind]


def check_label_smoothing(kind: str, label_smoothing: float) -> None:
    """Raise a ValueError if a loss has no label smoothing or its amount is not in [0, 1].

    Args:
        kind: a key of ``LOSSES``.
        label_smoothing: the amount.

    Example:

    >>> check_label_smoothing("categorical_crossentropy", 0.1)
    """
    smoothing = loss_table(kind).smoothing
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"{kind}: label_smoothing must be in [0, 1]; got {label_smoothing}")
    if label_smoothing and smoothing == 0:
        raise ValueError(
            f"{kind} has no label_smoothing; got {label_smoothing}. Only categorical_crossentropy "
            "and binary_crossentropy have it"
        )


def _prepare(
    kind: str, prediction: ArrayLike, target: ArrayLike | None, label_smoothing: float
) -> tuple[LossKind, Array, Array]:
    table = loss_table(kind)
    check_label_smoothing(kind, label_smoothing)
    p = np.asarray(prediction, dtype=np.float64)
    p = p.reshape(-1, p.shape[-1]) if p.ndim > 1 else p.reshape(-1, 1)
    if not table.compares:
        return table, p, p
    t = np.asarray(target, dtype=np.float64)
    if table.labels:
        return table, p, t.reshape(p.shape[0], -1)
    t = t.reshape(p.shape)
    if label_smoothing:
        t = t * (1.0 - label_smoothing) + label_smoothing / (table.smoothing or p.shape[-1])
    return table, p, t


def loss_forward(
    kind: str,
    prediction: ArrayLike,
    target: ArrayLike | None,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    """Return the loss of every row, before sample weights.

    Args:
        kind: a key of ``LOSSES``.
        prediction: ``[rows, columns]`` (further axes count as rows).
        target: the same shape; for the sparse loss one class number a row; for ``values``, whose
            predictions are the losses, it is not looked at.
        from_logits: for cross-entropies: the prediction comes before softmax or sigmoid.
        label_smoothing: in [0, 1]; for categorical and binary cross-entropy.

    Raises:
        ValueError: for an unknown loss, a target that does not fit, or label smoothing where
            there is none.

    Formula: Keras 3's, with the mean over columns for binary, squared and absolute errors
    and for ``values``; a label outside of [0, columns) gives NaN.

    Example:

    >>> loss_forward("mean_squared_error", [[1.0, 3.0]], [[0.0, 0.0]])
    array([5.])
    """
    table, p, t = _prepare(kind, prediction, target, label_smoothing)
    with np.errstate(all="ignore"):
        return table.rows(p, t, from_logits)


def loss_backward(
    kind: str,
    prediction: ArrayLike,
    target: ArrayLike | None,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of the weighted mean of the row losses.

    Args:
        kind: as in `loss_forward`, like the rest.
        prediction: ``[rows, columns]``.
        target: see `loss_forward`.
        from_logits: see `loss_forward`.
        label_smoothing: see `loss_forward`.
        sample_weight: one weight a sample (for all of its rows), or None (1).

    Raises:
        ValueError: as `loss_forward` does.

    Formula: ``d/dprediction of sum_r(sample_weight_r * row_loss_r) / rows``: divided by the
    number of rows, not by the sum of the weights, as in Keras's ``sum_over_batch_size``.

    Example:

    >>> loss_backward("mean_squared_error", [[1.0]], [[0.0]])
    array([[2.]])
    """
    table, p, t = _prepare(kind, prediction, target, label_smoothing)
    with np.errstate(all="ignore"):
        gradient = table.gradient(p, t, from_logits) / max(p.shape[0], 1)
    if sample_weight is not None:
        gradient = gradient * row_weights(sample_weight, p.shape[0])[:, None]
    return gradient.reshape(np.shape(prediction))


def row_weights(sample_weight: ArrayLike, rows: int) -> Array:
    """Return one weight a row from one weight a sample.

    Args:
        sample_weight: one number a sample.
        rows: a multiple of the number of samples.

    Raises:
        ValueError: if ``rows`` is not a multiple.

    Example:

    >>> row_weights([1.0, 2.0], 4).tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    weights = np.asarray(sample_weight, dtype=np.float64).reshape(-1)
    if weights.size == 0 or rows % weights.size:
        raise ValueError(f"sample_weight has {weights.size} elements; they do not fit {rows} rows")
    return np.repeat(weights, rows // weights.size)
