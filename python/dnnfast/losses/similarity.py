"""Losses of directions: of targets and predictions, and of samples of a class."""

from __future__ import annotations

from typing import Any

from dnnfast import checks, ops
from dnnfast.losses.arguments import check_axis, floats, pair
from dnnfast.losses.base import NamedLoss, masked, rank_of

# Stands for minus infinity where a logarithm of a sum is taken: its derivatives stay finite.
_NOTHING = -1e30


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return minus the cosine of the angle of targets and predictions.

    Args:
        y_true: targets.
        y_pred: predictions.
        axis: of the vectors. Default -1.

    Raises:
        ValueError: if the axis is no integer.

    Formula: ``-sum(t p) / (|t| |p|)``: -1 in the same, 1 in the opposite direction.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.cosine_similarity([[3.0, 4.0]], [[1.0, 0.0]]).round(4))
        [-0.6]
    """
    return -cosine(y_true, y_pred, axis)


def cosine(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return the cosine of the angle of targets and predictions."""
    check_axis("cosine_similarity", axis)
    y_true, y_pred = pair(y_true, y_pred)
    return ops.sum(ops.normalize(y_true, axis=axis) * ops.normalize(y_pred, axis=axis), axis=axis)


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Return for each sample how far its class is from others, by the cosine of vectors.

    Args:
        y_true: class numbers.
        y_pred: vectors of length 1, of shape (samples, size).
        ref_labels: class numbers of what the samples are compared with. Default ``y_true``.
        ref_embeddings: their vectors. Default ``y_pred``.
        remove_diagonal: whether a sample is not compared with itself. Default True.
        gamma: scale. Default 80.
        margin: how far similarities may be from 1 within and from 0 between classes. Default 0.4.

    Means run over samples whose loss is above 0.

    Formula: ``ln(1 + sum over others of the class of e^(-gamma a (margin - d)) times sum over other
    classes of e^(gamma b (1 - margin - d)))`` with the distances ``d = max(1 - cosine, 0)`` and the
    weights ``a = margin + d``, ``b = max(1 + margin - d, 0)`` (Sun et al., 2020).

    Example:
        >>> import dnnfast
        >>> vectors = [[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]]
        >>> print(dnnfast.losses.circle([0, 0, 1], vectors, gamma=2.0).round(3))
        [0.734 0.734 0.   ]
    """
    y_true, y_pred = ops.cast(ops.convert_to_tensor(y_true), "int32"), floats(y_pred)
    others = y_pred if ref_embeddings is None else floats(ref_embeddings)
    labels = y_true if ref_labels is None else ops.cast(ops.convert_to_tensor(ref_labels), "int32")
    distance = ops.maximum(1.0 - ops.matmul(y_pred, ops.transpose(others)), 0.0)
    same = ops.equal(_column(y_true), ops.transpose(_column(labels)))
    other = ops.logical_not(same)
    if remove_diagonal:
        same = ops.cast(same, y_pred.dtype)
        same = ops.cast(ops.tril(same, -1) + ops.triu(same, 1), "bool")
    near = -gamma * ops.maximum(margin + distance, 0.0) * (margin - distance)
    far = gamma * ops.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    positive = ops.logsumexp(ops.where(same, near, _NOTHING), axis=1)
    negative = ops.logsumexp(ops.where(other, far, _NOTHING), axis=1)
    values = ops.softplus(positive + negative)
    return masked(values, ops.greater(values, 0.0))


def _column(labels: Any) -> Any:
    return ops.expand_dims(labels, -1) if rank_of(labels) == 1 else labels


class CosineSimilarity(NamedLoss):
    """Minus the cosine of the angle of targets and predictions.

    Args:
        axis: of the vectors. Default -1.
        reduction: see `Loss`.
        name: default ``"cosine_similarity"``.
        dtype: see `Loss`.

    Raises:
        ValueError: if the axis is no integer.

    Formula: ``-sum(t p) / (|t| |p|)``: -1 in the same, 1 in the opposite direction.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.CosineSimilarity()([[3.0, 4.0]], [[1.0, 0.0]]).round(4))
        -0.6
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        check_axis("CosineSimilarity", axis)
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class Circle(NamedLoss):
    """How far each sample's class is from others, by the cosine of vectors (Sun et al., 2020).

    Args:
        gamma: scale. Default 80.
        margin: how far similarities may be from 1 within and from 0 between classes. Default 0.4.
        remove_diagonal: whether a sample is not compared with itself. Default True.
        reduction: see `Loss`.
        name: default ``"circle"``.
        dtype: see `Loss`.

    Raises:
        ValueError: if an argument is out of range.

    Targets are class numbers, predictions vectors of length 1 (see `layers.UnitNormalization`).

    Formula: see `circle`.

    Example:
        >>> import dnnfast
        >>> vectors = [[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]]
        >>> print(dnnfast.losses.Circle(gamma=2.0)([0, 0, 1], vectors).round(3))
        0.734
    """

    _always = ("gamma", "margin", "remove_diagonal")

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ) -> None:
        checks.number("Circle", "gamma", gamma, above=0.0)
        checks.number("Circle", "margin", margin)
        checks.flag("Circle", "remove_diagonal", remove_diagonal)
        options = {"gamma": gamma, "margin": margin, "remove_diagonal": remove_diagonal}
        super().__init__(circle, reduction, name, dtype, **options)
