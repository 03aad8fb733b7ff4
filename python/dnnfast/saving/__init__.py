"""Models in files, and serialized objects: the registry of classes and their plain data."""

from __future__ import annotations

from typing import Any

from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object
from dnnfast.saving.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

# Loaded on first use: files need all of the package, and what is below it needs this module.
_FILES = ("load_model", "load_weights", "save_model", "save_weights")


def __getattr__(name: str) -> Any:
    if name in _FILES:
        from dnnfast.saving import files

        return getattr(files, name)
    raise AttributeError(f"module 'dnnfast.saving' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_FILES})


__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
