"""Masks: which samples, or steps of samples, count. They ride on tensors."""

from __future__ import annotations

from typing import Any

import numpy as np


class MaskedArray(np.ndarray):
    """An array with a mask, the attribute ``_keras_mask``; what is computed from it has none."""

    _keras_mask: Any = None


def mask_of(x: Any) -> Any:
    """Return the mask that rides on a tensor or array, or None."""
    return getattr(x, "_keras_mask", None)


def set_mask(tensor: Any, mask: Any) -> None:
    """Let a mask ride on a symbolic tensor."""
    tensor._keras_mask = mask


def with_mask(array: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a view of an array on which a mask rides."""
    masked = array.view(MaskedArray)
    masked._keras_mask = mask
    return masked
