"""Comparisons, truth values, and functions of bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dnnfast import expressions, symbolic
from dnnfast.expressions import Expression, apply, constant
from dnnfast.ops.tables import binary, elementwise, op, truth, unary
from dnnfast.ops.values import array, result_type

_INF = float("inf")


def is_true(e: Expression) -> Expression:
    """Return 1 where a number counts as true, else 0."""
    return constant(1.0) - apply("equal", e, 0.0)


def _not(build: Callable[..., Expression]) -> Callable[..., Expression]:
    return lambda *args: constant(1.0) - build(*args)


def _signbit(x: Expression) -> Expression:
    # The reciprocal of a negative zero is negative.
    of_zero = apply("less", constant(1.0) / x, 0.0)
    return expressions.select(apply("equal", x, 0.0), of_zero, apply("less", x, 0.0))


equal = binary(
    "equal",
    np.equal,
    op("equal"),
    "Whether two are equal.",
    "x1 = x2",
    "[1, 2], 2",
    "[False  True]",
    rule=truth,
)
not_equal = binary(
    "not_equal",
    np.not_equal,
    _not(op("equal")),
    "Whether two differ.",
    "x1 != x2",
    "[1, 2], 2",
    "[ True False]",
    rule=truth,
)
less = binary(
    "less",
    np.less,
    op("less"),
    "Whether the first is smaller.",
    "x1 < x2",
    "[1, 2], 2",
    "[ True False]",
    rule=truth,
)
less_equal = binary(
    "less_equal",
    np.less_equal,
    op("less_equal"),
    "Whether the first is smaller or equal.",
    "x1 <= x2",
    "[1, 2], 2",
    "[ True  True]",
    rule=truth,
)
greater = binary(
    "greater",
    np.greater,
    lambda a, b: apply("less", b, a),
    "Whether the first is larger.",
    "x1 > x2",
    "[1, 3], 2",
    "[False  True]",
    rule=truth,
)
greater_equal = binary(
    "greater_equal",
    np.greater_equal,
    lambda a, b: apply("less_equal", b, a),
    "Whether the first is larger or equal.",
    "x1 >= x2",
    "[1, 2], 2",
    "[False  True]",
    rule=truth,
)
logical_and = binary(
    "logical_and",
    np.logical_and,
    lambda a, b: is_true(a) * is_true(b),
    "Whether both are true (not 0).",
    "x1 and x2",
    "[True, False], True",
    "[ True False]",
    rule=truth,
)
logical_or = binary(
    "logical_or",
    np.logical_or,
    lambda a, b: apply("max", is_true(a), is_true(b)),
    "Whether one is true (not 0).",
    "x1 or x2",
    "[True, False], False",
    "[ True False]",
    rule=truth,
)
logical_xor = binary(
    "logical_xor",
    np.logical_xor,
    lambda a, b: constant(1.0) - apply("equal", is_true(a), is_true(b)),
    "Whether exactly one is true (not 0).",
    "x1 xor x2",
    "[True, False], True",
    "[False  True]",
    rule=truth,
)
logical_not = unary(
    "logical_not",
    np.logical_not,
    lambda x: apply("equal", x, 0.0),
    "Whether it is false (0).",
    "not x",
    "[True, False]",
    "[False  True]",
    rule=truth,
)
isfinite = unary(
    "isfinite",
    np.isfinite,
    op("is_finite"),
    "Whether it is neither NaN nor infinite.",
    "|x| < infinity",
    "[1.0, float('nan')]",
    "[ True False]",
    rule=truth,
)
isnan = unary(
    "isnan",
    np.isnan,
    op("is_nan"),
    "Whether it is NaN.",
    "x != x",
    "[1.0, float('nan')]",
    "[False  True]",
    rule=truth,
)
isinf = unary(
    "isinf",
    np.isinf,
    lambda x: apply("equal", apply("abs", x), _INF),
    "Whether it is infinite.",
    "|x| = infinity",
    "[1.0, float('inf')]",
    "[False  True]",
    rule=truth,
)
isposinf = unary(
    "isposinf",
    np.isposinf,
    lambda x: apply("equal", x, _INF),
    "Whether it is infinity.",
    "x = infinity",
    "[1.0, float('inf')]",
    "[False  True]",
    rule=truth,
)
isneginf = unary(
    "isneginf",
    np.isneginf,
    lambda x: apply("equal", x, -_INF),
    "Whether it is minus infinity.",
    "x = -infinity",
    "[1.0, -float('inf')]",
    "[False  True]",
    rule=truth,
)
isreal = unary(
    "isreal",
    np.isreal,
    lambda x: constant(1.0),
    "Whether it has no imaginary part.",
    "Im(x) = 0",
    "[1.0, 2.0]",
    "[ True  True]",
    rule=truth,
)
signbit = unary(
    "signbit",
    np.signbit,
    _signbit,
    "Whether the sign is minus, also that of zero.",
    "x < 0 or x = -0",
    "[1.0, -0.0]",
    "[False  True]",
    rule=truth,
)


def isclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Tell where two are equal within a tolerance.

    Args:
        x1: an array, a number, a list, a variable or a symbolic tensor; shapes are broadcast.
        x2: the same.
        rtol: tolerance relative to x2. Default 1e-5.
        atol: absolute tolerance. Default 1e-8.
        equal_nan: whether NaN equals NaN. Default False.

    Formula: ``|x1 - x2| <= atol + rtol |x2|``; infinities are close to themselves.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.isclose([1.0, 2.0], [1.0 + 1e-7, 2.1]))
        [ True False]
    """

    def build(a: Expression, b: Expression) -> Expression:
        near = apply("less_equal", apply("abs", a - b), apply("abs", b) * rtol + atol)
        result = apply("max", apply("equal", a, b), near * apply("is_finite", b))
        if equal_nan:
            result = apply("max", result, apply("is_nan", a) * apply("is_nan", b))
        return result

    def numbers(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.isclose(a, b, rtol, atol, equal_nan)

    return elementwise("isclose", numbers, build, truth, (x1, x2))


def allclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Tell whether two are equal everywhere within a tolerance; arguments as `isclose`.

    Args:
        x1: an array, a number, a list, a variable or a symbolic tensor; shapes are broadcast.
        x2: the same.
        rtol: tolerance relative to x2. Default 1e-5.
        atol: absolute tolerance. Default 1e-8.
        equal_nan: whether NaN equals NaN. Default False.

    Formula: ``|x1 - x2| <= atol + rtol |x2|`` everywhere

    Example:
        >>> import dnnfast
        >>> bool(dnnfast.ops.allclose([1.0, 2.0], [1.0 + 1e-7, 2.0]))
        True
    """
    from dnnfast.ops.reduction import all

    return all(isclose(x1, x2, rtol, atol, equal_nan))


def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Choose between two element by element.

    Args:
        condition: truth values; shapes are broadcast.
        x1: taken where it is true.
        x2: taken where it is false. Without both: the indices where the condition is true, as
            `nonzero` (of arrays only).

    Raises:
        ValueError: if only one of x1 and x2 is given.

    The gradient goes to what was taken. A NaN in what was not taken stays without effect, but its
    derivative (infinity times 0) need not: make the argument safe, too.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.where([True, False], 1.0, [5.0, 6.0]))
        [1. 6.]
    """
    if (x1 is None) != (x2 is None):
        raise ValueError("where: x1 and x2 must both be given, or none of them.")
    if x1 is None:
        from dnnfast.ops.searching import nonzero

        return nonzero(condition)
    result = result_type(x1, x2)
    if symbolic.is_symbolic(condition, x1, x2):
        return symbolic.map_("where", expressions.select, (condition, x1, x2), result)
    chosen = np.where(array(condition).astype(bool), array(x1, result), array(x2, result))
    return np.asarray(chosen)


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Choose by the first condition that is true.

    Args:
        condlist: a list of truth values.
        choicelist: a list of as many values; shapes are broadcast.
        default: taken where none is true. Default 0.

    Raises:
        ValueError: if the lists are empty or not equally long.

    Example:
        >>> import dnnfast
        >>> x = dnnfast.ops.arange(4)
        >>> print(dnnfast.ops.select([x < 1, x > 2], [-x - 1, x * 10], 5))
        [-1  5  5 30]
    """
    if not condlist or len(condlist) != len(choicelist):
        raise ValueError(
            f"select: {len(condlist)} conditions for {len(choicelist)} choices; there must be as "
            "many of both, and at least one."
        )
    result = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = where(condition, choice, result)
    return result
