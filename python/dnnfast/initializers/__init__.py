"""Initial values of weights."""

from __future__ import annotations

from typing import Any

from dnnfast.initializers.base import Initializer
from dnnfast.initializers.constant import Constant, Identity, Ones, Zeros
from dnnfast.initializers.orthogonal import Orthogonal
from dnnfast.initializers.plain import RandomNormal, RandomUniform, TruncatedNormal
from dnnfast.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)
from dnnfast.lookup import get_object
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object

ALL = {
    "constant": Constant,
    "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform,
    "he_normal": HeNormal,
    "he_uniform": HeUniform,
    "identity": Identity,
    "lecun_normal": LecunNormal,
    "lecun_uniform": LecunUniform,
    "ones": Ones,
    "orthogonal": Orthogonal,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "zeros": Zeros,
}
_ALIASES = {
    "normal": RandomNormal,
    "uniform": RandomUniform,
    "one": Ones,
    "zero": Zeros,
    "eye": Identity,
    "IdentityInitializer": Identity,
    "OrthogonalInitializer": Orthogonal,
}
# The snake-case spellings of the classes, such as initializers.he_normal.
globals().update(ALL)


def get(identifier: Any) -> Any:
    """Return the initializer for a name, a serialized form, an object or a function.

    Args:
        identifier: ``"he_normal"``, ``"HeNormal"``, ``initializers.HeNormal()``, a callable of
            ``(shape, dtype)``, or None.

    Raises:
        ValueError: if the name is not known.

    Example:
        >>> import dnnfast
        >>> type(dnnfast.initializers.get("he_normal")).__name__
        'HeNormal'
    """
    return get_object("initializer", identifier, Initializer, {**ALL, **_ALIASES})


def serialize(initializer: Any) -> Any:
    """Return the initializer as plain data."""
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the initializer of plain data."""
    return deserialize_keras_object(config, custom_objects)


__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "get",
    "serialize",
]
