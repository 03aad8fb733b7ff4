"""What is saved beside what Keras saves: where training stands, in a group that Keras ignores."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np

from dnnfast.saving.content import parsed
from dnnfast.saving.hdf5 import Dataset, Group
from dnnfast.training import state as training_state

_GROUP = "dnnfast"
_ARRAY = "__array__"
VERSION = 1
_LONGEST = 1 << 28  # bytes of the text


def write(model: Any, file: Any) -> None:
    """Write where a model's training stands to an open file of h5py."""
    arrays: list[np.ndarray] = []
    state = {"version": VERSION, **training_state.collect(model)}
    text = json.dumps(_plain(state, arrays)).encode()
    group = file.create_group(_GROUP)
    group["state"] = np.frombuffer(text, np.uint8)
    for i, array in enumerate(arrays):
        group[f"arrays/{i}"] = array


def _plain(value: Any, arrays: list[np.ndarray]) -> Any:
    """Return data that JSON has; arrays are put aside."""
    if isinstance(value, dict):
        return {str(key): _plain(item, arrays) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, arrays) for item in value]
    if isinstance(value, np.ndarray) and value.ndim:
        arrays.append(value)
        return {_ARRAY: len(arrays) - 1}
    if isinstance(value, (np.generic, np.ndarray)):
        return value.item()
    return value


def read(root: Group) -> dict[str, Any] | None:
    """Return where training stood, or None if the file does not say.

    Raises:
        ValueError: if it is damaged.
    """
    group = root.get(_GROUP)
    if not isinstance(group, Group):
        return None
    found = group.get("state")
    if not isinstance(found, Dataset) or found.dtype != np.uint8 or len(found.shape) != 1:
        raise ValueError("the file's record of its training is damaged.")
    if found.shape[0] > _LONGEST:
        raise ValueError("the file's record of its training is too long.")
    state = parsed(bytes(found.read()), "record of training", "the file")
    if not isinstance(state, dict) or not isinstance(state.get("version"), int):
        raise ValueError("the file's record of its training is damaged.")
    if state["version"] > VERSION:
        warnings.warn(
            "The file was written by a newer version of dnnfast: where its training stood is not "
            "restored. Install that version to go on with it.",
            stacklevel=2,
        )
        return None
    restored = _restored(state, group)
    training_state.check(restored)
    return dict(restored)


def _restored(value: Any, group: Group) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_ARRAY}:
            found = group.get(f"arrays/{value[_ARRAY]}")
            if not isinstance(found, Dataset):
                raise ValueError("the file's record of its training lacks an array.")
            return np.array(found.read())
        return {key: _restored(item, group) for key, item in value.items()}
    return [_restored(item, group) for item in value] if isinstance(value, list) else value


def apply(state: dict[str, Any], model: Any, with_optimizer: bool) -> None:
    """Let a model stand where the saved one stood.

    Args:
        state: what `read` returned.
        model: it has the saved weights.
        with_optimizer: whether its optimizer has the saved state, too.
    """
    training_state.restore(model, state, with_optimizer)
