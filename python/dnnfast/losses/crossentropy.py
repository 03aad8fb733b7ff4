"""Cross-entropies."""

from __future__ import annotations

from typing import Any

from dnnfast import checks, ops
from dnnfast.losses.arguments import (
    check_options,
    floats,
    tensors,
    warn_of_one_class,
)
from dnnfast.losses.base import NamedLoss, has_kernel, masked, rank_of, takes_labels


@has_kernel("binary_crossentropy")
def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the cross-entropy of independent yes/no targets, averaged over an axis.

    Args:
        y_true: 0, 1 or probabilities, in the shape of ``y_pred``.
        y_pred: predicted probabilities, or logits.
        from_logits: whether predictions are logits. Default False.
        label_smoothing: moves targets towards 0.5, in [0, 1]. Default 0.
        axis: that is averaged over. Default -1.

    Raises:
        ValueError: if the shapes differ or an option is out of range.

    Formula: ``-mean(t ln(p) + (1 - t) ln(1 - p))`` with p kept `config.epsilon` away from 0 and 1;
    of logits it is exact.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.binary_crossentropy([[1.0]], [[0.5]]).round(4))
        [0.6931]
    """
    check_options("binary_crossentropy", from_logits, label_smoothing, axis)
    y_true, y_pred = tensors(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


def smoothed(y_true: Any, label_smoothing: float, axis: int) -> Any:
    """Return target distributions with a share of each spread over all classes."""
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[axis]


@has_kernel("categorical_crossentropy")
def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the cross-entropy of target and predicted distributions.

    Args:
        y_true: probabilities of the classes (one-hot rows, say), in the shape of ``y_pred``.
        y_pred: predicted probabilities, or logits.
        from_logits: whether predictions are logits. Default False.
        label_smoothing: share of the target spread over all classes, in [0, 1]. Default 0.
        axis: of the classes. Default -1.

    Raises:
        ValueError: if the shapes differ or an option is out of range.

    Formula: ``-sum(t ln(p))`` with p scaled to sum 1 and kept `config.epsilon` away from 0 and 1;
    of logits it is exact.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.categorical_crossentropy([[0, 1]], [[0.5, 0.5]]).round(4))
        [0.6931]
    """
    check_options("categorical_crossentropy", from_logits, label_smoothing, axis)
    y_true, y_pred = tensors(y_true, y_pred)
    warn_of_one_class("categorical_crossentropy", y_pred, axis)
    y_true = smoothed(y_true, label_smoothing, axis)
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@takes_labels
@has_kernel("sparse_categorical_crossentropy")
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """Return the cross-entropy of class numbers and predicted distributions.

    Args:
        y_true: class numbers, in the shape of ``y_pred`` without the axis of the classes (or with
            size 1 there).
        y_pred: predicted probabilities, or logits.
        from_logits: whether predictions are logits. Default False.
        ignore_class: a number that marks samples without a class: their loss is 0, and means leave
            them out. Default None.
        axis: of the classes. Default -1.

    Raises:
        ValueError: if the shapes do not fit or an option is out of range.

    Formula: ``-ln(p[label])`` with p scaled to sum 1 and kept `config.epsilon` away from 0 and 1;
    of logits it is exact.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(4))
        [0.6931]
    """
    where = "sparse_categorical_crossentropy"
    check_options(where, from_logits, 0.0, axis)
    y_true, y_pred = ops.convert_to_tensor(y_true), floats(y_pred)
    if rank_of(y_true) == rank_of(y_pred) and y_true.shape[axis] == 1:
        y_true = ops.squeeze(y_true, axis)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)
    valid = ops.not_equal(y_true, ignore_class)
    y_true = ops.where(valid, y_true, 0)
    y_pred = ops.where(ops.expand_dims(valid, axis), y_pred, 0.0)
    values = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis)
    return masked(ops.where(valid, values, 0.0), valid)


class BinaryCrossentropy(NamedLoss):
    """Cross-entropy of independent yes/no targets, averaged over an axis.

    Args:
        from_logits: whether predictions are logits, not probabilities. Default False.
        label_smoothing: moves targets towards 0.5, in [0, 1]. Default 0.
        axis: that is averaged over. Default -1.
        reduction: see `Loss`.
        name: default ``"binary_crossentropy"``.
        dtype: see `Loss`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``-mean(t ln(p) + (1 - t) ln(1 - p))``; see `binary_crossentropy`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.BinaryCrossentropy()([[1.0]], [[0.5]]).round(4))
        0.6931
    """

    _always = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        check_options("BinaryCrossentropy", from_logits, label_smoothing, axis)
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(binary_crossentropy, reduction, name, dtype, **options)


class CategoricalCrossentropy(NamedLoss):
    """Cross-entropy of target and predicted distributions.

    Args:
        from_logits: whether predictions are logits, not probabilities. Default False.
        label_smoothing: share of the target spread over all classes, in [0, 1]. Default 0.
        axis: of the classes. Default -1.
        reduction: see `Loss`.
        name: default ``"categorical_crossentropy"``.
        dtype: see `Loss`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``-sum(t ln(p))``; see `categorical_crossentropy`.

    Example:
        >>> import dnnfast
        >>> loss = dnnfast.losses.CategoricalCrossentropy()
        >>> print(loss([[0.0, 1.0]], [[0.5, 0.5]]).round(4))
        0.6931
    """

    _always = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        check_options("CategoricalCrossentropy", from_logits, label_smoothing, axis)
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(categorical_crossentropy, reduction, name, dtype, **options)


class SparseCategoricalCrossentropy(NamedLoss):
    """Cross-entropy of class numbers and predicted distributions.

    Args:
        from_logits: whether predictions are logits, not probabilities. Default False.
        ignore_class: a number that marks samples without a class; means leave them out. Default
            None.
        reduction: see `Loss`.
        axis: of the classes. Default -1.
        name: default ``"sparse_categorical_crossentropy"``.
        dtype: see `Loss`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``-ln(p[label])``; see `sparse_categorical_crossentropy`.

    Example:
        >>> import dnnfast
        >>> loss = dnnfast.losses.SparseCategoricalCrossentropy(ignore_class=-1)
        >>> print(loss([1, -1], [[0.5, 0.5], [0.9, 0.1]]).round(4))
        0.6931
    """

    _always = ("from_logits", "ignore_class")

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        where = "SparseCategoricalCrossentropy"
        check_options(where, from_logits, 0.0, axis)
        if ignore_class is not None:
            checks.number(where, "ignore_class", ignore_class)
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(sparse_categorical_crossentropy, reduction, name, dtype, **options)
