"""Reading and writing variables and optimizer numbers."""

from __future__ import annotations

from typing import Any

from dnnfast import naming
from dnnfast.dtypes import standardize_dtype


def clear_session(free_memory: bool = True) -> None:
    """Start automatic names again; models stay usable.

    Args:
        free_memory: ignored; models free theirs when they are no longer used.

    Example:
        >>> import dnnfast
        >>> dnnfast.backend.clear_session()
        >>> dnnfast.layers.Dense(1).name
        'dense'
    """
    naming.reset()


def get_value(x: Any) -> Any:
    """Return a copy of the value of a variable, or of an optimizer's number.

    Example:
        >>> import dnnfast
        >>> round(float(dnnfast.backend.get_value(dnnfast.optimizers.SGD(0.5).lr)), 3)
        0.5
    """
    return x.numpy() if hasattr(x, "numpy") else x


def set_value(x: Any, value: Any) -> None:
    """Set the value of a variable, or of an optimizer's number.

    Raises:
        TypeError: if ``x`` cannot be set.

    Example:
        >>> import dnnfast
        >>> optimizer = dnnfast.optimizers.SGD(0.5)
        >>> dnnfast.backend.set_value(optimizer.lr, 0.25)
        >>> float(optimizer.lr)
        0.25
    """
    if not hasattr(x, "assign"):
        raise TypeError(f"set_value: expected a variable, got {type(x).__name__}.")
    x.assign(value)


def get_uid(prefix: str = "") -> int:
    """Return 1, 2, ... for each prefix, starting again after `clear_session`.

    Args:
        prefix: default "".

    Example:
        >>> import dnnfast
        >>> dnnfast.backend.get_uid("docs"), dnnfast.backend.get_uid("docs")
        (1, 2)
    """
    return naming.count(prefix)


def result_type(*dtypes: Any) -> str:
    """Return the element type of the result of values of some types.

    Args:
        *dtypes: names or NumPy types; Python's ``int`` and ``float`` stand for numbers, which do
            not widen arrays.

    Raises:
        ValueError: if there is no such type.

    Example:
        >>> import dnnfast
        >>> dnnfast.backend.result_type("int32", "float16")
        'float16'
    """
    from dnnfast.ops.values import result_type as of_values

    if not dtypes:
        return "float32"
    python = (bool, int, float)
    return of_values(*(t() if t in python else standardize_dtype(t) for t in dtypes))
