"""Configurations of models as the older format has them."""

from __future__ import annotations

from typing import Any

from dnnfast import layers, losses, metrics, optimizers
from dnnfast.errors import FileFormatError
from dnnfast.layers.core.function_layer import find_class
from dnnfast.saving import registry
from dnnfast.saving.objects import deserialize_keras_object, serialize_keras_object

_ADDED = ("module", "registered_name", "build_config", "compile_config")
_MODELS = ("Sequential", "Functional", "Model")
# Arguments of Keras 2 that say nothing any more.
_LAMBDA_ARGUMENTS = ("module", "function_type", "output_shape_type", "output_shape_module")


def legacy_form(model: Any) -> dict[str, Any]:
    """Return a model's configuration: layers have a class name and a configuration only."""
    data = _without_modules(serialize_keras_object(model))
    return {"class_name": data["class_name"], "config": data["config"]}


def _without_modules(entry: dict[str, Any]) -> dict[str, Any]:
    if ".ops." in str(entry.get("module")):
        return entry  # functions cannot be found by the names of their classes alone
    result = {key: value for key, value in entry.items() if key not in _ADDED}
    if entry.get("registered_name"):
        result["class_name"] = entry["registered_name"]
    config = result.get("config")
    if entry["class_name"] in _MODELS and isinstance(config, dict) and "layers" in config:
        inner = [_without_modules(layer) for layer in config["layers"]]
        result["config"] = {**config, "layers": inner}
    return result


def training_config(model: Any) -> dict[str, Any]:
    """Return what a model was compiled with."""
    config = model.get_compile_config()
    optimizer = config.pop("optimizer")
    name = optimizer["registered_name"] or optimizer["class_name"]
    found: dict[str, Any] = _short(config)
    found["loss"] = _full_names(found["loss"])
    found["optimizer_config"] = {"class_name": name, "config": optimizer["config"]}
    return found


def _full_names(loss: Any) -> Any:
    """Keras finds losses in this format by their full names only."""
    if isinstance(loss, str):
        cls = losses.ALIASES.get(loss)
        return next((name for name, item in losses.ALL.items() if item is cls), loss)
    if isinstance(loss, list):
        return [_full_names(item) for item in loss]
    if isinstance(loss, dict) and "class_name" not in loss:
        return {key: _full_names(item) for key, item in loss.items()}
    return loss


def _short(value: Any) -> Any:
    """Losses and metrics as a class name and a configuration, functions as their names."""
    if isinstance(value, (list, tuple)):
        return [_short(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value or "config" not in value:
        return {key: _short(item) for key, item in value.items()}
    if value["class_name"] == "function":
        return value["config"]
    name = value.get("registered_name") or value["class_name"]
    return {"class_name": name, "config": value["config"]}


def model_of(config: Any, safe: bool) -> Any:
    """Return the model of a configuration, with new weights.

    Raises:
        FileFormatError: if it is that of no model.
    """
    if not isinstance(config, dict) or not isinstance(config.get("config"), (dict, list)):
        raise FileFormatError("the configuration in the file is that of no model.")
    model = deserialize_keras_object(_modern(config), safe_mode=safe)
    if not hasattr(model, "_init_trainer"):
        raise FileFormatError(f"the file holds {type(model).__name__}, which is no model.")
    return model


def _modern(entry: Any) -> Any:
    """Return the configuration of a layer with today's arguments."""
    if not isinstance(entry, dict) or not isinstance(entry.get("class_name"), str):
        return entry
    config = entry.get("config")
    if isinstance(config, list) and entry["class_name"] == "Sequential":
        config = {"layers": config}  # of Keras 1
    if not isinstance(config, dict):
        return entry
    config, name = dict(config), entry["class_name"]
    if "module" not in entry and not hasattr(layers, name) and find_class(name) is not None:
        return {**entry, "module": "keras.src.ops.numpy"}
    if isinstance(config.get("layers"), list):
        config["layers"] = [_modern(layer) for layer in config["layers"]]
    if isinstance(config.get("layer"), dict):
        config["layer"] = _modern(config["layer"])
    shape = config.pop("batch_input_shape", None)
    if shape is not None and "batch_shape" not in config:
        first = entry["class_name"] == "InputLayer"
        config["batch_shape" if first else "input_shape"] = shape if first else shape[1:]
    axis = config.get("axis")
    if entry["class_name"] == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        config["axis"] = axis[0]
    if entry["class_name"] == "Lambda":
        config = _modern_lambda(config)
    return {**entry, "config": config}


def _modern_lambda(config: dict[str, Any]) -> dict[str, Any]:
    config = {key: value for key, value in config.items() if key not in _LAMBDA_ARGUMENTS}
    function = config.get("function")
    if isinstance(function, list):
        config["function"] = {"class_name": "__lambda__", "config": {"value": function}}
    return config


def compile_arguments(config: Any, safe: bool) -> dict[str, Any]:
    """Return the arguments of `compile` for what `training_config` gives.

    Raises:
        FileFormatError: if it is not that.
    """
    if not isinstance(config, dict) or not isinstance(config.get("optimizer_config"), dict):
        raise FileFormatError("the training configuration in the file is damaged.")
    rule = config["optimizer_config"]
    found = {
        "optimizer": optimizers.get(_optimizer(rule)),
        "loss": _each(config.get("loss"), _loss),
        "loss_weights": config.get("loss_weights"),
        "metrics": _each(config.get("metrics"), _metric),
        "weighted_metrics": _each(config.get("weighted_metrics"), _metric),
    }
    if isinstance(config.get("steps_per_execution"), int):
        found["steps_per_execution"] = config["steps_per_execution"]
    return found


def _optimizer(rule: dict[str, Any]) -> dict[str, Any]:
    config = rule.get("config")
    if not isinstance(config, dict):
        return rule
    # Keras 2 kept the default of an argument that is new to no one.
    dropped = ("is_legacy_optimizer", "jit_compile")
    return {**rule, "config": {k: v for k, v in config.items() if k not in dropped}}


def _each(value: Any, get: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, str) or (isinstance(value, dict) and "class_name" in value):
        return get(value)
    if isinstance(value, dict):
        return {key: _each(item, get) for key, item in value.items()}
    if isinstance(value, list):
        return [_each(item, get) for item in value]
    raise FileFormatError("the training configuration in the file is damaged.")


def _loss(value: Any) -> Any:
    return value if isinstance(value, str) else losses.get(value)


def _metric(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.get("class_name") == "MeanMetricWrapper":
        config = value.get("config") or {}
        if (
            isinstance(config.get("fn"), str)
            and registry.get_registered_object(config["fn"]) is None
        ):
            return metrics.get(config["fn"])
    return metrics.get(value)
