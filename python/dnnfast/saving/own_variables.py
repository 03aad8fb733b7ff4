"""How layers write and read their own variables; classes of users may do it in another way."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import numpy as np


class OwnVariables:
    """Writes and reads the variables of a layer, those of layers inside not included."""

    name: str
    built: bool

    def _own_variables(self) -> list[Any]:
        raise NotImplementedError

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Write the layer's variables to a mapping, under their numbers; may be overridden.

        Args:
            store: the mapping; what is written there is an array.
        """
        for i, variable in enumerate(self._own_variables()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read the layer's variables from a mapping; may be overridden.

        Args:
            store: arrays by number.

        Raises:
            ValueError: if number or shapes differ; nothing is changed then.
        """
        for variable, value in fitting(self, store):
            variable.assign(value)


def fitting(layer: Any, store: Mapping[str, Any]) -> list[tuple[Any, np.ndarray]]:
    """Return the layer's variables with the arrays of a mapping that they are to become.

    Raises:
        ValueError: if number, shapes or kinds differ.
    """
    variables, count = layer._own_variables(), len(store.keys())
    if count != len(variables):
        hint = "" if layer.built else " It was never built, so it has no variables yet."
        names = [variable.name for variable in variables]
        raise ValueError(
            f"Layer {layer.name!r} expected {len(variables)} variables, but received {count} "
            f"variables during loading. Expected: {names}.{hint}"
        )
    pairs = []
    for i, variable in enumerate(variables):
        if str(i) not in store:
            raise ValueError(f"Layer {layer.name!r}: the file has no variable number {i}.")
        pairs.append((variable, as_array(store, str(i), variable, f"Layer {layer.name!r}")))
    return pairs


def as_array(store: Mapping[str, Any], key: str, variable: Any, where: str) -> np.ndarray:
    """Return an entry of a mapping as an array that fits a variable.

    Raises:
        ValueError: if its shape or kind is another one.
    """
    shape = tuple(store.shape_of(key)) if hasattr(store, "shape_of") else np.shape(store[key])
    if shape != tuple(variable.shape):
        raise ValueError(
            f"{where}: shape mismatch for {variable.path!r}: it has shape "
            f"{tuple(variable.shape)}, the saved one {shape}."
        )
    array = np.asarray(store[key])
    if array.dtype.kind not in "fiub":
        raise ValueError(
            f"{where}: what is saved for {variable.path!r} is no array of numbers but of type "
            f"{array.dtype}."
        )
    return array
