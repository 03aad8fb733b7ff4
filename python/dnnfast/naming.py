"""Automatic names of layers, models and variables."""

from __future__ import annotations

import re

_counts: dict[str, int] = {}
_uids: dict[str, int] = {}


def to_snake_case(name: str) -> str:
    """Turn a class name into the prefix of automatic names: ``ReLU`` -> ``re_lu``."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(prefix: str) -> str:
    """Return ``prefix``, then ``prefix_1``, ``prefix_2``, ... on later calls."""
    count = _counts.get(prefix, 0)
    _counts[prefix] = count + 1
    return prefix if count == 0 else f"{prefix}_{count}"


def reserve(name: str) -> None:
    """Keep later automatic names from colliding with an explicitly given name."""
    prefix, _, number = name.rpartition("_")
    if not (prefix and number.isdigit()):
        prefix, number = name, "0"
    if prefix in _counts or number != "0":
        _counts[prefix] = max(_counts.get(prefix, 0), int(number) + 1)


def count(prefix: str) -> int:
    """Return 1, 2, ... on later calls; these numbers are apart from those in names."""
    _uids[prefix] = _uids.get(prefix, 0) + 1
    return _uids[prefix]


def reset() -> None:
    """Start automatic names again at the bare prefix, and numbers at 1."""
    _counts.clear()
    _uids.clear()
