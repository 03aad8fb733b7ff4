"""Every backward formula against central differences of its forward formula."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dnnfast import reference
from reference.graphs import Builder

ALPHA, BETA = 0.7, 0.3
STEP = 1e-5


def numeric_gradient(function: Callable[[np.ndarray], float], x: np.ndarray) -> np.ndarray:
    """Returns the central differences of a function of one array."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        values = []
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved[index] += sign * STEP
            values.append(function(moved))
        gradient[index] = (values[0] - values[1]) / (2.0 * STEP)
    return gradient


def check(forward: Callable[..., np.ndarray], gradients: list, *arrays: np.ndarray) -> None:
    """Compares gradients of sum(dy * forward(arrays)) with differences; dy as in `weights`."""
    for i, gradient in enumerate(gradients):

        def value(moved: np.ndarray, i: int = i) -> float:
            y = forward(*arrays[:i], moved, *arrays[i + 1 :])
            return float((weights(y.shape) * y).sum())

        expected = numeric_gradient(value, arrays[i])
        np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-8)


def weights(shape: tuple[int, ...]) -> np.ndarray:
    return np.cos(np.arange(np.prod(shape)) + 1.0).reshape(shape)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def away_from_kinks(kind: str) -> np.ndarray:
    x = np.linspace(-7.3, 7.3, 146)  # without 0, where softsign bends sharply
    kinks = reference.ACTIVATIONS[kind].kinks(ALPHA, BETA)
    return x[np.all([np.abs(x - kink) > 1e-3 for kink in kinks] or [x == x], axis=0)]


@pytest.mark.parametrize("kind", reference.ACTIVATIONS)
def test_activation_derivative(kind: str) -> None:
    x = away_from_kinks(kind)
    ones = np.ones_like(x)
    up, down = (
        reference.activation_forward(x + sign * STEP, kind, ALPHA, BETA) for sign in (1, -1)
    )
    slope = reference.activation_backward(x, ones, kind, ALPHA, BETA)
    np.testing.assert_allclose(slope, (up - down) / (2 * STEP), rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(
        reference.activation_backward(x, 3 * ones, kind, ALPHA, BETA), 3 * slope
    )


@pytest.mark.parametrize("kind", reference.ACTIVATIONS)
def test_activation_of_nan_and_of_large_numbers(kind: str) -> None:
    y = reference.activation_forward([np.nan, -700.0, 700.0], kind, ALPHA, BETA)
    assert np.isnan(y[0]) == (kind not in ("heaviside", "sign"))
    assert np.isfinite(y[1:]).all()
    slope = reference.activation_backward([-700.0, 700.0], [1.0, 1.0], kind, ALPHA, BETA)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize(
    ("kind", "x", "slope"),
    [
        ("relu", 0.0, 0.0),
        ("relu6", 0.0, 0.0),
        ("relu6", 6.0, 0.0),
        ("leaky_relu", 0.0, ALPHA),
        ("elu", 0.0, ALPHA),
        ("celu", 0.0, 1.0),
        ("hard_sigmoid", 3.0, 0.0),
        ("hard_sigmoid", -3.0, 0.0),
        ("hard_tanh", 1.0, 0.0),
        ("hard_silu", 3.0, 1.0),
        ("hard_silu", -3.0, 0.0),
        ("soft_shrink", ALPHA, 0.0),
        ("hard_shrink", -ALPHA, 0.0),
        ("threshold", ALPHA, 0.0),
        ("softsign", 0.0, 1.0),
    ],
)
def test_derivative_at_a_kink(kind: str, x: float, slope: float) -> None:
    assert reference.activation_backward([x], [1.0], kind, ALPHA, BETA)[0] == slope


def test_activation_values() -> None:
    """Published values, so that a pair of wrong but consistent formulas does not pass."""
    expected = {
        "gelu": 0.8413447460685429,
        "gelu_tanh": 0.8411919906082768,
        "silu": 0.7310585786300049,
        "mish": 0.8650983882673103,
        "selu": 1.0507009873554805,
        "softplus": 1.3132616875182228,
        "log_sigmoid": -0.31326168751822286,
        "hard_silu": 2.0 / 3.0,
        "squareplus": (1.0 + 5.0**0.5) / 2.0,
    }
    parameters = {"silu": 1.0, "squareplus": 4.0}
    for kind, value in expected.items():
        got = reference.activation_forward([1.0], kind, parameters.get(kind, 0.0))[0]
        assert got == pytest.approx(value, rel=1e-15), kind
    tail = reference.activation_forward([-10.0], "gelu")[0]
    assert tail == pytest.approx(-7.619853024160527e-23, rel=1e-12)


def test_activations_are_those_of_the_engine() -> None:
    header = Path(__file__).parents[2] / "csrc" / "math" / "activation_names.h"
    names = re.search(r"kActivationNames\[\] = \{(.*?)\}", header.read_text(), re.DOTALL)
    assert names is not None
    assert re.findall(r'"(\w+)"', names.group(1)) == list(reference.ACTIVATIONS)


def test_dense() -> None:
    x, w, b = normal(2, 3, 4), normal(4, 5, seed=1), normal(5, seed=2)
    bits = {"rate": 0.3, "seed": 1, "step": 2, "stream": 3}
    dy = weights((2, 3, 5))
    for kind in ("linear", "tanh"):

        def forward(x: np.ndarray, w: np.ndarray, b: np.ndarray, kind: str = kind) -> np.ndarray:
            return reference.dense_forward(x, w, b, kind, **bits)

        z = reference.dense_forward(x, w, b)
        gradients = reference.dense_backward(x, w, dy, activation=kind, z=z, **bits)
        check(forward, list(gradients), x, w, b)
    assert reference.dense_backward(x, w, dy, b=False)[2] is None
    with pytest.raises(ValueError, match="needs z"):
        reference.dense_backward(x, w, dy, activation="tanh")


def test_softmax_log_softmax_and_glu() -> None:
    x = normal(3, 6)
    dy, half = weights((3, 6)), weights((3, 3))
    y = reference.softmax_forward(x)
    check(reference.softmax_forward, [reference.softmax_backward(y, dy)], x)
    y = reference.log_softmax_forward(x)
    check(reference.log_softmax_forward, [reference.log_softmax_backward(y, dy)], x)
    check(reference.glu_forward, [reference.glu_backward(x, half)], x)
    shifted = reference.softmax_forward(x + 1e4)
    np.testing.assert_allclose(shifted, reference.softmax_forward(x), rtol=1e-10)


@pytest.mark.parametrize("shape", [(7, 3), (2, 4, 3)])
def test_batchnorm(shape: tuple[int, ...]) -> None:
    x, gamma, beta = normal(*shape), normal(3, seed=1), normal(3, seed=2)
    dy = weights(shape)
    check(
        lambda x, gamma, beta: reference.batchnorm_forward(x, gamma, beta)[0],
        list(reference.batchnorm_backward(x, gamma, dy)),
        x,
        gamma,
        beta,
    )
    check(
        lambda x: reference.batchnorm_forward(x)[0],
        [reference.batchnorm_backward(x, None, dy)[0]],
        x,
    )
    moving = normal(3, seed=3), np.abs(normal(3, seed=4)) + 0.5
    check(
        lambda x, gamma, beta: reference.batchnorm_inference(x, gamma, beta, *moving),
        list(reference.batchnorm_inference_backward(x, gamma, dy, *moving)),
        x,
        gamma,
        beta,
    )


def test_dropout_and_merges() -> None:
    x, other = normal(5, 4), normal(5, 2, seed=1)
    bits = (0.4, 1, 2, 3)
    dy = weights(x.shape)
    check(lambda x: reference.dropout_forward(x, *bits), [reference.dropout_backward(dy, *bits)], x)
    check(lambda a, b: reference.add_forward([a, b]), reference.add_backward(dy, 2), x, x + 1)
    check(
        lambda a, b: reference.concatenate_forward([a, b]),
        reference.concatenate_backward(weights((5, 6)), [4, 2]),
        x,
        other,
    )
    check(
        lambda x: reference.reshape_forward(x, (2, 2)),
        [reference.reshape_backward(weights((5, 2, 2)), (4,))],
        x,
    )


def loss_cases() -> list[tuple[str, bool, float]]:
    cases = []
    for kind, table in reference.LOSSES.items():
        for from_logits in (False, True) if "crossentropy" in kind else (False,):
            cases.append((kind, from_logits, 0.0))
            if table.smoothing != 0:
                cases.append((kind, from_logits, 0.1))
    return cases


@pytest.mark.parametrize(("kind", "from_logits", "smoothing"), loss_cases())
def test_loss_gradient(kind: str, from_logits: bool, smoothing: float) -> None:
    rng = np.random.default_rng(3)
    prediction = rng.normal(size=(6, 4)) if from_logits else rng.uniform(0.1, 0.9, size=(6, 4))
    target = rng.integers(0, 4, 6) if reference.LOSSES[kind].labels else rng.uniform(size=(6, 4))
    sample_weight = np.array([0.5, 2.0, 0.0])

    def weighted_mean(p: np.ndarray) -> float:
        rows = reference.loss_forward(kind, p, target, from_logits, smoothing)
        return float((rows * np.repeat(sample_weight, 2)).sum() / 6.0)

    gradient = reference.loss_backward(
        kind, prediction, target, from_logits, smoothing, sample_weight
    )
    expected = numeric_gradient(weighted_mean, prediction)
    np.testing.assert_allclose(gradient, expected, rtol=1e-7, atol=1e-9)


def test_the_two_forms_of_a_crossentropy_agree() -> None:
    logits, labels = normal(5, 4), [0, 3, 1, 1, 2]
    p = reference.softmax_forward(logits)
    for kind, target in [
        ("sparse_categorical_crossentropy", labels),
        ("categorical_crossentropy", np.eye(4)[labels]),
    ]:
        np.testing.assert_allclose(
            reference.loss_forward(kind, p, target),
            reference.loss_forward(kind, logits, target, True),
        )
        dp = reference.loss_backward(kind, p, target)
        np.testing.assert_allclose(
            reference.softmax_backward(p, dp), reference.loss_backward(kind, logits, target, True)
        )
    clipped = reference.loss_forward("binary_crossentropy", [[0.0]], [[1.0]])
    assert clipped[0] == pytest.approx(-np.log(1e-7))
    exact = reference.loss_forward("binary_crossentropy", [[-1000.0]], [[1.0]], True)
    assert exact[0] == 1000.0


def whole_graph(mode: str) -> Builder:
    """A net with shared parameters, both merges, every op, penalties and two losses."""
    b = Builder("sgd")
    x, other = b.input(4), b.input(2, 3)
    w, bias = b.parameter(4, 6, l2=0.01), b.parameter(6)
    first = b.node("activation", [b.node("dense", [x, w, bias])], kind="gelu")
    back = b.dense(first, 4, l1=0.02)
    shared = b.node("dense", [back, w, bias])  # the same parameters again
    flat = b.node("reshape", [b.node("log_softmax", [b.dense(other, 4)])], shape=[-1])
    merged = b.node("add", [first, shared, b.node("activation", [shared], kind="tanh")])
    h = b.node("concatenate", [merged, flat, x])
    h = b.batchnorm(h, mode=mode, momentum=0.9)
    h = b.node("glu", [b.node("dropout", [h], rate=0.25, stream=1)])
    frozen = b.node("dense", [h, b.parameter(9, 5, trainable=False)])
    y = b.node("softmax", [frozen])
    b.graph.outputs = [y]
    b.loss("sparse_categorical_crossentropy", y, weight=0.7)
    b.loss("mean_squared_error", y, target=1, weight=2.0)
    b.loss("mean_squared_error", merged, target=2)
    return b


@pytest.mark.parametrize("mode", ["auto", "infer"])
def test_gradient_of_a_whole_graph(mode: str) -> None:
    builder = whole_graph(mode)
    graph, session = builder.graph, builder.session(seed=5)
    session.seed, session.iterations = 11, 3
    rng = np.random.default_rng(6)
    data = reference.Dataset(
        [rng.normal(size=(5, 4)), rng.normal(size=(5, 2, 3))],
        [rng.integers(0, 5, 5), rng.uniform(size=(5, 5)), rng.normal(size=(5, 6))],
        [rng.uniform(size=5), None, None],
    )

    def loss() -> float:
        session.reset_totals()
        session.compute_gradients(data, 0, 5)
        return session.totals()[0]

    loss()
    gradients = [session.get_gradient(i) for i in range(len(graph.parameters))]
    for i, spec in enumerate(graph.parameters):
        if not spec.trainable:
            assert not gradients[i].any()
            continue
        start = session.get_parameter(i).astype(np.float64)

        def at(values: np.ndarray, i: int = i) -> float:
            session.set_parameter(i, values)
            return loss()

        session.set_parameter(i, start)
        expected = numeric_gradient(at, start)
        session.set_parameter(i, start)
        assert np.abs(expected).max() > 1e-4
        # get_gradient returns float32.
        np.testing.assert_allclose(gradients[i], expected, rtol=1e-5, atol=1e-6, err_msg=spec.name)
