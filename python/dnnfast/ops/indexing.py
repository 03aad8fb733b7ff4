"""Parts of tensors by `x[...]`."""

from __future__ import annotations

from typing import Any

from dnnfast import symbolic


def _sliced(size: int, key: slice) -> tuple[int, int, int]:
    """Return first position, step and number of positions of a slice."""
    if size < 0:
        if key == slice(None) or key == slice(None, None, 1):
            return 0, 1, size
        if key == slice(None, None, -1):
            return -1, -1, size
        raise IndexError(
            "a batch axis can only be taken whole ([:]) or reversed ([::-1]) in a symbolic tensor, "
            f"got {key}."
        )
    start, stop, step = key.indices(size)
    return start, step, len(range(start, stop, step))


def _row(x: Any, keys: list[Any], axis: int) -> Any:
    """Return ``x[keys]`` where an axis that depends on the batch has an integer."""
    at = [i for i, k in enumerate(keys) if k is not None][axis]
    taken = symbolic.gather(x, keys[at], axis, along=False)
    return get_item(taken, (*keys[:at], *keys[at + 1 :]))


def get_item(x: Any, key: Any) -> Any:
    """Return ``x[key]`` of a symbolic tensor: integers, slices, ``...``, None, or an index tensor.

    Raises:
        IndexError: if there are too many indices, or one is outside of its axis.
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    before = symbolic.extents_of(x)
    used = sum(1 for k in keys if k is not None and k is not Ellipsis)
    if used > len(before):
        raise IndexError(f"{used} indices for a tensor of {len(before)} axes.")
    if not any(k is Ellipsis for k in keys):
        keys.append(Ellipsis)
    at = next(i for i, k in enumerate(keys) if k is Ellipsis)
    keys[at : at + 1] = [slice(None)] * (len(before) - used)
    tensors = [i for i, k in enumerate(keys) if not isinstance(k, (int, slice, type(None)))]
    if tensors:
        if len(tensors) > 1 or any(k is None for k in keys[: tensors[0]]):
            raise IndexError("only one index of a symbolic tensor may be an array; use ops.take.")
        axis = tensors[0]
        index, keys[axis] = keys[axis], slice(None)
        rank = len(symbolic.extents_of(index)) if symbolic.is_symbolic(index) else None
        taken = symbolic.gather(x, index, axis, along=False)
        count = rank if rank is not None else taken.ndim - len(before) + 1
        keys[axis : axis + 1] = [slice(None)] * count
        return get_item(taken, tuple(keys)) if any(k != slice(None) for k in keys) else taken
    extents: list[int] = []
    source: list[int] = []
    steps: list[int] = []
    starts: list[int] = []
    for k in keys:
        if k is None:
            extents.append(1)
            source.append(-1)
            steps.append(1)
            continue
        axis, size = len(starts), before[len(starts)]
        if isinstance(k, slice):
            first, step, count = _sliced(size, k)
            extents.append(count)
            source.append(axis)
            steps.append(step)
            starts.append(first)
        else:
            if size < 0:
                return _row(x, keys, axis)
            if not -size <= k < size:
                raise IndexError(f"index {k} is outside of axis {axis} of size {size}.")
            starts.append(k % size)
    return symbolic.view(x, extents, source, starts, steps)
