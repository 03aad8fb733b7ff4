"""How many predictions are right and wrong at thresholds, and confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import checks, ops
from dnnfast.config import settings
from dnnfast.losses.arguments import check_share
from dnnfast.losses.base import aligned, array_type, rank_of, to_same_rank
from dnnfast.metrics.metric import weights_of
from dnnfast.saving import limits

# Below all predictions: what stands for those that are not among the largest.
LOWEST = -1e10


class Thresholds:
    """Thresholds of predictions, ascending where they are many.

    Args:
        values: the thresholds.

    ``even``: whether they divide [0, 1] into equal parts; then each prediction is counted in one
    of these instead of being compared with all thresholds.
    """

    def __init__(self, values: Sequence[float]) -> None:
        self.values = [float(value) for value in values]
        count = len(self.values)
        self.even = count >= 3 and np.allclose(
            self.values, np.arange(count) / (count - 1), atol=settings.epsilon()
        )

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def given(cls, where: str, thresholds: Any, default: float = 0.5) -> Thresholds:
        """Return the thresholds of an argument: a number, several, or None for the default."""
        if thresholds is None:
            return cls([default])
        several = isinstance(thresholds, (list, tuple, np.ndarray))
        values = list(thresholds) if several else [thresholds]
        if not values:
            raise ValueError(f"{where}: thresholds must not be empty.")
        return cls([check_share(where, "thresholds", value) for value in values])

    @classmethod
    def evenly(cls, count: int) -> Thresholds:
        """Return so many thresholds from 0 to 1; one is 0.5."""
        limits.take(64 * count, "a metric with so many thresholds")
        if count == 1:
            return cls([0.5])
        return cls([0.0, *((i + 1) / (count - 1) for i in range(count - 2)), 1.0])


def check_count(where: str, name: str, value: Any, least: int) -> int:
    """Return an integer of at least ``least``, or raise ValueError."""
    if checks.number(where, name, value, least) != int(value):
        raise ValueError(f"{where}: {name} must be an integer, got {value!r}.")
    return int(value)


# For each count: whether it is of what is true (else false), and above the threshold (else not).
SIDES = {
    "true_positives": (True, True),
    "false_positives": (False, True),
    "true_negatives": (False, False),
    "false_negatives": (True, False),
}


def prepared(y_true: Any, y_pred: Any, sample_weight: Any, dtype: str) -> tuple[Any, Any, Any]:
    """Return targets, predictions and weights that broadcast to them (or None), as tensors.

    Args:
        y_true: targets.
        y_pred: predictions, one a target; what their mask leaves out has no weight.
        sample_weight: one weight a sample or a prediction; None for 1.
        dtype: to compute in.
    """
    weight = weights_of(y_pred, sample_weight, dtype)
    kind = array_type(dtype)
    y_pred, y_true = to_same_rank(
        ops.convert_to_tensor(y_pred, kind), ops.convert_to_tensor(y_true, kind)
    )
    return y_true, y_pred, None if weight is None else aligned(y_true, weight)[1]


def chosen(
    y_true: Any, y_pred: Any, weight: Any, top_k: int | None, class_id: int | None
) -> tuple[Any, Any, Any]:
    """Return of `prepared` values what counts.

    Args:
        y_true: targets.
        y_pred: predictions.
        weight: weights, or None.
        top_k: only the k largest predictions of a row may be positive; None for all.
        class_id: the only column that counts; None for all.

    Raises:
        ValueError: if there is no such column.
    """
    if top_k is not None:
        y_pred = _only_largest(y_pred, top_k)
    if class_id is not None:
        y_true, y_pred = _column(y_true, class_id), _column(y_pred, class_id)
        if weight is not None and rank_of(weight) > 1 and weight.shape[-1] != 1:
            weight = _column(weight, class_id)
    return y_true, y_pred, weight


def counts(
    names: Sequence[str],
    values: tuple[Any, Any, Any],
    thresholds: Thresholds,
    by_label: bool = False,
) -> dict[str, Any]:
    """Count right and wrong predictions at each threshold.

    Args:
        names: of the counts: keys of `SIDES`.
        values: targets (what is not 0 is true), predictions (those above a threshold are positive)
            and weights (or None), as `prepared` returns them.
        thresholds: the thresholds.
        by_label: whether columns are counted apart.

    Returns a tensor of shape (thresholds,), or (thresholds, labels), for each name.
    """
    y_true, y_pred, weight = values
    true = ops.cast(ops.not_equal(y_true, 0.0), y_pred.dtype)
    parts = [1.0 - true, true]
    if weight is not None:
        parts = [part * weight for part in parts]
    if not by_label:
        y_pred = ops.reshape(y_pred, (-1,))
        parts = [ops.reshape(part, (-1,)) for part in parts]
    if thresholds.even:
        sums = _in_buckets(y_pred, parts, thresholds)
        return {name: sums[SIDES[name][0]][SIDES[name][1]] for name in names}
    shape = (-1, *[1] * (rank_of(y_pred) - 1))
    limits = np.asarray(thresholds.values, np.float32).reshape(shape)
    above = ops.greater(ops.expand_dims(y_pred, 1), limits)
    found = {}
    for name in names:
        of_true, positive = SIDES[name]
        part = ops.expand_dims(parts[of_true], 1)
        kept = ops.where(above, part, 0.0) if positive else ops.where(above, 0.0, part)
        found[name] = ops.sum(kept, axis=0)
    return found


def _only_largest(y_pred: Any, k: int) -> Any:
    _, indices = ops.top_k(y_pred, k)
    chosen = ops.sum(ops.one_hot(indices, y_pred.shape[-1]), axis=-2)
    return ops.where(ops.equal(chosen, 0.0), LOWEST, y_pred)


def _column(y: Any, class_id: int) -> Any:
    if rank_of(y) < 2 or not 0 <= class_id < y.shape[-1]:
        raise ValueError(
            f"class_id={class_id}: expected targets and predictions of shape (samples, classes) "
            f"with such a class, got shape {tuple(y.shape)}."
        )
    return y[..., class_id : class_id + 1]


def _in_buckets(y_pred: Any, parts: list[Any], thresholds: Thresholds) -> list[list[Any]]:
    """Sum the weights of each part not above and above thresholds that are evenly distributed.

    Bucket i holds what is above threshold i - 1 and not above i; what lies in the buckets behind i
    is above threshold i.
    """
    count = len(thresholds)
    # Neither NaN nor what is not above 0 is above a threshold.
    inside = ops.minimum(ops.where(ops.greater(y_pred, 0.0), y_pred, 0.0), 1.0)
    bucket = ops.cast(ops.ceil(inside * (count - 1)), "int32")
    if thresholds.values[0] < 0.0:
        bucket = ops.maximum(bucket, 1)
    labels = y_pred.shape[1] if rank_of(y_pred) > 1 else 1
    if rank_of(y_pred) > 1:
        offsets = count * np.arange(labels, dtype=np.int32)
        bucket = ops.reshape(bucket + offsets, (-1,))
    sums = []
    for part in parts:
        found = ops.segment_sum(ops.reshape(part, (-1,)), bucket, labels * count)
        behind = ops.flip(ops.cumsum(ops.flip(ops.reshape(found, (labels, count)), 1), 1), 1)
        above = ops.concatenate([behind[:, 1:], np.zeros((labels, 1), np.float32)], 1)
        pair = (behind[:, :1] - above, above)
        shape = (count, labels) if rank_of(y_pred) > 1 else (count,)
        sums.append([ops.reshape(ops.transpose(side), shape) for side in pair])
    return sums


def confusion_matrix(y_true: Any, y_pred: Any, classes: int, weight: Any) -> Any:
    """Return the weights of pairs of target and predicted class.

    Args:
        y_true: class numbers, a vector of integers in [0, classes).
        y_pred: predicted ones.
        classes: how many.
        weight: one a pair.

    Returns a tensor of shape (classes, classes), the targets along the first axis.
    """
    sums = ops.segment_sum(weight, y_true * classes + y_pred, classes * classes)
    return ops.reshape(sums, (classes, classes))
