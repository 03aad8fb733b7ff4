"""Weights in the layout of Keras 3: a group ``vars`` of numbered arrays for each object."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from dnnfast.optimizers.optimizer import Optimizer
from dnnfast.saving import extra
from dnnfast.saving.hdf5 import Dataset, Group
from dnnfast.saving.own_variables import OwnVariables, as_array, fitting
from dnnfast.saving.walk import saveables

_OLD_LAYERS = "_layer_checkpoint_dependencies"  # what Keras 2.12 and 2.13 called "layers"


class _Written(dict[str, Any]):
    """What an object writes: variables become arrays at once."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(str(key), np.asarray(value))


class Stored(Mapping[str, Any]):
    """The arrays of a group, read when asked for; empty where there is no group."""

    def __init__(self, group: Group | None) -> None:
        self._group = group

    def _dataset(self, key: str) -> Dataset:
        found = self._group.get(key) if self._group is not None else None
        if found is None:
            raise KeyError(key)
        if not isinstance(found, Dataset):
            raise ValueError(f"Invalid H5 file: {key!r} is a group, not a data set.")
        return found

    def __getitem__(self, key: str) -> Any:
        return self._dataset(key).read()

    def __contains__(self, key: object) -> bool:
        return self._group is not None and key in self._group

    def shape_of(self, key: str) -> tuple[int, ...]:
        """Return the shape of an array without reading it."""
        return self._dataset(key).shape

    def __iter__(self) -> Iterator[str]:
        return iter(self._group or ())

    def __len__(self) -> int:
        return 0 if self._group is None else len(self._group)


def write(model: Any, file: Any) -> None:
    """Write weights, and the optimizer's state, to an open file of h5py."""
    for path, item in saveables(model):
        written = _Written()
        item.save_own_variables(written)
        name = getattr(item, "name", None)
        if not written and not isinstance(name, str):
            continue
        group = file.create_group(f"{path}/vars" if path else "vars")
        if isinstance(name, str):
            group.attrs["name"] = name
        for key, value in written.items():
            group[key] = value
    extra.write(model, file)


class Reading:
    """Reads a file for a model: everything is checked first, then everything is assigned.

    Args:
        root: the root of the file, or of a part of it.
        model: the model.
        skip_mismatch: leave out, with a warning, the layers that do not fit.
        skipped: objects that are left out.
    """

    def __init__(
        self, root: Group, model: Any, skip_mismatch: bool = False, skipped: Any = ()
    ) -> None:
        self._root, self._model, self._skip = root, model, skip_mismatch
        self._leave = {id(item) for item in skipped or ()}
        self._pairs: list[tuple[Any, np.ndarray]] = []
        self._own: list[tuple[Any, Stored]] = []  # that read in their own way
        self._optimizers: list[tuple[Any, dict[str, np.ndarray]]] = []
        self._failed: list[tuple[Any, Exception]] = []

    def run(self) -> None:
        """Read.

        Raises:
            ValueError: if something does not fit; the model is then as it was.
            OSError: if the file is damaged.
        """
        for path, item in saveables(self._model):
            if id(item) not in self._leave:
                self._look(path, item)
        if self._failed:
            self._report()
        state = extra.read(self._root)
        self._run_own()
        for variable, value in self._pairs:
            variable.assign(value)
        for optimizer, arrays in self._optimizers:
            optimizer.load_own_variables(arrays)
        if state is not None and not self._failed:
            extra.apply(state, self._model, bool(self._optimizers))

    def _look(self, path: str, item: Any) -> None:
        stored = self._stored(path)
        try:
            if isinstance(item, Optimizer):
                if len(stored):
                    self._optimizers.append((item, self._state_of(item, stored)))
            elif type(item).load_own_variables is not OwnVariables.load_own_variables:
                self._own.append((item, stored))
            else:
                self._pairs += fitting(item, stored)
        except ValueError as error:
            self._failed.append((item, error))

    def _state_of(self, optimizer: Any, stored: Stored) -> dict[str, np.ndarray]:
        """Return an optimizer's state, which fits as far as the number of its arrays does."""
        if not optimizer.built:
            optimizer.build(self._model.trainable_weights)
        variables = optimizer.variables
        if len(stored) != len(variables):
            return {key: np.asarray(stored[key]) for key in stored}
        where = f"Optimizer {optimizer.name!r}"
        return {
            str(i): as_array(stored, str(i), variable, where)
            for i, variable in enumerate(variables)
        }

    def _stored(self, path: str) -> Stored:
        names = [f"{path}/vars" if path else "vars"]
        if _OLD_LAYERS in self._root:
            names.append(names[0].replace("layers", _OLD_LAYERS))
        for name in names:
            group = self._root.get(name)
            if isinstance(group, Group):
                return Stored(group)
        return Stored(None)

    def _run_own(self) -> None:
        """Let objects of users' classes read; when one fails, put all of them back."""
        kept = [(v, v.numpy()) for item, _ in self._own for v in item._own_variables()]
        for item, stored in self._own:
            try:
                item.load_own_variables(stored)
            except Exception as error:
                for variable, value in kept:
                    variable.assign(value)
                if not self._skip:
                    self._failed.append((item, error))
                    self._report()
                warnings.warn(f"{item.name!r} is not loaded: {error}", stacklevel=4)

    def _report(self) -> None:
        names = [getattr(item, "name", type(item).__name__) for item, _ in self._failed]
        item, error = self._failed[0]
        text = (
            f"A total of {len(names)} objects could not be loaded. The first is "
            f"{getattr(item, 'name', item)!r} ({type(item).__name__}):\n{error}\n"
            f"All of them: {names}"
        )
        if not self._skip:
            raise ValueError(f"{text}\nThe model is unchanged.") from error
        warnings.warn(text, stacklevel=5)
