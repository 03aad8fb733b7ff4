"""Cross-entropies and divergences, averaged."""

from __future__ import annotations

from typing import Any

from dnnfast import checks
from dnnfast.losses.arguments import check_options
from dnnfast.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from dnnfast.losses.divergences import kl_divergence, poisson
from dnnfast.metrics.mean import NamedMetric


class KLDivergence(NamedMetric):
    """Mean Kullback-Leibler divergence of predicted from target distributions.

    Args:
        name: default ``"kl_divergence"``.
        dtype: as of `Metric`.

    Formula: ``mean(sum(t ln(t / p)))`` with both kept in [`config.epsilon`, 1].

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.KLDivergence()([[0.0, 1.0]], [[0.5, 0.5]]).round(4))
        0.6931
    """

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(kl_divergence, name, dtype)


class Poisson(NamedMetric):
    """Mean Poisson loss of predicted rates.

    Args:
        name: default ``"poisson"``.
        dtype: as of `Metric`.

    Formula: ``mean(p - t ln(p + epsilon))`` with `config.epsilon`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.Poisson()([[1.0, 3.0]], [[1.0, 2.0]]).round(4))
        0.4603
    """

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(poisson, name, dtype)


class BinaryCrossentropy(NamedMetric):
    """Mean cross-entropy of independent yes/no targets.

    Args:
        name: default ``"binary_crossentropy"``.
        dtype: as of `Metric`.
        from_logits: whether predictions are logits, not probabilities. Default False.
        label_smoothing: moves targets towards 0.5, in [0, 1]. Default 0.

    Raises:
        ValueError: if an argument is out of range.

    Formula: see `losses.binary_crossentropy`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.metrics.BinaryCrossentropy()([[1.0]], [[0.5]]).round(4))
        0.6931
    """

    _direction = "down"
    _always = ("from_logits", "label_smoothing")

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        check_options("BinaryCrossentropy", from_logits, label_smoothing, -1)
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing}
        super().__init__(binary_crossentropy, name, dtype, **options)


class CategoricalCrossentropy(NamedMetric):
    """Mean cross-entropy of target and predicted distributions.

    Args:
        name: default ``"categorical_crossentropy"``.
        dtype: as of `Metric`.
        from_logits: whether predictions are logits, not probabilities. Default False.
        label_smoothing: share of the target spread over all classes, in [0, 1]. Default 0.
        axis: of the classes. Default -1.

    Raises:
        ValueError: if an argument is out of range.

    Formula: see `losses.categorical_crossentropy`.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.CategoricalCrossentropy()
        >>> print(metric([[0.0, 1.0]], [[0.5, 0.5]]).round(4))
        0.6931
    """

    _direction = "down"
    _always = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        check_options("CategoricalCrossentropy", from_logits, label_smoothing, axis)
        options = {"from_logits": from_logits, "label_smoothing": label_smoothing, "axis": axis}
        super().__init__(categorical_crossentropy, name, dtype, **options)


class SparseCategoricalCrossentropy(NamedMetric):
    """Mean cross-entropy of class numbers and predicted distributions.

    Args:
        name: default ``"sparse_categorical_crossentropy"``.
        dtype: as of `Metric`.
        from_logits: whether predictions are logits, not probabilities. Default False.
        ignore_class: a number that marks samples without a class; the mean leaves them out. Default
            None.
        axis: of the classes. Default -1.

    Raises:
        ValueError: if an argument is out of range.

    Formula: see `losses.sparse_categorical_crossentropy`.

    Example:
        >>> import dnnfast
        >>> metric = dnnfast.metrics.SparseCategoricalCrossentropy()
        >>> print(metric([1], [[0.5, 0.5]]).round(4))
        0.6931
    """

    _direction = "down"
    _always = ("from_logits", "ignore_class", "axis")

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        where = "SparseCategoricalCrossentropy"
        check_options(where, from_logits, 0.0, axis)
        if ignore_class is not None:
            checks.number(where, "ignore_class", ignore_class)
        options = {"from_logits": from_logits, "ignore_class": ignore_class, "axis": axis}
        super().__init__(sparse_categorical_crossentropy, name, dtype, **options)
