"""Graphs of array ops in a session: targets, weights, losses, metrics, assignments, modes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from array_graphs import ArrayBuilder, uniform
from dnnfast import errors, reference
from dnnfast.expressions import Expression, apply
from dnnfast.graph import Graph, Loss, Optimizer
from reference.test_finite_differences import normal, numeric_gradient


def session_of(graph: Graph, values: list[np.ndarray]) -> reference.Session:
    session = reference.Session(graph)
    for i, value in enumerate(values):
        session.set_parameter(i, value)
    return session


def train(session: reference.Session, data: reference.Dataset, batch: int, rate: float) -> None:
    steps = -(-data.rows // batch)
    session.train(data, None, 0, steps, batch, np.full(steps, rate))


def check_gradients(builder: ArrayBuilder, data: reference.Dataset, batch: int) -> None:
    """Compare the gradients of all parameters with differences of the loss."""
    values = [value.astype(np.float64) for value in builder.values()]
    session = session_of(builder.graph, values)
    session.seed, session.iterations = 5, 3

    def loss() -> float:
        session.reset_totals()
        session.compute_gradients(data, 0, batch)
        return session.totals()[0]

    loss()
    gradients = [session.get_gradient(i) for i in range(len(values))]
    for i, value in enumerate(values):

        def at(moved: np.ndarray, i: int = i) -> float:
            session.set_parameter(i, moved)
            return loss()

        expected = numeric_gradient(at, value)
        session.set_parameter(i, value)
        assert np.abs(expected).max() > 1e-4
        # get_gradient returns float32.
        np.testing.assert_allclose(gradients[i], expected, rtol=1e-5, atol=1e-6)


def attention() -> ArrayBuilder:
    """Every op once, sizes of three batches, and parameters that are read twice."""
    b = ArrayBuilder()
    x, query, key = b.input(6, 4), b.parameter(4, 4), b.parameter(4, 4)
    q, k = b.product(x, query), b.product(x, key)
    scores = b.product(q, b.transpose(k, 0, 2, 1))  # (-1, 6, 6)
    largest = b.reduce("max", scores, [2], keepdims=True)
    e = b.map(lambda s, m: apply("exp", (s - m) * 0.5), scores, largest)
    total = b.reduce("sum", e, [2], keepdims=True)
    y = b.product(b.map(lambda a, t: a / t, e, total), x)
    noisy = b.map(lambda y: y * (uniform(0) + 0.5), y)
    rows = b.regroup(b.switch(noisy, y), -6, 4)
    half = b.view(rows, (-6, 2), source=[0, 1], start=[0, -1], step=[1, -2])
    joined = b.join([half, b.scan(half, "sum", 1, reverse=1)], 0)  # (-12, 2)
    table = b.parameter(5, 2)
    place = b.map(lambda r, t: apply("mod", r, t + 5.0), *coordinates(b, -12), extents=(-12,))
    looked = b.gather(table, place, 0)
    mixed = b.map(lambda a, c: apply("tanh", a * c) + a, joined, looked)
    by_place = b.scatter(mixed, place, 0, 5)
    products = b.reduce("product", by_place, [1])
    shares = b.map(lambda p, n: p / n, products, b.map(batch_size))
    b.loss(b.view(shares, (-1, 5), [-1, 0]))
    b.loss(b.regroup(mixed, -1, 24), weight=0.5)
    return b


def batch_size() -> Expression:
    return Expression("batch")


def coordinates(b: ArrayBuilder, size: int) -> list[int]:
    """Return two tensors: the positions along an axis, and 0."""
    row = b.map(lambda: Expression("coordinate", (), 0), extents=(size,))
    return [row, b.map(lambda r: r * 0.0, row)]


@pytest.mark.parametrize("batch", [1, 3])
def test_gradient_of_a_whole_graph(batch: int) -> None:
    data = reference.Dataset([normal(batch, 6, 4)])
    builder = attention()
    check_gradients(builder, data, batch)
    session = session_of(builder.finish(), builder.values())
    # The result of the ops written out in NumPy.
    x, (query, key, table) = data.inputs[0], builder.values()
    s = (x @ query) @ (x @ key).swapaxes(1, 2) * 0.5
    e = np.exp(s - s.max(axis=2, keepdims=True))
    half = ((e / e.sum(axis=2, keepdims=True)) @ x).reshape(-1, 4)[:, ::-2]
    joined = np.concatenate([half, half[:, ::-1].cumsum(axis=1)[:, ::-1]])
    place = np.arange(12 * batch) % 5
    mixed = np.tanh(joined * table[place]) + joined
    sums = np.zeros((5, 2))
    np.add.at(sums, place, mixed)
    expected = sums.prod(axis=1).mean() / batch + 0.5 * mixed.mean()
    session.evaluate(data, 0, 1, batch)
    assert session.totals()[0] == pytest.approx(expected, rel=1e-12)


def squared_error(weight: bool) -> tuple[ArrayBuilder, Graph]:
    """The weighted mean of squares, of array ops and as the op of its own."""
    b = ArrayBuilder()
    y = b.product(b.input(3), b.parameter(3, 2))
    t = b.graph.add_target(0, (2,))
    square = b.map(lambda y, t: (y - t) * (y - t), y, t)
    if weight:
        w = b.regroup(b.graph.add_weight(0), -1, 1)
        square = b.map(lambda s, w: s * w, square, w)
    b.loss(square)
    b.finish(y)
    plain = ArrayBuilder()
    y = plain.product(plain.input(3), plain.parameter(3, 2))
    plain.graph.losses.append(Loss("mean_squared_error", y, 0))
    return b, plain.finish(y)


@pytest.mark.parametrize("weight", [False, True])
def test_targets_and_weights_as_tensors(weight: bool) -> None:
    builder, plain = squared_error(weight)
    weights = np.linspace(0.5, 2.0, 7) if weight else None
    data = reference.Dataset([normal(7, 3)], [normal(7, 2, seed=1)], [weights])
    check_gradients(builder, data, 7)
    sessions = [session_of(graph, builder.values()) for graph in (builder.graph, plain)]
    for session in sessions:
        train(session, data, 3, 0.1)
    assert sessions[0].totals() == pytest.approx(sessions[1].totals(), rel=1e-12)
    a, b = (session.get_parameter(0) for session in sessions)
    np.testing.assert_allclose(a, b, rtol=1e-6)


def test_integer_targets_keep_their_values() -> None:
    b = ArrayBuilder(None)
    t = b.graph.add_target(1, (2, 2))
    b.metric(b.reduce("sum", t, [1, 2]))
    b.metric(b.regroup(b.input(), -1, 1))
    labels = np.array([[1, 2, 3, 4], [250, 250, 250, 250]], np.uint8)
    data = reference.Dataset([[7.0, 9.0]], [np.zeros(2), labels], [None, None])
    session = session_of(b.finish(), [])
    session.evaluate(data, 0, 1, 2)
    assert session.totals() == [0.0, (10 + 1000) / 2, 8.0]


def test_values_losses_of_several_targets() -> None:
    b = ArrayBuilder()
    x, w = b.input(2, 3), b.parameter(3)
    cubes = b.map(lambda x, w: x * w * x, x, w)  # (2, 3) losses a sample
    b.loss(cubes, target=1, weight=2.0)
    b.loss(b.reduce("sum", cubes, [1, 2]), target=0)
    square = b.reduce("mean", w, [0], build=lambda w: w * w)
    b.loss(b.view(square, (-1, 1), [-1, -1]), weight=0.25)
    x_values = normal(5, 2, 3)
    weights = [np.arange(5.0), np.linspace(0.1, 0.9, 5)]
    data = reference.Dataset([x_values], [np.zeros(5), np.zeros((5, 7))], weights)
    check_gradients(b, data, 5)
    w_values = b.values()[0].astype(np.float64)
    session = session_of(b.finish(), [w_values])
    session.evaluate(data, 0, 1, 5)
    rows = x_values * w_values * x_values
    own = [
        (rows.mean(axis=(1, 2)) * weights[1]).mean(),
        (rows.sum(axis=(1, 2)) * weights[0]).mean(),
        (w_values**2).mean(),
    ]
    total = 2.0 * own[0] + own[1] + 0.25 * own[2]
    assert session.totals() == pytest.approx([total, *own], rel=1e-12)


def test_weighted_metrics() -> None:
    b = ArrayBuilder(None)
    x = b.input(2)
    b.metric(x, target=0, weighted=True)
    b.metric(x, target=0)
    b.metric(b.reduce("sum", x, [1]), target=-1)
    b.metric(x, target=1, weighted=True)  # without weights
    rows, weights = normal(5, 2), np.array([1.0, 2.0, 0.0, 4.0, 5.0])
    data = reference.Dataset([rows], [np.zeros(5), np.zeros(5)], [weights, None])
    session = session_of(b.finish(), [])
    session.evaluate(data, 0, 3, 2)  # 2, 2 and 1 rows
    mean = rows.mean(axis=1)
    weighted = (mean * weights).sum() / weights.sum()
    expected = [0.0, weighted, mean.mean(), 2.0 * mean.mean(), mean.mean()]
    assert session.totals() == pytest.approx(expected, rel=1e-12)


def counting(kind: str = "sgd") -> tuple[ArrayBuilder, dict[str, int]]:
    """One weight whose loss is w mean(x), and a variable for each time of assignment."""
    b = ArrayBuilder(kind)
    x, w = b.input(1), b.parameter(1)
    names = {"w": w}
    y = b.map(lambda x, w: x * w, x, w)
    b.loss(y)
    for time in ("always", "train", "update"):
        variable = b.parameter(1, trainable=False)
        names[time] = variable
        # The last weight seen, with a count of the assignments in thousands.
        seen = b.map(lambda v, w: apply("floor", v / 1000.0) * 1000.0 + 1000.0 + w, variable, w)
        b.assign(variable, seen, time)
    b.finish(y)
    return b, {name: b.graph.tensors[id_].index for name, id_ in names.items()}


def test_assignments() -> None:
    builder, at = counting()
    session = session_of(builder.graph, [np.array([8.0]), *np.zeros((3, 1))])
    data = reference.Dataset([[[1.0], [1.0], [2.0], [2.0]]])

    def now() -> dict[str, float]:
        return {name: float(session.get_parameter(i)[0]) for name, i in at.items()}

    train(session, data, 2, 1.0)  # gradients 1 and 2
    assert now() == {"w": 5.0, "always": 2007.0, "train": 2007.0, "update": 2005.0}
    session.evaluate(data, 0, 2, 2)
    assert now() == {"w": 5.0, "always": 4005.0, "train": 2007.0, "update": 2005.0}
    session.compute_gradients(data, 0, 2)
    session.predict_batch([[[1.0]]])
    session.predict_batch([[[1.0]]], training=True)
    assert now() == {"w": 5.0, "always": 4005.0, "train": 2007.0, "update": 2005.0}


def test_a_step_that_is_not_finite_assigns_nothing() -> None:
    builder, at = counting()
    session = session_of(builder.graph, [np.array([8.0]), *np.zeros((3, 1))])
    data = reference.Dataset([[[1.0], [math.inf]]])
    with pytest.raises(errors.NonFiniteLossError):
        train(session, data, 1, 1.0)
    values = [float(session.get_parameter(i)[0]) for i in at.values()]
    assert values == [7.0, 1008.0, 1008.0, 1007.0]
    session.evaluate(data, 1, 1, 1)
    assert float(session.get_parameter(at["always"])[0]) == 1008.0


def test_a_constraint_after_the_update() -> None:
    """Each column of the weights is brought back to length 1."""
    b = ArrayBuilder("adam")
    x, w = b.input(4), b.parameter(4, 3)
    y = b.product(x, w)
    square = b.map(lambda y, t: (y - t) * (y - t), y, b.graph.add_target(0, (3,)))
    b.loss(square, target=0)
    length = b.reduce("sum", w, [0], keepdims=True, build=lambda w: w * w)
    b.assign(w, b.map(lambda w, s: w / apply("sqrt", s), w, length), "update")
    session = session_of(b.finish(y), b.values())
    data = reference.Dataset([normal(9, 4)], [normal(9, 3, seed=1)], [None])
    before = session.get_parameter(0)
    train(session, data, 4, 0.1)
    after = session.get_parameter(0)
    np.testing.assert_allclose((after.astype(np.float64) ** 2).sum(axis=0), 1.0, rtol=1e-6)
    cosines = (before * after).sum(axis=0) / np.linalg.norm(before, axis=0)
    assert (cosines < 0.999).any()


def switching(samples: int) -> reference.Session:
    b = ArrayBuilder()
    x = b.input(2)
    noise = b.map(lambda x: x + uniform(3), x)
    y = b.switch(noise, b.map(lambda x: x * 2.0, x), samples)
    b.loss(y)
    session = session_of(b.finish(y), [])
    session.seed = 9
    return session


def test_modes_and_random_steps() -> None:
    x = normal(3, 2)

    def noise(step: int) -> np.ndarray:
        return reference.uniform(reference.Positions((3, 2), seed=9, step=step), 3, 0)

    for samples in (0, 1):
        session, data = switching(samples), reference.Dataset([x])
        np.testing.assert_allclose(session.predict_batch([x])[0], 2.0 * x, rtol=1e-6)
        (out,) = session.predict_batch([x], training=True, step=4)
        np.testing.assert_allclose(out, x + noise(4), rtol=1e-6)
        mean, deviation = np.empty((2, 3, 2), np.float32)
        session.predict_samples(data, 0, 1, 3, [mean], [deviation], 2, step=5)
        passes = [x + noise(5), x + noise(6)] if samples else [2.0 * x] * 2
        np.testing.assert_allclose(mean, np.mean(passes, axis=0), rtol=1e-6)
        np.testing.assert_allclose(deviation, np.std(passes, axis=0), rtol=1e-5, atol=1e-12)
        session.evaluate(data, 0, 1, 3)
        assert session.totals()[0] == pytest.approx(2.0 * x.mean())
        session.reset_totals()
        train(session, data, 3, 0.1)
        assert session.totals()[0] == pytest.approx((x + noise(0)).mean())


def test_what_a_plan_says() -> None:
    b = ArrayBuilder()
    rows = b.regroup(b.input(6), -3, 2)
    b.reduce("sum", rows, [0])
    b.loss(b.regroup(rows, -1, 6))
    session = session_of(b.finish(), [])
    assert session.activation_bytes(5) == 8 * (15 * 2 + 2 + 5 * 6)
    assert "regroup regroup -> (-3, 2)" in session.describe(5)


def wrong_graphs() -> dict[str, tuple[Any, str]]:
    def assigned(time: str, to_node: bool = False, shape: tuple[int, ...] = (2,)) -> Graph:
        b = ArrayBuilder()
        x, p = b.input(2), b.parameter(*shape)
        y = b.reduce("sum", x, [0])
        b.assign(y if to_node else p, y, time)
        b.loss(x)
        return b.finish(x)

    def dense_of_rows() -> Graph:
        b = ArrayBuilder()
        rows = b.regroup(b.input(6), -3, 2)
        b.graph.add_node("dense", [rows, b.parameter(2, 4)], {}, (4,))
        return b.graph

    def output() -> Graph:
        b = ArrayBuilder(None)
        return b.finish(b.regroup(b.input(6), -3, 2))

    def axes() -> Graph:
        b = ArrayBuilder()
        b.regroup(b.input(2), -1, 1, 1, 1, 1, 1, 2)
        return b.graph

    def of_rows(metric: bool) -> Graph:
        b = ArrayBuilder()
        rows = b.regroup(b.input(6), -3, 2)
        (b.metric if metric else b.loss)(rows)
        return b.graph

    def negative(kind: str) -> Graph:
        graph = Graph(optimizer=Optimizer("sgd"))
        graph.losses.append(Loss(kind, graph.add_input("x", (2,)), -2 if kind == "values" else -1))
        return graph

    return {
        "time": (lambda: assigned("later"), "later"),
        "not a variable": (lambda: assigned("train", to_node=True), "variable to write to"),
        "shape": (lambda: assigned("train", shape=(3,)), r"\(3,\).*\(2,\)"),
        "dense": (dense_of_rows, "batch axis"),
        "axes": (axes, "7 axes"),
        "loss of rows": (lambda: of_rows(metric=False), "a loss reads.*batch axis"),
        "metric of rows": (lambda: of_rows(metric=True), "a metric reads.*batch axis"),
        "output": (output, "an output.*batch axis"),
        "target": (lambda: negative("mean_squared_error"), "negative target -1"),
        "target of values": (lambda: negative("values"), "negative target -2"),
    }


@pytest.mark.parametrize("name", wrong_graphs())
def test_wrong_graphs(name: str) -> None:
    make, message = wrong_graphs()[name]
    with pytest.raises(ValueError, match=message):
        reference.Session(make())


def test_wrong_data() -> None:
    builder, _ = squared_error(weight=True)
    session, x = session_of(builder.graph, builder.values()), normal(4, 3)
    for targets, weights, message in [
        ([], [], "1 targets; got 0"),
        ([np.zeros((4, 3))], [np.ones(4)], "samples of 3 elements; expected 2"),
        ([np.zeros((4, 2))], [None], "no sample weights"),
    ]:
        with pytest.raises(ValueError, match=message):
            session.evaluate(reference.Dataset([x], targets, weights), 0, 1, 4)
    assert session.predict_batch([x])[0].shape == (4, 2)  # needs neither
