"""Flatten and rebuild nested structures; dicts are visited in the order of their sorted keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any


def is_nested(value: Any) -> bool:
    """Tell whether ``value`` is a list, tuple or dict."""
    return isinstance(value, (list, tuple, dict))


def _keys(value: dict[Any, Any]) -> list[Any]:
    try:
        return sorted(value)
    except TypeError:
        return list(value)


def flatten(structure: Any) -> list[Any]:
    """Return the leaves of a nested structure as a flat list.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.flatten({"b": [2, 3], "a": 1})
        [1, 2, 3]
    """
    if isinstance(structure, dict):
        return [leaf for key in _keys(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in flatten(item)]
    return [structure]


def map_structure(function: Callable[..., Any], structure: Any) -> Any:
    """Apply ``function`` to every leaf and keep the structure.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.map_structure(lambda leaf: leaf + 1, {"a": [1, 2]})
        {'a': [2, 3]}
    """
    return pack_sequence_as(structure, [function(leaf) for leaf in flatten(structure)])


def pack_sequence_as(structure: Any, leaves: Sequence[Any]) -> Any:
    """Put a flat list of leaves back into a structure."""
    iterator = iter(leaves)
    packed = _pack(structure, iterator)
    if next(iterator, iterator) is not iterator:
        raise ValueError("pack_sequence_as: more leaves than places in the structure.")
    return packed


def _pack(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, dict):
        filled = {key: _pack(structure[key], leaves) for key in _keys(structure)}
        return {key: filled[key] for key in structure}
    if isinstance(structure, (list, tuple)):
        items = [_pack(item, leaves) for item in structure]
        if isinstance(structure, tuple):
            named = hasattr(structure, "_fields")
            return type(structure)(*items) if named else tuple(items)
        return items
    try:
        return next(leaves)
    except StopIteration:
        raise ValueError("pack_sequence_as: fewer leaves than places in the structure.") from None
