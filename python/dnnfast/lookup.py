"""`get`, `serialize` and `deserialize`, for initializers, losses, optimizers and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dnnfast.errors import unknown_name
from dnnfast.saving.objects import deserialize_keras_object
from dnnfast.saving.registry import CustomObjectScope, get_registered_object


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
    if isinstance(identifier, dict) and "class_name" in identifier:
        return deserialize_object(what, identifier, table)
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


def deserialize_object(
    what: str,
    config: Any,
    table: Mapping[str, Any],
    custom_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Return an object for a serialized form, or for a name of the table."""
    if isinstance(config, str):
        with CustomObjectScope(dict(custom_objects or {})):
            found = by_name(what, config, table)
        return found() if isinstance(found, type) else found
    classes = {item.__name__: item for item in table.values() if isinstance(item, type)}
    return deserialize_keras_object(config, custom_objects, module_objects=classes)
