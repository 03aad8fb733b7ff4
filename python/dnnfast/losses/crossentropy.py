"""Cross-entropies."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.losses.base import Loss


def check_axis(name: str, axis: int) -> None:
    """Raise unless the axis is the last one."""
    if axis != -1:
        raise ValueError(f"{name}: only axis=-1 is supported, got axis={axis!r}.")


def check_smoothing(name: str, value: float) -> None:
    """Raise unless the label smoothing is in [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: label_smoothing must be in [0, 1], got {value!r}.")


class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy of class numbers and predicted distributions.

    Args:
        from_logits: whether predictions are logits, not probabilities. Default False.
        ignore_class: not supported; None.
        reduction: see `Loss`.
        axis: only -1.
        name: default ``"sparse_categorical_crossentropy"``.

    Raises:
        ValueError: if an argument is not supported.

    Formula: ``-log(p[label])`` with p clipped to [1e-7, 1 - 1e-7] and rows scaled to sum 1.

    Example:
        >>> import dnnfast
        >>> loss = dnnfast.losses.SparseCategoricalCrossentropy()
        >>> round(loss([1], [[0.5, 0.5]]), 4)
        0.6931
    """

    kind = "sparse_categorical_crossentropy"

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = None,
    ) -> None:
        super().__init__(name, reduction)
        check_axis("SparseCategoricalCrossentropy", axis)
        if ignore_class is not None:
            raise ValueError(
                "SparseCategoricalCrossentropy: ignore_class is not supported; give those samples "
                "a sample weight of 0."
            )
        self.from_logits, self.ignore_class, self.axis = bool(from_logits), ignore_class, axis


class CategoricalCrossentropy(Loss):
    """Cross-entropy of target and predicted distributions.

    Args:
        from_logits: whether predictions are logits, not probabilities. Default False.
        label_smoothing: share of the target spread over all classes, in [0, 1]. Default 0.
        axis: only -1.
        reduction: see `Loss`.
        name: default ``"categorical_crossentropy"``.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``-sum(t * log(p))`` with p scaled to sum 1 and clipped to [1e-7, 1 - 1e-7].

    Example:
        >>> import dnnfast
        >>> loss = dnnfast.losses.CategoricalCrossentropy()
        >>> round(loss([[0.0, 1.0]], [[0.5, 0.5]]), 4)
        0.6931
    """

    kind = "categorical_crossentropy"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        super().__init__(name, reduction)
        check_axis("CategoricalCrossentropy", axis)
        check_smoothing("CategoricalCrossentropy", label_smoothing)
        self.from_logits, self.axis = bool(from_logits), axis
        self.label_smoothing = float(label_smoothing)


class BinaryCrossentropy(Loss):
    """Cross-entropy of independent yes/no targets, averaged over the last axis.

    Args:
        from_logits: whether predictions are logits, not probabilities. Default False.
        label_smoothing: moves targets towards 0.5, in [0, 1]. Default 0.
        axis: only -1.
        reduction: see `Loss`.
        name: default ``"binary_crossentropy"``.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``-mean(t * log(p) + (1 - t) * log(1 - p))`` with p clipped to [1e-7, 1 - 1e-7].

    Example:
        >>> import dnnfast
        >>> round(dnnfast.losses.BinaryCrossentropy()([[1.0]], [[0.5]]), 4)
        0.6931
    """

    kind = "binary_crossentropy"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        super().__init__(name, reduction)
        check_axis("BinaryCrossentropy", axis)
        check_smoothing("BinaryCrossentropy", label_smoothing)
        self.from_logits, self.axis = bool(from_logits), axis
        self.label_smoothing = float(label_smoothing)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: Any = None, axis: int = -1
) -> np.ndarray:
    """Return the sparse categorical cross-entropy of each row.

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(4).tolist()
        [0.6931]
    """
    loss = SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis)
    return loss.call(y_true, y_pred)


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> np.ndarray:
    """Return the categorical cross-entropy of each row.

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.categorical_crossentropy([[0, 1]], [[0.5, 0.5]]).round(4).tolist()
        [0.6931]
    """
    return CategoricalCrossentropy(from_logits, label_smoothing, axis).call(y_true, y_pred)


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> np.ndarray:
    """Return the binary cross-entropy of each row.

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.binary_crossentropy([[1.0]], [[0.5]]).round(4).tolist()
        [0.6931]
    """
    return BinaryCrossentropy(from_logits, label_smoothing, axis).call(y_true, y_pred)
