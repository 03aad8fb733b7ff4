"""Applies an activation by its kind."""

from __future__ import annotations

from typing import Any

from dnnfast.ops.activation import apply_curve


def activation_op(x: Any, kind: str, alpha: float = 0.0, beta: float = 0.0) -> Any:
    """Compute an element-wise activation of an array, or record that of a symbolic tensor."""
    return apply_curve(x, kind, alpha, beta)
