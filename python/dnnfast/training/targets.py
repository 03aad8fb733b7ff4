"""Targets and sample weights: matched to the outputs that have a loss or a metric, and checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnfast import tree
from dnnfast.training.arrays import as_array, is_array, n_by, readable
from dnnfast.training.device_arrays import DeviceArray


@dataclass(frozen=True)
class Expected:
    """What a target must look like."""

    output: str
    shape: tuple[int, ...]  # of a sample of the prediction
    form: str  # "sparse": class numbers, "dense": the shape of the prediction, "any"
    user: str  # the loss or metric that asks for it
    given: tuple[int, ...] | None = None  # the shape of a sample of the target, if known

    @property
    def sample(self) -> tuple[int, ...]:
        """The shape of a sample of the target in the form that engines read."""
        if self.form == "sparse":
            rows = self.shape[:-1]  # functions of one's own see a last axis of 1 where it was given
            return (*rows, 1) if self.given == (*rows, 1) else rows
        return self.given if self.form == "any" and self.given is not None else self.shape


def split_by_output(value: Any, names: list[str], what: str, structure: Any = None) -> list[Any]:
    """Return one entry per output, or None where there is none.

    Args:
        value: the value for one output; a list, a dict by name, or nested as the outputs.
        names: of the outputs.
        what: the value's name in messages.
        structure: the model's outputs, nested as it gives them; None for a flat list.
    """
    if isinstance(value, dict) and not (isinstance(structure, dict) and _is_deep(structure)):
        unknown = [key for key in value if key not in names]
        if unknown:
            raise ValueError(f"{what}: there is no output {unknown[0]!r}; the outputs are {names}.")
        return [value.get(name) for name in names]
    if len(names) == 1:
        if isinstance(value, (list, tuple)) and len(value) == 1 and is_array(value[0]):
            return [value[0]]
        return [value]
    if value is None:
        return [None] * len(names)
    found = _as_nested(value, structure) if tree.is_nested(structure) else None
    if found is None and isinstance(value, (list, tuple)) and len(value) == len(names):
        found = list(value)
    if found is None:
        given = type(value).__name__
        given += f" of {len(value)}" if isinstance(value, (list, tuple)) else ""
        raise ValueError(
            f"{what}: the model has {len(names)} outputs {names}; expected a list of as many "
            f"arrays or a dict by name, got {given}."
        )
    return found


def _is_deep(structure: Any) -> bool:
    inside = structure.values() if isinstance(structure, dict) else structure
    return any(tree.is_nested(item) for item in inside)


def _as_nested(value: Any, structure: Any) -> list[Any] | None:
    """Return the parts of a value that is nested as a structure, or None if it is not."""
    if not tree.is_nested(structure):
        return [value]
    if value is None:
        return [None] * len(tree.flatten(structure))
    items: list[tuple[Any, Any]]
    if isinstance(structure, dict):
        if not isinstance(value, dict) or set(value) - set(structure):
            return None
        keys = tree.flatten({key: key for key in structure})
        items = [(value.get(key), structure[key]) for key in keys]
    else:
        if not isinstance(value, (list, tuple)) or len(value) != len(structure):
            return None
        items = list(zip(value, structure, strict=True))
    found: list[Any] = []
    for part, inside in items:
        parts = _as_nested(part, inside)
        if parts is None:
            return None
        found += parts
    return found


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
    if expected.form == "any":
        return _of_any_shape(array, expected, what)
    sparse = expected.form == "sparse"
    return _labels(array, expected, what) if sparse else _dense(array, expected, what)


def _of_any_shape(array: np.ndarray, expected: Expected, what: str) -> np.ndarray:
    if array.shape[1:] != expected.sample:
        raise ValueError(
            f"{what} has shape {array.shape}, but the {expected.user} of output "
            f"{expected.output!r} was given targets of shape {n_by(expected.sample)} before."
        )
    return readable(array)


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
        hint = ""
        if array.ndim > 1 and len(array) == n:
            hint = " Weights of single steps or elements are not supported; take their means."
        raise ValueError(
            f"{what} has shape {array.shape}; expected one weight a sample, that is ({n},)." + hint
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
    table = {_class_number(key): _class_factor(key, value) for key, value in weights.items()}
    if target.ndim == 2 and target.shape[1] > 1:
        labels = np.argmax(target, axis=-1)
    elif target.ndim == 1 or (target.ndim == 2 and target.shape[1] == 1):
        labels = np.rint(target.reshape(-1)) if target.dtype.kind == "f" else target.reshape(-1)
    else:
        raise ValueError(f"class_weight needs one label a sample; {what} has shape {target.shape}.")
    found = np.ones(len(labels), np.float32)
    for number, value in table.items():
        found[labels == number] = value
    return found


def _class_number(key: Any) -> int:
    number = isinstance(key, (int, float, np.integer, np.floating)) and not isinstance(key, bool)
    if not number or float(key) != int(key):
        raise ValueError(
            f"class_weight: the keys are class numbers, such as {{0: 1.0, 1: 5.0}}; got {key!r}."
        )
    return int(key)


def _class_factor(key: Any, value: Any) -> float:
    try:
        factor = float(value)
    except (TypeError, ValueError):
        factor = float("nan")
    if not np.isfinite(factor):
        raise ValueError(f"class_weight: the weight of class {key!r} is {value!r}; not a number.")
    return factor
