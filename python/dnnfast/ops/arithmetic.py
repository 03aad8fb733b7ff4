"""Functions of two numbers: arithmetic, powers, extremes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast import symbolic
from dnnfast.expressions import Expression, apply, constant, select
from dnnfast.ops.tables import binary, elementwise, number, op, same, to_float
from dnnfast.ops.values import array, dtype_of, is_float


def _fmod(a: Expression, b: Expression) -> Expression:
    return apply("sign", a) * apply("mod", apply("abs", a), apply("abs", b))


def _unless_nan(name: str) -> Any:
    def build(a: Expression, b: Expression) -> Expression:
        of_b = select(apply("is_nan", b), a, apply(name, a, b))
        return select(apply("is_nan", a), b, of_b)

    return build


def _log_add(scale: float) -> Any:
    def build(a: Expression, b: Expression) -> Expression:
        # Equal infinities have no difference: then the larger one is the result.
        distance = (a - b) * scale
        total = b + apply("softplus", distance) * (1.0 / scale)
        return select(apply("is_nan", distance), apply("max", a, b), total)

    return build


def _divide_no_nan(a: Expression, b: Expression) -> Expression:
    zero = apply("equal", b, 0.0)
    return select(zero, 0.0, a / select(zero, 1.0, b))


def _divide_no_nan_numbers(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.where(b == 0, 0, a / np.where(b == 0, 1, b))


def _heaviside(a: Expression, b: Expression) -> Expression:
    step = select(apply("equal", a, 0.0), b, apply("less", 0.0, a))
    return select(apply("is_nan", a), a, step)


add = binary(
    "add",
    np.add,
    lambda a, b: a + b,
    "Adds.",
    "x1 + x2",
    "[1, 2], 3",
    "[4 5]",
    rule=same,
)
subtract = binary(
    "subtract", np.subtract, lambda a, b: a - b, "Subtracts.", "x1 - x2", "[1, 2], 3", "[-2 -1]"
)
multiply = binary(
    "multiply", np.multiply, lambda a, b: a * b, "Multiplies.", "x1 x2", "[1, 2], 3", "[3 6]"
)
divide = binary(
    "divide",
    np.true_divide,
    lambda a, b: a / b,
    "Divides; the result is a float.",
    "x1 / x2",
    "[1, 2], 4",
    "[0.25 0.5 ]",
    rule=to_float,
)
true_divide = binary(
    "true_divide",
    np.true_divide,
    lambda a, b: a / b,
    "Divides; as `divide`.",
    "x1 / x2",
    "[1, 2], 4",
    "[0.25 0.5 ]",
    rule=to_float,
)
divide_no_nan = binary(
    "divide_no_nan",
    _divide_no_nan_numbers,
    _divide_no_nan,
    "Divides; the result is 0 where the divisor is.",
    "x1 / x2, or 0 where x2 = 0",
    "[1, 2], [4, 0]",
    "[0.25 0.  ]",
    rule=to_float,
)
floor_divide = binary(
    "floor_divide",
    np.floor_divide,
    op("floor_div"),
    "Divides and rounds down.",
    "floor(x1 / x2); its derivative is 0",
    "[7, -7], 2",
    "[ 3 -4]",
    rule=number,
)
mod = binary(
    "mod",
    np.mod,
    op("mod"),
    "The remainder of `floor_divide`: of the sign of the divisor.",
    "x1 - x2 floor(x1 / x2)",
    "[7, -7], 3",
    "[1 2]",
    rule=number,
)
fmod = binary(
    "fmod",
    np.fmod,
    _fmod,
    "The remainder of the sign of the dividend.",
    "x1 - x2 trunc(x1 / x2)",
    "[7, -7], 3",
    "[ 1 -1]",
    rule=number,
)
maximum = binary(
    "maximum",
    np.maximum,
    op("max"),
    "The larger one; NaN stays. Equal ones share the gradient.",
    "max(x1, x2)",
    "[1, 5], 3",
    "[3 5]",
)
minimum = binary(
    "minimum",
    np.minimum,
    op("min"),
    "The smaller one; NaN stays. Equal ones share the gradient.",
    "min(x1, x2)",
    "[1, 5], 3",
    "[1 3]",
)
fmax = binary(
    "fmax",
    np.fmax,
    _unless_nan("max"),
    "The larger one; the other one where one is NaN.",
    "max(x1, x2)",
    "[1, 5], 3",
    "[3 5]",
)
fmin = binary(
    "fmin",
    np.fmin,
    _unless_nan("min"),
    "The smaller one; the other one where one is NaN.",
    "min(x1, x2)",
    "[1, 5], 3",
    "[1 3]",
)
arctan2 = binary(
    "arctan2",
    np.arctan2,
    op("atan2"),
    "The angle of the point (x2, x1).",
    "atan(x1 / x2) in its quadrant",
    "[0.0, 1.0], [-1.0, 1.0]",
    "[3.142 0.785]",
    rule=to_float,
)
hypot = binary(
    "hypot",
    np.hypot,
    lambda a, b: apply("sqrt", a * a + b * b),
    "The hypotenuse of a right triangle.",
    "sqrt(x1^2 + x2^2)",
    "[3.0, 5.0], [4.0, 12.0]",
    "[ 5. 13.]",
    rule=to_float,
)
logaddexp = binary(
    "logaddexp",
    np.logaddexp,
    _log_add(1.0),
    "The logarithm of a sum of exponentials.",
    "ln(e^x1 + e^x2)",
    "[0.0, 1000.0], 0.0",
    "[6.93e-01 1.00e+03]",
    rule=to_float,
)
logaddexp2 = binary(
    "logaddexp2",
    np.logaddexp2,
    _log_add(math.log(2.0)),
    "The logarithm (of base 2) of a sum of powers of 2.",
    "log2(2^x1 + 2^x2)",
    "[0.0, 1000.0], 0.0",
    "[   1. 1000.]",
    rule=to_float,
)
heaviside = binary(
    "heaviside",
    np.heaviside,
    _heaviside,
    "The step function, with its value at 0.",
    "0 for x1 < 0, x2 at 0, 1 for x1 > 0",
    "[-1.0, 0.0, 2.0], 0.5",
    "[0.  0.5 1. ]",
    rule=to_float,
)
nextafter = binary(
    "nextafter",
    np.nextafter,
    None,
    "The next float from one number towards another; on arrays only.",
    "the float next to x1 in the direction of x2",
    "[1.0], 2.0",
    "[1.]",
    rule=to_float,
)


def power(x1: Any, x2: Any) -> Any:
    """A number to the power of another.

    Args:
        x1: an array, a number, a list, a variable or a symbolic tensor; shapes are broadcast.
        x2: the same.

    Formula: ``x1^x2``. The derivative by the exponent is 0 where x1 <= 0.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.power([1, 2, 3], 2))
        [1 4 9]
    """
    return elementwise("power", _power_numbers, op("pow"), same, (x1, x2))


def _power_numbers(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    if a.dtype.kind in "iu" and (b < 0).any():
        return np.power(a.astype(np.float64), b)  # integers would raise
    return np.power(a, b)


def ldexp(x1: Any, x2: Any) -> Any:
    """A number times a power of 2.

    Args:
        x1: an array, a number, a list, a variable or a symbolic tensor; shapes are broadcast.
        x2: the same, of integers.

    Raises:
        TypeError: if x2 does not hold integers.

    Formula: ``x1 * 2^x2``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.ldexp([1.0, 3.0], [2, 3]))
        [ 4. 24.]
    """
    if is_float(dtype_of(x2)):
        raise TypeError(f"ldexp: x2 must hold integers, got {dtype_of(x2)}.")

    def rule(a: Any, b: Any) -> tuple[str, str]:
        return to_float(a)

    def numbers(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.ldexp(a, b.astype(np.int32))

    return elementwise("ldexp", numbers, lambda a, b: a * apply("pow", 2.0, b), rule, (x1, x2))


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Replace what lies outside of limits by the limits.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        x_min: the lower limit (a number or anything that x can be), or None.
        x_max: the upper limit, or None.

    Formula: ``min(max(x, x_min), x_max)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.clip([-1.0, 0.5, 7.0], 0.0, 1.0))
        [0.  0.5 1. ]
    """
    limits = [limit for limit in (x_min, x_max) if limit is not None]

    def build(e: Expression, *args: Expression) -> Expression:
        rest = list(args)
        e = e if x_min is None else apply("max", e, rest.pop(0))
        return e if x_max is None else apply("min", e, rest.pop(0))

    def numbers(e: np.ndarray, *args: np.ndarray) -> np.ndarray:
        rest = list(args)
        e = e if x_min is None else np.maximum(e, rest.pop(0))
        return e if x_max is None else np.minimum(e, rest.pop(0))

    return elementwise("clip", numbers, build, number, (x, *limits))


def round(x: Any, decimals: int = 0) -> Any:
    """Round to so many decimals, halves to even numbers.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        decimals: an integer; negative ones round to tens and so on. Default 0.

    Formula: ``round(x * 10^decimals) / 10^decimals``; its derivative is 0.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.round([1.26, 2.5], 1), dnnfast.ops.round([0.5, 1.5]))
        [1.3 2.5] [0. 2.]
    """
    scale = 10.0 ** abs(decimals)

    def build(e: Expression) -> Expression:
        if decimals == 0:
            return apply("round", e)
        if decimals > 0:
            return apply("round", e * scale) / constant(scale)
        return apply("round", e / constant(scale)) * scale

    return elementwise("round", lambda a: np.round(a, decimals), build, same, (x,))


def nan_to_num(
    x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """Replace NaN and infinities.

    Args:
        x: an array, a number, a list, a variable or a symbolic tensor.
        nan: replaces NaN. Default 0.
        posinf: replaces infinity. Default the largest float.
        neginf: replaces minus infinity. Default the smallest float.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.nan_to_num([1.0, float("nan"), float("inf")], posinf=9.0))
        [1. 0. 9.]
    """
    if not is_float(dtype_of(x)):
        return x if symbolic.is_symbolic(x) else array(x)
    largest = float(np.finfo(np.float32).max)
    high = largest if posinf is None else posinf
    low = -largest if neginf is None else neginf

    def build(e: Expression) -> Expression:
        finite = select(apply("less", 0.0, e), high, low)
        return select(apply("is_finite", e), e, select(apply("is_nan", e), nan, finite))

    def numbers(a: np.ndarray) -> np.ndarray:
        return np.nan_to_num(a, nan=nan, posinf=posinf, neginf=neginf)

    return elementwise("nan_to_num", numbers, build, same, (x,))
