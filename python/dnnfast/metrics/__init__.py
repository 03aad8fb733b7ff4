"""Metrics: what training reports."""

from __future__ import annotations

from typing import Any

from dnnfast.lookup import get_object
from dnnfast.losses import mean_absolute_error, mean_squared_error
from dnnfast.metrics.accuracy import (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
)
from dnnfast.metrics.metric import Metric
from dnnfast.metrics.regression import MeanAbsoluteError, MeanSquaredError
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object

MeanMetricWrapper = Metric

ALL: dict[str, type[Metric]] = {
    cls.kind: cls
    for cls in (
        BinaryAccuracy,
        CategoricalAccuracy,
        MeanAbsoluteError,
        MeanSquaredError,
        SparseCategoricalAccuracy,
    )
}
_ALIASES = {"mse": MeanSquaredError, "mae": MeanAbsoluteError}
_CLASS_OF_FUNCTION: dict[Any, type[Metric]] = {
    mean_absolute_error: MeanAbsoluteError,
    mean_squared_error: MeanSquaredError,
}


def get(identifier: Any) -> Metric:
    """Return the metric for a name, a function, a class, an object or a serialized form.

    Args:
        identifier: ``"mae"``, ``metrics.MeanAbsoluteError()``. ("accuracy" depends on the shapes
            and is resolved by the model.)

    Raises:
        ValueError: if it is not known; metrics of one's own are not supported.

    Example:
        >>> import dnnfast
        >>> dnnfast.metrics.get("mae").name
        'mean_absolute_error'
    """
    given = identifier
    if callable(identifier) and getattr(identifier, "__hash__", None):
        identifier = _CLASS_OF_FUNCTION.get(identifier, identifier)
    found = get_object("metric", identifier, Metric, {**ALL, **_ALIASES})
    if not isinstance(found, Metric) or found.kind not in ALL:
        raise ValueError(
            f"metric {given!r} is not one that the engines can run; the metrics are: accuracy, "
            f"{', '.join(ALL)}."
        )
    return found


def serialize(metric: Any) -> Any:
    """Return the metric as plain data."""
    return serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the metric of plain data."""
    return deserialize_keras_object(config, custom_objects)


__all__ = [
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "SparseCategoricalAccuracy",
    "deserialize",
    "get",
    "serialize",
]
