"""Targets, predictions and options of losses: converted and checked."""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np

from dnnfast import checks, ops
from dnnfast.losses.base import to_same_rank
from dnnfast.ops.values import is_float


def floats(y: Any) -> Any:
    """Return values as a tensor of a floating-point type."""
    y = ops.convert_to_tensor(y)
    return y if is_float(ops.dtype(y)) else ops.cast(y, "float32")


def tensors(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return targets and predictions as tensors of one floating-point type."""
    y_pred = floats(y_pred)
    return ops.convert_to_tensor(y_true, y_pred.dtype), y_pred


def pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return targets and predictions as tensors of one type and number of axes."""
    return to_same_rank(*tensors(y_true, y_pred))


def check_axis(where: str, axis: Any, several: bool = False) -> Any:
    """Return an axis (or None or several, where that may be), or raise ValueError."""
    if several and (axis is None or isinstance(axis, (list, tuple))):
        return axis if axis is None else [check_axis(where, a) for a in axis]
    try:
        if isinstance(axis, (bool, np.bool_)):
            raise TypeError
        return operator.index(axis)
    except TypeError:
        raise ValueError(f"{where}: axis must be an integer, got {axis!r}.") from None


def check_smoothing(where: str, value: Any) -> float:
    """Return label smoothing in [0, 1], or raise ValueError."""
    return check_share(where, "label_smoothing", value)


def check_share(where: str, name: str, value: Any) -> float:
    """Return a number in [0, 1], or raise ValueError."""
    if checks.number(where, name, value, 0.0) > 1.0:
        raise ValueError(f"{where}: {name} must be in [0, 1], got {value!r}.")
    return value


def check_options(where: str, from_logits: Any, label_smoothing: Any, axis: Any) -> None:
    """Raise ValueError unless these are options that crossentropies have."""
    checks.flag(where, "from_logits", from_logits)
    check_smoothing(where, label_smoothing)
    check_axis(where, axis)


def warn_of_one_class(where: str, y_pred: Any, axis: int) -> None:
    """Warn that a distribution over one class is always right."""
    if y_pred.shape[axis] == 1:
        warnings.warn(
            f"In loss {where}, expected y_pred with more than one class along axis {axis}, got "
            f"shape {tuple(y_pred.shape)}: the loss is 0 whatever is predicted. Use "
            "'binary_crossentropy' for one probability a sample.",
            SyntaxWarning,
            stacklevel=3,
        )
