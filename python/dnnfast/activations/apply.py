"""Applies an activation to arrays (by the reference) or to symbolic tensors (as an op)."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.ops.curves import record_curve


def activation_op(x: Any, kind: str, alpha: float = 0.0, beta: float = 0.0) -> Any:
    """Apply an element-wise activation by its kind."""
    if symbolic.is_symbolic(x):
        return record_curve(x, kind, float(alpha), float(beta))
    from dnnfast import reference

    return reference.activation_forward(np.asarray(x), kind, float(alpha), float(beta))


def along_axis(x: Any, op: str, axis: int) -> Any:
    """Apply an op that works along one axis."""
    if symbolic.is_symbolic(x):
        from dnnfast import ops

        return getattr(ops, op)(x, axis)
    from dnnfast import reference

    x = np.moveaxis(np.asarray(x, np.float64), axis, -1)
    rows = x.reshape(-1, x.shape[-1])
    result = getattr(reference, f"{op}_forward")(rows).reshape(*x.shape[:-1], -1)
    return np.moveaxis(result, -1, axis)
