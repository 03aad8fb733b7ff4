"""Intersections over unions of regions, from the confusion matrix of their classes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import checks, ops
from dnnfast.config import settings
from dnnfast.dtypes import is_float_dtype
from dnnfast.losses.arguments import check_axis
from dnnfast.losses.base import product_of, scalar
from dnnfast.metrics.counting import check_count, confusion_matrix
from dnnfast.metrics.metric import Metric, weights_of


class IoU(Metric):
    """The mean over some classes of the intersection of targets and predictions over their union.

    Args:
        num_classes: how many classes there are.
        target_class_ids: numbers of the classes whose mean is taken.
        name: default ``"io_u"``, numbered.
        dtype: of the weights; default int32, which cuts their fractions off.
        ignore_class: a number that marks targets without a class. Default None.
        sparse_y_true: whether targets are class numbers, not probabilities of the classes. Default
            True.
        sparse_y_pred: whether predictions are class numbers. Default True.
        axis: of the classes where they are probabilities. Default -1.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``TP / (TP + FP + FN)`` of each class, averaged over those that occur.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.IoU(num_classes=2, target_class_ids=[0])
        >>> print(metric([0, 0, 1, 1], [0, 1, 0, 1]).round(4))
        0.3333
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        where = type(self).__name__
        super().__init__("int32" if dtype is None or dtype == "int" else dtype, name)
        self.num_classes = check_count(where, "num_classes", num_classes, 1)
        self.target_class_ids = list(target_class_ids)
        if not all(0 <= number < num_classes for number in self.target_class_ids):
            raise ValueError(
                f"{where}: target_class_ids must be class numbers in [0, {num_classes}), got "
                f"{self.target_class_ids}."
            )
        self.ignore_class = ignore_class
        self.sparse_y_true = checks.flag(where, "sparse_y_true", sparse_y_true)
        self.sparse_y_pred = checks.flag(where, "sparse_y_pred", sparse_y_pred)
        self.axis = check_axis(where, axis)
        shape = (self.num_classes, self.num_classes)
        self.total_cm = self.add_variable(shape, "zeros", name="total_confusion_matrix")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch.

        Args:
            y_true: class numbers, or probabilities of the classes.
            y_pred: class numbers, or probabilities of the classes, of as many elements.
            sample_weight: one weight an element, or a sample; default 1.
        """
        weight = self._weights(y_pred, sample_weight)
        if not self.sparse_y_true:
            y_true = ops.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = ops.argmax(y_pred, axis=self.axis)
        true = ops.cast(ops.convert_to_tensor(y_true), "int32")
        counted = ops.reshape(product_of(ops.ones_like(true, "float32"), weight), (-1,))
        true = ops.reshape(true, (-1,))
        predicted = ops.reshape(ops.cast(ops.convert_to_tensor(y_pred), "int32"), (-1,))
        valid = ops.logical_and(self._is_class(true), self._is_class(predicted))
        if self.ignore_class is not None:
            valid = ops.logical_and(valid, ops.not_equal(true, self.ignore_class))
        true, predicted = ops.where(valid, true, 0), ops.where(valid, predicted, 0)
        counted = ops.where(valid, counted, 0.0)
        self.total_cm.assign_add(confusion_matrix(true, predicted, self.num_classes, counted))

    def _is_class(self, numbers: Any) -> Any:
        return ops.logical_and(ops.greater_equal(numbers, 0), ops.less(numbers, self.num_classes))

    def _weights(self, y_pred: Any, sample_weight: Any) -> Any:
        weight = weights_of(y_pred, sample_weight, "float32")
        if weight is None or is_float_dtype(self.dtype):
            return weight
        # Of weights that come when a model runs nobody knows.
        if not isinstance(weight, np.ndarray) or (weight != np.trunc(weight)).any():
            warnings.warn(
                f"{type(self).__name__}: where sample_weight has fractions, they are cut off, as "
                "the metric's dtype is an integer. Create it with dtype='float32'.",
                stacklevel=3,
            )
        return ops.cast(weight, "int32")

    def result(self) -> Any:
        """Return the mean over the classes so far, 0 of nothing."""
        matrix = np.asarray(self.total_cm, np.float32)
        right = np.diag(matrix)
        union = matrix.sum(axis=0) + matrix.sum(axis=1) - right
        right, union = right[self.target_class_ids], union[self.target_class_ids]
        occurs = union > 1e-9
        least = settings.epsilon()
        shares = np.where(occurs, right / (union + least), 0.0)
        return scalar(np.asarray(shares.sum() / (occurs.sum() + least), np.float32))


class BinaryIoU(IoU):
    """The mean of the intersection over the union of what is 1 and of what is 0.

    Args:
        target_class_ids: which of the two classes count. Default both.
        threshold: predictions of at least this count as 1. Default 0.5.
        name: default ``"binary_io_u"``, numbered.
        dtype: of the weights; default int32, which cuts their fractions off.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``TP / (TP + FP + FN)`` of each class, averaged over those that occur.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.BinaryIoU(threshold=0.3)
        >>> print(metric([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]).round(4))
        0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = checks.number("BinaryIoU", "threshold", threshold)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add a batch of targets (0 or 1), predictions and one weight an element or sample."""
        weight = weights_of(y_pred, sample_weight, "float32")
        positive = ops.greater_equal(ops.convert_to_tensor(y_pred, "float32"), self.threshold)
        super().update_state(y_true, ops.cast(positive, "int32"), weight)


class MeanIoU(IoU):
    """The mean over all classes of the intersection of targets and predictions over their union.

    Args:
        num_classes: how many classes there are.
        name: default ``"mean_io_u"``, numbered.
        dtype: of the weights; default int32, which cuts their fractions off.
        ignore_class: a number that marks targets without a class. Default None.
        sparse_y_true: whether targets are class numbers, not probabilities of the classes. Default
            True.
        sparse_y_pred: whether predictions are class numbers. Default True.
        axis: of the classes where they are probabilities. Default -1.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``TP / (TP + FP + FN)`` of each class, averaged over those that occur.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1]).round(4))
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        count = check_count(type(self).__name__, "num_classes", num_classes, 1)
        super().__init__(
            count,
            range(count),
            name,
            dtype,
            ignore_class,
            sparse_y_true,
            sparse_y_pred,
            axis,
        )


class OneHotIoU(IoU):
    """`IoU` of targets that are one-hot rows.

    Args:
        num_classes: how many classes there are.
        target_class_ids: numbers of the classes whose mean is taken.
        name: default ``"one_hot_io_u"``, numbered.
        dtype: of the weights; default int32, which cuts their fractions off.
        ignore_class: a number that marks targets without a class. Default None.
        sparse_y_pred: whether predictions are class numbers, not probabilities. Default False.
        axis: of the classes. Default -1.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.OneHotIoU(num_classes=2, target_class_ids=[0])
        >>> print(metric([[1, 0], [0, 1]], [[0.9, 0.1], [0.6, 0.4]]).round(4))
        0.5
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of targets that are one-hot rows.

    Args:
        num_classes: how many classes there are.
        name: default ``"one_hot_mean_io_u"``, numbered.
        dtype: of the weights; default int32, which cuts their fractions off.
        ignore_class: a number that marks targets without a class. Default None.
        sparse_y_pred: whether predictions are class numbers, not probabilities. Default False.
        axis: of the classes. Default -1.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.OneHotMeanIoU(num_classes=2)
        >>> print(metric([[1, 0], [0, 1]], [[0.9, 0.1], [0.6, 0.4]]).round(4))
        0.25
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
