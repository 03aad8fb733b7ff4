"""Penalties on weights and on outputs of layers, added to the loss."""

from __future__ import annotations

from typing import Any

from dnnfast.lookup import deserialize_object, get_object
from dnnfast.regularizers.norms import L1, L1L2, L2, Regularizer
from dnnfast.regularizers.orthogonal import OrthogonalRegularizer
from dnnfast.saving.objects import serialize_keras_object

l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer

ALL = {
    "l1": L1,
    "l2": L2,
    "l1_l2": L1L2,
    "orthogonal_regularizer": OrthogonalRegularizer,
    "regularizer": Regularizer,
}


def get(identifier: Any) -> Any:
    """Return the regularizer for a name, a serialized form, an object or a function.

    Args:
        identifier: ``"l1"``, ``"l2"``, ``"l1_l2"``, ``"orthogonal_regularizer"``, a Regularizer,
            a function of one weight written with `dnnfast.ops`, or None.

    Raises:
        ValueError: if the name is not known, or it is none of these.

    Example:
        >>> import dnnfast
        >>> dnnfast.regularizers.get("l2")
        L2(l2=0.01)
    """
    return get_object("regularizer", identifier, Regularizer, ALL)


def serialize(regularizer: Any) -> Any:
    """Return the regularizer as plain data.

    Example:
        >>> import dnnfast
        >>> dnnfast.regularizers.serialize(dnnfast.regularizers.L2(0.1))["config"]
        {'l2': 0.1}
    """
    return serialize_keras_object(regularizer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the regularizer of plain data, or of a name.

    Args:
        config: the result of `serialize`, or a name.
        custom_objects: names of users' own classes and functions.

    Raises:
        ValueError: if the name is not known.

    Example:
        >>> import dnnfast
        >>> data = dnnfast.regularizers.serialize(dnnfast.regularizers.L1())
        >>> dnnfast.regularizers.deserialize(data)
        L1(l1=0.01)
    """
    return deserialize_object("regularizer", config, ALL, custom_objects)


__all__ = [
    "L1",
    "L1L2",
    "L2",
    "OrthogonalRegularizer",
    "Regularizer",
    "deserialize",
    "get",
    "l1",
    "l1_l2",
    "l2",
    "orthogonal_regularizer",
    "serialize",
]
