"""Scalar expressions: what an element-wise function computes, its derivatives, and its tape.

An expression is a tree over the operands of a ``map`` node of the graph. It is described here once;
engines run its tape (csrc/ops/array.h), a list of instructions on registers.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

# The instructions, in the order of TapeOp in csrc/ops/array.h.
_LEAVES = "input constant coordinate batch uniform"
_UNARY = (
    "neg abs sign sqrt exp expm1 log log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh "
    "atanh erf erfinv sigmoid softplus floor ceil round is_nan is_finite"
)
_OTHERS = "add sub mul div pow mod floor_div max min atan2 less less_equal equal select"
TAPE_OPS = f"{_LEAVES} {_UNARY} {_OTHERS}".split()
_CODE = {name: code for code, name in enumerate(TAPE_OPS)}

MAX_OPERANDS = 8
MAX_TAPE = 128
MAX_REGISTERS = 24


class Expression:
    """A scalar function of operands. Operators build larger ones.

    Args:
        op: one of `TAPE_OPS`, or ``"stop"``: its argument, through which no gradient passes.
        args: the expressions it applies to.
        value: of a constant its number; else the numbers that an instruction takes (the operand,
            the axis, the stream and word of random bits).
    """

    __slots__ = ("args", "op", "value")

    def __init__(self, op: str, args: Sequence[Expression] = (), value: Any = None) -> None:
        self.op, self.args, self.value = op, tuple(args), value

    def __add__(self, other: Any) -> Expression:
        other = lift(other)
        if is_constant(self, 0.0):
            return other
        return self if is_constant(other, 0.0) else Expression("add", (self, other))

    def __radd__(self, other: Any) -> Expression:
        return lift(other) + self

    def __sub__(self, other: Any) -> Expression:
        other = lift(other)
        if is_constant(other, 0.0):
            return self
        return -other if is_constant(self, 0.0) else Expression("sub", (self, other))

    def __rsub__(self, other: Any) -> Expression:
        return lift(other) - self

    def __mul__(self, other: Any) -> Expression:
        other = lift(other)
        if is_constant(self, 1.0):
            return other
        if is_constant(other, 1.0):
            return self
        if self.op == other.op == "constant":
            return constant(self.value * other.value)
        return Expression("mul", (self, other))

    def __rmul__(self, other: Any) -> Expression:
        return lift(other) * self

    def __truediv__(self, other: Any) -> Expression:
        other = lift(other)
        return self if is_constant(other, 1.0) else Expression("div", (self, other))

    def __rtruediv__(self, other: Any) -> Expression:
        return lift(other) / self

    def __neg__(self) -> Expression:
        if self.op == "constant":
            return constant(-self.value)
        return self.args[0] if self.op == "neg" else Expression("neg", (self,))


def constant(value: float) -> Expression:
    """Return the expression of a number."""
    return Expression("constant", (), float(value))


def operand(i: int) -> Expression:
    """Return the expression of operand ``i``."""
    return Expression("input", (), i)


def lift(value: Any) -> Expression:
    """Return ``value`` as an expression."""
    return value if isinstance(value, Expression) else constant(value)


def is_constant(e: Expression, value: float) -> bool:
    """Tell whether ``e`` is this number."""
    return e.op == "constant" and bool(e.value == value)


def apply(op: str, *args: Any) -> Expression:
    """Return the application of an instruction to expressions or numbers."""
    return Expression(op, [lift(arg) for arg in args])


def select(condition: Expression, yes: Any, no: Any) -> Expression:
    """Return ``yes`` where the condition is not 0, else ``no``."""
    yes, no = lift(yes), lift(no)
    return yes if yes is no else Expression("select", (condition, yes, no))


def substitute(e: Expression, replace: Any) -> Expression:
    """Return ``e`` with each part without arguments replaced by ``replace(part)``."""
    done: dict[int, Expression] = {}
    for part in in_order(e):
        if part.args:
            done[id(part)] = Expression(part.op, [done[id(a)] for a in part.args], part.value)
        else:
            done[id(part)] = replace(part)
    return done[id(e)]


def in_order(e: Expression) -> list[Expression]:
    """Return all parts, each once and after what it is made of."""
    order: list[Expression] = []
    seen: set[int] = set()
    stack = [(e, False)]
    while stack:
        part, expanded = stack.pop()
        if id(part) in seen:
            continue
        if expanded:
            seen.add(id(part))
            order.append(part)
        else:
            stack.append((part, True))
            stack.extend((arg, False) for arg in reversed(part.args))
    return order


def without_repetition(e: Expression) -> Expression:
    """Return ``e`` with equal parts made one."""
    known: dict[Any, Expression] = {}
    done: dict[int, Expression] = {}
    for part in in_order(e):
        args = tuple(done[id(arg)] for arg in part.args)
        key = (part.op, tuple(id(arg) for arg in args), part.value)
        if key not in known:
            known[key] = Expression(part.op, args, part.value)
        done[id(part)] = known[key]
    return done[id(e)]


# Derivatives. Each rule gives the gradients of the arguments (None is zero) from the arguments, the
# result y and its gradient g.

_HALF_PI_ROOT = 2.0 / math.sqrt(math.pi)


def _abs_gradient(x: Expression, y: Expression, g: Expression) -> Any:
    return (g * apply("sign", x),)


def _pow_gradient(x: Expression, p: Expression, y: Expression, g: Expression) -> Any:
    if p.op == "constant":
        return g * p * (x if p.value == 2.0 else apply("pow", x, p - constant(1.0))), None
    base = select(apply("less", 0.0, x), x, 1.0)  # log where it is defined, as Keras does
    return g * p * apply("pow", x, p - 1.0), g * y * apply("log", base)


def _extremum_gradient(a: Expression, b: Expression, y: Expression, g: Expression) -> Any:
    # Where both are equal each gets half.
    equal = apply("equal", a, b)
    half = g * 0.5
    first = select(equal, half, select(apply("equal", a, y), g, 0.0))
    return first, select(equal, half, select(apply("equal", b, y), g, 0.0))


_RULES: dict[str, Any] = {
    "neg": lambda x, y, g: (-g,),
    "abs": _abs_gradient,
    "sqrt": lambda x, y, g: (g * 0.5 / y,),
    "exp": lambda x, y, g: (g * y,),
    "expm1": lambda x, y, g: (g * (y + 1.0),),
    "log": lambda x, y, g: (g / x,),
    "log1p": lambda x, y, g: (g / (x + 1.0),),
    "sin": lambda x, y, g: (g * apply("cos", x),),
    "cos": lambda x, y, g: (-(g * apply("sin", x)),),
    "tan": lambda x, y, g: (g * (y * y + 1.0),),
    "asin": lambda x, y, g: (g / apply("sqrt", 1.0 - x * x),),
    "acos": lambda x, y, g: (-(g / apply("sqrt", 1.0 - x * x)),),
    "atan": lambda x, y, g: (g / (x * x + 1.0),),
    "sinh": lambda x, y, g: (g * apply("cosh", x),),
    "cosh": lambda x, y, g: (g * apply("sinh", x),),
    "tanh": lambda x, y, g: (g * (1.0 - y * y),),
    "asinh": lambda x, y, g: (g / apply("sqrt", x * x + 1.0),),
    "acosh": lambda x, y, g: (g / apply("sqrt", x * x - 1.0),),
    "atanh": lambda x, y, g: (g / (1.0 - x * x),),
    "erf": lambda x, y, g: (g * _HALF_PI_ROOT * apply("exp", -(x * x)),),
    "erfinv": lambda x, y, g: (g / _HALF_PI_ROOT * apply("exp", y * y),),
    "sigmoid": lambda x, y, g: (g * y * (1.0 - y),),
    "softplus": lambda x, y, g: (g * apply("sigmoid", x),),
    "add": lambda a, b, y, g: (g, g),
    "sub": lambda a, b, y, g: (g, -g),
    "mul": lambda a, b, y, g: (g * b, g * a),
    "div": lambda a, b, y, g: (g / b, -(g * y / b)),
    "pow": _pow_gradient,
    "mod": lambda a, b, y, g: (g, -(g * apply("floor_div", a, b))),
    "max": _extremum_gradient,
    "min": _extremum_gradient,
    "atan2": lambda a, b, y, g: (g * b / (a * a + b * b), -(g * a / (a * a + b * b))),
    "select": lambda c, a, b, y, g: (None, select(c, g, 0.0), select(c, 0.0, g)),
}


def gradients(e: Expression, count: int, gradient: Expression) -> list[Expression | None]:
    """Return the gradients of ``count`` operands, given that of ``e``; None where it is zero."""
    e = without_repetition(e)
    parts = in_order(e)
    depends = {id(part) for part in parts if part.op == "input"}
    for part in parts:
        if part.op in _RULES and any(id(arg) in depends for arg in part.args):
            depends.add(id(part))
    found: dict[int, Expression] = {id(e): gradient}
    for part in reversed(parts):
        g = found.get(id(part))
        if g is None or part.op not in _RULES or id(part) not in depends:
            continue
        for arg, term in zip(part.args, _RULES[part.op](*part.args, part, g), strict=True):
            if term is not None and id(arg) in depends:
                found[id(arg)] = found[id(arg)] + term if id(arg) in found else term
    inputs = {part.value: found.get(id(part)) for part in parts if part.op == "input"}
    return [inputs.get(i) for i in range(count)]


# Tapes.


def _without_stops(e: Expression) -> Expression:
    """Leave out what only stops gradients."""
    done: dict[int, Expression] = {}
    for part in in_order(e):
        args = [done[id(arg)] for arg in part.args]
        done[id(part)] = args[0] if part.op == "stop" else Expression(part.op, args, part.value)
    return done[id(e)]


def _bits(value: float) -> int:
    return int(struct.unpack("<q", struct.pack("<d", value))[0])


def number_of(bits: int) -> float:
    """Return the number whose bits stand for it in a tape."""
    return float(struct.unpack("<d", struct.pack("<q", bits))[0])


def _registers(parts: list[Expression]) -> tuple[dict[int, int], int]:
    """Give each part a register that is free until its last reader has run."""
    last = {id(arg): i for i, part in enumerate(parts) for arg in part.args}
    place: dict[int, int] = {}
    free: list[int] = []
    count = 0
    for i, part in enumerate(parts):
        # The result may not overwrite an argument: vector code reads it again.
        if free:
            place[id(part)] = free.pop()
        else:
            place[id(part)] = count
            count += 1
        free.extend(place[a] for a in dict.fromkeys(id(arg) for arg in part.args) if last[a] == i)
    return place, count


def tape_of(e: Expression) -> list[int] | None:
    """Return the tape of an expression as integers, or None if it is too long.

    The form: number of registers, then six integers an instruction: its code, the register of the
    result, three numbers (registers of arguments; the operand, axis, stream and word), and the bits
    of a constant as a double.
    """
    parts = in_order(without_repetition(_without_stops(e)))
    place, registers = _registers(parts)
    if len(parts) > MAX_TAPE or registers > MAX_REGISTERS:
        return None
    tape = [registers]
    for part in parts:
        numbers = [place[id(arg)] for arg in part.args]
        bits = 0
        if part.op == "constant":
            bits = _bits(part.value)
        elif part.op == "uniform":
            numbers = list(part.value)
        elif part.op in ("input", "coordinate"):
            numbers = [part.value]
        tape += [_CODE[part.op], place[id(part)], *numbers, *[0] * (3 - len(numbers)), bits]
    return tape


def looks_at_positions(e: Expression) -> bool:
    """Tell whether ``e`` depends on where in the space of its map it is computed."""
    return any(part.op in ("coordinate", "uniform") for part in in_order(e))


def is_random(e: Expression) -> bool:
    """Tell whether ``e`` draws random bits."""
    return any(part.op == "uniform" for part in in_order(e))
