"""Element-wise functions as ONNX nodes: the instructions of `dnnfast.expressions`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dnnfast import expressions
from dnnfast.exporting.builder import Builder, Extents
from dnnfast.expressions import Expression
from dnnfast.ops.curves import CURVES

_NAMES = {
    "neg": "Neg", "abs": "Abs", "sign": "Sign", "sqrt": "Sqrt", "exp": "Exp", "log": "Log",
    "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin", "acos": "Acos", "atan": "Atan",
    "sinh": "Sinh", "cosh": "Cosh", "tanh": "Tanh", "asinh": "Asinh", "acosh": "Acosh",
    "atanh": "Atanh", "erf": "Erf", "sigmoid": "Sigmoid", "softplus": "Softplus",
    "floor": "Floor", "ceil": "Ceil", "round": "Round", "add": "Add", "sub": "Sub", "mul": "Mul",
    "div": "Div", "pow": "Pow", "max": "Max", "min": "Min",
}  # fmt: skip
_COMPARISONS = {"less": "Less", "less_equal": "LessOrEqual", "equal": "Equal", "is_nan": "IsNaN"}

# Polynomials of Giles, "Approximating the erfinv function" (GPU Computing Gems, 2011), for single
# precision: of w - 2.5 where w = -log(1 - x^2) < 5, else of sqrt(w) - 3; the highest power first.
_NEAR = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
    -0.00125372503, -0.00417768164, 0.246640727, 1.50140941,
)  # fmt: skip
_FAR = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
    -0.0076224613, 0.00943887047, 1.00167406, 2.83297682,
)  # fmt: skip


def _expm1(b: Builder, x: str) -> str:
    # tanh(x / 2) (e^x + 1): without cancellation near 0.
    half = b.op("Tanh", b.op("Mul", x, b.number(0.5)))
    return b.op("Mul", half, b.op("Add", b.op("Exp", x), b.number(1.0)))


def _log1p(b: Builder, x: str) -> str:
    # log(u) x / (u - 1) with u = 1 + x rounded; the errors of both cancel.
    one = b.number(1.0)
    u = b.op("Add", x, one)
    logarithm = b.op("Log", u)
    exact = b.op("Mul", logarithm, b.op("Div", x, b.op("Sub", u, one)))
    large = b.op("Where", b.op("Less", x, b.number(1e6)), exact, logarithm)
    return b.op("Where", b.op("Equal", u, one), x, large)


def _erfinv(b: Builder, x: str) -> str:
    def polynomial(at: str, coefficients: Sequence[float]) -> str:
        value = b.number(coefficients[0])
        for c in coefficients[1:]:
            value = b.op("Add", b.op("Mul", value, at), b.number(c))
        return b.op("Mul", value, x)

    one = b.number(1.0)
    # (1 - x)(1 + x) keeps its digits where |x| is near 1.
    w = b.op("Neg", b.op("Log", b.op("Mul", b.op("Sub", one, x), b.op("Add", one, x))))
    near = polynomial(b.op("Sub", w, b.number(2.5)), _NEAR)
    far = polynomial(b.op("Sub", b.op("Sqrt", w), b.number(3.0)), _FAR)
    value = b.op("Where", b.op("Less", w, b.number(5.0)), near, far)
    end = b.op("Equal", b.op("Abs", x), one)
    return b.op("Where", end, b.op("Mul", x, b.number(math.inf)), value)


def _is_finite(b: Builder, x: str) -> str:
    return b.op("Not", b.op("Or", b.op("IsNaN", x), b.op("IsInf", x)))


def _mod(b: Builder, x: str, y: str) -> str:
    # The remainder has the sign of x, the result that of y.
    zero = b.number(0.0)
    rest = b.op("Mod", x, y, fmod=1)
    other = b.op("Less", b.op("Mul", b.op("Sign", rest), b.op("Sign", y)), zero)
    return b.op("Where", other, b.op("Add", rest, y), rest)


def _atan2(b: Builder, y: str, x: str) -> str:
    zero = b.number(0.0)
    base = b.op("Atan", b.op("Div", y, x))
    turn = b.op("Where", b.op("Less", y, zero), b.number(-math.pi), b.number(math.pi))
    left = b.op("Where", b.op("Less", x, zero), b.op("Add", base, turn), base)
    axis = b.op("Mul", b.op("Sign", y), b.number(math.pi / 2))
    return b.op("Where", b.op("Equal", x, zero), axis, left)


_COMPOSED: dict[str, Callable[..., str]] = {
    "expm1": _expm1,
    "log1p": _log1p,
    "erfinv": _erfinv,
    "mod": _mod,
    "atan2": _atan2,
    "floor_div": lambda b, x, y: b.op("Floor", b.op("Div", x, y)),
}


class _Function:
    """The nodes of one expression; truth values are kept as such where they are asked for."""

    def __init__(self, b: Builder, operands: Sequence[str], space: Extents) -> None:
        self.b, self.operands, self.space = b, operands, space
        self.found: dict[int, tuple[str, bool]] = {}

    def number(self, part: Expression) -> str:
        name, is_truth = self.found[id(part)]
        return self.b.cast(name, "FLOAT") if is_truth else name

    def truth(self, part: Expression) -> str:
        name, is_truth = self.found[id(part)]
        return name if is_truth else self.b.cast(name, "BOOL")

    def add(self, part: Expression) -> tuple[str, bool]:
        """Add the nodes of a part whose arguments are there; tell whether it is a truth value."""
        b, op = self.b, part.op
        if not part.args:
            return self._leaf(part), False
        if op == "stop":
            return self.found[id(part.args[0])]
        if op == "select":
            yes, no = self.number(part.args[1]), self.number(part.args[2])
            return b.op("Where", self.truth(part.args[0]), yes, no), False
        args = [self.number(arg) for arg in part.args]
        if op in _COMPARISONS:
            return b.op(_COMPARISONS[op], *args), True
        if op == "is_finite":
            return _is_finite(b, *args), True
        if op in _COMPOSED:
            return _COMPOSED[op](b, *args), False
        return b.op(_NAMES[op], *args), False

    def _leaf(self, part: Expression) -> str:
        b = self.b
        if part.op == "input":
            return self.operands[part.value]
        if part.op == "constant":
            return b.number(part.value)
        if part.op == "coordinate":
            return self._coordinate(part.value)
        if part.op == "batch":
            return b.cast(b.size(-1), "FLOAT")
        raise ValueError(
            f"export: layer {b.scope!r} draws random numbers when it predicts, which a file cannot "
            "hold; leave it out, or replace it by a layer that is random in training only."
        )

    def _coordinate(self, axis: int) -> str:
        b, size = self.b, self.space[axis]
        if size >= 0:
            across = [size, *[1] * (len(self.space) - axis - 1)]
            return b.constant(np.arange(size, dtype=np.float32).reshape(across))
        line = b.cast(b.op("Range", b.whole(0), b.size(size), b.whole(1)), "FLOAT")
        return b.unsqueeze(line, range(1, len(self.space) - axis))


def function(
    b: Builder, e: Expression, operands: Sequence[str], shapes: Sequence[Extents], space: Extents
) -> str:
    """Add an element-wise function.

    Args:
        b: the graph.
        e: the function.
        operands: names of its operands.
        shapes: their sizes.
        space: sizes of the result, to which the operands broadcast.

    Raises:
        ValueError: if it draws random numbers.
    """
    nodes = _Function(b, operands, space)
    e = expressions.without_repetition(e)
    filled = [size == 1 for size in space]
    for part in expressions.in_order(e):
        nodes.found[id(part)] = nodes.add(part)
        if part.op == "input":
            shape = shapes[part.value]
            for axis, size in enumerate(shape, len(space) - len(shape)):
                filled[axis] = filled[axis] or size == space[axis]
        if part.op == "coordinate":
            filled[part.value] = True
    value = nodes.number(e)
    ranks = [len(shapes[p.value]) for p in expressions.in_order(e) if p.op == "input"]
    if all(filled) and (max(ranks, default=0) == len(space) or not space):
        return value
    return b.expand(value, space)


_NATIVE: dict[str, tuple[str, str]] = {  # and the attribute that is the first parameter
    "relu": ("Relu", ""), "sigmoid": ("Sigmoid", ""), "tanh": ("Tanh", ""),
    "softplus": ("Softplus", ""), "softsign": ("Softsign", ""), "exponential": ("Exp", ""),
    "selu": ("Selu", ""), "leaky_relu": ("LeakyRelu", "alpha"), "elu": ("Elu", "alpha"),
    "celu": ("Celu", "alpha"), "linear": ("Identity", ""),
}  # fmt: skip


def activation(b: Builder, x: str, extents: Extents, attrs: Any) -> str:
    """Add an activation by the attributes of its node."""
    kind, alpha = attrs["kind"], float(attrs.get("alpha") or 0.0)
    if kind in _NATIVE:
        name, parameter = _NATIVE[kind]
        return b.op(name, x, **({parameter: alpha} if parameter else {}))
    curve = CURVES[kind](expressions.operand(0), alpha, float(attrs.get("beta") or 0.0))
    return function(b, curve, [x], [extents], extents)
