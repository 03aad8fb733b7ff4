"""Preparing labels and data."""

from __future__ import annotations

from typing import Any

import numpy as np


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Turn class numbers into one-hot rows.

    Args:
        x: integers from 0, of any shape; a last axis of size 1 is dropped.
        num_classes: default the largest number plus 1.

    Raises:
        ValueError: if a number is negative or too large.

    Example:
        >>> import dnnfast
        >>> dnnfast.utils.to_categorical([0, 2]).tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    labels = np.asarray(x)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    labels = labels.astype(np.int64)
    if labels.size == 0 and num_classes is None:
        raise ValueError("to_categorical: no labels and no num_classes.")
    count = int(num_classes) if num_classes else int(labels.max()) + 1
    if labels.size and (labels.min() < 0 or labels.max() >= count):
        raise ValueError(
            f"to_categorical: labels range from {labels.min()} to {labels.max()}; expected 0 to "
            f"{count - 1}."
        )
    result = np.zeros((*labels.shape, count), np.float64)
    np.put_along_axis(result, labels[..., None], 1.0, axis=-1)
    return result


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """Divide by the norm along an axis; zeros stay zeros.

    Args:
        x: an array.
        axis: default the last.
        order: of the norm, default 2.

    Example:
        >>> import dnnfast
        >>> dnnfast.utils.normalize([[3.0, 4.0]]).tolist()
        [[0.6, 0.8]]
    """
    x = np.asarray(x)
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    return np.asarray(x / np.where(norm == 0, 1.0, norm))
