"""Which part of a wrapped model each parameter of its wrapper goes to."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from dnnfast import losses, metrics, optimizers
from dnnfast.errors import UnknownArgumentError, suggest
from dnnfast.training.trainer import Trainer

# The beginnings of routed names, as in optimizer__learning_rate.
PARTS = ("model", "optimizer", "loss", "metrics", "callbacks", "compile", "fit", "predict")
# What each method takes without its name in front, too.
_METHODS = {
    "fit": frozenset(inspect.signature(Trainer.fit).parameters) - {"self", "x", "y"},
    "predict": frozenset(("batch_size", "device")),
}
_BY_NAME: dict[str, Callable[[Any], Any]] = {
    "optimizer": optimizers.get,
    "loss": losses.get,
    "metrics": metrics.get,
}


def of_part(parameters: dict[str, Any], part: str) -> dict[str, Any]:
    """Return the parameters of a part, without its name: those of ``part__name``."""
    prefix = f"{part}__"
    return {k[len(prefix) :]: v for k, v in parameters.items() if k.startswith(prefix)}


def for_method(parameters: dict[str, Any], method: str) -> dict[str, Any]:
    """Return the arguments of "fit" or "predict" among plain and routed parameters."""
    plain = {k: v for k, v in parameters.items() if k in _METHODS[method]}
    return {**plain, **of_part(parameters, method)}


def arguments_of(function: Any) -> tuple[set[str], bool]:
    """Return the names of a function's arguments, and whether it takes any others."""
    if function is None or not callable(function):
        return set(), False
    found = inspect.signature(function).parameters.values()
    named = {p.name for p in found if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    return named, any(p.kind is p.VAR_KEYWORD for p in found)


def check_names(wrapper: str, names: Iterable[str], function: Any, own: Iterable[str]) -> None:
    """Raise for parameters that nothing takes.

    Args:
        wrapper: name of the class, for the message.
        names: of the parameters.
        function: the function that builds the model, or None.
        own: names of the wrapper's own parameters.

    Raises:
        UnknownArgumentError: (a TypeError and a ValueError) naming the first one and what is close.
    """
    taken, any_other = arguments_of(function)
    plain = taken | _METHODS["fit"]
    for name in names:
        part, routed, rest = name.partition("__")
        if (routed and part in PARTS and rest) or name in plain or any_other:
            continue
        hint = suggest(name, [*own, *plain])
        arguments = f" ({', '.join(sorted(taken))})" if taken else ""
        raise UnknownArgumentError(
            f"{wrapper}: unknown parameter {name!r}. {hint + ' ' if hint else ''}Besides its own "
            f"it takes those of the function that builds the model{arguments}, those of fit, and "
            f"names that begin with {'__, '.join(PARTS)}__."
        )


def made(part: str, value: Any, parameters: dict[str, Any]) -> Any:
    """Return an object of a class, a name, or a list or dict of them, with its parameters.

    Args:
        part: the name of the parameter that ``value`` is, such as ``"optimizer"``.
        value: a class, which is called with the parameters; a name of an optimizer, a loss or a
            metric, if there are parameters; a list or dict of such, of which all classes and names
            take ``name``, and single ones ``0__name`` or ``key__name``; anything else.
        parameters: names and values; those of an argument that is a class itself are
            ``argument__name``.

    Raises:
        ValueError: if there are parameters for what takes none.
    """
    if isinstance(value, (list, tuple, dict)):
        common = {k: v for k, v in parameters.items() if "__" not in k}
        items = value.items() if isinstance(value, dict) else enumerate(value)
        results = {}
        for key, item in items:
            shared = common if isinstance(item, (str, type)) else {}
            results[key] = made(part, item, {**shared, **of_part(parameters, str(key))})
        return results if isinstance(value, dict) else list(results.values())
    if isinstance(value, str) and parameters and part in _BY_NAME:
        value = type(_BY_NAME[part](value))
    if isinstance(value, type):
        given = {k: v for k, v in parameters.items() if "__" not in k}
        nested = {k: of_part(parameters, k) for k in given}
        return value(**{k: made(k, v, nested[k]) for k, v in given.items()})
    if parameters:
        raise ValueError(
            f"{part}: {value!r} takes no parameters, as it is neither a class nor a known name; "
            f"got {', '.join(f'{part}__{k}={v!r}' for k, v in parameters.items())}."
        )
    # An optimizer belongs to one model: a given one stays as it is.
    return copy.deepcopy(value) if isinstance(value, optimizers.Optimizer) else value
