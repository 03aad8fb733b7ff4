"""The arguments of a layer call, by the names that `call` gives them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from dnnfast import tree
from dnnfast.errors import suggest
from dnnfast.masks import mask_of


class ShapesByName(dict[str, Any]):
    """Shapes for a `build` of several arguments, such as ``query_shape``."""


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "shape")


def _parameters(function: Callable[..., Any]) -> list[str]:
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind not in kinds]


class CallSpec:
    """What a layer is called with.

    Args:
        layer: the layer.
        args: positional arguments: tensors, or lists and dicts of them.
        kwargs: the others, without ``training``.

    Raises:
        TypeError: if `call` does not take these arguments.
        ValueError: if a positional argument is no tensor, or tensors are mixed with other things.
    """

    def __init__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.where = f"Layer {layer.name!r} ({type(layer).__name__})"
        if not layer._allow_non_tensor_positional_args:
            self._check_positional(args)
        signature = layer._call_signature
        self.parameters = signature.parameters
        kinds = {p.kind for p in self.parameters.values()}
        self.takes_any_keyword = inspect.Parameter.VAR_KEYWORD in kinds
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(self._explained(error, kwargs)) from None
        bound.apply_defaults()
        self.arguments = dict(bound.arguments)
        self.tensors: dict[str, Any] = {}
        for name, value in self.arguments.items():
            self._sort(name, value)

    @property
    def first(self) -> Any:
        """The first argument."""
        return next(iter(self.arguments.values()), None)

    def _check_positional(self, args: tuple[Any, ...]) -> None:
        for leaf in tree.flatten(args):
            if leaf is not None and not _is_tensor(leaf):
                raise ValueError(
                    f"{self.where}: only tensors may be passed by position; pass {leaf!r} (of type "
                    f"{type(leaf).__name__}) by name."
                )

    def _explained(self, error: TypeError, kwargs: dict[str, Any]) -> str:
        names = [name for name in self.parameters if name != "training"]
        wrong = next((name for name in kwargs if name not in self.parameters), None)
        hint = suggest(wrong, names) if wrong is not None else ""
        return (
            f"{self.where}: {error}; `call` takes {', '.join(names) or 'nothing'}. {hint}".rstrip()
        )

    def _sort(self, name: str, value: Any) -> None:
        if _is_tensor(value):
            self.tensors[name] = value
            return
        if not tree.is_nested(value) or not value:
            return
        leaves = tree.flatten(value)
        if all(leaf is None or _is_tensor(leaf) for leaf in leaves):
            self.tensors[name] = value
        elif any(hasattr(leaf, "extents") for leaf in leaves):
            raise ValueError(
                f"{self.where}: the argument {name!r} mixes tensors with other things: {value!r}."
            )

    def shapes_for(self, function: Callable[..., Any]) -> Any:
        """Return what to call a `build` or `compute_output_shape` with.

        That is the shape of the first tensors, or `ShapesByName` for several parameters, each of
        which is named after one of `call`'s.

        Raises:
            ValueError: if a parameter is not.
        """
        shapes = {
            f"{name}_shape": tree.map_structure(lambda t: None if t is None else t.shape, value)
            for name, value in self.tensors.items()
            if name not in ("mask", "args", "kwargs")
        }
        names = _parameters(function)
        if len(names) <= 1:
            return next(iter(shapes.values()), None)
        found = ShapesByName()
        for name in names:
            if not name.endswith("_shape") or name.removesuffix("_shape") not in self.parameters:
                raise ValueError(
                    f"{self.where}: each parameter of `{function.__name__}` must be named after "
                    f"one of `call`, as in {function.__name__}(self, query_shape, key_shape) for "
                    f"call(self, query, key); got {name!r}."
                )
            if name in shapes:
                found[name] = shapes[name]
        return found

    def pass_masks(self, kwargs: dict[str, Any]) -> Any:
        """Add the masks that ride on the tensors to ``kwargs``, where `call` takes them.

        Returns:
            The mask of the first argument, nested as it.
        """
        if len(self.tensors) == 1:
            (tensors,) = self.tensors.values()
            if "mask" in self.parameters and self.arguments["mask"] is None:
                kwargs["mask"] = tree.map_structure(mask_of, tensors)
        else:
            for name, tensors in self.tensors.items():
                own = f"{name}_mask"
                if own in self.parameters and self.arguments[own] is None:
                    kwargs[own] = tree.map_structure(mask_of, tensors)
        if kwargs.get("mask") is not None:
            return kwargs["mask"]
        return tree.map_structure(mask_of, self.first)
