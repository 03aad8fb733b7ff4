"""Losses of distributions and of counts."""

from __future__ import annotations

from typing import Any

from dnnfast import checks, ops
from dnnfast.config import settings
from dnnfast.losses.arguments import floats, tensors
from dnnfast.losses.base import NamedLoss, rank_of, takes_labels


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Return the Kullback-Leibler divergence of predicted from target distributions.

    Args:
        y_true: probabilities along the last axis.
        y_pred: predicted ones.

    Formula: ``sum(t ln(t / p))`` with both kept in [`config.epsilon`, 1].

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.kl_divergence([[0.0, 1.0]], [[0.5, 0.5]]).round(4))
        [0.6931]
    """
    y_true, y_pred = tensors(y_true, y_pred)
    least = settings.epsilon()
    y_true, y_pred = ops.clip(y_true, least, 1.0), ops.clip(y_pred, least, 1.0)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of the Poisson loss of predicted rates.

    Args:
        y_true: counts.
        y_pred: predicted rates, not negative.

    Formula: ``mean(p - t ln(p + epsilon))`` with `config.epsilon`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.poisson([[1.0, 3.0]], [[1.0, 2.0]]).round(4))
        [0.4603]
    """
    y_true, y_pred = tensors(y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + settings.epsilon()), axis=-1)


def _check_q(where: str, q: Any) -> float:
    if not 0.0 < checks.number(where, "q", q) < 1.0:
        raise ValueError(f"{where}: q must be in the interval (0, 1), got {q!r}.")
    return q


@takes_labels
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """Return a loss between cross-entropy and absolute error, for labels of which some are wrong.

    Args:
        y_true: class numbers.
        y_pred: predicted probabilities along the last axis.
        q: above 0 (towards cross-entropy) and below 1 (towards absolute error).

    Raises:
        ValueError: if q is not in (0, 1).

    Formula: ``(1 - p[label]^q) / q`` (Zhang and Sabuncu, 2018).

    Example:
        >>> import dnnfast
        >>> loss = dnnfast.losses.categorical_generalized_cross_entropy
        >>> loss([1], [[0.75, 0.25]], 0.5).tolist()
        [1.0]
    """
    _check_q("categorical_generalized_cross_entropy", q)
    y_true, y_pred = ops.cast(ops.convert_to_tensor(y_true), "int32"), floats(y_pred)
    if rank_of(y_true) == rank_of(y_pred) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    wanted = ops.one_hot(y_true, y_pred.shape[-1], dtype=y_pred.dtype)
    return (1.0 - ops.power(ops.sum(y_pred * wanted, axis=-1), q)) / q


class KLDivergence(NamedLoss):
    """Kullback-Leibler divergence of predicted from target distributions.

    Args:
        reduction: see `Loss`.
        name: default ``"kl_divergence"``.
        dtype: see `Loss`.

    Formula: ``sum(t ln(t / p))`` with both kept in [`config.epsilon`, 1].

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.KLDivergence()([[0.0, 1.0]], [[0.5, 0.5]]).round(4))
        0.6931
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(NamedLoss):
    """Mean over the last axis of the Poisson loss of predicted rates.

    Args:
        reduction: see `Loss`.
        name: default ``"poisson"``.
        dtype: see `Loss`.

    Formula: ``mean(p - t ln(p + epsilon))`` with `config.epsilon`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.Poisson()([[1.0, 3.0]], [[1.0, 2.0]]).round(4))
        0.4603
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)


class CategoricalGeneralizedCrossEntropy(NamedLoss):
    """A loss between cross-entropy and absolute error, for labels of which some are wrong.

    Args:
        q: above 0 (towards cross-entropy) and below 1 (towards absolute error). Default 0.5.
        reduction: see `Loss`.
        name: default ``"categorical_generalized_cross_entropy"``.
        dtype: see `Loss`.

    Raises:
        ValueError: if q is not in (0, 1).

    Formula: ``(1 - p[label]^q) / q`` of class numbers and probabilities (Zhang and Sabuncu, 2018).

    Example:
        >>> import dnnfast
        >>> loss = dnnfast.losses.CategoricalGeneralizedCrossEntropy()
        >>> print(loss([1], [[0.75, 0.25]]))
        1.0
    """

    _always = ("q",)

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        _check_q("CategoricalGeneralizedCrossEntropy", q)
        super().__init__(categorical_generalized_cross_entropy, reduction, name, dtype, q=q)
