"""Calls of the functions of `dnnfast.ops`: what each test of the folder goes through.

A case calls a function of the module it is given, so that the same line runs with `dnnfast.ops`,
with `keras.ops`, and with NumPy where the function is one of NumPy's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

BATCH = 5


@dataclass(frozen=True)
class Case:
    """A call. ``numpy``: the same in NumPy; True: NumPy's own function; None: the table has none.

    ``inputs`` names arrays of `INPUTS`; ``smooth`` tells whether it can be differentiated.
    """

    name: str
    call: Callable[..., Any]
    inputs: str = "x"
    numpy: Any = True
    smooth: bool = True
    label: str = ""

    def __str__(self) -> str:
        return f"{self.name}-{self.label or self.inputs}"

    def arrays(self) -> list[np.ndarray]:
        """Return the inputs."""
        return [INPUTS[key] for key in self.inputs]

    def formula(self, *arrays: np.ndarray) -> Any:
        """Return what NumPy gives, in float64 where the inputs are floats."""
        wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
        with np.errstate(all="ignore"):
            return self.call(np, *wide) if self.numpy is True else self.numpy(*wide)


def _inputs() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(11)

    def floats(low: float, high: float, *shape: int) -> np.ndarray:
        return draw.uniform(low, high, (BATCH, *shape)).astype(np.float32)

    return {
        "x": floats(-2.0, 2.0, 6),
        "y": floats(-2.0, 2.0, 6),
        "p": floats(0.2, 2.0, 6),  # positive
        "u": floats(-0.9, 0.9, 6),  # inside (-1, 1)
        "g": floats(1.1, 3.0, 6),  # greater than 1
        "c": floats(-2.0, 2.0, 3, 4),
        "d": floats(-2.0, 2.0, 4, 3),
        "s": floats(-2.0, 2.0, 3, 3),  # square
        "t": floats(-2.0, 2.0, 3),
        "v": floats(-2.0, 2.0),
        "i": draw.integers(0, 6, (BATCH, 6)).astype(np.int32),
        "k": draw.integers(1, 6, (BATCH, 6)).astype(np.int32),
        "n": draw.integers(-5, 6, (BATCH, 6)).astype(np.int32),
        "j": draw.integers(0, 4, BATCH).astype(np.int32),
        "b": draw.integers(0, 2, (BATCH, 6)).astype(bool),
        "w": np.array([[np.nan, 1.5, np.inf, -np.inf, -0.0, -2.5]] * BATCH, np.float32),
        "z": np.where(draw.random((BATCH, 6)) < 0.3, np.nan, floats(-2.0, 2.0, 6)).astype("f"),
        "o": (lambda a: a / a.sum(1, keepdims=True))(floats(0.1, 1.0, 6)),  # probabilities
    }


INPUTS = _inputs()


def plain(name: str, inputs: str = "x", smooth: bool = True, numpy: Any = True) -> Case:
    """Return the case of a function called on its inputs alone."""
    return Case(name, lambda k, *x: getattr(k, name)(*x), inputs, numpy, smooth)


_erf = np.vectorize(math.erf)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


UNARY = [
    *(
        plain(name)
        for name in [
            "exp",
            "exp2",
            "expm1",
            "sin",
            "cos",
            "tan",
            "arctan",
            "sinh",
            "cosh",
            "arcsinh",
        ]
    ),
    *(plain(name, "p") for name in ["log", "log2", "log10", "log1p", "sqrt", "cbrt", "reciprocal"]),
    *(plain(name, "u") for name in ["arcsin", "arccos", "arctanh", "sinc", "tan"]),
    *(plain(name) for name in ["square", "absolute", "abs", "fabs", "negative"]),
    *(plain(name) for name in ["deg2rad", "rad2deg", "real", "conj", "conjugate", "tanh"]),
    *(plain(name, smooth=False) for name in ["floor", "ceil", "trunc", "sign", "imag", "angle"]),
    *(
        plain(name, "w", smooth=False)
        for name in ["isnan", "isinf", "isfinite", "isreal", "signbit"]
    ),
    *(plain(name, "w", smooth=False) for name in ["isposinf", "isneginf", "logical_not", "sign"]),
    *(plain(name, "b", smooth=False) for name in ["logical_not", "bitwise_not"]),
    *(
        plain(name, "n", smooth=False)
        for name in ["exp", "floor", "abs", "sign", "square", "negative"]
    ),
    plain("square", "b", False, lambda b: b.astype(int)),
    plain("exp", "b", False, lambda b: np.exp(b.astype(float))),
    plain("arccosh", "g"),
    plain("rsqrt", "p", numpy=lambda x: 1 / np.sqrt(x)),
    plain("erf", numpy=_erf),
    plain("erfc", numpy=lambda x: 1 - _erf(x)),
    plain("erfinv", "u", numpy=None),
    plain("bitwise_invert", "b", smooth=False, numpy=np.invert),
    Case("round", lambda k, x: k.round(x), smooth=False),
    Case("round", lambda k, x: k.round(x, 1), smooth=False, label="1"),
    Case("round", lambda k, x: k.round(x, -1), "g", smooth=False, label="-1"),
    Case("clip", lambda k, x: k.clip(x, -0.5, 1.25)),
    Case("clip", lambda k, x: k.clip(x, -2, 3), "n", smooth=False),
    Case(
        "nan_to_num",
        lambda k, x: k.nan_to_num(x, nan=1.0, posinf=5.0, neginf=-7.0),
        "w",
        True,
        False,
    ),
    Case("nan_to_num", lambda k, x: k.nan_to_num(x), smooth=True, label="finite"),
    Case("cast", lambda k, x: k.cast(x, "int32"), numpy=lambda x: x.astype(int), smooth=False),
    Case("cast", lambda k, x: k.cast(x, "bool"), "n", lambda x: x != 0, False),
    Case("cast", lambda k, x: k.cast(x, "float32"), "n", lambda x: x.astype(float), False),
    Case(
        "saturate_cast",
        lambda k, x: k.saturate_cast(x * 100, "int8"),
        numpy=lambda x: np.clip(x * 100, -128, 127).astype(int),
        smooth=False,
    ),
    Case("stop_gradient", lambda k, x: k.stop_gradient(x) * x, numpy=lambda x: x * x, smooth=False),
    Case("copy", lambda k, x: k.copy(x)),
    Case("array", lambda k, x: k.array(x)),
    Case("convert_to_tensor", lambda k, x: k.convert_to_tensor(x), numpy=lambda x: x),
]

BINARY = [
    *(plain(name, "xy") for name in ["add", "subtract", "multiply", "maximum", "minimum", "hypot"]),
    *(plain(name, "xy") for name in ["logaddexp", "logaddexp2", "fmax", "fmin", "arctan2"]),
    *(plain(name, "xp") for name in ["divide", "true_divide", "mod", "fmod"]),
    plain("power", "px"),
    *(plain(name, "xy", False) for name in ["floor_divide", "heaviside"]),
    *(plain(name, "nk", False) for name in ["add", "divide", "floor_divide", "mod", "fmod"]),
    *(plain(name, "ik", False) for name in ["power", "left_shift", "maximum"]),
    *(plain(name, "nk", False) for name in ["equal", "not_equal", "less", "less_equal"]),
    *(plain(name, "nk", False) for name in ["greater", "greater_equal", "right_shift"]),
    *(plain(name, "xy", False) for name in ["less", "greater", "equal"]),
    *(plain(name, "bn", False) for name in ["logical_and", "logical_or", "logical_xor"]),
    *(plain(f"bitwise_{name}", "bb", False) for name in ["and", "or", "xor"]),
    plain("add", "xn", False),
    plain("multiply", "bx", False),
    plain("fmax", "wx", False),
    plain("fmin", "wx", False),
    plain("maximum", "wx", False),
    plain("isclose", "xw", False),
    Case(
        "bitwise_left_shift", lambda k, i, n: k.bitwise_left_shift(i, n), "ik", np.left_shift, False
    ),
    Case(
        "bitwise_right_shift",
        lambda k, i, n: k.bitwise_right_shift(i, n),
        "nk",
        np.right_shift,
        False,
    ),
    Case("ldexp", lambda k, x, n: k.ldexp(x, n), "xn", smooth=False),
    Case("add", lambda k, x: k.add(x, 2.5), label="number"),
    Case("multiply", lambda k, x, v: k.multiply(x, k.reshape(v, (-1, 1))), "xv", label="column"),
    Case("multiply", lambda k, x: k.multiply(x, np.arange(6, dtype="float32")), label="row"),
    Case("power", lambda k, x: k.power(x, 3), label="cube"),
    Case("power", lambda k, x: k.power(2.0, x), label="of 2"),
    Case(
        "divide_no_nan",
        lambda k, x, n: k.divide_no_nan(x, n),
        "xn",
        lambda x, n: np.where(n == 0, 0, x / np.where(n == 0, 1, n)),
        False,
    ),
    Case("allclose", lambda k, x: k.allclose(x, x + 1e-7), smooth=False),
    Case("isclose", lambda k, x: k.isclose(x, x, equal_nan=True), "w", smooth=False, label="nan"),
    Case("where", lambda k, b, x, y: k.where(b, x, y), "bxy", smooth=False),
    Case("where", lambda k, x: k.where(x > 0, x * x, 3.0), label="number"),
    Case(
        "select",
        lambda k, x: k.select([x < -1, x > 1], [x * x, -x], 0.5),
    ),
    Case("isin", lambda k, n: k.isin(n, [1, -2, 3]), "n", smooth=False),
    Case(
        "isin", lambda k, n: k.isin(n, [1, -2, 3], invert=True), "n", smooth=False, label="invert"
    ),
]


def _leaky(x: np.ndarray, low: Any) -> np.ndarray:
    return np.where(x > 0, x, low)


SELU = (1.0507009873554805, 1.6732632423543772)
CURVES = [
    plain("relu", numpy=lambda x: np.maximum(x, 0)),
    plain("relu", "n", False, numpy=lambda x: np.maximum(x, 0)),
    plain("relu6", numpy=lambda x: np.clip(x, 0, 6)),
    plain("sigmoid", numpy=_sigmoid),
    plain("softplus", numpy=lambda x: np.log1p(np.exp(x))),
    plain("softsign", numpy=lambda x: x / (1 + np.abs(x))),
    plain("log_sigmoid", numpy=lambda x: np.log(_sigmoid(x))),
    plain("silu", numpy=lambda x: x * _sigmoid(x)),
    plain("swish", numpy=lambda x: x * _sigmoid(x)),
    plain("selu", numpy=lambda x: SELU[0] * _leaky(x, SELU[1] * np.expm1(x))),
    plain("elu", numpy=lambda x: _leaky(x, np.expm1(x))),
    plain("hard_sigmoid", numpy=lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    plain("hard_silu", numpy=lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    plain("hard_swish", numpy=lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    plain("hard_tanh", numpy=lambda x: np.clip(x, -1, 1)),
    plain("tanh_shrink", numpy=lambda x: x - np.tanh(x)),
    plain("sparse_plus", numpy=lambda x: np.select([x <= -1, x < 1], [0, (x + 1) ** 2 / 4], x)),
    plain("sparse_sigmoid", numpy=lambda x: np.clip((x + 1) / 2, 0, 1)),
    plain("leaky_relu", numpy=lambda x: _leaky(x, 0.2 * x)),
    Case(
        "elu", lambda k, x: k.elu(x, 0.7), numpy=lambda x: _leaky(x, 0.7 * np.expm1(x)), label="0.7"
    ),
    Case("celu", lambda k, x: k.celu(x, 0.7), numpy=lambda x: _leaky(x, 0.7 * np.expm1(x / 0.7))),
    Case("gelu", lambda k, x: k.gelu(x), numpy=None),
    Case(
        "gelu",
        lambda k, x: k.gelu(x, approximate=False),
        numpy=lambda x: x * 0.5 * (1 + _erf(x / math.sqrt(2))),
        label="exact",
    ),
    Case("squareplus", lambda k, x: k.squareplus(x), numpy=lambda x: (x + np.sqrt(x * x + 4)) / 2),
    Case(
        "soft_shrink",
        lambda k, x: k.soft_shrink(x),
        numpy=lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    ),
    Case("hard_shrink", lambda k, x: k.hard_shrink(x), numpy=lambda x: x * (np.abs(x) > 0.5)),
    Case(
        "threshold",
        lambda k, x: k.threshold(x, 0.3, -1.0),
        numpy=lambda x: np.where(x > 0.3, x, -1.0),
    ),
    Case("glu", lambda k, x: k.glu(x), numpy=lambda x: x[:, :3] * _sigmoid(x[:, 3:])),
    Case("glu", lambda k, x: k.glu(x, axis=1), "d", lambda x: x[:, :2] * _sigmoid(x[:, 2:])),
    # On what is not one row a sample: a transposed tensor.
    *(
        Case(name, lambda k, x, name=name: getattr(k, name)(k.transpose(x)), label="T", numpy=None)
        for name in [
            "relu",
            "relu6",
            "selu",
            "elu",
            "celu",
            "silu",
            "gelu",
            "sigmoid",
            "tanh",
            "softplus",
            "softsign",
        ]
    ),
    *(
        Case(name, lambda k, x, name=name: getattr(k, name)(k.transpose(x)), label="T", numpy=None)
        for name in [
            "hard_sigmoid",
            "hard_silu",
            "hard_tanh",
            "hard_shrink",
            "soft_shrink",
            "tanh_shrink",
        ]
    ),
    *(
        Case(name, lambda k, x, name=name: getattr(k, name)(k.transpose(x)), label="T", numpy=None)
        for name in ["log_sigmoid", "squareplus", "leaky_relu"]
    ),
    Case("threshold", lambda k, x: k.threshold(k.transpose(x), 0.3, 2.0), numpy=None, label="T"),
]
