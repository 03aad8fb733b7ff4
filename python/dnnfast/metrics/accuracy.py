"""Shares of right predictions."""

from __future__ import annotations

from typing import Any

from dnnfast.metrics.metric import Metric


class SparseCategoricalAccuracy(Metric):
    """Share of rows whose largest prediction is at the target's class number.

    Args:
        name: default ``"sparse_categorical_accuracy"``.
        dtype: ignored.

    Example:
        >>> import dnnfast
        >>> dnnfast.metrics.SparseCategoricalAccuracy()([1, 0], [[0.1, 0.9], [0.2, 0.8]])
        0.5
    """

    kind = "sparse_categorical_accuracy"


class CategoricalAccuracy(Metric):
    """Share of rows whose largest prediction is where the target is largest.

    Args:
        name: default ``"categorical_accuracy"``.
        dtype: ignored.

    Example:
        >>> import dnnfast
        >>> dnnfast.metrics.CategoricalAccuracy()([[0, 1]], [[0.1, 0.9]])
        1.0
    """

    kind = "categorical_accuracy"


class BinaryAccuracy(Metric):
    """Share of predictions on the right side of 0.5.

    Args:
        name: default ``"binary_accuracy"``.
        dtype: ignored.
        threshold: only 0.5.

    Raises:
        ValueError: for another threshold.

    Example:
        >>> import dnnfast
        >>> dnnfast.metrics.BinaryAccuracy()([[1.0], [0.0]], [[0.9], [0.8]])
        0.5
    """

    kind = "binary_accuracy"

    def __init__(self, name: str | None = None, dtype: Any = None, threshold: float = 0.5) -> None:
        if threshold != 0.5:
            raise ValueError(f"BinaryAccuracy: only threshold=0.5 is supported, got {threshold!r}.")
        super().__init__(name, dtype)
        self.threshold = threshold
