"""Checks of the arguments of random functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dnnfast import dtypes


def real(where: str, name: str, value: Any, expected: str, holds: Callable[[Any], Any]) -> Any:
    """Return a number or array of finite numbers for all of which ``holds`` is true.

    Raises:
        ValueError: if it is not; ``expected`` says in the message what it should be.
    """
    error = ValueError(f"{where}: {name} must be {expected}, got {value!r}.")
    if value is None or isinstance(value, (str, bytes)):
        raise error
    try:
        array = np.asarray(value)
        numbers = array.astype(np.float64)
    except (TypeError, ValueError):
        raise error from None
    if array.dtype == object or not np.isfinite(numbers).all() or not np.all(holds(numbers)):
        raise error
    return array[()]


def finite(where: str, name: str, value: Any) -> Any:
    """Return a number or an array of finite numbers."""
    return real(where, name, value, "finite", lambda numbers: True)


def non_negative(where: str, name: str, value: Any) -> Any:
    """Return a number or an array of numbers of at least 0."""
    return real(where, name, value, "at least 0", lambda numbers: numbers >= 0)


def positive(where: str, name: str, value: Any) -> Any:
    """Return a number or an array of numbers above 0."""
    return real(where, name, value, "above 0", lambda numbers: numbers > 0)


def check_broadcast(where: str, shape: tuple[int, ...], **parameters: Any) -> None:
    """Raise unless the parameters, which may be arrays, broadcast to the shape."""
    for name, value in parameters.items():
        try:
            np.broadcast_to(value, shape)
        except ValueError:
            raise ValueError(
                f"{where}: {name} has shape {np.shape(value)}, which does not broadcast to the "
                f"shape {shape} of the samples."
            ) from None


def float_dtype(where: str, dtype: Any) -> tuple[str, Any]:
    """Return the name of the result's type, and the type to draw in.

    Raises:
        ValueError: if it is no floating-point type that NumPy has.
    """
    name = dtypes.standardize_dtype(dtype)
    if name not in dtypes.FLOATS:
        raise ValueError(f"{where}: dtype must be a floating-point type, got {dtype!r}.")
    return dtypes.numpy_dtype(name, where), np.float64 if name == "float64" else np.float32


def int_dtype(where: str, dtype: Any) -> str:
    """Return the name of an integer type.

    Raises:
        ValueError: if it is none.
    """
    name = dtypes.standardize_dtype(dtype or "int32")
    if name not in dtypes.INTEGERS:
        raise ValueError(f"{where}: dtype must be an integer type, got {dtype!r}.")
    return name
