"""What all functions share: arrays of the types in use, the type of a result, axes."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.dtypes import FLOATS, standardize_dtype
from dnnfast.keras_tensor import KerasTensor
from dnnfast.variable import Variable

# 64 bits are kept only where they are asked for.
_NARROW = {"float64": "float32", "int64": "int32", "uint64": "uint32"}
_PYTHON = {bool: "bool", int: "int32", float: "float32", complex: "complex64"}
_WIDTHS = ("bfloat16", "float16", "float32", "float64")


def is_float(dtype: str) -> bool:
    """Tell whether a type holds fractions."""
    return dtype in FLOATS or dtype.startswith("complex")


def checked_dtype(dtype: Any) -> str:
    """Return the name of a type.

    Raises:
        ValueError: if there is no such type.
    """
    name = getattr(dtype, "name", dtype)
    if name in ("complex64", "complex128"):
        return str(name)
    return standardize_dtype(dtype)


def dtype_of(value: Any) -> str:
    """Return the type that a value has in computations."""
    if isinstance(value, (bool, int, float, complex)) and type(value) in _PYTHON:
        return _PYTHON[type(value)]
    if not hasattr(value, "dtype"):
        value = array(value)
    name = checked_dtype(value.dtype)
    return _NARROW.get(name, name)


def result_type(*values: Any) -> str:
    """Return the type of a result of values, or of names of types.

    A Python number does not widen an array: it only turns integers into floats.
    """
    strong: set[str] = set()
    weak: set[str] = set()
    for value in values:
        if isinstance(value, str):
            strong.add(value)
        elif type(value) in _PYTHON:
            weak.add(_PYTHON[type(value)])
        else:
            strong.add(dtype_of(value))
    if not strong:
        return next(n for n in ("complex64", "float32", "int32", "bool") if n in weak)
    result = _promoted(strong)
    if "complex64" in weak and not result.startswith("complex"):
        return "complex64"
    if "float32" in weak and not is_float(result):
        return "float32"
    return "int32" if "int32" in weak and result == "bool" else result


def _promoted(names: set[str]) -> str:
    if len(names) == 1:
        return next(iter(names))
    if any(name.startswith("complex") for name in names):
        return "complex64"
    floats = names.intersection(FLOATS)
    if floats:
        if floats == {"bfloat16", "float16"}:
            return "float32"
        return max(floats, key=_WIDTHS.index)
    name = np.result_type(*names).name
    return name if name in names else _NARROW.get(name, name)


def floating(*values: Any) -> str:
    """Return the type of a result that has fractions."""
    name = result_type(*values)
    return name if is_float(name) else "float32"


def array(value: Any, dtype: str | None = None) -> Any:
    """Return a value as an array of a type in use: 64 bits become 32 unless they are asked for.

    Integers that do not fit into 32 bits stay as they are.

    Raises:
        TypeError: if it is a symbolic tensor, or holds no numbers.
    """
    if isinstance(value, Variable):
        value = value.borrow()
    elif not isinstance(value, np.ndarray):
        value = _from_other(value)
    if dtype is not None:
        return value.astype(dtype, copy=False)
    name = value.dtype.name
    if name in ("int64", "uint64"):
        narrow = np.dtype(_NARROW[name])
        limits = np.iinfo(narrow)
        if value.size and (value.max() > limits.max or value.min() < limits.min):
            return value
        return value.astype(narrow)
    if name in _NARROW:
        return value.astype(_NARROW[name])
    if name == "complex128":
        return value.astype(np.complex64)
    if value.dtype.kind not in "biufc" and name != "bfloat16":
        raise TypeError(f"expected numbers, got {value!r}.")
    return value


def _from_other(value: Any) -> np.ndarray:
    if isinstance(value, KerasTensor):
        value.__array__()  # says that there are no values
    if value is None:
        raise TypeError("expected an array, a number or a tensor, got None.")
    if isinstance(value, (list, tuple)):
        if any(isinstance(part, KerasTensor) for part in value):
            raise TypeError("a list holds symbolic tensors: join them with ops.stack(...).")
        value = [part.borrow() if isinstance(part, Variable) else part for part in value]
    elif hasattr(value, "numpy") and not isinstance(value, np.generic):
        value = value.numpy()
    return np.asarray(value)


def extents(value: Any) -> tuple[int, ...]:
    """Return the sizes of a value; -n is n times the batch."""
    return symbolic.extents_of(value)


def rank(value: Any) -> int:
    """Return the number of axes."""
    return len(extents(value))


def one_axis(what: str, axis: Any, count: int) -> int:
    """Return an axis counted from the front.

    Raises:
        ValueError: if there is no such axis.
    """
    try:
        position = operator.index(axis)
    except TypeError:
        raise TypeError(f"{what}: axis must be an integer, got {axis!r}.") from None
    if not -count <= position < count:
        raise ValueError(f"{what}: axis {axis} is out of bounds for a tensor of {count} axes.")
    return position % count


def all_axes(what: str, axis: Any, count: int) -> tuple[int, ...]:
    """Return axes (an integer, several, or None for all) counted from the front, sorted.

    Raises:
        ValueError: if there is no such axis, or one is named twice.
    """
    if axis is None:
        return tuple(range(count))
    given: Sequence[Any] = axis if isinstance(axis, (list, tuple)) else (axis,)
    found = [one_axis(what, a, count) for a in given]
    if len(set(found)) != len(found):
        raise ValueError(f"{what}: axis {axis} names an axis twice.")
    return tuple(sorted(found))


def shown(sizes: Sequence[int]) -> tuple[int | None, ...]:
    """Return sizes as a shape: None for what depends on the batch."""
    return tuple(None if size < 0 else size for size in sizes)


def integers(what: str, values: Any) -> tuple[int, ...]:
    """Return a shape or the like as integers; None is the batch (-1 in `KerasTensor.extents`)."""
    if isinstance(values, (np.ndarray, np.generic)):
        values = values.tolist()
    if not isinstance(values, (list, tuple)):
        values = (values,)
    try:
        return tuple(-1 if n is None else operator.index(n) for n in values)
    except TypeError:
        raise TypeError(f"{what}: expected integers, got {values!r}.") from None


def unsupported(name: str, advice: str) -> NotImplementedError:
    """Return (not raise) the error of a function that models cannot record."""
    return NotImplementedError(
        f"ops.{name} computes on arrays only; it cannot be part of a model. {advice}"
    )
