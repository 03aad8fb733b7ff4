"""Losses of regions that should overlap."""

from __future__ import annotations

from typing import Any

from dnnfast import checks, ops
from dnnfast.config import settings
from dnnfast.losses.arguments import check_axis, tensors
from dnnfast.losses.base import NamedLoss


def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """Return 1 minus the Dice coefficient of targets and predictions.

    Args:
        y_true: 0 and 1, in the shape of ``y_pred``.
        y_pred: predicted probabilities.
        axis: an axis or several that are summed over; None (the default) for all, samples included:
            one value a batch.

    Formula: ``1 - 2 sum(t p) / (sum(t) + sum(p) + epsilon)`` with `config.epsilon`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.dice([[1.0, 0.0]], [[0.5, 0.5]]).round(4))
        0.5
    """
    y_true, y_pred = tensors(y_true, y_pred)
    shared = ops.sum(y_true * y_pred, axis=axis)
    total = ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis)
    return 1.0 - 2.0 * shared / (total + settings.epsilon())


def tversky(
    y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None
) -> Any:
    """Return 1 minus the Tversky index of targets and predictions.

    Args:
        y_true: 0 and 1, in the shape of ``y_pred``.
        y_pred: predicted probabilities.
        alpha: weight of what is not predicted, though it should be. Default 0.5.
        beta: weight of what is predicted, though it should not be. Default 0.5.
        axis: an axis or several that are summed over; None (the default) for all, samples included:
            one value a batch.

    Formula: ``1 - s / (s + alpha sum(t (1 - p)) + beta sum((1 - t) p) + epsilon)`` with
    ``s = sum(t p)`` and `config.epsilon` (Salehi et al., 2017).

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.tversky([[1.0, 0.0]], [[0.5, 0.5]]).round(4))
        0.5
    """
    y_true, y_pred = tensors(y_true, y_pred)
    shared = ops.sum(y_true * y_pred, axis=axis)
    missed = ops.sum(y_true * (1.0 - y_pred), axis=axis)
    wrong = ops.sum((1.0 - y_true) * y_pred, axis=axis)
    return 1.0 - shared / (shared + missed * alpha + wrong * beta + settings.epsilon())


class Dice(NamedLoss):
    """1 minus the Dice coefficient of targets and predictions.

    Args:
        reduction: see `Loss`.
        name: default ``"dice"``.
        axis: an axis or several that are summed over; None (the default) for all, samples included.
        dtype: see `Loss`.

    Raises:
        ValueError: if the axis is no integer.

    Formula: ``1 - 2 sum(t p) / (sum(t) + sum(p) + epsilon)`` with `config.epsilon`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.Dice()([[1.0, 0.0]], [[0.5, 0.5]]).round(4))
        0.5
    """

    _always = ("axis",)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        check_axis("Dice", axis, several=True)
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(NamedLoss):
    """1 minus the Tversky index of targets and predictions.

    Args:
        alpha: weight of what is not predicted, though it should be. Default 0.5.
        beta: weight of what is predicted, though it should not be. Default 0.5.
        reduction: see `Loss`.
        name: default ``"tversky"``.
        axis: an axis or several that are summed over; None (the default) for all, samples included.
        dtype: see `Loss`.

    Raises:
        ValueError: if a weight is not a number of at least 0, or the axis is no integer.

    Formula: see `tversky`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.Tversky()([[1.0, 0.0]], [[0.5, 0.5]]).round(4))
        0.5
    """

    _always = ("alpha", "beta", "axis")

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        checks.number("Tversky", "alpha", alpha, 0.0)
        checks.number("Tversky", "beta", beta, 0.0)
        check_axis("Tversky", axis, several=True)
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
