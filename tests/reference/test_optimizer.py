"""Optimizer steps against numbers worked out by hand and against closed forms."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

from dnnfast import reference
from dnnfast.graph import Parameter
from dnnfast.reference.optimizer_state import slot_shapes
from reference.graphs import Builder

W, G = np.array([1.0, -2.0]), np.array([0.5, -4.0])
ZERO = np.zeros(2)


def close(actual: np.ndarray | None, expected: object, rtol: float = 1e-13) -> None:
    assert actual is not None
    np.testing.assert_allclose(actual, expected, rtol=rtol)


def test_sgd() -> None:
    w, slot = reference.sgd_step(W, G, learning_rate=0.1)
    assert slot is None
    close(w, [0.95, -1.6])


def test_sgd_momentum_of_a_constant_gradient_is_a_geometric_sum() -> None:
    w, slot = W, None
    for _ in range(5):
        w, slot = reference.sgd_step(w, G, slot, learning_rate=0.1, momentum=0.5)
    close(slot, -0.1 * G * (1 - 0.5**5) / 0.5)
    close(w, W - 0.1 * G * sum((1 - 0.5**k) / 0.5 for k in range(1, 6)))


def test_sgd_nesterov_looks_ahead() -> None:
    w, slot = reference.sgd_step(W, G, learning_rate=0.1, momentum=0.5, nesterov=True)
    close(slot, -0.1 * G)
    close(w, W - 0.15 * G)  # momentum * m - lr * g
    w, slot = reference.sgd_step(w, G, slot, learning_rate=0.1, momentum=0.5, nesterov=True)
    close(slot, -0.15 * G)
    close(w, W - 0.15 * G - 0.175 * G)


def test_rmsprop() -> None:
    w, velocity, slot, average = reference.rmsprop_step(W, G, ZERO, learning_rate=0.1, epsilon=1e-3)
    assert slot is None
    assert average is None
    close(velocity, 0.1 * G * G)
    close(w, W - 0.1 * G / np.sqrt(0.1 * G * G + 1e-3))  # epsilon inside the root


def test_rmsprop_velocity_of_a_constant_gradient() -> None:
    w, velocity = W, ZERO
    for _ in range(7):
        w, velocity, _, _ = reference.rmsprop_step(w, G, velocity, rho=0.8)
    close(velocity, G * G * (1 - 0.8**7))


def test_rmsprop_momentum() -> None:
    first = 0.1 * G / np.sqrt(0.1 * G * G + 1e-7)
    options = {"learning_rate": 0.1, "momentum": 0.5}
    w, velocity, slot, _ = reference.rmsprop_step(W, G, ZERO, **options)
    close(slot, first)
    close(w, W - first)
    w, velocity, slot, _ = reference.rmsprop_step(w, G, velocity, slot, **options)
    close(slot, 0.5 * first + 0.1 * G / np.sqrt(0.19 * G * G + 1e-7))


def test_rmsprop_centered() -> None:
    w, _, _, average = reference.rmsprop_step(W, G, ZERO, learning_rate=0.1, centered=True)
    close(average, 0.1 * G)
    close(w, W - 0.1 * G / np.sqrt(0.1 * G * G - 0.01 * G * G + 1e-7))
    # A variance that rounding makes negative counts as zero.
    w, _, _, _ = reference.rmsprop_step(
        W, ZERO, ZERO, None, np.ones(2), learning_rate=0.1, centered=True
    )
    close(w, W)


def test_adam() -> None:
    w, m, v, vhat = reference.adam_step(W, G, ZERO, ZERO, step=1, learning_rate=0.1, epsilon=0.0)
    assert vhat is None
    close(m, 0.1 * G)
    close(v, 0.001 * G * G, 1e-12)
    close(w, W - 0.1 * np.sign(G), 1e-12)  # without epsilon the first step is lr * sign(g)


def test_adam_with_a_constant_gradient_keeps_its_pace() -> None:
    w, m, v = W, ZERO, ZERO
    for t in range(1, 31):
        w, m, v, _ = reference.adam_step(w, G, m, v, step=t, learning_rate=0.01, epsilon=0.0)
        close(w, W - 0.01 * t * np.sign(G), 1e-10)
    close(m, G * (1 - 0.9**30), 1e-12)
    close(v, G * G * (1 - 0.999**30), 1e-12)


def test_adam_adds_epsilon_to_the_uncorrected_root() -> None:
    w, _, _, _ = reference.adam_step(W, G, ZERO, ZERO, step=1, learning_rate=0.1, epsilon=0.5)
    rate = 0.1 * math.sqrt(1 - 0.999) / (1 - 0.9)
    close(w, W - rate * 0.1 * G / (np.sqrt(0.001) * np.abs(G) + 0.5), 1e-12)


def test_amsgrad_never_forgets_the_greatest_v() -> None:
    options = {"learning_rate": 0.1, "beta_2": 0.5, "amsgrad": True}
    w, m, v, vhat = reference.adam_step(W, G, ZERO, ZERO, step=1, **options)
    close(vhat, v)
    _, _, v, later = reference.adam_step(w, ZERO, m, v, vhat, step=2, **options)
    close(v, 0.25 * G * G)
    close(later, 0.5 * G * G)


def test_nadam() -> None:
    w, _, _, product = reference.nadam_step(W, G, ZERO, ZERO, step=1, learning_rate=0.1)
    u1, u2 = 0.9 * (1 - 0.5 * 0.96), 0.9 * (1 - 0.5 * 0.96**2)
    assert product == pytest.approx(u1, rel=1e-15)
    mhat = u2 * 0.1 * G / (1 - u1 * u2) + G  # (1 - u1) g / (1 - u1)
    close(w, W - 0.1 * mhat / (np.abs(G) + 1e-7), 1e-12)


def test_nadam_product() -> None:
    w, m, v, product = W, ZERO, ZERO, 1.0
    for t in range(1, 11):
        w, m, v, product = reference.nadam_step(w, G, m, v, step=t, u_product=product)
    expected = math.prod(0.9 * (1 - 0.5 * 0.96**t) for t in range(1, 11))
    assert product == pytest.approx(expected, rel=1e-14)
    builder = Builder("nadam")
    builder.loss("mean_squared_error", builder.dense(builder.input(2), 1))
    session = builder.session()
    data = reference.Dataset([np.ones((10, 2))], [np.ones(10)], [None])
    session.train(data, None, 0, 10, 1, np.full(10, 0.001))
    assert session.iterations == 10
    assert session.u_products == [pytest.approx(expected, rel=1e-14)]


@pytest.mark.parametrize("step", [reference.adam_step, reference.nadam_step])
def test_steps_count_from_one(step: object) -> None:
    with pytest.raises(ValueError, match="counts from 1"):
        step(W, G, ZERO, ZERO, step=0)  # type: ignore[operator]


def test_clipping() -> None:
    gradients = [np.array([3.0, -4.0]), np.array([0.0, 12.0])]
    clipped = reference.clip_gradients(gradients, {"clipvalue": 3.5})
    close(np.concatenate(clipped), [3.0, -3.5, 0.0, 3.5])
    clipped = reference.clip_gradients(gradients, {"clipnorm": 10.0})
    close(np.concatenate(clipped), [3.0, -4.0, 0.0, 10.0])
    clipped = reference.clip_gradients(gradients, {"global_clipnorm": 6.5})
    close(np.concatenate(clipped), [1.5, -2.0, 0.0, 6.0])
    assert reference.clip_gradients(gradients, {"clipnorm": None}) is gradients


def session_of(kind: str, **options: object) -> tuple[reference.Session, reference.Dataset]:
    builder = Builder(kind, **options)
    builder.loss("mean_squared_error", builder.dense(builder.input(3), 2))
    rng = np.random.default_rng(0)
    data = reference.Dataset([rng.normal(size=(12, 3))], [rng.normal(size=(12, 2))], [None])
    return builder.session(), data


STEPS = {
    "sgd": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "rmsprop": [{}, {"momentum": 0.9}, {"centered": True}, {"momentum": 0.5, "centered": True}],
    "adam": [{}, {"amsgrad": True, "beta_1": 0.8}, {"epsilon": 1e-3}],
    "nadam": [{}, {"beta_1": 0.8, "beta_2": 0.99}],
    "adagrad": [{}, {"initial_accumulator_value": 0.5}],
    "adadelta": [{}, {"rho": 0.5}],
    "adamax": [{}, {"beta_2": 0.5}],
    "lion": [{}, {"beta_1": 0.5}],
    "ftrl": [{}, {"l1_regularization_strength": 0.1, "beta": 0.5}],
    "schedule_free_adamw": [{}, {"warmup_steps": 2}],
    "lamb": [{}, {"beta_1": 0.5}],
    "adafactor": [{}, {"beta_2_decay": -0.5}],
}


def test_every_optimizer_is_here() -> None:
    assert {*STEPS, "muon"} == set(reference.OPTIMIZERS)  # muon: test_optimizer_rules.py


@pytest.mark.parametrize(
    ("kind", "options"), [(kind, options) for kind in STEPS for options in STEPS[kind]]
)
def test_a_session_is_the_step_function_repeated(kind: str, options: dict) -> None:
    session, data = session_of(kind, **options)
    step = getattr(reference, f"{kind}_step")
    parameters = list(inspect.signature(step).parameters.values())
    w = session._parameters[0]
    state: list = [np.zeros_like(w) if p.default is p.empty else None for p in parameters[2:]]
    state = state[: sum(p.kind == p.POSITIONAL_OR_KEYWORD for p in parameters) - 2]
    if kind == "schedule_free_adamw":
        state[0] = None
    for t in range(1, 5):
        session.compute_gradients(data, 0, 12)
        g = session._gradients[0]
        extra: dict = {"step": t} if any(p.name == "step" for p in parameters) else {}
        if kind == "nadam":
            extra["u_product"] = session.u_products[0]
        w, *state = step(w, g, *state, learning_rate=0.01, **options, **extra)
        if kind == "nadam":
            assert state.pop() == session.u_products[0] * reference.nadam_u(t, extra_beta(options))
        session.train(data, None, 0, 1, 12, [0.01])
        np.testing.assert_array_equal(session._parameters[0], w)
        slots = [value for value in state if value is not None]
        for (name, _), value in zip(session.slots(0), slots, strict=True):
            np.testing.assert_array_equal(session.get_slot(name, 0), value.astype(np.float32))


def extra_beta(options: dict) -> float:
    return options.get("beta_1", 0.9)


def test_decoupled_decay_and_its_exception() -> None:
    session, data = session_of("sgd", weight_decay=0.1)
    plain, _ = session_of("sgd")
    session.graph.parameters[1].decay = False
    before = session._parameters[0]
    for s in (session, plain):
        s.train(data, None, 0, 1, 12, [0.5])
    close(session._parameters[0] - plain._parameters[0], -before * 0.1 * 0.5, 1e-12)
    close(session._parameters[1], plain._parameters[1])


def test_slot_names_and_options() -> None:
    matrix = Parameter("w", (3, 2))
    assert slot_shapes("sgd", {}, matrix) == {}
    assert list(slot_shapes("rmsprop", {"momentum": 0.1, "centered": True}, matrix)) == [
        "velocity",
        "momentum",
        "average_gradient",
    ]
    assert list(slot_shapes("adam", {"amsgrad": True, "use_ema": True}, matrix)) == [
        "average",
        "momentum",
        "velocity",
        "velocity_hat",
    ]
    assert slot_shapes("adafactor", {}, matrix) == {"row_factor": (3,), "column_factor": (2,)}
    with pytest.raises(ValueError, match='Did you mean "momentum"'):
        session_of("sgd", momentun=0.9)
    with pytest.raises(ValueError, match='unknown optimizer "adma"'):
        session_of("adma")
    with pytest.raises(ValueError, match="only one of"):
        session_of("sgd", clipnorm=1.0, clipvalue=1.0)
