"""The base class of losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.configurable import Configurable
from dnnfast.errors import unknown_name

_REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "none")


def as_rows(y_true: Any, y_pred: Any, sparse: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return target and prediction as float64, checked; labels lack the last axis."""
    p, t = np.asarray(y_pred, np.float64), np.asarray(y_true, np.float64)
    if sparse and t.ndim == p.ndim and t.shape[-1] == 1:
        t = t[..., 0]
    if not sparse and t.ndim == p.ndim - 1 and p.shape[-1] == 1:
        t = t[..., None]
    expected = p.shape[:-1] if sparse else p.shape
    if t.shape != expected:
        raise ValueError(
            f"y_true has shape {np.shape(y_true)} and y_pred {p.shape}; expected y_true of shape "
            f"{expected}."
        )
    return t, p


class Loss(Configurable):
    """The base class of losses: a kind the engines know, with its options.

    Args:
        name: default the snake-case name of the class.
        reduction: ``"sum_over_batch_size"`` (the mean over rows, which training uses), ``"sum"``,
            ``"mean"`` or ``"none"``; the last three when called on arrays.

    Raises:
        ValueError: if the reduction is not known.

    Example:
        >>> import dnnfast
        >>> isinstance(dnnfast.losses.MeanSquaredError(), dnnfast.losses.Loss)
        True
    """

    kind = ""
    from_logits = False
    label_smoothing = 0.0

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size"):
        reduction = reduction or "none"
        if reduction not in _REDUCTIONS:
            raise unknown_name("loss reduction", reduction, _REDUCTIONS)
        self.name = name or self.kind
        self.reduction = reduction

    @property
    def native_kind(self) -> str | None:
        """The engines' own name of exactly this loss, or None: then it is traced."""
        return self.kind or None

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return the values: one a sample, or more."""
        return self.call(y_true, y_pred)

    @property
    def sparse(self) -> bool:
        """Whether targets are class numbers."""
        return self.kind.startswith("sparse_")

    def call(self, y_true: Any, y_pred: Any) -> np.ndarray:
        """Return the loss of each row, in float64."""
        from dnnfast import reference

        t, p = as_rows(y_true, y_pred, self.sparse)
        target = t.reshape(-1) if self.sparse else t.reshape(-1, p.shape[-1])
        rows = reference.loss_forward(
            self.kind,
            p.reshape(-1, p.shape[-1]),
            target,
            from_logits=self.from_logits,
            label_smoothing=self.label_smoothing,
        )
        return np.asarray(rows).reshape(p.shape[:-1])

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the reduced loss."""
        rows = self.call(y_true, y_pred)
        total = float(rows.size)
        if sample_weight is not None:
            weight = np.asarray(sample_weight, np.float64)
            weight = weight.reshape(weight.shape + (1,) * (rows.ndim - weight.ndim))
            rows = rows * np.broadcast_to(weight, rows.shape)
            if self.reduction == "mean":
                total = float(np.broadcast_to(weight, rows.shape).sum())
        if self.reduction == "none":
            return rows
        return float(rows.sum() if self.reduction == "sum" else rows.sum() / total)


def reduced(values: Any, sample_weight: Any, mask: Any, reduction: str) -> Any:
    """Return the reduction of a loss's values."""
    from dnnfast import ops

    if sample_weight is not None:
        values = ops.multiply(values, sample_weight)
    return ops.sum(values) if reduction == "sum" else ops.mean(values)
