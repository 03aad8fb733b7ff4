"""Applies an activation to arrays (by the reference) or to symbolic tensors (as an op)."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import tracing
from dnnfast.keras_tensor import KerasTensor


def activation_op(x: Any, kind: str, alpha: float = 0.0, beta: float = 0.0) -> Any:
    """Apply an element-wise activation by its kind."""
    if isinstance(x, KerasTensor):
        attrs = {"kind": kind, "alpha": float(alpha), "beta": float(beta)}
        return tracing.emit("activation", [x], attrs)
    from dnnfast import reference

    return reference.activation_forward(np.asarray(x), kind, float(alpha), float(beta))


def last_axis_op(x: Any, op: str, axis: int) -> Any:
    """Apply an op that works along the last axis."""
    ndim = x.ndim if isinstance(x, KerasTensor) else np.ndim(x)
    if axis not in (-1, ndim - 1):
        raise ValueError(
            f"{op}: only the last axis is supported, got axis={axis} for {ndim} axes; bring the "
            "axis to the end with Reshape."
        )
    if isinstance(x, KerasTensor):
        return tracing.emit(op, [x])
    from dnnfast import reference

    x = np.asarray(x, np.float64)
    rows = x.reshape(-1, x.shape[-1])
    return getattr(reference, f"{op}_forward")(rows).reshape(*x.shape[:-1], -1)
