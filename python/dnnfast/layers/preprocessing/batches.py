"""Data of any form, as arrays, for layers that learn from it without training."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

_ROWS = 1 << 16  # of a large array that are looked at together


def _inputs_of(batch: Any) -> Any:
    """Return x of a batch (x, y)."""
    return batch[0] if isinstance(batch, tuple) else batch


def _of_array(array: np.ndarray) -> Iterator[np.ndarray]:
    if array.ndim == 0 or len(array) <= _ROWS:
        yield array
        return
    for begin in range(0, len(array), _ROWS):
        yield array[begin : begin + _ROWS]


def batches_of(layer: Any, data: Any, steps: int | None = None) -> Iterator[np.ndarray]:
    """Return arrays: parts of one, or the batches of a data set, a generator or a list of arrays.

    Raises:
        TypeError: if it is no data.
        ValueError: if there is none.
    """
    from dnnfast.training.arrays import as_array, is_array
    from dnnfast.training.sources import gives_batches

    what = f"adapt of {type(layer).__name__} {layer.name!r}"
    if data is None or isinstance(data, (str, bytes, dict)):
        raise TypeError(
            f"{what}: expected an array, a data set or an iterable of batches, got "
            f"{type(data).__name__}."
        )
    several = isinstance(data, (list, tuple)) and bool(data)
    several = several and all(is_array(_inputs_of(batch)) for batch in data)
    if not several and not gives_batches(data):
        array = np.asarray(as_array(data, what))
        if array.size == 0:
            raise ValueError(f"{what}: the data is empty, of shape {array.shape}.")
        yield from _of_array(array)
        return
    if hasattr(data, "__getitem__") and not several and hasattr(data, "__len__"):
        found: Any = (data[i] for i in range(len(data)))
    else:
        found = iter(data)
    empty = True
    for batch in itertools.islice(found, steps):
        empty = False
        yield np.asarray(as_array(_inputs_of(batch), what))
    if empty:
        raise ValueError(f"{what}: the data has no batches.")
