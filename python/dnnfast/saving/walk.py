"""Which objects of a model are saved, and under which paths: those of Keras."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from dnnfast import naming

_Found = tuple[str, Any]


def saveables(model: Any) -> list[_Found]:
    """Return the layers and optimizers in a model, itself included, with their paths.

    Args:
        model: the model.

    Returns:
        Pairs of path and object, each object once, in the order in which Keras visits them. The
        paths are made of the names of attributes and, in lists, of the names of classes.

    Example:
        >>> import dnnfast as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> [path for path, _ in saveables(model)]
        ['', 'layers/dense']
    """
    return list(_visit("", model, set()))


def _visit(path: str, item: Any, seen: set[int]) -> Iterator[_Found]:
    if id(item) in seen:
        return
    seen.add(id(item))
    yield path, item
    for name, value in _attributes(item):
        inner = f"{path}/{name}" if path else name
        if _is_saved(value):
            yield from _visit(inner, value, seen)
        elif isinstance(value, (list, tuple, dict)):
            yield from _visit_all(inner, value, seen, set())


def _visit_all(path: str, items: Any, seen: set[int], lists: set[int]) -> Iterator[_Found]:
    if id(items) in lists:
        return
    lists.add(id(items))
    used: dict[str, int] = {}
    for value in list(items.values()) if isinstance(items, dict) else items:
        if _is_saved(value):
            name = _unique(_class_name(value), used)
            yield from _visit(f"{path}/{name}", value, seen)
        elif isinstance(value, (list, tuple, dict)):
            name = _unique("container", used)
            yield from _visit_all(f"{path}/{name}", value, seen, lists)


def _is_saved(value: Any) -> bool:
    from dnnfast.layers.base import Layer
    from dnnfast.layers.core.function_layer import FunctionLayer
    from dnnfast.optimizers.optimizer import Optimizer

    return isinstance(value, (Layer, Optimizer)) and not isinstance(value, FunctionLayer)


def _class_name(item: Any) -> str:
    name = getattr(item, "_serialized_class_name", None) or type(item).__name__
    return naming.to_snake_case(name)


def _unique(name: str, used: dict[str, int]) -> str:
    if name in used:
        used[name] += 1
        return f"{name}_{used[name]}"
    used[name] = 0
    return name


def _attributes(item: Any) -> Iterator[_Found]:
    from dnnfast.models.model import Model
    from dnnfast.models.sequential import Sequential

    if isinstance(item, Sequential) or (isinstance(item, Model) and item._functional is not None):
        yield "layers", item.layers
    skipped = _skipped(_family(item))
    # Private attributes come last.
    for name in sorted(dir(item), key=lambda name: f"~{name}" if name[:1] == "_" else name):
        if name.startswith("__") or name in skipped:
            continue
        try:
            value = getattr(item, name)
        except Exception:  # a property of the user's that does not work here
            continue
        yield name, value


def _family(item: Any) -> str:
    from dnnfast.models.model import Model
    from dnnfast.models.sequential import Sequential
    from dnnfast.optimizers.optimizer import Optimizer

    if isinstance(item, Sequential):
        return "sequential"
    if isinstance(item, Model):
        return "model"
    return "optimizer" if isinstance(item, Optimizer) else "layer"


@functools.cache
def _skipped(family: str) -> frozenset[str]:
    """The attributes of the base classes."""
    from dnnfast.layers.base import Layer
    from dnnfast.models.model import Model
    from dnnfast.models.sequential import Sequential
    from dnnfast.optimizers.sgd import SGD

    if family == "optimizer":
        return frozenset(dir(SGD(name="_bare")))
    cls: Any = {"sequential": Sequential, "model": Model, "layer": Layer}[family]
    names = frozenset(dir(cls(name="_bare")))
    return names if family == "layer" else names - {"layers", "optimizer"}
