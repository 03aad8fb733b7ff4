"""Shares of right predictions."""

from __future__ import annotations

import operator
from typing import Any

from dnnfast import checks, ops
from dnnfast.losses.arguments import pair
from dnnfast.losses.base import has_kernel, rank_of, takes_labels
from dnnfast.metrics.mean import NamedMetric


def _check_k(where: str, k: Any) -> int:
    try:
        number = -1 if isinstance(k, bool) else operator.index(k)
    except TypeError:
        number = -1
    if number < 1:
        raise ValueError(f"{where}: k must be an integer of at least 1, got {k!r}.")
    return number


def _one_axis_less(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return class numbers without a last axis of size 1, and predictions."""
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if rank_of(y_true) == rank_of(y_pred) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    return y_true, y_pred


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Tell (1 or 0) where predictions equal targets.

    Args:
        y_true: targets.
        y_pred: predictions.

    Example:
        >>> from dnnfast.metrics.accuracy import accuracy
        >>> accuracy([1, 2], [1, 3]).tolist()
        [1.0, 0.0]
    """
    y_true, y_pred = pair(y_true, y_pred)
    return ops.cast(ops.equal(y_true, y_pred), "float32")


@has_kernel("binary_accuracy")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """Tell (1 or 0) where predictions are on their target's side of a threshold.

    Args:
        y_true: 0 or 1.
        y_pred: predictions; those above the threshold count as 1.
        threshold: default 0.5.

    Example:
        >>> import dnnfast
        >>> dnnfast.metrics.binary_accuracy([[1.0, 0.0]], [[0.9, 0.8]]).tolist()
        [[1.0, 0.0]]
    """
    y_true, y_pred = pair(y_true, y_pred)
    chosen = ops.cast(ops.greater(y_pred, threshold), y_true.dtype)
    return ops.cast(ops.equal(y_true, chosen), "float32")


@has_kernel("categorical_accuracy")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Tell (1 or 0) where the largest prediction of a row is where its target is largest.

    Args:
        y_true: probabilities of the classes (one-hot rows, say), along the last axis.
        y_pred: predictions of the classes.

    Example:
        >>> import dnnfast
        >>> right = dnnfast.metrics.categorical_accuracy
        >>> right([[0, 1], [1, 0]], [[0.1, 0.9], [0.2, 0.8]]).tolist()
        [1.0, 0.0]
    """
    right = ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1))
    return ops.cast(right, "float32")


@takes_labels
@has_kernel("sparse_categorical_accuracy")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Tell (1 or 0) where the largest prediction of a row is that of its class.

    Args:
        y_true: class numbers, with or without a last axis of size 1.
        y_pred: predictions of the classes, along the last axis.

    Example:
        >>> import dnnfast
        >>> right = dnnfast.metrics.sparse_categorical_accuracy
        >>> right([1, 0], [[0.1, 0.9], [0.2, 0.8]]).tolist()
        [1.0, 0.0]
    """
    y_true, y_pred = _one_axis_less(y_true, y_pred)
    return ops.cast(ops.equal(y_true, ops.argmax(y_pred, axis=-1)), "float32")


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """Tell (1 or 0) where the class with the largest target is among the k largest predictions.

    Args:
        y_true: probabilities of the classes (one-hot rows, say), along the last axis.
        y_pred: predictions of the classes.
        k: how many predictions count. Default 5.

    Raises:
        ValueError: if k is not an integer of at least 1.

    Example:
        >>> import dnnfast
        >>> right = dnnfast.metrics.top_k_categorical_accuracy
        >>> right([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.3, 0.1, 0.6]], k=2).tolist()
        [1.0, 0.0]
    """
    return sparse_top_k_categorical_accuracy(ops.argmax(y_true, axis=-1), y_pred, k)


@takes_labels
def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Any:
    """Tell (1 or 0) where the class is among the k largest predictions.

    Args:
        y_true: class numbers, with or without a last axis of size 1.
        y_pred: predictions of the classes, along the last axis.
        k: how many predictions count. Default 5.
        from_sorted_ids: whether ``y_pred`` holds class numbers instead, the best first. Default
            False.

    Raises:
        ValueError: if k is not an integer of at least 1.

    Example:
        >>> import dnnfast
        >>> right = dnnfast.metrics.sparse_top_k_categorical_accuracy
        >>> right([2, 1], [[0.1, 0.9, 0.8], [0.3, 0.1, 0.6]], k=2).tolist()
        [1.0, 0.0]
    """
    k = _check_k("sparse_top_k_categorical_accuracy", k)
    y_true, y_pred = _one_axis_less(y_true, y_pred)
    if from_sorted_ids:
        found = ops.any(ops.equal(ops.expand_dims(y_true, -1), y_pred[..., :k]), axis=-1)
    else:
        found = ops.in_top_k(ops.cast(y_true, "int32"), y_pred, k)
    return ops.cast(found, "float32")


class Accuracy(NamedMetric):
    """Share of predictions that equal their targets.

    Args:
        name: default ``"accuracy"``.
        dtype: as of `Metric`.

    Formula: ``mean(t = p)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.Accuracy()([1, 2], [1, 3]))
        0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(NamedMetric):
    """Share of predictions on the right side of a threshold.

    Args:
        name: default ``"binary_accuracy"``.
        dtype: as of `Metric`.
        threshold: predictions above it count as 1. Default 0.5.

    Raises:
        ValueError: if the threshold is not a number.

    Formula: ``mean(t = (p > threshold))``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.BinaryAccuracy()([[1.0], [0.0]], [[0.9], [0.8]]))
        0.5
    """

    _direction = "up"
    _always = ("threshold",)

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        checks.number("BinaryAccuracy", "threshold", threshold)
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(NamedMetric):
    """Share of rows whose largest prediction is where the target is largest.

    Args:
        name: default ``"categorical_accuracy"``.
        dtype: as of `Metric`.

    Formula: ``mean(argmax(t) = argmax(p))``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.CategoricalAccuracy()([[0, 1]], [[0.1, 0.9]]))
        1.0
    """

    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(NamedMetric):
    """Share of rows whose largest prediction is at the target's class number.

    Args:
        name: default ``"sparse_categorical_accuracy"``.
        dtype: as of `Metric`.

    Formula: ``mean(t = argmax(p))``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.SparseCategoricalAccuracy()([1, 0], [[0.1, 0.9], [0.2, 0.8]]))
        0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(NamedMetric):
    """Share of rows whose class is among the k largest predictions.

    Args:
        k: how many predictions count. Default 5.
        name: default ``"top_k_categorical_accuracy"``.
        dtype: as of `Metric`.

    Raises:
        ValueError: if k is not an integer of at least 1.

    Targets are probabilities of the classes (one-hot rows, say).

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.TopKCategoricalAccuracy(k=2)
        >>> print(metric([[0, 0, 1], [0, 1, 0]], [[0.1, 0.9, 0.8], [0.3, 0.1, 0.6]]))
        0.5
    """

    _direction = "up"
    _always = ("k",)

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        _check_k("TopKCategoricalAccuracy", k)
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(NamedMetric):
    """Share of rows whose class number is that of one of the k largest predictions.

    Args:
        k: how many predictions count. Default 5.
        name: default ``"sparse_top_k_categorical_accuracy"``.
        dtype: as of `Metric`.
        from_sorted_ids: whether predictions are class numbers, the best first. Default False.

    Raises:
        ValueError: if k is not an integer of at least 1.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.SparseTopKCategoricalAccuracy(k=2)
        >>> print(metric([2, 1], [[0.1, 0.9, 0.8], [0.3, 0.1, 0.6]]))
        0.5
    """

    _direction = "up"
    _always = ("k",)

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        _check_k("SparseTopKCategoricalAccuracy", k)
        checks.flag("SparseTopKCategoricalAccuracy", "from_sorted_ids", from_sorted_ids)
        super().__init__(
            sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )
