"""Losses: the value of each row, and the gradient of the mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.kernels.device import native as _native

Array = NDArray[np.float32]


def loss_forward(
    kind: str,
    prediction: ArrayLike,
    target: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Array:
    """Return the loss of each row.

    Args:
        kind: name of the loss, for example "sparse_categorical_crossentropy".
        prediction: ``(rows, columns)``.
        target: labels ``(rows,)`` for the sparse kind, else of the prediction's shape.
        from_logits: whether the prediction of a cross-entropy comes before softmax or sigmoid.
        label_smoothing: share of the target spread evenly, in [0, 1].

    Raises:
        ValueError: if a name is unknown, a shape does not fit, or a label is out of range.

    Example:

    >>> loss_forward("mean_squared_error", [[1.0, 3.0]], [[0.0, 0.0]])
    array([5.], dtype=float32)
    """
    return _native.loss_forward(kind, prediction, target, from_logits, label_smoothing)


def loss_backward(
    kind: str,
    prediction: ArrayLike,
    target: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    sample_weight: ArrayLike | None = None,
) -> Array:
    """Return the gradient of ``sum(sample_weight * loss) / rows`` by the prediction.

    Args:
        kind: as in `loss_forward`; also the other arguments.
        prediction: as in `loss_forward`.
        target: as in `loss_forward`.
        from_logits: as in `loss_forward`.
        label_smoothing: as in `loss_forward`.
        sample_weight: ``(rows,)``; None is 1.

    Raises:
        ValueError: as in `loss_forward`.

    Example:

    >>> loss_backward("mean_squared_error", [[1.0, 3.0]], [[0.0, 0.0]])
    array([[1., 3.]], dtype=float32)
    """
    return _native.loss_backward(
        kind, prediction, target, from_logits, label_smoothing, sample_weight
    )
