"""Losses of margins: predictions of the right sign, and by how much."""

from __future__ import annotations

from typing import Any

from dnnfast import ops
from dnnfast.losses.arguments import tensors
from dnnfast.losses.base import NamedLoss


def _signs(y_true: Any) -> Any:
    """Return targets of 0 and 1 as -1 and 1, others as they are."""
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0.0), ops.equal(y_true, 1.0)))
    return ops.where(binary, 2.0 * y_true - 1.0, y_true)


def _missing(y_true: Any, y_pred: Any) -> Any:
    """Return by how much each prediction misses the margin."""
    y_true, y_pred = tensors(y_true, y_pred)
    return ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of what predictions miss of a margin of 1.

    Args:
        y_true: -1 and 1; or 0 and 1 (if all of a batch are), which become -1 and 1.
        y_pred: predictions, whose signs are the classes.

    Formula: ``mean(max(1 - t p, 0))``

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.hinge([[1.0, -1.0]], [[0.5, -3.0]]).tolist()
        [0.25]
    """
    return ops.mean(_missing(y_true, y_pred), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of the squares of what predictions miss of a margin of 1.

    Args:
        y_true: -1 and 1; or 0 and 1 (if all of a batch are), which become -1 and 1.
        y_pred: predictions, whose signs are the classes.

    Formula: ``mean(max(1 - t p, 0)^2)``

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.squared_hinge([[1.0, -1.0]], [[0.5, -3.0]]).tolist()
        [0.125]
    """
    return ops.mean(ops.square(_missing(y_true, y_pred)), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return by how much the right class does not exceed the largest wrong one by 1.

    Args:
        y_true: 1 for the right class, else 0, in the shape of ``y_pred``.
        y_pred: predictions of the classes along the last axis.

    Formula: ``max(max((1 - t) p) - sum(t p) + 1, 0)``

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.categorical_hinge([[0, 1]], [[0.5, 0.75]]).tolist()
        [0.75]
    """
    y_true, y_pred = tensors(y_true, y_pred)
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)


class Hinge(NamedLoss):
    """Mean over the last axis of what predictions miss of a margin of 1.

    Args:
        reduction: see `Loss`.
        name: default ``"hinge"``.
        dtype: see `Loss`.

    Formula: ``mean(max(1 - t p, 0))``; targets of 0 and 1 become -1 and 1.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.Hinge()([[1.0, -1.0]], [[0.5, -3.0]]))
        0.25
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(NamedLoss):
    """Mean over the last axis of the squares of what predictions miss of a margin of 1.

    Args:
        reduction: see `Loss`.
        name: default ``"squared_hinge"``.
        dtype: see `Loss`.

    Formula: ``mean(max(1 - t p, 0)^2)``; targets of 0 and 1 become -1 and 1.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.SquaredHinge()([[1.0, -1.0]], [[0.5, -3.0]]))
        0.125
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(NamedLoss):
    """By how much the right class does not exceed the largest wrong one by 1.

    Args:
        reduction: see `Loss`.
        name: default ``"categorical_hinge"``.
        dtype: see `Loss`.

    Formula: ``max(max((1 - t) p) - sum(t p) + 1, 0)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.CategoricalHinge()([[0, 1]], [[0.5, 0.75]]))
        0.75
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
