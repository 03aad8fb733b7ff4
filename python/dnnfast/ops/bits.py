"""Functions of the bits of integers. In models: of truth values, and shifts."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.expressions import apply, constant
from dnnfast.ops.logic import is_true
from dnnfast.ops.tables import binary, elementwise, same
from dnnfast.ops.values import dtype_of, is_float

_ADVICE = "In a model only truth values (dtype bool) have it; apply it to the data before."


def _bitwise(name: str, function: Any, build: Any, values: tuple[Any, ...]) -> Any:
    for value in values:
        if is_float(dtype_of(value)):
            raise TypeError(f"{name}: expected integers or truth values, got {dtype_of(value)}.")
    if any(dtype_of(value) != "bool" for value in values):
        build = None
    return elementwise(name, function, build, same, values, _ADVICE)


def bitwise_and(x: Any, y: Any) -> Any:
    """Bits that are set in both.

    Args:
        x: integers or truth values (symbolic tensors: only truth values).
        y: the same; shapes are broadcast.

    Raises:
        TypeError: for floats.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.bitwise_and([6, 5], 3))
        [2 1]
    """
    return _bitwise("bitwise_and", np.bitwise_and, lambda a, b: a * b, (x, y))


def bitwise_or(x: Any, y: Any) -> Any:
    """Bits that are set in one of two.

    Args:
        x: integers or truth values (symbolic tensors: only truth values).
        y: the same; shapes are broadcast.

    Raises:
        TypeError: for floats.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.bitwise_or([6, 5], 3))
        [7 7]
    """
    return _bitwise("bitwise_or", np.bitwise_or, lambda a, b: apply("max", a, b), (x, y))


def bitwise_xor(x: Any, y: Any) -> Any:
    """Bits that are set in exactly one of two.

    Args:
        x: integers or truth values (symbolic tensors: only truth values).
        y: the same; shapes are broadcast.

    Raises:
        TypeError: for floats.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.bitwise_xor([6, 5], 3))
        [5 6]
    """

    def build(a: Any, b: Any) -> Any:
        return constant(1.0) - apply("equal", is_true(a), is_true(b))

    return _bitwise("bitwise_xor", np.bitwise_xor, build, (x, y))


def bitwise_not(x: Any) -> Any:
    """All bits the other way.

    Args:
        x: integers or truth values (symbolic tensors: only truth values).

    Raises:
        TypeError: for floats.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.bitwise_not([0, 5]))
        [-1 -6]
    """
    return _bitwise("bitwise_not", np.bitwise_not, lambda a: apply("equal", a, 0.0), (x,))


def bitwise_invert(x: Any) -> Any:
    """All bits the other way; as `bitwise_not`.

    Args:
        x: integers or truth values (symbolic tensors: only truth values).

    Raises:
        TypeError: for floats.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.bitwise_invert([0, 5]))
        [-1 -6]
    """
    return bitwise_not(x)


def _shift(name: str, function: Any, op: str, x: Any, y: Any) -> Any:
    for value in (x, y):
        if is_float(dtype_of(value)):
            raise TypeError(f"{name}: expected integers, got {dtype_of(value)}.")
    build = lambda a, b: apply(op, a, apply("pow", 2.0, b))  # noqa: E731
    return elementwise(name, function, build, same, (x, y))


def left_shift(x: Any, y: Any) -> Any:
    """Bits moved up.

    Args:
        x: integers; up to 2^24 in models.
        y: by how many places; shapes are broadcast.

    Raises:
        TypeError: for floats.

    Formula: ``x * 2^y``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.left_shift([1, 3], 2))
        [ 4 12]
    """
    return _shift("left_shift", np.left_shift, "mul", x, y)


def right_shift(x: Any, y: Any) -> Any:
    """Bits moved down.

    Args:
        x: integers; up to 2^24 in models.
        y: by how many places; shapes are broadcast.

    Raises:
        TypeError: for floats.

    Formula: ``floor(x / 2^y)``

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.right_shift([5, -8], 2))
        [ 1 -2]
    """
    return _shift("right_shift", np.right_shift, "floor_div", x, y)


def bitwise_left_shift(x: Any, y: Any) -> Any:
    """Bits moved up; as `left_shift`.

    Args:
        x: integers; up to 2^24 in models.
        y: by how many places; shapes are broadcast.

    Raises:
        TypeError: for floats.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.bitwise_left_shift([1, 3], 2))
        [ 4 12]
    """
    return left_shift(x, y)


def bitwise_right_shift(x: Any, y: Any) -> Any:
    """Bits moved down; as `right_shift`.

    Args:
        x: integers; up to 2^24 in models.
        y: by how many places; shapes are broadcast.

    Raises:
        TypeError: for floats.

    Example:
        >>> import dnnfast
        >>> print(dnnfast.ops.bitwise_right_shift([5, -8], 2))
        [ 1 -2]
    """
    return right_shift(x, y)


gcd = binary(
    "gcd",
    np.gcd,
    None,
    "The greatest common divisor of integers; on arrays only.",
    "the largest number that divides x1 and x2",
    "[12, 9], 6",
    "[6 3]",
)
lcm = binary(
    "lcm",
    np.lcm,
    None,
    "The least common multiple of integers; on arrays only.",
    "the smallest number that x1 and x2 divide",
    "[4, 9], 6",
    "[12 18]",
)
