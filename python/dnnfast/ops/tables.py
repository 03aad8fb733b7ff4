"""Makes functions of elements from a row each: NumPy's function and the recorded expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.expressions import Expression, apply
from dnnfast.ops.values import array, floating, result_type, unsupported

# From the types of the operands: the type they are computed in, and that of the result.
Rule = Callable[..., tuple[str, str]]


def to_float(*values: Any) -> tuple[str, str]:
    """Integers become float32."""
    return floating(*values), floating(*values)


def same(*values: Any) -> tuple[str, str]:
    """The common type of the operands."""
    return result_type(*values), result_type(*values)


def number(*values: Any) -> tuple[str, str]:
    """The common type of the operands; truth values become int32."""
    name = result_type(*values)
    name = "int32" if name == "bool" else name
    return name, name


def truth(*values: Any) -> tuple[str, str]:
    """The result is a truth value."""
    return result_type(*values), "bool"


def op(name: str) -> Callable[..., Expression]:
    """Return the builder of one instruction."""
    return lambda *args: apply(name, *args)


def elementwise(
    name: str, function: Any, build: Any, rule: Rule, values: tuple[Any, ...], advice: str = ""
) -> Any:
    """Compute or record an element-wise function of broadcast operands."""
    compute, result = rule(*values)
    if symbolic.is_symbolic(*values):
        if build is None:
            raise unsupported(name, advice or "Apply it to the data before the model.")
        return symbolic.map_(name, build, values, result)
    with np.errstate(all="ignore"):
        found = function(*(array(value, compute) for value in values))
    return np.asarray(found).astype(result, copy=False)


ANY = "an array, a number, a list, a variable or a symbolic tensor."
BROADCAST = f"{ANY[:-1]}; shapes are broadcast."


def document(
    function: Any,
    name: str,
    arguments: dict[str, str],
    texts: tuple[str, str, str, str],
    rounded: bool,
) -> Any:
    """Give a function its name and docstring."""
    summary, formula, given, printed = texts
    lines = [summary, "", "Args:"]
    lines += [f"    {argument}: {text}" for argument, text in arguments.items()]
    lines += ["", f"Formula: {formula}", "", "Example:", "    >>> import dnnfast"]
    call = f"dnnfast.ops.{name}({given})"
    lines += [f"    >>> print({call}{'.round(3)' if rounded else ''})", f"    {printed}", ""]
    function.__name__ = function.__qualname__ = name
    function.__module__ = "dnnfast.ops"  # where it is found by name
    function.__doc__ = "\n    ".join(lines).replace("\n    \n", "\n\n")
    return function


def unary(
    name: str,
    function: Any,
    build: Any,
    *texts: str,
    rule: Rule = to_float,
    advice: str = "",
) -> Callable[[Any], Any]:
    """Return the public function of a row.

    Args:
        name: its name.
        function: what computes it on an array.
        build: what builds its expression from that of the operand; None: arrays only.
        texts: summary, formula, the example's argument and what it prints.
        rule: of types; default `to_float`.
        advice: what to do instead in a model, where ``build`` is None.
    """

    def apply_to(x: Any) -> Any:
        return elementwise(name, function, build, rule, (x,), advice)

    return document(apply_to, name, {"x": ANY}, four_texts(texts), rule is to_float)


def binary(
    name: str,
    function: Any,
    build: Any,
    *texts: str,
    rule: Rule = same,
    advice: str = "",
) -> Callable[[Any, Any], Any]:
    """Return the public function of a row with two operands; as `unary`."""

    def apply_to(x1: Any, x2: Any) -> Any:
        return elementwise(name, function, build, rule, (x1, x2), advice)

    arguments = {"x1": BROADCAST, "x2": "the same."}
    return document(apply_to, name, arguments, four_texts(texts), rule is to_float)


def four_texts(texts: tuple[str, ...]) -> tuple[str, str, str, str]:
    summary, formula, given, printed = texts
    return summary, formula, given, printed
