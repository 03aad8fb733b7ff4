"""Checks of what layers are given."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np

from dnnfast import ops
from dnnfast.errors import UnknownArgumentError, suggest
from dnnfast.keras_tensor import KerasTensor
from dnnfast.ops.values import is_float


def shape_tuple(name: str, shape: Any) -> tuple[int | None, ...]:
    """Return a shape as a tuple, or raise."""
    if isinstance(shape, (int, np.integer)):
        return (int(shape),)
    try:
        return tuple(None if size is None else int(size) for size in shape)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}: a shape is an int or a tuple or list of ints, got {shape!r}."
        ) from None


def declared_input(kwargs: dict[str, Any], cls: str) -> tuple[int | None, ...] | None:
    """Take the old ways to declare an input on a first layer out of ``kwargs``."""
    kwargs.pop("input_dtype", None)
    kwargs.pop("batch_size", None)
    shape = kwargs.pop("input_shape", None)
    dim = kwargs.pop("input_dim", None)
    batch = kwargs.pop("batch_input_shape", None)
    if batch is not None:
        shape = tuple(batch)[1:]
    if dim is not None:
        shape = (dim,)
    return None if shape is None else shape_tuple(f"{cls}: input_shape", shape)


def single_input(layer: Any, args: tuple[Any, ...]) -> KerasTensor:
    """Return the only input of a layer call, or raise."""
    tensor = args[0] if args else None
    if isinstance(tensor, (list, tuple)) and len(tensor) == 1:
        tensor = tensor[0]
    if not isinstance(tensor, KerasTensor):
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) expects one tensor, got {args!r}."
        )
    return tensor


def renamed_argument(layer: str, kwargs: dict[str, Any], old: str, new: str, value: Any) -> Any:
    """Accept the old spelling of an argument, with a warning."""
    if old not in kwargs:
        return value
    warnings.warn(
        f"{layer}: the argument `{old}` is now called `{new}`.", DeprecationWarning, stacklevel=3
    )
    return kwargs.pop(old)


def positive_int(layer: str, argument: str, value: Any) -> int:
    """Return ``value`` as an int, or raise."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, np.integer, float))
        or value != int(value)
    ):
        raise ValueError(f"{layer}: {argument} must be a positive integer, got {value!r}.")
    if value < 1:
        raise ValueError(f"{layer}: {argument} must be a positive integer, got {value!r}.")
    return int(value)


def unknown_argument(cls: type, kwargs: dict[str, Any]) -> Exception:
    """Return the error of an argument that a layer's constructor does not have."""
    wrong = next(iter(kwargs))
    known = list(inspect.signature(cls).parameters)
    known += ["name", "trainable", "dtype", "input_shape"]
    return UnknownArgumentError(
        f"{cls.__name__}: unknown argument {wrong!r}. {suggest(wrong, known)}".rstrip()
    )


def float_input(layer: Any, inputs: Any) -> KerasTensor:
    """Return the only input of a layer call, integers as floats, or raise."""
    x = single_input(layer, (inputs,))
    return x if is_float(x.dtype) else ops.cast(x, "float32")


def checked_axes(layer: Any, axis: Any, ndim: int) -> tuple[int, ...]:
    """Return one axis or several, counted from the front, or raise."""
    axes = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    for one in axes:
        if not -ndim <= one < ndim:
            raise ValueError(
                f"{type(layer).__name__} {layer.name!r}: axis {one} is out of bounds for an input "
                f"of {ndim} axes (axis={axis})."
            )
    return tuple(one % ndim for one in axes)
