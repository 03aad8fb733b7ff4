"""Metrics, row by row."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.kernels.device import native as _native


def metric_rows(kind: str, prediction: ArrayLike, target: ArrayLike) -> NDArray[np.float32]:
    """Return the metric of each row.

    Args:
        kind: name of the metric, for example "sparse_categorical_accuracy".
        prediction: ``(rows, columns)``.
        target: labels ``(rows,)`` for the sparse kind, else of the prediction's shape.

    Raises:
        ValueError: if the name is unknown, a shape does not fit, or a label is out of range.

    Example:

    >>> metric_rows("sparse_categorical_accuracy", [[0.1, 0.9], [0.8, 0.2]], [1, 1])
    array([1., 0.], dtype=float32)
    """
    return _native.metric_rows(kind, prediction, target)
