"""The older format: one HDF5 file with the weights by layer, as Keras 2 and Keras 3 have it."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np

from dnnfast.errors import FileFormatError
from dnnfast.saving import extra, registry
from dnnfast.saving.content import KERAS_VERSION, building, parsed
from dnnfast.saving.hdf5 import Dataset, Group
from dnnfast.saving.legacy_config import (
    compile_arguments,
    legacy_form,
    model_of,
    training_config,
)
from dnnfast.saving.own_variables import as_array

_HEADER_LIMIT = 64512  # bytes of an attribute that HDF5's headers hold
_TOP = "top_level_model_weights"


def write(model: Any, file: Any, include_optimizer: bool = True) -> None:
    """Write a model to an open file of h5py."""
    file.attrs["backend"], file.attrs["keras_version"] = "jax", KERAS_VERSION
    file.attrs["model_config"] = json.dumps(legacy_form(model))
    if include_optimizer and model._spec is not None:
        file.attrs["training_config"] = json.dumps(training_config(model))
    write_weights(model, file.create_group("model_weights"))
    optimizer = model.optimizer
    if include_optimizer and optimizer is not None:
        _write_arrays(file.create_group("optimizer_weights"), optimizer.variables)
        extra.write(model, file)


def write_weights(model: Any, group: Any) -> None:
    """Write weights by layer."""
    _write_names(group, "layer_names", [layer.name for layer in model.layers])
    group.attrs["backend"], group.attrs["keras_version"] = "jax", KERAS_VERSION
    for layer in sorted(model.layers, key=lambda layer: layer.name):
        _write_arrays(group.create_group(layer.name), _weights(layer))
    _write_arrays(group.create_group(_TOP), _top_level(model))


def _weights(layer: Any) -> list[Any]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _top_level(model: Any) -> list[Any]:
    inside = {id(v) for layer in model.layers for v in layer.weights}
    return [v for v in model._own_variables() if id(v) not in inside]


def _write_names(group: Any, name: str, names: list[str]) -> None:
    """Write a list of names, in parts if it is too long for one attribute."""
    data = np.array([text.encode() for text in names]) if names else np.array([])
    if data.nbytes <= _HEADER_LIMIT:
        group.attrs[name] = data
        return
    width = data.dtype.itemsize
    each = max(1, _HEADER_LIMIT // width)
    for part, begin in enumerate(range(0, len(names), each)):
        group.attrs[f"{name}{part}"] = data[begin : begin + each]


def _write_arrays(group: Any, variables: list[Any]) -> None:
    names: list[str] = []
    for variable in variables:
        name, count = variable.path, 0
        while name in names:
            count += 1
            name = f"{variable.path}_{count}"
        names.append(name)
    _write_names(group, "weight_names", names)
    for name, variable in zip(names, variables, strict=True):
        group[name] = np.asarray(variable.numpy())


# Reading.


def names_in(group: Group, name: str) -> list[str]:
    """Return a list of names of an attribute, or of its parts.

    Raises:
        FileFormatError: if it is no list of names.
    """
    attributes = group.attrs
    parts = [attributes[name]] if name in attributes else []
    while not parts or len(parts) > 1 or name not in attributes:
        key = f"{name}{len(parts)}"
        if key not in attributes:
            break
        parts.append(attributes[key])
    found = [text for part in parts for text in _list(part)]
    if not all(isinstance(text, str) for text in found):
        raise FileFormatError(f"the file's {name} are no names.")
    return found


def _list(part: Any) -> list[Any]:
    if part is None or (isinstance(part, np.ndarray) and not part.size):
        return []
    return list(part) if isinstance(part, (list, np.ndarray)) else [part]


class _Arrays:
    """The arrays of a group in the order of their names."""

    def __init__(self, group: Group) -> None:
        self._group, self.names = group, names_in(group, "weight_names")

    def _dataset(self, key: str) -> Dataset:
        name = self.names[int(key)]
        found = self._group.get(name)
        if not isinstance(found, Dataset):
            raise FileFormatError(f"the file has no array {name!r}.")
        return found

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, key: str) -> Any:
        return self._dataset(key).read()

    def shape_of(self, key: str) -> tuple[int, ...]:
        """Return the shape of an array without reading it."""
        return self._dataset(key).shape


class WeightReading:
    """Reads weights by layer: everything is checked first, then everything is assigned.

    Args:
        group: the weights in the file.
        model: the model.
        by_name: layers find their weights by name, else by order.
        skip_mismatch: leave out, with a warning, what does not fit.
    """

    def __init__(
        self, group: Group, model: Any, by_name: bool = False, skip_mismatch: bool = False
    ) -> None:
        self._group, self._model, self._skip = group, model, skip_mismatch
        self._by_name = by_name
        self._pairs: list[tuple[Any, np.ndarray]] = []

    def run(self) -> None:
        """Read.

        Raises:
            ValueError: if something does not fit; the model is then as it was.
        """
        self.check()
        self.assign()

    def check(self) -> None:
        """Look whether everything fits."""
        names = names_in(self._group, "layer_names")
        if self._by_name:
            layers = {layer.name: layer for layer in self._model.layers}
            for name in names:
                if name in layers:
                    self._look(layers[name], self._arrays(name))
        else:
            self._in_order(names)
        if _TOP in self._group:
            self._add(self._model.name, _top_level(self._model), self._arrays(_TOP))

    def assign(self) -> None:
        """Set the weights."""
        for variable, value in self._pairs:
            variable.assign(value)

    def _arrays(self, name: str) -> _Arrays:
        found = self._group.get(name)
        if not isinstance(found, Group):
            raise FileFormatError(f"the file has no weights of {name!r}.")
        return _Arrays(found)

    def _in_order(self, names: list[str]) -> None:
        arrays = [found for name in names if len(found := self._arrays(name))]
        layers = [layer for layer in self._model.layers if layer.weights]
        if len(arrays) != len(layers):
            raise ValueError(
                "Layer count mismatch when loading weights from file. Model expected "
                f"{len(layers)} layers, found {len(arrays)} saved layers."
            )
        for layer, found in zip(layers, arrays, strict=True):
            self._look(layer, found)

    def _look(self, layer: Any, arrays: _Arrays) -> None:
        self._add(layer.name, _weights(layer), arrays)

    def _add(self, name: str, variables: list[Any], arrays: _Arrays) -> None:
        if len(variables) != len(arrays):
            text = (
                f"Weight count mismatch for layer {name!r}: it expects {len(variables)} weights, "
                f"{len(arrays)} are saved."
            )
            if not (self._skip and self._by_name):
                raise ValueError(text)
            warnings.warn(f"{text} They are left out.", stacklevel=5)
            return
        for i, variable in enumerate(variables):
            try:
                value = as_array(arrays, str(i), variable, f"Layer {name!r}")  # type: ignore[arg-type]
            except ValueError as error:
                if not self._skip or isinstance(error, FileFormatError):
                    raise
                warnings.warn(f"{error} It is left out.", stacklevel=5)
                continue
            self._pairs.append((variable, value))


def load_model(root: Group, custom_objects: Any, compile: bool, safe: bool, name: str) -> Any:
    """Return the model of a file.

    Args:
        root: the root of the file.
        custom_objects: names of users' own classes and functions.
        compile: whether to compile it as it was.
        safe: whether lambdas are refused.
        name: of the file, for errors.
    """
    attributes = root.attrs
    text = attributes.get("model_config")
    if not isinstance(text, str):
        raise FileFormatError(f"No model config found in the file {name!r}.")
    config = parsed(text.encode(), "configuration", name)
    with registry.CustomObjectScope(custom_objects), building(name, root.size):
        model = model_of(config, safe)
    group = root.get("model_weights")
    if not isinstance(group, Group):
        raise FileFormatError(f"{name!r} has no weights.")
    WeightReading(group, model).run()
    if not compile:
        return model
    text = attributes.get("training_config")
    if not isinstance(text, str):
        warnings.warn(
            "No training configuration found in the save file, so the model was *not* compiled. "
            "Compile it manually.",
            stacklevel=4,
        )
        return model
    with registry.CustomObjectScope(custom_objects), building(name, root.size):
        model.compile(**compile_arguments(parsed(text.encode(), "training", name), safe))
    load_state(root, model)
    return model


def load_state(root: Group, model: Any) -> None:
    """Load the optimizer's state, if it fits."""
    group, fitted = root.get("optimizer_weights"), False
    optimizer = model.optimizer
    if isinstance(group, Group) and model.built:
        arrays = _Arrays(group)
        if len(arrays) > len(optimizer.variables):
            optimizer.build(model.trainable_weights)
        variables = optimizer.variables
        try:
            if len(arrays) == len(variables):
                values = [
                    as_array(arrays, str(i), variable, "Optimizer")  # type: ignore[arg-type]
                    for i, variable in enumerate(variables)
                ]
                optimizer.load_own_variables({str(i): v for i, v in enumerate(values)})
                fitted = True
        except ValueError as error:
            if isinstance(error, FileFormatError):
                raise
        if not fitted and len(arrays) > 2:
            warnings.warn(
                "Error in loading the saved optimizer state. As a result, your model is starting "
                "with a freshly initialized optimizer.",
                stacklevel=5,
            )
    state = extra.read(root)
    if state is not None:
        extra.apply(state, model, fitted)
