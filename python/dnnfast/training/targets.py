"""Targets and sample weights: matched to the outputs that have a loss or a metric, and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnfast import tree
from dnnfast.training.arrays import as_array, n_by, readable
from dnnfast.training.device_arrays import DeviceArray


@dataclass(frozen=True)
class Expected:
    """What a target must look like."""

    output: str
    shape: tuple[int, ...]  # of a sample of the prediction
    sparse: bool
    user: str  # the loss or metric that asks for it


def split_by_output(value: Any, names: list[str], what: str) -> list[Any]:
    """Return one entry per output from a list, a dict by name, or (one output) the value."""
    if isinstance(value, dict):
        unknown = [key for key in value if key not in names]
        if unknown:
            raise ValueError(f"{what}: there is no output {unknown[0]!r}; the outputs are {names}.")
        return [value.get(name) for name in names]
    if len(names) == 1:
        if isinstance(value, (list, tuple)) and len(value) == 1 and hasattr(value[0], "shape"):
            return [value[0]]
        return [value]
    if value is None:
        return [None] * len(names)
    values = tree.flatten(value) if isinstance(value, (list, tuple)) else None
    if values is None or len(values) != len(names):
        raise ValueError(
            f"{what}: the model has {len(names)} outputs {names}; expected a list of as many "
            f"arrays or a dict by name, got {type(value).__name__}"
            + ("." if values is None else f" of {len(values)}.")
        )
    return values


def prepare_target(y: Any, expected: Expected, what: str) -> np.ndarray:
    """Return a target in the form that engines read.

    Raises:
        ValueError: if shape or labels do not fit.
        TypeError: if it is not numeric.
    """
    if y is None:
        raise ValueError(
            f"{what} is None, but output {expected.output!r} has a {expected.user}; pass targets."
        )
    array = as_array(y, what)
    if array.ndim == 0:
        raise ValueError(f"{what} is a single number; expected an array of targets.")
    return _labels(array, expected, what) if expected.sparse else _dense(array, expected, what)


def _labels(array: np.ndarray, expected: Expected, what: str) -> np.ndarray:
    rows, classes = expected.shape[:-1], expected.shape[-1]
    if array.ndim == len(rows) + 2 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.shape[1:] != rows:
        hint = ""
        if array.shape[1:] == expected.shape:
            hint = (
                " This looks one-hot: use the loss or metric without 'sparse_' "
                "(categorical_crossentropy), or pass y.argmax(-1)."
            )
        raise ValueError(
            f"{what} has shape {array.shape}, but the {expected.user} of output "
            f"{expected.output!r} takes one class number a sample: expected shape {n_by(rows)}."
            + hint
        )
    if isinstance(array, DeviceArray):  # a label that is no class makes the step's loss NaN
        return readable(array)
    if array.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            whole = array.astype(np.int64)
        if not np.array_equal(whole, array):
            bad = int(np.flatnonzero((whole != array).reshape(-1))[0])
            raise ValueError(
                f"{what} must hold class numbers (integers), but element {bad} is "
                f"{array.reshape(-1)[bad]}."
            )
        array = whole
    if array.size:
        low, high = int(array.min()), int(array.max())
        if low < 0 or high >= classes:
            raise ValueError(
                f"{what} holds class numbers from {low} to {high}, but output {expected.output!r} "
                f"has {classes} classes, numbered 0 to {classes - 1}. Renumber the labels or widen "
                "the last layer."
            )
    return readable(array)


def _dense(array: np.ndarray, expected: Expected, what: str) -> np.ndarray:
    shape = expected.shape
    if array.shape[1:] == shape:
        return readable(array)
    if shape[-1:] == (1,) and array.shape[1:] == shape[:-1]:
        return readable(array[..., None])
    if array.ndim == len(shape) + 2 and array.shape[-1] == 1 and array.shape[1:-1] == shape:
        return readable(array[..., 0])
    hint = ""
    if array.shape[1:] in (shape[:-1], (*shape[:-1], 1)) and array.dtype.kind in "iub":
        hint = (
            " These look like class numbers: use sparse_categorical_crossentropy, or "
            "utils.to_categorical(y)."
        )
    raise ValueError(
        f"{what} has shape {array.shape}, but output {expected.output!r} has samples of shape "
        f"{shape}: expected shape {n_by(shape)}." + hint
    )


def prepare_weight(weight: Any, n: int, what: str) -> Any:
    """Return sample weights as a float32 vector.

    Raises:
        ValueError: if the shape does not fit.
    """
    if weight is None:
        return None
    array = as_array(weight, what)
    if isinstance(array, DeviceArray) and array.shape in ((n,), (n, 1)):
        return array[:, 0] if array.ndim == 2 else array
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.shape != (n,):
        raise ValueError(
            f"{what} has shape {array.shape}; expected one weight a sample, that is ({n},)."
        )
    return np.ascontiguousarray(array, np.float32)


def class_weights(weights: Any, target: np.ndarray, what: str) -> np.ndarray:
    """Return each sample's weight from a dict of class numbers and weights.

    Raises:
        ValueError: if the targets are not class numbers, one-hot rows or yes/no values.
    """
    if isinstance(target, DeviceArray):
        raise ValueError(
            f"class_weight looks into the labels, but {what} lies on a GPU; pass sample_weight."
        )
    if not isinstance(weights, dict):
        raise ValueError(f"class_weight must be a dict of class numbers, got {weights!r}.")
    if target.ndim == 2 and target.shape[1] > 1:
        labels = np.argmax(target, axis=-1)
    elif target.ndim == 1 or (target.ndim == 2 and target.shape[1] == 1):
        labels = target.reshape(-1)
    else:
        raise ValueError(f"class_weight needs one label a sample; {what} has shape {target.shape}.")
    found = np.ones(len(labels), np.float32)
    for number, value in weights.items():
        found[labels == number] = value
    return found
