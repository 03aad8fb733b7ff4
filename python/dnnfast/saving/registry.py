"""Names of users' own classes and functions in serialized models."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_custom_objects: dict[str, Any] = {}
_names: dict[Any, str] = {}


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.tables: list[dict[str, Any]] = []


_scopes = _Scopes()


def get_custom_objects() -> dict[str, Any]:
    """Return the dictionary of registered names and what they stand for; it may be changed.

    Example:
        >>> import dnnfast
        >>> isinstance(dnnfast.utils.get_custom_objects(), dict)
        True
    """
    return _custom_objects


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Register a class or function so that saved models can name it.

    Args:
        package: prefix of the registered name ``package>name``. Default ``"Custom"``.
        name: default the object's own name.

    Raises:
        ValueError: if a class has no ``get_config``.

    Example:
        >>> import dnnfast
        >>> @dnnfast.utils.register_keras_serializable("docs")
        ... class MyDense(dnnfast.layers.Dense):
        ...     pass
        >>> dnnfast.saving.get_registered_name(MyDense)
        'docs>MyDense'
    """

    def decorate(item: T) -> T:
        own = name or item.__name__  # type: ignore[attr-defined]
        if isinstance(item, type) and not hasattr(item, "get_config"):
            raise ValueError(
                f"register_keras_serializable: class {own} has no `get_config` method; add one "
                "that returns the constructor's arguments."
            )
        registered = f"{package}>{own}"
        _custom_objects[registered] = item
        _names[item] = registered
        return item

    return decorate


def get_registered_name(obj: Any) -> str:
    """Return the registered name of a class or function, else its own name.

    Example:
        >>> import dnnfast
        >>> dnnfast.saving.get_registered_name(dnnfast.layers.Dense)
        'Dense'
    """
    try:
        found = _names.get(obj)
    except TypeError:
        found = None
    return found or str(obj.__name__)


def get_registered_object(
    name: str | None,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Return what a name stands for, or None.

    Args:
        name: such as ``"package>Name"``.
        custom_objects: names known here only, after those of `custom_object_scope` and the
            registered ones.
        module_objects: names that count last.

    Example:
        >>> import dnnfast
        >>> dnnfast.saving.get_registered_object("docs>Unknown") is None
        True
    """
    if name is None:
        return None
    for table in (*reversed(_scopes.tables), _custom_objects, custom_objects, module_objects):
        if table and name in table:
            return table[name]
    return None


def registered_in_any_package(name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the one item registered as ``package>name`` for some package, or None."""
    for table in (*reversed(_scopes.tables), _custom_objects, custom_objects or {}):
        for key, item in table.items():
            if key.endswith(f">{name}"):
                return item
    return None


class CustomObjectScope:
    """Makes names known to deserialization inside a ``with`` block.

    Args:
        custom_objects: dictionary of names and classes or functions.

    Example:
        >>> import dnnfast
        >>> def twice(x):
        ...     return x
        >>> with dnnfast.saving.custom_object_scope({"twice": twice}):
        ...     dnnfast.activations.get("twice") is twice
        True
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        self.custom_objects = dict(custom_objects or {})

    def __enter__(self) -> CustomObjectScope:
        _scopes.tables.append(self.custom_objects)
        return self

    def __exit__(self, *exc_info: object) -> None:
        _scopes.tables.pop()


custom_object_scope = CustomObjectScope
