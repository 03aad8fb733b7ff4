"""Penalties on weights, added to the loss."""

from __future__ import annotations

from typing import Any

from dnnfast.lookup import get_object
from dnnfast.regularizers.norms import L1, L1L2, L2, Regularizer, l1_l2
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object

l1 = L1
l2 = L2

ALL = {"l1": L1, "l2": L2, "l1_l2": L1L2}


def get(identifier: Any) -> Any:
    """Return the regularizer for a name, a serialized form or an object.

    Args:
        identifier: ``"l1"``, ``"l2"``, ``"l1_l2"``, a Regularizer, or None.

    Raises:
        ValueError: if it is something else.

    Example:
        >>> import dnnfast
        >>> dnnfast.regularizers.get("l2")
        L2(l2=0.01)
    """
    found = get_object("regularizer", identifier, Regularizer, ALL)
    if found is not None and not isinstance(found, (L1, L2, L1L2)):
        raise ValueError(
            f"regularizer {identifier!r} is not supported; use regularizers.L1, L2 or L1L2."
        )
    return found


def serialize(regularizer: Any) -> Any:
    """Return the regularizer as plain data."""
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the regularizer of plain data."""
    return deserialize_keras_object(config, custom_objects)


__all__ = [
    "L1",
    "L1L2",
    "L2",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "serialize",
]
