"""Constraints on weights, applied after each step of the optimizer."""

from __future__ import annotations

from typing import Any

from dnnfast.constraints.base import Constraint
from dnnfast.constraints.norms import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from dnnfast.lookup import deserialize_object, get_object
from dnnfast.saving.objects import serialize_keras_object

max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm

ALL = {
    "constraint": Constraint,
    "max_norm": MaxNorm,
    "min_max_norm": MinMaxNorm,
    "non_neg": NonNeg,
    "unit_norm": UnitNorm,
}


def get(identifier: Any) -> Any:
    """Return the constraint for a name, a serialized form, an object or a function.

    Args:
        identifier: ``"max_norm"``, ``"MaxNorm"``, ``constraints.MaxNorm(3)``, a function of one
            weight written with `dnnfast.ops`, or None.

    Raises:
        ValueError: if the name is not known, or it is none of these.

    Example:
        >>> import dnnfast
        >>> dnnfast.constraints.get("max_norm")
        MaxNorm(max_value=2, axis=0)
    """
    return get_object("constraint", identifier, Constraint, ALL)


def serialize(constraint: Any) -> Any:
    """Return the constraint as plain data.

    Example:
        >>> import dnnfast
        >>> dnnfast.constraints.serialize(dnnfast.constraints.NonNeg())["class_name"]
        'NonNeg'
    """
    return serialize_keras_object(constraint)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the constraint of plain data, or of a name.

    Args:
        config: the result of `serialize`, or a name.
        custom_objects: names of users' own classes and functions.

    Raises:
        ValueError: if the name is not known.

    Example:
        >>> import dnnfast
        >>> data = dnnfast.constraints.serialize(dnnfast.constraints.MaxNorm(3))
        >>> dnnfast.constraints.deserialize(data).max_value
        3
    """
    return deserialize_object("constraint", config, ALL, custom_objects)


__all__ = [
    "Constraint",
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "deserialize",
    "get",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "serialize",
    "unit_norm",
]
