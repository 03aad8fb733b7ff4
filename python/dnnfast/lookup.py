"""`get`, `serialize` and `deserialize`, for initializers, losses, optimizers and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dnnfast.errors import unknown_name
from dnnfast.saving.objects import deserialize_keras_object
from dnnfast.saving.registry import get_registered_object


def by_name(what: str, name: str, table: Mapping[str, Any]) -> Any:
    """Return the entry (or the custom object) of a name, case and underscores not mattering.

    Raises:
        ValueError: if there is none, naming the closest.
    """
    custom = get_registered_object(name)
    if custom is not None:
        return custom
    if name in table:
        return table[name]
    folded = {key.replace("_", "").lower(): value for key, value in table.items()}
    try:
        return folded[name.replace("_", "").lower()]
    except KeyError:
        raise unknown_name(what, name, table) from None


def get_object(what: str, identifier: Any, base: type, table: Mapping[str, Any]) -> Any:
    """Return an object for a name, a serialized form, a class, an object or a function."""
    if identifier is None or isinstance(identifier, base):
        return identifier
    if isinstance(identifier, dict):
        identifier = deserialize_keras_object(identifier, dict(table))
        return identifier
    if isinstance(identifier, str):
        identifier = by_name(what, identifier, table)
    if isinstance(identifier, type):
        return identifier()
    if callable(identifier):
        return identifier
    raise ValueError(
        f"unknown {what} {identifier!r}: expected a name, an object, or a function; got "
        f"{type(identifier).__name__}."
    )
