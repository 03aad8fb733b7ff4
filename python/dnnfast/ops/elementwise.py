"""Functions of one number: exponentials, powers, trigonometry, rounding, signs."""

from __future__ import annotations

import math

import numpy as np

from dnnfast.expressions import Expression, apply, constant, select
from dnnfast.ops import special
from dnnfast.ops.tables import number, op, same, unary

_LN2 = math.log(2.0)


def _sinc(x: Expression) -> Expression:
    # The inner choice keeps 0/0 out of the derivative.
    zero = apply("equal", x, 0.0)
    safe = select(zero, 1.0, x * math.pi)
    return select(zero, 1.0, apply("sin", safe) / safe)


def _trunc(x: Expression) -> Expression:
    return apply("sign", x) * apply("floor", apply("abs", x))


def _cbrt(x: Expression) -> Expression:
    return apply("sign", x) * apply("pow", apply("abs", x), 1.0 / 3.0)


def _angle(x: Expression) -> Expression:
    return select(apply("less", x, 0.0), math.pi, 0.0)


def _same(x: Expression) -> Expression:
    return x


# Exponentials and logarithms.
exp = unary("exp", np.exp, op("exp"), "The exponential.", "e^x", "[0.0, 1.0]", "[1.    2.718]")
exp2 = unary(
    "exp2",
    np.exp2,
    lambda x: apply("exp", x * _LN2),
    "Powers of 2.",
    "2^x",
    "[0.0, 3.0]",
    "[1. 8.]",
)
expm1 = unary(
    "expm1",
    np.expm1,
    op("expm1"),
    "The exponential minus 1, exact for small x.",
    "e^x - 1",
    "[0.0, 1.0]",
    "[0.    1.718]",
)
log = unary(
    "log", np.log, op("log"), "The natural logarithm.", "ln(x)", "[1.0, 10.0]", "[0.    2.303]"
)
log1p = unary(
    "log1p",
    np.log1p,
    op("log1p"),
    "The natural logarithm of 1 + x, exact for small x.",
    "ln(1 + x)",
    "[0.0, 1.0]",
    "[0.    0.693]",
)
log2 = unary(
    "log2",
    np.log2,
    lambda x: apply("log", x) * (1.0 / _LN2),
    "The logarithm of base 2.",
    "ln(x) / ln(2)",
    "[1.0, 8.0]",
    "[0. 3.]",
)
log10 = unary(
    "log10",
    np.log10,
    lambda x: apply("log", x) * (1.0 / math.log(10.0)),
    "The logarithm of base 10.",
    "ln(x) / ln(10)",
    "[1.0, 1000.0]",
    "[0. 3.]",
)

# Powers.
sqrt = unary(
    "sqrt", np.sqrt, op("sqrt"), "The square root.", "x^(1/2)", "[1.0, 2.0]", "[1.    1.414]"
)
rsqrt = unary(
    "rsqrt",
    lambda x: 1.0 / np.sqrt(x),
    lambda x: constant(1.0) / apply("sqrt", x),
    "The reciprocal of the square root.",
    "x^(-1/2)",
    "[1.0, 4.0]",
    "[1.  0.5]",
)
cbrt = unary("cbrt", np.cbrt, _cbrt, "The cube root.", "x^(1/3)", "[8.0, -27.0]", "[ 2. -3.]")
square = unary(
    "square",
    np.square,
    lambda x: x * x,
    "The square; truth values become int32.",
    "x^2",
    "[2, -3]",
    "[4 9]",
    rule=number,
)
reciprocal = unary(
    "reciprocal",
    np.reciprocal,
    lambda x: constant(1.0) / x,
    "The reciprocal.",
    "1 / x",
    "[2.0, 4.0]",
    "[0.5  0.25]",
)

# Trigonometry.
sin = unary("sin", np.sin, op("sin"), "The sine.", "sin(x)", "[0.0, 1.0]", "[0.    0.841]")
cos = unary("cos", np.cos, op("cos"), "The cosine.", "cos(x)", "[0.0, 1.0]", "[1.   0.54]")
tan = unary(
    "tan", np.tan, op("tan"), "The tangent.", "sin(x) / cos(x)", "[0.0, 1.0]", "[0.    1.557]"
)
arcsin = unary(
    "arcsin",
    np.arcsin,
    op("asin"),
    "The inverse of the sine.",
    "asin(x)",
    "[0.0, 1.0]",
    "[0.    1.571]",
)
arccos = unary(
    "arccos",
    np.arccos,
    op("acos"),
    "The inverse of the cosine.",
    "acos(x)",
    "[0.0, 1.0]",
    "[1.571 0.   ]",
)
arctan = unary(
    "arctan",
    np.arctan,
    op("atan"),
    "The inverse of the tangent.",
    "atan(x)",
    "[0.0, 1.0]",
    "[0.    0.785]",
)
sinh = unary(
    "sinh",
    np.sinh,
    op("sinh"),
    "The hyperbolic sine.",
    "(e^x - e^-x) / 2",
    "[0.0, 1.0]",
    "[0.    1.175]",
)
cosh = unary(
    "cosh",
    np.cosh,
    op("cosh"),
    "The hyperbolic cosine.",
    "(e^x + e^-x) / 2",
    "[0.0, 1.0]",
    "[1.    1.543]",
)
arcsinh = unary(
    "arcsinh",
    np.arcsinh,
    op("asinh"),
    "The inverse of the hyperbolic sine.",
    "ln(x + sqrt(x^2 + 1))",
    "[0.0, 1.0]",
    "[0.    0.881]",
)
arccosh = unary(
    "arccosh",
    np.arccosh,
    op("acosh"),
    "The inverse of the hyperbolic cosine.",
    "ln(x + sqrt(x^2 - 1))",
    "[1.0, 2.0]",
    "[0.    1.317]",
)
arctanh = unary(
    "arctanh",
    np.arctanh,
    op("atanh"),
    "The inverse of the hyperbolic tangent.",
    "ln((1 + x) / (1 - x)) / 2",
    "[0.0, 0.5]",
    "[0.    0.549]",
)
sinc = unary(
    "sinc",
    np.sinc,
    _sinc,
    "The sine of pi x over pi x.",
    "sin(pi x) / (pi x), 1 at 0",
    "[0.0, 0.5]",
    "[1.    0.637]",
)
deg2rad = unary(
    "deg2rad",
    np.deg2rad,
    lambda x: x * (math.pi / 180.0),
    "Degrees as radians.",
    "pi x / 180",
    "[0.0, 180.0]",
    "[0.    3.142]",
)
rad2deg = unary(
    "rad2deg",
    np.rad2deg,
    lambda x: x * (180.0 / math.pi),
    "Radians as degrees.",
    "180 x / pi",
    "[0.0, 3.0]",
    "[  0.    171.887]",
)

# Special functions.
erf = unary(
    "erf",
    special.erf,
    op("erf"),
    "The error function.",
    "2 / sqrt(pi) * integral of e^(-t^2) from 0 to x",
    "[0.0, 1.0]",
    "[0.    0.843]",
)
erfc = unary(
    "erfc",
    special.erfc,
    lambda x: constant(1.0) - apply("erf", x),
    "The complement of the error function.",
    "1 - erf(x)",
    "[0.0, 1.0]",
    "[1.    0.157]",
)
erfinv = unary(
    "erfinv",
    special.erfinv,
    op("erfinv"),
    "The inverse of the error function.",
    "erf(erfinv(x)) = x",
    "[0.0, 0.5]",
    "[0.    0.477]",
)
i0 = unary(
    "i0",
    np.i0,
    None,
    "The modified Bessel function of order 0; on arrays only.",
    "sum of (x^2 / 4)^k / (k!)^2 over k",
    "[0.0, 1.0]",
    "[1.    1.266]",
)

# Rounding.
floor = unary(
    "floor",
    np.floor,
    op("floor"),
    "The largest whole number that is not above x.",
    "floor(x); its derivative is 0",
    "[1.5, -1.5]",
    "[ 1. -2.]",
)
ceil = unary(
    "ceil",
    np.ceil,
    op("ceil"),
    "The smallest whole number that is not below x.",
    "ceil(x); its derivative is 0",
    "[1.5, -1.5]",
    "[ 2. -1.]",
)
trunc = unary(
    "trunc",
    np.trunc,
    _trunc,
    "The whole part of x.",
    "sign(x) floor(|x|); its derivative is 0",
    "[1.5, -1.5]",
    "[ 1. -1.]",
    rule=same,
)

# Signs.
absolute = unary(
    "absolute",
    np.absolute,
    op("abs"),
    "The absolute value.",
    "|x|; its derivative at 0 is 0",
    "[1.5, -1.5]",
    "[1.5 1.5]",
    rule=same,
)
abs = unary(
    "abs",
    np.absolute,
    op("abs"),
    "The absolute value; as `absolute`.",
    "|x|; its derivative at 0 is 0",
    "[1.5, -1.5]",
    "[1.5 1.5]",
    rule=same,
)
fabs = unary(
    "fabs", np.fabs, op("abs"), "The absolute value, as a float.", "|x|", "[1, -2]", "[1. 2.]"
)
negative = unary(
    "negative",
    np.negative,
    lambda x: -x,
    "Changes the sign.",
    "-x",
    "[1, -2]",
    "[-1  2]",
    rule=same,
)
sign = unary(
    "sign",
    np.sign,
    op("sign"),
    "The sign.",
    "1 for x > 0, -1 for x < 0, else 0; its derivative is 0",
    "[2.0, 0.0, -3.0]",
    "[ 1.  0. -1.]",
    rule=same,
)

# Complex numbers: models hold real ones.
real = unary("real", np.real, _same, "The real part.", "x for a real x", "[1.0, -2.0]", "[ 1. -2.]")
imag = unary(
    "imag",
    np.imag,
    lambda x: constant(0.0),
    "The imaginary part.",
    "0 for a real x",
    "[1.0]",
    "[0.]",
)
conj = unary(
    "conj",
    np.conj,
    _same,
    "The complex conjugate.",
    "x for a real x",
    "[1.0, -2.0]",
    "[ 1. -2.]",
    rule=same,
)
conjugate = unary(
    "conjugate",
    np.conj,
    _same,
    "The complex conjugate; as `conj`.",
    "x for a real x",
    "[1.0, -2.0]",
    "[ 1. -2.]",
    rule=same,
)
angle = unary(
    "angle",
    np.angle,
    _angle,
    "The angle in the complex plane.",
    "0 for a real x >= 0, pi for x < 0",
    "[1.0, -2.0]",
    "[0.    3.142]",
)
