"""Objects to and from ``{module, class_name, config, registered_name}``, as Keras writes them."""

from __future__ import annotations

import importlib
import sys
import types
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from dnnfast.saving import lambdas, limits, registry, sharing

_MODEL_CLASSES = ("Sequential", "Functional", "Model")
# Where serialized functions and classes without a module are looked for.
_FUNCTION_MODULES = (
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "regularizers",
)
_CLASS_MODULES = (
    "layers",
    "optimizers",
    "optimizers.schedules",
    "dtype_policies",
    "mixed_precision",  # Policy, as Keras 2 wrote it
    "random",
)
_FUNCTIONAL_MODULE = "keras.src.models.functional"


def _public_module(cls: type) -> str | None:
    """The module by which Keras names a class; None for one of the main script."""
    parts = cls.__module__.split(".")
    if parts[0] != "dnnfast":
        return None if cls.__module__ == "__main__" else cls.__module__
    if getattr(sys.modules["dnnfast"], cls.__name__, None) is cls:
        return "keras"
    if parts[1:3] == ["optimizers", "schedules"]:
        return "keras.optimizers.schedules"
    return f"keras.{parts[1]}"


def is_builtin(cls: type) -> bool:
    """Tell whether a class is one of dnnfast's."""
    return cls.__module__.split(".")[0] == "dnnfast"


def _of_class(item: Any) -> dict[str, Any]:
    cls = type(item)
    config = item.get_config()
    if not isinstance(config, dict):
        raise TypeError(
            f"serialize_keras_object: get_config() of {item!r} must return a dict, got "
            f"{type(config).__name__}."
        )
    name = getattr(item, "_serialized_class_name", None) or cls.__name__
    builtin = is_builtin(cls)
    result = {
        "module": getattr(item, "_serialized_module", None) or _public_module(cls),
        "class_name": name,
        "config": serialize_keras_object(config),
        "registered_name": None if builtin else registry.get_registered_name(cls),
    }
    if builtin and name == "Functional":
        result.update(module=_FUNCTIONAL_MODULE, registered_name="Functional")
    for key in ("build_config", "compile_config"):
        get = getattr(item, f"get_{key}", None)
        if get is not None and (found := get()):
            result[key] = _with_lists(serialize_keras_object(found))
    sharing.note_written(item, result)
    return result


def _with_lists(value: Any) -> Any:
    """Turn tuples (of shapes) into lists, as JSON does."""
    if isinstance(value, dict):
        return {key: _with_lists(item) for key, item in value.items()}
    return [_with_lists(item) for item in value] if isinstance(value, (list, tuple)) else value


def _of_constant(obj: Any) -> Any:
    """Plain data for values that JSON lacks, or None."""
    if isinstance(obj, np.ndarray) and obj.ndim:
        config = {"value": obj.tolist(), "dtype": str(obj.dtype)}
        return {"class_name": "__numpy__", "config": config}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode("utf-8")}}
    if isinstance(obj, slice):
        ends = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": serialize_keras_object(ends)}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    return None


def serialize_keras_object(obj: Any) -> Any:
    """Turn an object (or a nested structure of objects) into plain data.

    Args:
        obj: an object with ``get_config``, a function, an array, a number, a string, None, or
            lists, tuples and dicts of such. A lambda is written with a warning: its code is loaded
            only where safe mode is off.

    Raises:
        TypeError: if it is none of these.

    Example:
        >>> import dnnfast
        >>> dnnfast.saving.serialize_keras_object(dnnfast.regularizers.L2(0.1))["class_name"]
        'L2'
    """
    from dnnfast.keras_tensor import KerasTensor

    if obj is None or isinstance(obj, (str, bool, int, float)):
        return obj
    if isinstance(obj, np.generic) or (isinstance(obj, np.ndarray) and not obj.ndim):
        return obj.item()
    if isinstance(obj, (list, tuple)):
        items = [serialize_keras_object(item) for item in obj]
        return tuple(items) if isinstance(obj, tuple) else items
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if (constant := _of_constant(obj)) is not None:
        return constant
    if isinstance(obj, KerasTensor):
        history = obj._keras_history
        where = [history.operation.name, *history[1:]] if history else None
        config = {"shape": list(obj.shape), "dtype": obj.dtype, "keras_history": where}
        return {"class_name": "__keras_tensor__", "config": config}
    if lambdas.is_lambda(obj):
        warnings.warn(
            "a lambda is serialized by its code, which is refused when loaded in safe mode. Use a "
            "named function, decorated with dnnfast.utils.register_keras_serializable().",
            stacklevel=2,
        )
        return {"class_name": "__lambda__", "config": {"value": lambdas.dump(obj)}}
    if not isinstance(obj, type):
        if hasattr(obj, "get_config"):
            return _of_class(obj)
        if callable(obj) and hasattr(obj, "__name__"):
            return {
                "module": "builtins",
                "class_name": "function",
                "config": registry.get_registered_name(obj),
                "registered_name": "function",
            }
    raise TypeError(
        f"serialize_keras_object: {obj!r} has no `get_config` method; add one that returns the "
        "constructor's arguments."
    )


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Rebuild what `serialize_keras_object` turned into plain data.

    Args:
        config: the plain data.
        custom_objects: names of users' own classes and functions.
        safe_mode: refuse serialized lambdas, whose code may do anything. Default True.
        module_objects: classes and functions that count last.

    Raises:
        TypeError: if a class or function is not known.
        ValueError: if it is a lambda in safe mode, or a name is that of something else.

    Example:
        >>> import dnnfast
        >>> data = dnnfast.saving.serialize_keras_object(dnnfast.layers.Dense(3, name="d"))
        >>> dnnfast.saving.deserialize_keras_object(data)
        <Dense name=d, built=False>
    """

    def inner(value: Any) -> Any:
        return deserialize_keras_object(value, custom_objects, safe_mode)

    if isinstance(config, (list, tuple)):
        items = [inner(item) for item in config]
        return tuple(items) if isinstance(config, tuple) else items
    if not isinstance(config, dict):
        return config
    name: Any = config.get("class_name")
    if name is None or not ("config" in config or name == "__tuple__"):
        return {key: inner(value) for key, value in config.items()}
    if name.startswith("__"):
        return _constant(name, config, inner, safe_mode)
    if (shared := sharing.known(config)) is not None:
        return shared
    item = _lookup(config, custom_objects, module_objects)
    if not isinstance(item, type):
        return item
    with registry.CustomObjectScope(custom_objects), lambdas.SafeMode(lambdas.is_safe(safe_mode)):
        instance = _instance(item, config)
    sharing.note_read(instance, config)
    return instance


def _constant(name: str, config: dict[str, Any], inner: Any, safe_mode: bool) -> Any:
    held = config.get("config", {})
    if name == "__tuple__":
        return tuple(inner(item) for item in config.get("items", held))
    if name in ("__numpy__", "__tensor__"):
        dtype = np.dtype(held["dtype"])
        limits.take(dtype.itemsize * np.size(held["value"]), "an array")
        return np.array(held["value"], dtype=dtype)
    if name == "__bytes__":
        return held["value"].encode("utf-8")
    if name == "__slice__":
        return slice(*(inner(held[key]) for key in ("start", "stop", "step")))
    if name == "__ellipsis__":
        return Ellipsis
    if name == "__keras_tensor__":
        from dnnfast.keras_tensor import KerasTensor

        return KerasTensor(held["shape"], held["dtype"])
    if name == "__lambda__":
        if lambdas.is_safe(safe_mode):
            raise ValueError(
                "deserialize_keras_object: the data holds a lambda, whose code may do anything. If "
                "you trust where it comes from, pass safe_mode=False or call "
                "dnnfast.config.enable_unsafe_deserialization()."
            )
        parts = ("code", "defaults", "closure")  # of the layer `Lambda`
        return lambdas.load(held.get("value") or [held.get(part) for part in parts])
    raise TypeError(f"deserialize_keras_object: unknown kind of value {name!r}.")


def _instance(cls: Any, config: dict[str, Any]) -> Any:
    instance = cls.from_config(config.get("config") or {})
    build_config = config.get("build_config")
    if build_config and hasattr(instance, "build_from_config") and not instance.built:
        instance.build_from_config(build_config)
    compile_config = config.get("compile_config")
    if compile_config and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(compile_config)
    return instance


def _lookup(
    config: dict[str, Any],
    custom_objects: Mapping[str, Any] | None,
    module_objects: Mapping[str, Any] | None,
) -> Any:
    """Return a registered class or function, one of the module's, or one of users' own classes."""
    is_function = config["class_name"] == "function"
    name = str(config["config"] if is_function else config["class_name"])
    registered, module = config.get("registered_name"), config.get("module") or ""
    for candidate in (None if is_function else registered, name):
        item = registry.get_registered_object(candidate, custom_objects)
        if item is not None:
            return item
    item = _builtin(module, name, is_function)
    if item is not None:
        if registered not in (None, name, config["class_name"]):
            raise ValueError(
                f"deserialize_keras_object: {name!r} of {module!r} is registered under no name, "
                f"but the data gives it the registered name {registered!r}."
            )
        return item
    if is_function:
        item = registry.registered_in_any_package(name, custom_objects)
    # Users' classes count by their names only: a module that data names is not looked at.
    item = item or registry.get_registered_object(name, None, module_objects)
    if item is None:
        kind = "function" if is_function else "class"
        raise TypeError(
            f"deserialize_keras_object: the {kind} {name!r} of module {module!r} is not known. "
            f"Pass custom_objects={{{name!r}: ...}} or register it with "
            "dnnfast.utils.register_keras_serializable()."
        )
    return item


def _own_class(module: Any, name: str) -> Any:
    """A class with `get_config`, of dnnfast or derived from one of its classes; else None."""
    item = getattr(module, name, None)
    if not isinstance(item, type) or not hasattr(item, "from_config"):
        return None
    return item if any(is_builtin(cls) for cls in item.__mro__) else None


def _builtin(module: str, name: str, is_function: bool) -> Any:
    parts = [part for part in module.split(".") if part not in ("tensorflow", "src")]
    within = bool(parts) and parts[0] in ("keras", "dnnfast", "keras_core", "tf_keras")
    if is_function:
        own = (parts[1],) if within and len(parts) > 1 else _FUNCTION_MODULES
        if module not in ("", "builtins") and not set(own) <= set(_FUNCTION_MODULES):
            return None
        for found in map(_module, own):
            item = getattr(found, name, None)
            if isinstance(item, types.FunctionType) and name in found.__all__:
                return item
        return None
    if name in _MODEL_CLASSES and (within or not module):
        return getattr(_module("models.classes"), name)
    if not module:
        candidates: list[str] = [*_CLASS_MODULES, *_FUNCTION_MODULES]
    elif not within:
        candidates = []
    elif len(parts) == 1:
        candidates = [""]
    else:
        candidates = ["optimizers.schedules" if "schedules" in parts else parts[1]]
    items = (_own_class(_module(candidate), name) for candidate in candidates)
    return next((item for item in items if item is not None), None)


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"dnnfast.{name}" if name else "dnnfast")
    except ImportError:
        return None
