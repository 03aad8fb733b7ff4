"""Losses: what training makes small."""

from __future__ import annotations

from typing import Any

from dnnfast.lookup import get_object
from dnnfast.losses.base import Loss
from dnnfast.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from dnnfast.losses.regression import (
    MeanAbsoluteError,
    MeanSquaredError,
    mean_absolute_error,
    mean_squared_error,
)
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error

ALL: dict[str, type[Loss]] = {
    cls.kind: cls
    for cls in (
        BinaryCrossentropy,
        CategoricalCrossentropy,
        MeanAbsoluteError,
        MeanSquaredError,
        SparseCategoricalCrossentropy,
    )
}
_ALIASES = {"mse": MeanSquaredError, "mae": MeanAbsoluteError, "bce": BinaryCrossentropy}
_CLASS_OF_FUNCTION: dict[Any, type[Loss]] = {
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    mean_absolute_error: MeanAbsoluteError,
    mean_squared_error: MeanSquaredError,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}


def get(identifier: Any) -> Loss | None:
    """Return the loss for a name, a function, a class, an object or a serialized form.

    Args:
        identifier: ``"mse"``, ``losses.mean_squared_error``, ``losses.MeanSquaredError()``, None.

    Raises:
        ValueError: if it is not known; losses of one's own are not supported.

    Example:
        >>> import dnnfast
        >>> dnnfast.losses.get("mse").name
        'mean_squared_error'
    """
    if callable(identifier) and getattr(identifier, "__hash__", None):
        identifier = _CLASS_OF_FUNCTION.get(identifier, identifier)
    found = get_object("loss", identifier, Loss, {**ALL, **_ALIASES})
    if callable(found) and not isinstance(found, Loss):
        found = _CLASS_OF_FUNCTION.get(found, lambda: found)()
    if found is not None and (not isinstance(found, Loss) or found.kind not in ALL):
        raise ValueError(
            f"loss {identifier!r} is not one that the engines can run; the losses are: "
            f"{', '.join(ALL)}."
        )
    return found


def serialize(loss: Any) -> Any:
    """Return the loss as plain data."""
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the loss of plain data."""
    return deserialize_keras_object(name, custom_objects)


__all__ = [
    "MAE",
    "MSE",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "mae",
    "mean_absolute_error",
    "mean_squared_error",
    "mse",
    "serialize",
    "sparse_categorical_crossentropy",
]
