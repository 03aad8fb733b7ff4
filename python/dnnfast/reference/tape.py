"""Runs the tapes of element-wise functions (`dnnfast.expressions`) on arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.expressions import TAPE_OPS, number_of
from dnnfast.reference.activation import erf, sigmoid, softplus
from dnnfast.reference.philox import philox, split64

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Positions:
    """The positions that a tape goes through, and what numbers its random bits.

    Args:
        space: sizes.
        batch: samples of the step.
        seed: of the random bits, 64 bits.
        step: number of the step, 64 bits.

    Example:

    >>> Positions((2, 3)).space
    (2, 3)
    """

    space: tuple[int, ...]
    batch: int = 1
    seed: int = 0
    step: int = 0


def _erfinv(x: float) -> float:
    a = abs(x)
    if not a < 1.0:
        return math.copysign(math.inf, x) if a == 1.0 else math.nan
    # The lower tail of the normal distribution: there 1 - a is exact.
    y = -NormalDist().inv_cdf(0.5 * (1.0 - a)) / math.sqrt(2.0)
    if a < 0.5:  # one Newton step on erf, which is accurate near 0
        y -= (math.erf(y) - a) * 0.5 * math.sqrt(math.pi) * math.exp(y * y)
    return math.copysign(y, x)


def erfinv(x: ArrayLike) -> Array:
    """Return the inverse of the error function of every element.

    Args:
        x: in [-1, 1]; NaN beyond.

    Formula: from the quantile of the normal distribution (Wichura, "Algorithm AS 241", Applied
    Statistics 1988): ``-quantile((1 - |x|) / 2) / sqrt(2)``.

    Example:

    >>> erfinv([0.0, 0.520499877813, 1.0]).round(9).tolist()
    [0.0, 0.5, inf]
    """
    with np.errstate(invalid="ignore"):
        return np.vectorize(_erfinv, otypes=[np.float64])(np.asarray(x, dtype=np.float64))


def uniform(positions: Positions, stream: int, word: int) -> Array:
    """Return one random number in [0, 1) for each position.

    Args:
        positions: see `Positions`; they are counted in row-major order.
        stream: number of the random op in its model, 32 bits.
        word: which of the four numbers that a position has, 0 to 3.

    Formula: ``floor(bits / 2^8) / 2^24`` of word ``word`` of Philox with the counter
    ``(i mod 2^32, stream ^ (i >> 32) << 24, step_low, step_high)`` and the seed as key.

    Example:

    >>> bool(0.4 < uniform(Positions((100, 10), seed=3), stream=0, word=0).mean() < 0.6)
    True
    """
    i = np.arange(math.prod(positions.space), dtype=np.uint64)
    high = (i >> np.uint64(32)) << np.uint64(24) & np.uint64(0xFFFFFFFF)
    rest = np.uint64(int(stream) & 0xFFFFFFFF) ^ high
    counter = (i & np.uint64(0xFFFFFFFF), rest, *split64(positions.step))
    bits = philox(counter, split64(positions.seed))[word]
    return ((bits >> np.uint32(8)) * 2.0**-24).reshape(positions.space)


# By the names of `dnnfast.expressions.TAPE_OPS`.
UNARY: dict[str, Callable[[Array], Array]] = {
    "neg": np.negative,
    "abs": np.abs,
    "sign": np.sign,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": erf,
    "erfinv": erfinv,
    "sigmoid": sigmoid,
    "softplus": softplus,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    "is_nan": np.isnan,
    "is_finite": np.isfinite,
}
BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "mod": np.mod,
    "floor_div": lambda a, b: np.floor(a / b),
    "max": np.maximum,
    "min": np.minimum,
    "atan2": np.arctan2,
    "less": np.less,
    "less_equal": np.less_equal,
    "equal": np.equal,
}


def _leaf(op: str, numbers: Sequence[int], operands: Sequence[Array], at: Positions) -> Array:
    a, b, _, bits = numbers
    if op == "input":
        return np.asarray(operands[a], dtype=np.float64)
    if op == "constant":
        # Rounded as in engines, where 1 - 1e-7 is another number, and so is its distance to 1.
        return np.asarray(np.float32(number_of(bits)), dtype=np.float64)
    if op == "coordinate":
        across = [size if axis == a else 1 for axis, size in enumerate(at.space)]
        return np.arange(at.space[a], dtype=np.float64).reshape(across)
    if op == "batch":
        return np.asarray(float(at.batch))
    return uniform(at, a, b)


def run_tape(tape: Sequence[int], operands: Sequence[ArrayLike], positions: Positions) -> Array:
    """Return the values of a tape at all positions.

    Args:
        tape: as `dnnfast.expressions.tape_of` makes it.
        operands: arrays that broadcast to the space of the positions.
        positions: where, see `Positions`.

    Formula: that of the expression; comparisons give 1 or 0, what is not 0 is true, ``floor_div``
    is ``floor(a / b)``, ``mod`` has the sign of ``b``, ``round`` goes to the even neighbour, and
    constants are rounded to float32.

    Example:

    >>> from dnnfast.expressions import operand, tape_of
    >>> run_tape(tape_of(operand(0) * operand(0) + 1.0), [[1.0, 2.0]], Positions((2,)))
    array([2., 5.])
    """
    arrays = [np.asarray(x, dtype=np.float64) for x in operands]
    registers = [np.zeros(())] * tape[0]
    value = registers[0]
    with np.errstate(all="ignore"):
        for begin in range(1, len(tape), 6):
            code, to, *numbers = tape[begin : begin + 6]
            op = TAPE_OPS[code]
            if op in UNARY:
                value = UNARY[op](registers[numbers[0]])
            elif op in BINARY:
                value = BINARY[op](registers[numbers[0]], registers[numbers[1]])
            elif op == "select":
                condition, yes, no = (registers[number] for number in numbers[:3])
                value = np.where(condition != 0.0, yes, no)
            else:
                value = _leaf(op, numbers, arrays, positions)
            value = np.asarray(value, dtype=np.float64)
            registers[to] = value
    return np.array(np.broadcast_to(value, positions.space))
