"""The array ops: forward against plain NumPy, every gradient against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from array_graphs import tapes
from dnnfast import reference
from dnnfast.expressions import apply
from dnnfast.reference import Positions
from reference.test_finite_differences import check, normal, weights

IDENTITY = tapes(lambda x: x, 1)
NAN = np.nan

REDUCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "sum": np.sum,
    "mean": np.mean,
    "product": np.prod,
    "max": np.max,
    "min": np.min,
}


def reduce(kind: str, axes: tuple[int, ...], x: np.ndarray, keepdims: bool = False) -> np.ndarray:
    shape = np.sum(x, axis=axes, keepdims=keepdims).shape
    at = Positions(x.shape)
    return reference.reduce_forward(kind, axes, IDENTITY["tape"], [x], at, shape)


def reduced_gradient(kind: str, axes: tuple[int, ...], x: np.ndarray, dy: np.ndarray) -> np.ndarray:
    gradients = [IDENTITY["gradient_0"]]
    (dx,) = reference.reduce_backward(kind, axes, dy, [x], gradients, Positions(x.shape))
    assert dx is not None
    return dx


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2), ()], ids=str)
@pytest.mark.parametrize("kind", REDUCTIONS)
def test_reductions(kind: str, axes: tuple[int, ...]) -> None:
    x = normal(3, 4, 5)
    for keepdims in (False, True):
        out = reduce(kind, axes, x, keepdims)
        expected = REDUCTIONS[kind](x, axis=axes, keepdims=keepdims)
        np.testing.assert_allclose(out, expected, rtol=1e-13)
        assert out.shape == expected.shape
        dy = weights(out.shape)
        check(lambda x: reduce(kind, axes, x), [reduced_gradient(kind, axes, x, dy)], x)


@pytest.mark.parametrize("axes", [(1,), (0, 2), (0, 1, 2)], ids=str)
def test_positions_of_extrema(axes: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(0, 4, (3, 4, 5)).astype(np.float64)  # with ties
    kept = [i for i in range(3) if i not in axes]
    lines = x.transpose(*kept, *axes).reshape(*(x.shape[i] for i in kept), -1)
    np.testing.assert_array_equal(reduce("arg_max", axes, x), lines.argmax(-1))
    smallest = reduce("arg_min", axes, x, keepdims=True)
    np.testing.assert_array_equal(smallest.reshape(lines.shape[:-1]), lines.argmin(-1))
    dy, at = np.ones(lines.shape[:-1]), Positions(x.shape)
    assert reference.reduce_backward("arg_max", axes, dy, [x], [None], at) == [None]


def test_nan_stays_in_reductions() -> None:
    x = np.array([[1.0, NAN, 3.0, NAN], [1.0, 2.0, 3.0, 4.0]])
    for kind, function in REDUCTIONS.items():
        out = reduce(kind, (1,), x)
        assert np.isnan(out[0])
        assert out[1] == function(x[1])
    for kind in ("arg_max", "arg_min"):
        assert reduce(kind, (1,), x)[0] == 1  # the first NaN


def test_gradient_of_extrema_is_shared_at_ties() -> None:
    x, dy = np.array([[2.0, 7.0, 7.0, 1.0], [1.0, 1.0, 1.0, 1.0]]), np.array([3.0, 8.0])
    largest = [[0.0, 1.5, 1.5, 0.0], [2.0, 2.0, 2.0, 2.0]]
    np.testing.assert_array_equal(reduced_gradient("max", (1,), x, dy), largest)
    np.testing.assert_array_equal(reduced_gradient("min", (1,), -x, dy), largest)


def test_gradient_of_products_with_zeros() -> None:
    x = np.array([[2.0, 3.0, 5.0], [2.0, 0.0, 5.0], [0.0, 3.0, 0.0]])
    expected = [[15.0, 10.0, 6.0], [0.0, 10.0, 0.0], [0.0, 0.0, 0.0]]
    out = reduced_gradient("product", (1,), x, np.ones(3))
    np.testing.assert_array_equal(out, expected)
    others = reduced_gradient("product", (0,), x.T, np.ones(3))
    np.testing.assert_array_equal(others, np.transpose(expected))


@pytest.mark.parametrize("kind", ["sum", "mean"])
def test_reduction_of_a_function_of_broadcast_arrays(kind: str) -> None:
    arrays = [normal(3, 1, 4), normal(5, 1, seed=1), normal(4, seed=2)]
    attrs = tapes(lambda a, b, c: a * b + apply("tanh", c * a), 3)
    at, axes = Positions((3, 5, 4)), (0, 2)

    def forward(*x: np.ndarray) -> np.ndarray:
        return reference.reduce_forward(kind, axes, attrs["tape"], x, at, (5,))

    a, b, c = arrays
    np.testing.assert_allclose(
        forward(*arrays), REDUCTIONS[kind](a * b + np.tanh(c * a), axis=axes), rtol=1e-13
    )
    gradients = [attrs[f"gradient_{i}"] for i in range(3)]
    found = reference.reduce_backward(kind, axes, weights((5,)), arrays, gradients, at)
    check(forward, found, *arrays)


@pytest.mark.parametrize("kind", ["max", "product"])
def test_reduction_of_a_broadcast_array(kind: str) -> None:
    x, at = normal(3, 1), Positions((3, 4))

    def forward(x: np.ndarray) -> np.ndarray:
        return reference.reduce_forward(kind, (0,), IDENTITY["tape"], [x], at, (4,))

    expected = REDUCTIONS[kind](np.broadcast_to(x, (3, 4)), axis=0)
    np.testing.assert_allclose(forward(x), expected)
    dy = weights((4,))
    check(forward, reference.reduce_backward(kind, (0,), dy, [x], [None], at), x)


VIEWS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], tuple[int, ...], dict[str, Any]]] = {
    "transpose": (
        lambda x: x.transpose(2, 0, 1),
        (5, 3, 4),
        {"source": [2, 0, 1], "start": [0, 0, 0], "step": [1, 1, 1]},
    ),
    "slice": (
        lambda x: x[1:, 1:4:2, ::3],
        (2, 2, 2),
        {"source": [0, 1, 2], "start": [1, 1, 0], "step": [1, 2, 3]},
    ),
    "flip": (
        lambda x: x[::-1, :, ::-2],
        (3, 4, 3),
        {"source": [0, 1, 2], "start": [-1, 0, -1], "step": [-1, 1, -2]},
    ),
    "backwards from inside": (
        lambda x: x[:, 2:0:-1],
        (3, 2, 5),
        {"source": [0, 1, 2], "start": [0, 2, 0], "step": [1, -1, 1]},
    ),
    "one element of an axis": (
        lambda x: x[:, -1],
        (3, 5),
        {"source": [0, 2], "start": [0, -1, 0], "step": [1, 1]},
    ),
    "new and repeated axes": (
        lambda x: np.broadcast_to(x[:, None, :, 2], (2, 3, 6, 4)),
        (2, 3, 6, 4),
        {"source": [-1, 0, -1, 1], "start": [0, 0, 2], "step": [0, 1, 0, 1]},
    ),
    "windows": (
        lambda x: np.lib.stride_tricks.sliding_window_view(x[0, 0], 3),
        (3, 3),
        {"source": [2, 2], "start": [0, 0, 0], "step": [1, 1]},
    ),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views(name: str) -> None:
    function, sizes, attrs = VIEWS[name]
    x = normal(3, 4, 5)
    out = reference.view_forward(x, sizes, **attrs)
    np.testing.assert_array_equal(out, function(x))
    dx = reference.view_backward(weights(sizes), x.shape, **attrs)
    check(lambda x: reference.view_forward(x, sizes, **attrs), [dx], x)


def test_views_of_a_number() -> None:
    attrs: dict[str, Any] = {"source": [-1, -1], "start": [], "step": [0, 0]}
    out = reference.view_forward(3.0, (2, 3), **attrs)
    np.testing.assert_array_equal(out, np.full((2, 3), 3.0))
    assert reference.view_backward(np.ones((2, 3)), (), **attrs) == 6.0
    row = reference.view_forward([4.0, 5.0], (), source=[], start=[1], step=[])
    assert row.shape == () and row == 5.0


@pytest.mark.parametrize(
    ("a", "b"),
    [((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (6, 4, 5)), ((1, 7), (7, 1))],
    ids=str,
)
def test_products(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    x, w = normal(*a), normal(*b, seed=1)
    y = reference.product_forward(x, w)
    np.testing.assert_allclose(y, np.einsum("...ij,...jk->...ik", x, w), rtol=1e-12)
    check(reference.product_forward, list(reference.product_backward(weights(y.shape), x, w)), x, w)


@pytest.mark.parametrize("shape", [(), (6,), (2, 3)], ids=str)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_gather_and_scatter(axis: int, shape: tuple[int, ...]) -> None:
    x = normal(3, 4, 5)
    index = np.random.default_rng(1).integers(-x.shape[axis], x.shape[axis], shape)
    y = reference.gather_forward(x, index, axis, False)
    np.testing.assert_array_equal(y, np.take(x, index, axis))
    dx = reference.gather_backward(weights(y.shape), index, x.shape, axis, False)
    check(lambda x: reference.gather_forward(x, index, axis, False), [dx], x)

    values, size = normal(*y.shape, seed=2), x.shape[axis]
    sums = reference.scatter_forward(values, index, axis, size)
    hits = np.arange(size) == (index % size)[..., None]  # [*shape, size]
    lines = np.moveaxis(sums, axis, -1).reshape(-1, size)
    count = max(index.size, 1)
    flat = values.reshape(*x.shape[:axis], count, *x.shape[axis + 1 :])
    expected = np.moveaxis(flat, axis, -1).reshape(-1, count) @ hits.reshape(count, size)
    np.testing.assert_allclose(lines, expected, rtol=1e-12, atol=1e-14)
    d_values = reference.scatter_backward(weights(sums.shape), index, axis)
    check(lambda v: reference.scatter_forward(v, index, axis, size), [d_values], values)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_gather_along(axis: int) -> None:
    x = normal(3, 4, 5)
    shape = tuple(7 if i == axis else size for i, size in enumerate(x.shape))
    index = np.random.default_rng(1).integers(-x.shape[axis], x.shape[axis], shape)
    y = reference.gather_forward(x, index, axis, True)
    np.testing.assert_array_equal(y, np.take_along_axis(x, index, axis))
    dx = reference.gather_backward(weights(shape), index, x.shape, axis, True)
    check(lambda x: reference.gather_forward(x, index, axis, True), [dx], x)


@pytest.mark.parametrize("along", [False, True])
def test_indices_outside(along: bool) -> None:
    x, index = np.array([1.0, 2.0, 3.0]), np.array([0.0, 3.0, -3.0, -4.0, NAN, np.inf])
    y = reference.gather_forward(x, index, 0, along)
    np.testing.assert_array_equal(y, [1.0, NAN, 1.0, NAN, NAN, NAN])
    dx = reference.gather_backward(np.arange(1.0, 7.0), index, (3,), 0, along)
    np.testing.assert_array_equal(dx, [4.0, 0.0, 0.0])
    sums = reference.scatter_forward(np.arange(1.0, 7.0), index, 0, 3)
    np.testing.assert_array_equal(sums, dx)
    d_values = reference.scatter_backward(x, index, 0)
    np.testing.assert_array_equal(d_values, [1.0, 0.0, 1.0, 0.0, 0.0, 0.0])


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_scans(axis: int, reverse: bool, exclusive: bool) -> None:
    x = normal(3, 4, 5)
    functions = {"sum": (np.sum, 0.0), "product": (np.prod, 1.0), "max": (np.max, -np.inf)}
    for kind, (function, first) in functions.items():
        expected = np.full_like(x, first)
        size = x.shape[axis]
        for i in range(size):
            below = slice(i + exclusive, size) if reverse else slice(0, i + 1 - exclusive)
            part = np.take(x, np.arange(size)[below], axis)
            if part.shape[axis]:
                at = tuple(i if a == axis else slice(None) for a in range(3))
                expected[at] = function(part, axis=axis)
        out = reference.scan_forward(x, kind, axis, reverse, exclusive)
        np.testing.assert_allclose(out, expected, rtol=1e-12)
    dx = reference.scan_backward(weights(x.shape), "sum", axis, reverse, exclusive)
    check(lambda x: reference.scan_forward(x, "sum", axis, reverse, exclusive), [dx], x)


def test_sorts() -> None:
    x = np.array([3.0, NAN, 1.0, 3.0, -0.0, 0.0, NAN, -2.0])
    order = {False: [7, 4, 5, 2, 0, 3, 1, 6], True: [0, 3, 2, 4, 5, 7, 1, 6]}
    for reverse, positions in order.items():
        out = reference.scan_forward(x, "arg_sort", 0, reverse)
        np.testing.assert_array_equal(out, positions)
        out = reference.scan_forward(x, "sort", 0, reverse)
        np.testing.assert_array_equal(out, x[positions])
    planes = normal(3, 4, 5)
    np.testing.assert_array_equal(
        reference.scan_forward(planes, "sort", 1), np.sort(planes, axis=1)
    )
    for kind in ("sort", "arg_sort", "product", "max"):
        assert reference.scan_backward(x, kind, 0) is None
    running = reference.scan_forward([1.0, NAN, 3.0], "max", 0)
    np.testing.assert_array_equal(running, [1.0, NAN, NAN])


@pytest.mark.parametrize("axis", [0, 1])
def test_joins(axis: int) -> None:
    shapes = [(2, 3), (5, 3), (1, 3)] if axis == 0 else [(4, 1), (4, 6)]
    arrays = [normal(*shape, seed=i) for i, shape in enumerate(shapes)]
    y = reference.join_forward(arrays, axis)
    np.testing.assert_array_equal(y, np.concatenate(arrays, axis))
    gradients = reference.join_backward(weights(y.shape), [s[axis] for s in shapes], axis)
    check(lambda *x: reference.join_forward(x, axis), gradients, *arrays)
