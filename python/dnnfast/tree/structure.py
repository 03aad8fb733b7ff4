"""Nested structures: lists, tuples, named tuples, deques and dicts, with anything as leaves.

A plain dict is visited in the order of its sorted keys, an `OrderedDict` in its own.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import Any

# A node's items by index or key, in the order in which they are visited.
_Items = list[tuple[Any, Any]]


class MAP_TO_NONE:
    """What the function of `traverse` returns to put None in place of what it was given.

    Example:
        >>> from dnnfast import tree
        >>> tree.traverse(lambda x: tree.MAP_TO_NONE if x == 2 else None, [1, 2])
        [1, None]
    """


def is_nested(structure: Any) -> bool:
    """Tell whether something is a list, tuple, deque or dict.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.is_nested({"a": 1}), dnnfast.tree.is_nested("a")
        (True, False)
    """
    return isinstance(structure, (list, tuple, dict, collections.deque))


def _sorted(keys: Any) -> list[Any]:
    try:
        return sorted(keys)
    except TypeError:
        return list(keys)


def _items(structure: Any) -> _Items:
    if isinstance(structure, collections.OrderedDict):
        return list(structure.items())
    if isinstance(structure, dict):
        return [(key, structure[key]) for key in _sorted(structure)]
    return list(enumerate(structure))


def _like(structure: Any, values: list[Any]) -> Any:
    """Return a node as another, with other values in the order of `_items`."""
    if isinstance(structure, dict):
        found = dict(zip((key for key, _ in _items(structure)), values, strict=True))
        in_order = {key: found[key] for key in structure}
        if isinstance(structure, collections.defaultdict):
            return collections.defaultdict(structure.default_factory, in_order)
        ordered = isinstance(structure, collections.OrderedDict)
        return collections.OrderedDict(in_order) if ordered else in_order
    if isinstance(structure, tuple):
        return type(structure)(*values) if hasattr(structure, "_fields") else tuple(values)
    if isinstance(structure, collections.deque):
        return collections.deque(values, structure.maxlen)
    return values


def _check_alike(a: Any, b: Any, path: tuple[Any, ...]) -> None:
    """Raise ValueError unless two nodes have the same type and keys."""
    where = f" at {path}" if path else ""
    if isinstance(a, dict) and isinstance(b, dict):
        if set(a) != set(b):
            raise ValueError(f"the structures differ{where}: keys {list(a)} and {list(b)}.")
        return
    if not is_nested(b) or type(a) is not type(b):
        raise ValueError(
            f"the structures differ{where}: {type(a).__name__} and {type(b).__name__}."
        )
    if len(a) != len(b):
        raise ValueError(f"the structures differ{where}: {len(a)} and {len(b)} items.")


def _children(a: Any, others: Sequence[Any], path: tuple[Any, ...]) -> list[tuple[Any, list[Any]]]:
    """Return the items of a node with those of nodes that are alike."""
    for other in others:
        _check_alike(a, other, path)
    return [(key, [value, *(other[key] for other in others)]) for key, value in _items(a)]


def flatten(structure: Any) -> list[Any]:
    """Return the leaves of a nested structure as a flat list; None is a leaf.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.flatten({"b": [2, 3], "a": 1})
        [1, 2, 3]
    """
    if not is_nested(structure):
        return [structure]
    leaves: list[Any] = []
    for _, value in _items(structure):
        if is_nested(value):
            leaves += flatten(value)
        else:
            leaves.append(value)
    return leaves


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Return the leaves with their paths: tuples of indices and keys.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.flatten_with_path([{"a": 42}])
        [((0, 'a'), 42)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [
        ((key, *path), leaf)
        for key, value in _items(structure)
        for path, leaf in flatten_with_path(value)
    ]


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Apply a function to the leaves of structures that are alike, and keep the structure.

    Args:
        func: takes one leaf of each structure.
        structures: at least one.
        none_is_leaf: whether it is called for None, too; otherwise None stays. Default True.

    Raises:
        ValueError: if there is no structure, or they differ.
        TypeError: if ``func`` cannot be called.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.map_structure(lambda a, b: a + b, {"a": [1, 2]}, {"a": [3, 4]})
        {'a': [4, 6]}
    """
    if not callable(func):
        raise TypeError(f"map_structure: expected a function, got {func!r}.")
    if not structures:
        raise ValueError("map_structure: expected at least one structure.")
    return _map(func, structures[0], structures[1:], none_is_leaf, ())


def _map(
    func: Any, first: Any, others: Sequence[Any], none_is_leaf: bool, path: tuple[Any, ...]
) -> Any:
    if is_nested(first):
        mapped = [
            _map(func, values[0], values[1:], none_is_leaf, (*path, key))
            for key, values in _children(first, others, path)
        ]
        return _like(first, mapped)
    for other in others:
        if is_nested(other):
            raise ValueError(f"the structures differ at {path}: a leaf and {other!r}.")
    if first is None and not none_is_leaf:
        return None
    return func(first, *others)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Apply a function to the parts of structures that stand where another has its leaves.

    Args:
        shallow_structure: how far to go into the others.
        func: takes one part of each structure.
        structures: at least one.

    Raises:
        ValueError: if there is no structure, or one is not nested as the shallow one.
        TypeError: if ``func`` cannot be called.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.map_structure_up_to([None, None], len, [[1, 1], [2, 2, 2]])
        [2, 3]
    """
    if not callable(func):
        raise TypeError(f"map_structure_up_to: expected a function, got {func!r}.")
    if not structures:
        raise ValueError("map_structure_up_to: expected at least one structure.")
    return _map_up_to(func, shallow_structure, structures, ())


def _map_up_to(func: Any, shallow: Any, structures: Sequence[Any], path: tuple[Any, ...]) -> Any:
    if not is_nested(shallow):
        return func(*structures)
    mapped = [
        _map_up_to(func, values[0], values[1:], (*path, key))
        for key, values in _children(shallow, structures, path)
    ]
    return _like(shallow, mapped)


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raise a ValueError unless two structures are nested in the same way.

    All kinds of dicts are alike; a list and a tuple are not.

    Args:
        a: a structure.
        b: another.
        check_types: ignored, for compatibility.

    Raises:
        ValueError: if they differ.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.assert_same_structure([1, (2, 3)], ["a", ("b", "c")])
    """
    _map(lambda *leaves: None, a, [b], True, ())


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise a ValueError unless the leaves of two structures have the same paths.

    Raises:
        ValueError: if they have not; the message lists the paths that only one has.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.assert_same_paths([0, 1], (2, 3))
    """
    paths = [{path for path, _ in flatten_with_path(structure)} for structure in (a, b)]
    if paths[0] != paths[1]:
        raise ValueError(
            f"the paths differ: only a has {sorted(paths[0] - paths[1], key=str)}, only b "
            f"{sorted(paths[1] - paths[0], key=str)}."
        )


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """Put a flat sequence of leaves into a structure.

    Raises:
        ValueError: if there are too many or too few.
        TypeError: if it is no sequence.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.pack_sequence_as({"b": [0, 0], "a": 0}, [1, 2, 3])
        {'b': [2, 3], 'a': 1}
    """
    leaves = list(flat_sequence)
    places = len(flatten(structure))
    if len(leaves) != places:
        raise ValueError(
            f"pack_sequence_as: the structure has {places} places, got {len(leaves)} leaves."
        )
    iterator = iter(leaves)
    return map_structure(lambda _: next(iterator), structure)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Call a function for a structure, the structures in it, and their leaves.

    Args:
        func: what it returns takes the place of what it was given; None: that stays (and with
            ``top_down`` its children are visited), `MAP_TO_NONE`: None takes its place.
        structure: to be visited, depth first.
        top_down: whether parents come before their children. Default True.

    Raises:
        TypeError: if ``func`` cannot be called.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.traverse(lambda x: -x if isinstance(x, int) else None, [1, (2, 3)])
        [-1, (-2, -3)]
    """
    if not callable(func):
        raise TypeError(f"traverse: expected a function, got {func!r}.")

    def with_children() -> Any:
        if not is_nested(structure):
            return structure
        found = [traverse(func, value, top_down) for _, value in _items(structure)]
        return _like(structure, found)

    before = structure if top_down else with_children()
    result = func(before)
    if result is None:
        return with_children() if top_down else before
    return None if result is MAP_TO_NONE else result


def lists_to_tuples(structure: Any) -> Any:
    """Return a structure with tuples in place of lists.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.lists_to_tuples([1, {"a": [2]}])
        (1, {'a': (2,)})
    """
    convert = lambda part: tuple(part) if isinstance(part, list) else None  # noqa: E731
    return traverse(convert, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Apply a function to shapes (tuples and lists of ints and None) nested in a structure.

    Example:
        >>> import dnnfast
        >>> dnnfast.tree.map_shape_structure(len, {"a": (None, 3), "b": (2,)})
        {'a': 2, 'b': 1}
    """
    sequence = isinstance(structure, (list, tuple))
    if sequence and all(size is None or isinstance(size, int) for size in structure):
        return func(structure)
    if not is_nested(structure):
        return func(structure)
    return _like(structure, [map_shape_structure(func, value) for _, value in _items(structure)])
