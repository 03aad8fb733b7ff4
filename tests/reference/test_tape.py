"""Tapes: every instruction, every derivative, random numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from array_graphs import tapes, uniform
from dnnfast import expressions, reference
from dnnfast.expressions import TAPE_OPS, Expression, apply, operand, tape_of
from dnnfast.reference import Positions, run_tape
from reference.test_finite_differences import check, weights

NAN, INF = math.nan, math.inf

# Arguments, and what plain Python makes of them.
INSTRUCTIONS: dict[str, tuple[list[Any], Callable[..., float]]] = {
    "neg": ([0.5, -2.0], lambda x: -x),
    "abs": ([0.5, -2.0], abs),
    "sign": ([0.5, 0.0, -2.0], lambda x: float((x > 0) - (x < 0))),
    "sqrt": ([0.5, 0.0, 2.0], math.sqrt),
    "exp": ([0.5, -2.0], math.exp),
    "expm1": ([0.5, -1e-9], math.expm1),
    "log": ([0.5, 2.0], math.log),
    "log1p": ([0.5, 1e-9], math.log1p),
    "sin": ([0.5, -2.0], math.sin),
    "cos": ([0.5, -2.0], math.cos),
    "tan": ([0.5, -2.0], math.tan),
    "asin": ([0.5, -1.0], math.asin),
    "acos": ([0.5, -1.0], math.acos),
    "atan": ([0.5, -2.0], math.atan),
    "sinh": ([0.5, -2.0], math.sinh),
    "cosh": ([0.5, -2.0], math.cosh),
    "tanh": ([0.5, -2.0], math.tanh),
    "asinh": ([0.5, -2.0], math.asinh),
    "acosh": ([1.5, 2.0], math.acosh),
    "atanh": ([0.5, -0.9], math.atanh),
    "erf": ([0.5, -2.0], math.erf),
    "sigmoid": ([0.5, -2.0], lambda x: 1.0 / (1.0 + math.exp(-x))),
    "softplus": ([0.5, -2.0], lambda x: math.log1p(math.exp(x))),
    "floor": ([0.5, -0.5, 2.0], lambda x: float(math.floor(x))),
    "ceil": ([0.5, -0.5, 2.0], lambda x: float(math.ceil(x))),
    "round": ([0.5, 1.5, -2.5, 2.6], lambda x: float(round(x))),
    "is_nan": ([0.5, NAN, INF], lambda x: float(math.isnan(x))),
    "is_finite": ([0.5, NAN, -INF], lambda x: float(math.isfinite(x))),
    "add": ([(0.5, 2.0)], lambda a, b: a + b),
    "sub": ([(0.5, 2.0)], lambda a, b: a - b),
    "mul": ([(0.5, 3.0)], lambda a, b: a * b),
    "div": ([(0.5, 3.0)], lambda a, b: a / b),
    "pow": ([(0.5, 3.0), (2.0, 0.5), (-2.0, 3.0)], lambda a, b: a**b),
    "mod": ([(5.5, 3.0), (-5.5, 3.0), (5.5, -3.0), (6.0, 3.0)], lambda a, b: a % b),
    "floor_div": ([(5.5, 3.0), (-5.5, 3.0), (5.5, -3.0)], lambda a, b: a // b),
    "max": ([(0.5, 3.0), (3.0, -1.0)], max),
    "min": ([(0.5, 3.0), (3.0, -1.0)], min),
    "atan2": ([(0.5, 3.0), (0.5, -3.0), (-0.5, -3.0)], math.atan2),
    "less": ([(0.5, 3.0), (3.0, 3.0), (NAN, 1.0)], lambda a, b: float(a < b)),
    "less_equal": ([(0.5, 3.0), (3.0, 3.0), (4.0, 3.0)], lambda a, b: float(a <= b)),
    "equal": ([(0.5, 3.0), (3.0, 3.0), (NAN, NAN)], lambda a, b: float(a == b)),
    "select": ([(2.0, 3.0, 4.0), (0.0, 3.0, 4.0), (NAN, 3.0, 4.0)], lambda c, a, b: a if c else b),
}
LEAVES = ["input", "constant", "coordinate", "batch", "uniform"]


def test_all_instructions_are_known() -> None:
    assert {*LEAVES, *INSTRUCTIONS, "erfinv"} == set(TAPE_OPS)


@pytest.mark.parametrize("op", INSTRUCTIONS)
def test_instruction(op: str) -> None:
    samples, function = INSTRUCTIONS[op]
    rows = [sample if isinstance(sample, tuple) else (sample,) for sample in samples]
    tape = tape_of(apply(op, *(operand(i) for i in range(len(rows[0])))))
    out = run_tape(tape, list(np.transpose(rows)), Positions((len(rows),)))
    np.testing.assert_allclose(out, [function(*row) for row in rows], rtol=1e-14)


@pytest.mark.parametrize("op", ["sign", "max", "min", "floor", "relu", "clip"])
def test_nan_stays(op: str) -> None:
    x = operand(0)
    e = {
        "relu": lambda: apply("max", x, 0.0),
        "clip": lambda: apply("min", apply("max", x, 0.0), 1.0),
    }.get(op, lambda: apply(op, *([x, 2.0] if op in ("max", "min") else [x])))()
    assert np.isnan(run_tape(tape_of(e), [[NAN]], Positions((1,)))).all()
    if op in ("max", "min"):
        assert np.isnan(run_tape(tape_of(apply(op, 2.0, x)), [[NAN]], Positions((1,)))).all()


def test_erfinv_is_the_inverse_of_erf() -> None:
    x = np.array([-0.999999, -0.7, -1e-9, 0.0, 1e-300, 0.3, 0.5, 0.9, 1.0 - 2.0**-53])
    y = run_tape(tape_of(apply("erfinv", operand(0))), [x], Positions(x.shape))
    back = [math.erf(v) if abs(v) < 0.5 else math.copysign(1 - math.erfc(abs(v)), v) for v in y]
    np.testing.assert_allclose(back, x, rtol=4e-16)
    np.testing.assert_allclose(math.erfc(y[-1]), 2.0**-53, rtol=1e-12)
    edges = reference.erfinv([-1.0, 1.0, 1.1, NAN])
    np.testing.assert_array_equal(edges, [-INF, INF, NAN, NAN])


def test_leaves() -> None:
    at = Positions((2, 3), batch=5)
    x, y = np.array([[1.0], [2.0]]), np.array([10.0, 20.0, 30.0])
    np.testing.assert_array_equal(run_tape(tape_of(operand(0) + operand(1)), [x, y], at), x + y)
    rows, cols = (run_tape(tape_of(Expression("coordinate", (), a)), [], at) for a in (0, 1))
    np.testing.assert_array_equal(rows, np.indices((2, 3))[0])
    np.testing.assert_array_equal(cols, np.indices((2, 3))[1])
    assert (run_tape(tape_of(Expression("batch")), [], at) == np.full((2, 3), 5.0)).all()
    # Engines hold constants in float32.
    assert run_tape(tape_of(expressions.constant(0.1)), [], Positions(())) == np.float32(0.1)
    assert run_tape(tape_of(expressions.constant(1.0)), [], at).shape == (2, 3)


def direct(e: Expression, values: list[np.ndarray]) -> np.ndarray:
    """Evaluate a tree of additions, products and sines without a tape."""
    if e.op == "input":
        return values[e.value]
    if e.op == "constant":
        return np.asarray(e.value)
    parts = [direct(arg, values) for arg in e.args]
    return {"add": np.add, "mul": np.multiply, "sin": np.sin}[e.op](*parts)


@pytest.mark.parametrize("seed", range(5))
def test_registers_of_large_trees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts: list[Expression] = [operand(i) for i in range(3)]
    for _ in range(40):
        a, b = (parts[i] for i in rng.integers(max(0, len(parts) - 12), len(parts), 2))
        parts.append(apply("sin", a) if rng.random() < 0.3 else a * b + 0.5)
    e = parts[-1] + parts[-5] * parts[-9]
    values = list(rng.normal(size=(3, 4)))
    tape = tape_of(e)
    assert tape is not None
    np.testing.assert_allclose(run_tape(tape, values, Positions((4,))), direct(e, values))


# Smooth points of each differentiable instruction.
POINTS: dict[str, list[float]] = {"acosh": [1.5, 2.5], "log": [0.5, 2.0], "sqrt": [0.5, 2.0]}
PAIRS: dict[str, list[list[float]]] = {
    "pow": [[0.5, 2.0], [3.0, -1.5]],
    "mod": [[5.5, -5.5], [3.0, 2.0]],
}


@pytest.mark.parametrize("op", sorted(expressions._RULES))
def test_derivative(op: str) -> None:
    count = expressions._RULES[op].__code__.co_argcount - 2
    arguments = [POINTS.get(op, [0.5, -0.7])]
    if count == 2:
        arguments = PAIRS.get(op, [[0.5, -2.0], [1.5, -3.0]])
    if count == 3:  # select
        arguments = [[1.0, 0.0], [2.0, 3.0], [4.0, 5.0]]
    check_map(lambda *x: apply(op, *x), *(np.array(x) for x in arguments))


def check_map(build: Callable[..., Any], *arrays: np.ndarray) -> None:
    """Compare the gradients of a map with finite differences."""
    attrs = tapes(build, len(arrays))
    at = Positions(np.broadcast_shapes(*(x.shape for x in arrays)))
    gradients = [attrs.get(f"gradient_{i}") for i in range(len(arrays))]
    found = reference.map_backward(weights(at.space), arrays, gradients, at)
    found = [np.zeros_like(x) if g is None else g for x, g in zip(arrays, found, strict=True)]
    check(lambda *x: reference.map_forward(attrs["tape"], x, at), found, *arrays)


def test_broadcast_and_shared_operands() -> None:
    rng = np.random.default_rng(0)
    shapes = [(3, 1, 4), (5, 1), (4,), ()]
    arrays = [rng.normal(size=shape) for shape in shapes]
    check_map(lambda a, b, c, d: apply("sin", a * b + c) * d + a * a / (c * c + 2.0), *arrays)
    # Operands that the result does not depend on smoothly.
    attrs = tapes(lambda a, b: apply("floor", a) + apply("less", a, b), 2)
    assert not [name for name in attrs if name.startswith("gradient")]


def test_extrema_share_at_ties() -> None:
    attrs = tapes(lambda a, b: apply("max", a, b), 2)
    gradients = [attrs["gradient_0"], attrs["gradient_1"]]
    x = np.array([1.0, 2.0, 3.0])
    da, db = reference.map_backward(np.ones(3), [x, [2.0, 2.0, 2.0]], gradients, Positions((3,)))
    np.testing.assert_array_equal(da, [0.0, 0.5, 1.0])
    np.testing.assert_array_equal(db, [1.0, 0.5, 0.0])


def test_random_words() -> None:
    # The published first block of Philox4x32-10 with key and counter 0.
    words = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    for word, bits in enumerate(words):
        out = run_tape(tape_of(uniform(0, word)), [], Positions((1,)))
        assert out[0] == (bits >> 8) / 2**24
    at = Positions((2, 3), seed=2**40 + 5, step=2**33 + 9)
    i = np.arange(6, dtype=np.uint64)
    expected = reference.philox((i, 7, 9, 2), (5, 2**8))[2]
    out = reference.uniform(at, stream=7, word=2)
    np.testing.assert_array_equal(out, (expected >> 8).reshape(2, 3) / 2.0**24)


def test_random_moments() -> None:
    at = Positions((400, 250), seed=3, step=1)
    u = [reference.uniform(at, *numbers) for numbers in [(0, 0), (0, 1), (1, 0)]]
    for x in u:
        assert x.min() >= 0.0 and x.max() < 1.0
        assert x.mean() == pytest.approx(0.5, abs=5e-3)
        assert x.var() == pytest.approx(1 / 12, abs=2e-3)
    correlations = np.corrcoef([x.ravel() for x in u])[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 0.015
    later = reference.uniform(Positions((400, 250), seed=3, step=2), 0, 0)
    assert abs(np.corrcoef(u[0].ravel(), later.ravel())[0, 1]) < 0.015


def test_gradients_draw_the_same_numbers() -> None:
    attrs = tapes(lambda x: x * uniform(4), 1)
    at = Positions((3, 5), seed=1, step=2)
    assert attrs["random"] == 1
    (dx,) = reference.map_backward(np.ones((3, 5)), [np.ones(5)], [attrs["gradient_0"]], at)
    assert dx is not None
    np.testing.assert_array_equal(dx, reference.uniform(at, 4, 0).sum(axis=0))
