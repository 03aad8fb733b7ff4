"""Reading and writing variables and optimizer numbers."""

from __future__ import annotations

from typing import Any

from dnnfast import naming


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
