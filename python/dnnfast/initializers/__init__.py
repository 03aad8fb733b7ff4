"""Initial values of weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.initializers.base import Initializer
from dnnfast.initializers.constant import Constant, Given, Identity, Ones, Zeros
from dnnfast.initializers.drawn import (
    Orthogonal,
    RandomInitializer,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
)
from dnnfast.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)
from dnnfast.lookup import deserialize_object, get_object
from dnnfast.saving.objects import serialize_keras_object

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
_NAMES = {**ALL, **_ALIASES}
IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal
# The snake-case spellings of the classes, such as initializers.he_normal.
globals().update(ALL)


def get(identifier: Any) -> Any:
    """Return the initializer for a name, a serialized form, an object, a function or an array.

    Args:
        identifier: ``"he_normal"``, ``"HeNormal"``, ``initializers.HeNormal()``, a callable of
            ``(shape, dtype)``, an array with the values, or None.

    Raises:
        ValueError: if the name is not known, or it is none of these.

    Example:
        >>> import dnnfast
        >>> type(dnnfast.initializers.get("he_normal")).__name__
        'HeNormal'
    """
    if isinstance(identifier, (np.ndarray, np.generic)):
        return Given(identifier)
    return get_object("initializer", identifier, Initializer, _NAMES)


def serialize(initializer: Any) -> Any:
    """Return the initializer as plain data.

    Example:
        >>> import dnnfast
        >>> dnnfast.initializers.serialize(dnnfast.initializers.Zeros())["class_name"]
        'Zeros'
    """
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the initializer of plain data, or of a name.

    Args:
        config: the result of `serialize`, or a name.
        custom_objects: names of users' own classes and functions.

    Raises:
        ValueError: if the name is not known.

    Example:
        >>> import dnnfast
        >>> data = dnnfast.initializers.serialize(dnnfast.initializers.Constant(2.0))
        >>> dnnfast.initializers.deserialize(data).value
        2.0
    """
    return deserialize_object("initializer", config, _NAMES, custom_objects)


__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "get",
    "serialize",
]
