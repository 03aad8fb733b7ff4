"""Objects to and from ``{module, class_name, config, registered_name}``, as Keras writes them."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np

from dnnfast.saving import registry

_MODEL_CLASSES = ("Sequential", "Functional", "Model")


def _public_module(cls: type) -> str:
    parts = cls.__module__.split(".")
    if parts[0] != "dnnfast":
        return cls.__module__
    if parts[1] == "models":
        return "keras"
    if parts[1:3] == ["optimizers", "schedules"]:
        return "keras.optimizers.schedules"
    return f"keras.{parts[1]}"


def _plain(value: Any) -> Any:
    """Turn tuples into lists, as JSON does."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _of_class(item: Any) -> dict[str, Any]:
    cls = type(item)
    builtin = cls.__module__.split(".")[0] == "dnnfast"
    result = {
        "module": _public_module(cls),
        "class_name": getattr(item, "_serialized_class_name", None) or cls.__name__,
        "config": item.get_config(),
        "registered_name": None if builtin else registry.get_registered_name(cls),
    }
    build_config = getattr(item, "get_build_config", None)
    if build_config is not None and (built := build_config()):
        result["build_config"] = _plain(built)
    return result


def serialize_keras_object(obj: Any) -> Any:
    """Turn an object (or a nested structure of objects) into plain data.

    Raises:
        ValueError: if it has no ``get_config`` and is no function or plain value.

    Example:
        >>> import dnnfast
        >>> dnnfast.saving.serialize_keras_object(dnnfast.regularizers.L2(0.1))["class_name"]
        'L2'
    """
    from dnnfast.keras_tensor import KerasTensor

    if obj is None or isinstance(obj, (str, bool, int, float)):
        return obj
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        config = {"value": obj.tolist(), "dtype": str(obj.dtype)}
        return {"class_name": "__numpy__", "config": config}
    if isinstance(obj, tuple):
        values = [serialize_keras_object(item) for item in obj]
        return {"class_name": "__tuple__", "items": values}
    if isinstance(obj, list):
        return [serialize_keras_object(item) for item in obj]
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, KerasTensor):
        history = obj._keras_history
        where = [history.operation.name, *history[1:]] if history else None
        config = {"shape": list(obj.shape), "dtype": obj.dtype, "keras_history": where}
        return {"class_name": "__keras_tensor__", "config": config}
    if hasattr(obj, "get_config"):
        return _of_class(obj)
    if callable(obj) and hasattr(obj, "__name__"):
        return _of_function(obj)
    raise ValueError(
        f"serialize_keras_object: {obj!r} has no `get_config` method; add one that returns the "
        "constructor's arguments."
    )


def _of_function(function: Any) -> dict[str, Any]:
    if function.__name__ == "<lambda>":
        raise ValueError(
            "serialize_keras_object: a lambda cannot be saved safely. Define a named function and "
            "decorate it with dnnfast.utils.register_keras_serializable()."
        )
    builtin = function.__module__.split(".")[0] == "dnnfast"
    return {
        "module": "builtins" if builtin else function.__module__,
        "class_name": "function",
        "config": function.__name__,
        "registered_name": "function" if builtin else registry.get_registered_name(function),
    }


def deserialize_keras_object(
    config: Any,
    custom_objects: dict[str, Any] | None = None,
    safe_mode: bool = True,
) -> Any:
    """Rebuild what `serialize_keras_object` turned into plain data.

    Args:
        config: the plain data.
        custom_objects: names of users' own classes and functions.
        safe_mode: refuse serialized lambdas. Default True; they are never run.

    Raises:
        ValueError: if a class is not known.

    Example:
        >>> import dnnfast
        >>> data = dnnfast.saving.serialize_keras_object(dnnfast.layers.Dense(3, name="d"))
        >>> dnnfast.saving.deserialize_keras_object(data)
        <Dense name=d, built=False>
    """
    if isinstance(config, list):
        return [deserialize_keras_object(item, custom_objects, safe_mode) for item in config]
    if not isinstance(config, dict):
        return config
    if "class_name" not in config:
        return {
            key: deserialize_keras_object(value, custom_objects, safe_mode)
            for key, value in config.items()
        }
    name: Any = config["class_name"]
    inner: Any = config.get("config")
    if name == "__tuple__":
        items = config.get("items", inner)
        return tuple(deserialize_keras_object(item, custom_objects, safe_mode) for item in items)
    if name == "__numpy__":
        return np.array(inner["value"], dtype=inner["dtype"])
    if name == "__lambda__":
        raise ValueError(
            "deserialize_keras_object: the data holds a lambda, which cannot be loaded safely. "
            "Rebuild the model in code and load its weights only."
        )
    if name == "DTypePolicy":
        return inner["name"]
    item = _lookup(config, custom_objects)
    return item if name == "function" else _instance(item, config, custom_objects)


def _instance(cls: Any, config: dict[str, Any], custom_objects: dict[str, Any] | None) -> Any:
    with registry.CustomObjectScope(custom_objects or {}):
        instance = cls.from_config(config.get("config") or {})
    build_config = config.get("build_config")
    if build_config and hasattr(instance, "build_from_config") and not instance.built:
        instance.build_from_config(build_config)
    return instance


def _lookup(config: dict[str, Any], custom_objects: dict[str, Any] | None) -> Any:
    is_function = config["class_name"] == "function"
    name = config["config"] if is_function else config["class_name"]
    for candidate in (config.get("registered_name"), name):
        item = registry.get_registered_object(candidate or "", custom_objects)
        if item is not None:
            return item
    module = config.get("module") or ""
    for candidate in _modules(module, name, is_function):
        item = getattr(candidate, name, None)
        if item is not None:
            return item
    raise ValueError(
        f"deserialize_keras_object: {name!r} of module {module!r} is not known. Pass "
        f"custom_objects={{{name!r}: ...}} or register it with "
        "dnnfast.utils.register_keras_serializable()."
    )


def _modules(module: str, name: str, is_function: bool) -> list[Any]:
    parts = [part for part in module.split(".") if part not in ("tensorflow", "src")]
    if name in _MODEL_CLASSES:
        return [importlib.import_module("dnnfast.models.classes")]
    if is_function and module in ("builtins", ""):
        return [
            importlib.import_module(f"dnnfast.{m}") for m in ("activations", "losses", "metrics")
        ]
    if parts and parts[0] in ("keras", "dnnfast", "keras_core") and len(parts) > 1:
        suffix = "optimizers.schedules" if "schedules" in module else parts[1]
        try:
            return [importlib.import_module(f"dnnfast.{suffix}")]
        except ImportError:
            return []
    # A user's own module counts when it is loaded already; importing one could run anything.
    return [sys.modules[module]] if module in sys.modules else []
