"""The distribution that training uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dnnfast.distribution.data_parallel import DataParallel

_current: DataParallel | None = None


def distribution() -> DataParallel | None:
    """Return the distribution that was set, or None.

    Example:
        >>> import dnnfast
        >>> dnnfast.distribution.distribution() is None
        True
    """
    return _current


def set_distribution(value: DataParallel | None) -> None:
    """Train by several processes from now on, or (None) by this one alone.

    Args:
        value: a `DataParallel`, or None.

    Raises:
        TypeError: if it is neither.

    Example:
        >>> import dnnfast
        >>> dnnfast.distribution.set_distribution(None)
    """
    global _current
    from dnnfast.distribution.data_parallel import DataParallel

    if value is not None and not isinstance(value, DataParallel):
        raise TypeError(f"set_distribution: expected a DataParallel or None, got {value!r}.")
    _current = value


def own_seed(seed: int) -> int:
    """Return this process's seed of random bits: each draws its own."""
    rank = 0 if _current is None else _current.rank
    return (seed + 0x9E3779B97F4A7C15 * rank) % 2**64


def is_writer() -> bool:
    """Tell whether this process writes files and prints: it is alone, or its rank is 0.

    Example:
        >>> import dnnfast
        >>> dnnfast.distribution.is_writer()
        True
    """
    return _current is None or _current.rank == 0
