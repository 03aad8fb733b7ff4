"""Metrics that are means of a value of each row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.errors import unknown_name

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MetricKind:
    """``rows(prediction, target)``; ``labels``: the target holds class numbers; ``compares`` False:
    there is no target."""

    rows: Callable[[Array, Array], Array]
    labels: bool = False
    compares: bool = True


# By the names graphs use; csrc/ops/metric.h lists the same ones.
METRICS: dict[str, MetricKind] = {
    "sparse_categorical_accuracy": MetricKind(
        lambda p, t: (p.argmax(axis=-1) == np.trunc(t[:, 0])) * 1.0, labels=True
    ),
    "categorical_accuracy": MetricKind(lambda p, t: (p.argmax(axis=-1) == t.argmax(axis=-1)) * 1.0),
    "binary_accuracy": MetricKind(lambda p, t: ((p > 0.5) * 1.0 == t).mean(axis=-1)),
    "mean_squared_error": MetricKind(lambda p, t: ((p - t) ** 2).mean(axis=-1)),
    "mean_absolute_error": MetricKind(lambda p, t: np.abs(p - t).mean(axis=-1)),
    "values": MetricKind(lambda p, t: p.mean(axis=-1), compares=False),
}


def metric_table(kind: str) -> MetricKind:
    """Return the table's entry of a metric.

    Args:
        kind: a key of ``METRICS``.

    Raises:
        ValueError: if there is none of that name.

    Example:

    >>> metric_table("binary_accuracy").labels
    False
    """
    if kind not in METRICS:
        raise unknown_name("metric", kind, METRICS)
    return METRICS[kind]


def metric_rows(kind: str, prediction: ArrayLike, target: ArrayLike | None) -> Array:
    """Return the metric of every row.

    Args:
        kind: a key of ``METRICS``.
        prediction: ``[rows, columns]`` (further axes count as rows).
        target: the same shape; for the sparse one a class number a row; not looked at for
            ``values``, which is the mean of the predictions.

    Raises:
        ValueError: for an unknown metric or a target that does not fit.

    Formula: Keras 3's; accuracies compare the first greatest column, the binary one each column
    with the threshold 0.5 on the prediction.

    Example:

    >>> metric_rows("sparse_categorical_accuracy", [[0.1, 0.9], [0.8, 0.2]], [1, 1])
    array([1., 0.])
    """
    table = metric_table(kind)
    p = np.asarray(prediction, dtype=np.float64)
    p = p.reshape(-1, p.shape[-1]) if p.ndim > 1 else p.reshape(-1, 1)
    t = np.asarray(target if table.compares else p, dtype=np.float64)
    t = t.reshape(p.shape[0], 1) if table.labels else t.reshape(p.shape)
    with np.errstate(all="ignore"):
        return table.rows(p, t)
