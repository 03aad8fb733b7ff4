"""Whatever users pass as data, to NumPy arrays that engines read in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.config import settings
from dnnfast.training.device_arrays import DeviceArray, device_array, is_on_gpu

_NATIVE = {
    np.dtype(c) for c in ["e", "f", "d", "b", "B", "h", "H", "i", "I", "l", "L", "q", "Q", "?"]
}


def as_array(value: Any, what: str) -> Any:
    """Return data as an array of a numeric type, without a copy where possible.

    An array on a GPU stays there, as a `DeviceArray`, if models run there.

    Raises:
        TypeError: if it is not numeric.
        ValueError: if it is ragged.
    """
    if is_on_gpu(value) and settings.device().startswith("cuda:"):
        return device_array(value, what)
    array = value if type(value) is np.ndarray else _converted(value, what)
    if array.dtype in _NATIVE and array.flags.aligned:
        return array
    kind = array.dtype.kind
    if kind in "fiub":
        native = array.dtype.newbyteorder("=")
        return array.astype(native if native in _NATIVE else np.float64)
    if kind == "V" and array.dtype.names is None:
        try:
            return array.astype(np.float32)
        except (TypeError, ValueError):
            pass
    if kind == "O":
        try:
            return np.array(array.tolist(), np.float32)
        except (TypeError, ValueError):
            pass
    raise TypeError(
        f"{what} has dtype {array.dtype}; expected numbers or bools, none missing. Convert the "
        "data, for example with .astype('float32'), and encode text as numbers first."
    )


def is_array(value: Any) -> bool:
    """Tell whether a value is an array with axes, and no number or nested list."""
    return len(getattr(value, "shape", ())) > 0


def _converted(value: Any, what: str) -> np.ndarray:
    if value is None:
        raise ValueError(f"{what} is None; expected an array.")
    if hasattr(value, "to_numpy"):
        return np.asarray(value.to_numpy())
    if is_on_gpu(value):
        if hasattr(value, "get"):
            return np.asarray(value.get())
        raise TypeError(
            f"{what} is a {type(value).__name__} on a GPU, but the model runs on "
            f"{settings.device()!r}. Choose that GPU with dnnfast.config.set_device('cuda:0'), or "
            "pass a NumPy array."
        )
    if hasattr(value, "__next__") or (
        callable(getattr(value, "__iter__", None)) and not hasattr(value, "__len__")
    ):
        raise TypeError(
            f"{what} is a {type(value).__name__}; expected an array. What gives batches is passed "
            "as x alone, and each batch is (x, y) or (x, y, sample_weight)."
        )
    if hasattr(value, "tocoo"):
        raise TypeError(
            f"{what} is a sparse matrix ({type(value).__name__}), which models do not take; pass "
            f"{what}.toarray(), or dense batches of it from a utils.PyDataset."
        )
    if hasattr(value, "detach"):  # a tensor that records gradients hides its values
        value = value.detach()
    try:
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            return np.from_dlpack(value)
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{what} cannot be made an array: {error}. All samples need the same shape."
        ) from None


def readable(array: Any) -> Any:
    """Return the array, contiguous if the axes of a sample do not lie behind one another."""
    if array.ndim > 2:
        expected: int | None = None
        for size, stride in zip(array.shape[:0:-1], array.strides[:0:-1], strict=True):
            if size == 1:
                continue
            if expected is not None and stride != expected:
                if isinstance(array, DeviceArray):
                    raise ValueError(
                        "the axes of a sample of an array on a GPU must lie behind one another in "
                        f"memory; this one has shape {array.shape} and strides {array.strides}. "
                        "Pass a contiguous copy."
                    )
                return np.ascontiguousarray(array)
            expected = stride * size
    return array


def count_of(arrays: list[np.ndarray], names: list[str]) -> int:
    """Return the common number of samples.

    Raises:
        ValueError: if there are none, or the numbers differ.
    """
    n = len(arrays[0])
    for array, name in zip(arrays, names, strict=True):
        if len(array) != n:
            raise ValueError(
                f"{names[0]} has {n} samples but {name} has {len(array)}; they must be equal."
            )
    if n == 0:
        raise ValueError(f"{names[0]} has no samples (shape {arrays[0].shape}).")
    return n


def n_by(shape: tuple[int, ...]) -> str:
    """Return the shape of an array of any number of samples, for messages: ``(n, 28, 28)``."""
    return f"({', '.join(['n', *map(str, shape)])}{'' if shape else ','})"
