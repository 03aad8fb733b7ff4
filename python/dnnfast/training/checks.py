"""Checks of the numbers given to `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.utils.progbar import is_terminal


def at_least(name: str, value: Any, least: int) -> int:
    """Return an integer argument (at most 2^62: no data has more), or raise ValueError."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}.")
    return min(int(value), 1 << 62)


def optional(name: str, value: Any, least: int = 1) -> int | None:
    """Return an integer argument or None."""
    return None if value is None else at_least(name, value, least)


def verbosity(verbose: Any) -> int:
    """Return 0, 1 or 2; "auto" is a bar on a terminal and a line per epoch elsewhere."""
    if verbose == "auto":
        return 1 if is_terminal() else 2
    if verbose in (0, 1, 2):
        return int(verbose)
    raise ValueError(f'verbose must be "auto", 0, 1 or 2, got {verbose!r}.')


def shown(verbose: Any) -> int:
    """Return the verbosity of an evaluation or prediction; "auto" is a bar on a terminal only."""
    return verbosity(verbose) if verbose != "auto" or is_terminal() else 0


def frequency(value: Any) -> Any:
    """Return how often to validate: every so many epochs, or the set of epochs (from 1)."""
    if isinstance(value, (list, tuple, set)):
        return {at_least("an epoch of validation_freq", epoch, 1) for epoch in value}
    return at_least("validation_freq", value, 1)
