"""Cross-entropies that weigh down what is predicted well (Lin et al., 2017)."""

from __future__ import annotations

from typing import Any

from dnnfast import checks, ops
from dnnfast.config import settings
from dnnfast.losses.arguments import check_options, check_share, tensors, warn_of_one_class
from dnnfast.losses.base import NamedLoss
from dnnfast.losses.crossentropy import smoothed


def _check_binary(where: str, balancing: Any, alpha: Any, gamma: Any) -> None:
    checks.flag(where, "apply_class_balancing", balancing)
    check_share(where, "alpha", alpha)
    checks.number(where, "gamma", gamma, 0.0)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the focal cross-entropy of independent yes/no targets, averaged over an axis.

    Args:
        y_true: 0, 1 or probabilities, in the shape of ``y_pred``.
        y_pred: predicted probabilities, or logits.
        apply_class_balancing: whether targets of 1 weigh ``alpha``, those of 0 ``1 - alpha``.
            Default False.
        alpha: in [0, 1]. Default 0.25.
        gamma: how much less what is predicted well counts, at least 0. Default 2.
        from_logits: whether predictions are logits. Default False.
        label_smoothing: moves targets towards 0.5, in [0, 1]. Default 0.
        axis: that is averaged over. Default -1.

    Raises:
        ValueError: if the shapes differ or an option is out of range.

    Formula: ``mean((1 - q)^gamma c)`` with ``q = t p + (1 - t) (1 - p)`` and the binary
    cross-entropy c.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.binary_focal_crossentropy([[1.0]], [[0.5]]).round(4))
        [0.1733]
    """
    where = "binary_focal_crossentropy"
    check_options(where, from_logits, label_smoothing, axis)
    _check_binary(where, apply_class_balancing, alpha, gamma)
    y_true, y_pred = tensors(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    values = ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits)
    # Of logits 1 - p is exact, also where p rounds to 1.
    yes = ops.sigmoid(y_pred) if from_logits else y_pred
    no = ops.sigmoid(-y_pred) if from_logits else 1.0 - y_pred
    values = ops.power(y_true * no + (1.0 - y_true) * yes, gamma) * values
    if apply_class_balancing:
        values = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * values
    return ops.mean(values, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the focal cross-entropy of target and predicted distributions.

    Args:
        y_true: probabilities of the classes (one-hot rows, say), in the shape of ``y_pred``.
        y_pred: predicted probabilities, or logits.
        alpha: weight of the classes, a number or one for each class. Default 0.25.
        gamma: how much less what is predicted well counts, at least 0. Default 2.
        from_logits: whether predictions are logits. Default False.
        label_smoothing: share of the target spread over all classes, in [0, 1]. Default 0.
        axis: of the classes. Default -1.

    Raises:
        ValueError: if the shapes differ or an option is out of range.

    Formula: ``-sum(alpha (1 - p)^gamma t ln(p))`` with p scaled to sum 1 and kept `config.epsilon`
    away from 0 and 1; the logarithm of logits is exact.

    Example:
        >>> import dnnfast
        >>> loss = dnnfast.losses.categorical_focal_crossentropy
        >>> print(loss([[0.0, 1.0]], [[0.5, 0.5]]).round(4))
        [0.0433]
    """
    where = "categorical_focal_crossentropy"
    check_options(where, from_logits, label_smoothing, axis)
    checks.number(where, "gamma", gamma, 0.0)
    y_true, y_pred = tensors(y_true, y_pred)
    warn_of_one_class(where, y_pred, axis)
    y_true = smoothed(y_true, label_smoothing, axis)
    if from_logits:
        logs = ops.log_softmax(y_pred, axis=axis)
        shares = _inside(ops.exp(logs))
    else:
        shares = _inside(y_pred / ops.sum(y_pred, axis=axis, keepdims=True))
        logs = ops.log(shares)
    factor = ops.multiply(ops.power(1.0 - shares, gamma), ops.convert_to_tensor(alpha, logs.dtype))
    return -ops.sum(factor * y_true * logs, axis=axis)


def _inside(shares: Any) -> Any:
    """Keep probabilities away from 0 and 1."""
    return ops.clip(shares, settings.epsilon(), 1.0 - settings.epsilon())


class BinaryFocalCrossentropy(NamedLoss):
    """Focal cross-entropy of independent yes/no targets, averaged over an axis.

    Args:
        apply_class_balancing: whether targets of 1 weigh ``alpha``, those of 0 ``1 - alpha``.
            Default False.
        alpha: in [0, 1]. Default 0.25.
        gamma: how much less what is predicted well counts, at least 0. Default 2.
        from_logits: whether predictions are logits, not probabilities. Default False.
        label_smoothing: moves targets towards 0.5, in [0, 1]. Default 0.
        axis: that is averaged over. Default -1.
        reduction: see `Loss`.
        name: default ``"binary_focal_crossentropy"``.
        dtype: see `Loss`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: see `binary_focal_crossentropy`.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.losses.BinaryFocalCrossentropy()([[1.0]], [[0.5]]).round(4))
        0.1733
    """

    _always = ("apply_class_balancing", "alpha", "gamma", "from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        where = "BinaryFocalCrossentropy"
        check_options(where, from_logits, label_smoothing, axis)
        _check_binary(where, apply_class_balancing, alpha, gamma)
        super().__init__(
            binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalFocalCrossentropy(NamedLoss):
    """Focal cross-entropy of target and predicted distributions.

    Args:
        alpha: weight of the classes, a number or one for each class. Default 0.25.
        gamma: how much less what is predicted well counts, at least 0. Default 2.
        from_logits: whether predictions are logits, not probabilities. Default False.
        label_smoothing: share of the target spread over all classes, in [0, 1]. Default 0.
        axis: of the classes. Default -1.
        reduction: see `Loss`.
        name: default ``"categorical_focal_crossentropy"``.
        dtype: see `Loss`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: see `categorical_focal_crossentropy`.

    Example:
        >>> import dnnfast
        >>> loss = dnnfast.losses.CategoricalFocalCrossentropy()
        >>> print(loss([[0.0, 1.0]], [[0.5, 0.5]]).round(4))
        0.0433
    """

    _always = ("alpha", "gamma", "from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        where = "CategoricalFocalCrossentropy"
        check_options(where, from_logits, label_smoothing, axis)
        checks.number(where, "gamma", gamma, 0.0)
        super().__init__(
            categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
