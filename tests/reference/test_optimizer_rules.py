"""First steps of optimizers in closed form: those of optimizer_rules and optimizer_whole."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dnnfast import reference
from dnnfast.graph import Graph, Optimizer, Parameter

W, G = np.array([1.0, -2.0]), np.array([0.5, -4.0])
ZERO = np.zeros(2)


def close(actual: object, expected: object, rtol: float = 1e-12) -> None:
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=1e-300)  # type: ignore[arg-type]


def test_adamw_decays_first() -> None:
    w, m, v, _ = reference.adamw_step(W, G, ZERO, ZERO, step=1, learning_rate=0.1, weight_decay=0.5)
    plain, *_ = reference.adam_step(W * 0.95, G, ZERO, ZERO, step=1, learning_rate=0.1)
    close(w, plain)
    close(m, 0.1 * G)


def test_adamax_forgets_the_largest_gradient_slowly() -> None:
    w, m, u = reference.adamax_step(W, G, ZERO, ZERO, step=1, learning_rate=0.1, epsilon=0.25)
    close(u, np.abs(G))
    close(w, W - 0.1 * G / (np.abs(G) + 0.25))  # m / (1 - beta_1) is the gradient
    _, _, later = reference.adamax_step(w, ZERO, m, u, step=2, beta_2=0.5)
    close(later, 0.5 * np.abs(G))


def test_adagrad_sums_squares_from_a_tenth_on() -> None:
    w, a = reference.adagrad_step(W, G, learning_rate=0.1, epsilon=0.5)
    close(a, 0.1 + G * G)
    close(w, W - 0.1 * G / np.sqrt(0.6 + G * G))
    _, a = reference.adagrad_step(w, G, a)
    close(a, 0.1 + 2 * G * G)


def test_adadelta_takes_its_first_steps_from_epsilon() -> None:
    options = {"learning_rate": 2.0, "rho": 0.75, "epsilon": 0.5}
    w, a, d = reference.adadelta_step(W, G, ZERO, ZERO, **options)
    step = np.sqrt(0.5) * G / np.sqrt(0.25 * G * G + 0.5)
    close(a, 0.25 * G * G)
    close(d, 0.25 * step * step)
    close(w, W - 2.0 * step)
    w2, a2, _ = reference.adadelta_step(w, G, a, d, **options)
    close(w2, w - 2.0 * np.sqrt(d + 0.5) * G / np.sqrt(a2 + 0.5))


def test_lion_steps_by_sign() -> None:
    w, m = reference.lion_step(W, G, learning_rate=0.25)
    close(w, W - 0.25 * np.sign(G))
    close(m, 0.01 * G)
    # A momentum against the gradient wins with beta_1 of 0.9 when it is an eighth of it.
    w, _ = reference.lion_step(W, G, -G / 8, learning_rate=0.25)
    close(w, W + 0.25 * np.sign(G))


def test_ftrl_without_penalties() -> None:
    options = {"learning_rate": 0.5, "initial_accumulator_value": 1.0}
    w, n, z = reference.ftrl_step(W, G, **options)
    close(n, 1.0 + G * G)
    sigma = (np.sqrt(n) - 1.0) / 0.5
    close(z, G - sigma * W)
    close(w, -z / (np.sqrt(n) / 0.5))


def test_ftrl_keeps_small_weights_at_zero() -> None:
    w, _, z = reference.ftrl_step(ZERO, G, learning_rate=0.5, l1_regularization_strength=1.0)
    close(z, G)
    assert w[0] == 0.0  # a pull of a half is not above 1
    close(w[1], 3.0 / (math.sqrt(16.1) / 0.5))


def test_ftrl_where_nothing_was_seen() -> None:
    w, n, z = reference.ftrl_step(W, ZERO, learning_rate=0.5, initial_accumulator_value=0.0)
    assert not np.any([w, n, z])


def test_schedule_free_starts_as_adam_without_memory() -> None:
    options = {"learning_rate": 0.1, "epsilon": 0.25}
    w, z, v = reference.schedule_free_adamw_step(W, G, None, ZERO, step=1, **options)
    close(v, 0.001 * G * G)
    close(z, W - 0.1 * G / (np.abs(G) + 0.25))
    close(w, z)  # the mean of one sequence element is that element
    w2, z2, _ = reference.schedule_free_adamw_step(w, G, z, v, step=2, **options)
    close(w2, 0.1 * z2 + 0.9 * (z + z2) / 2)
    w, z, _ = reference.schedule_free_adamw_step(
        W, G, None, ZERO, step=1, warmup_steps=4, **options
    )
    close(z, W - 0.025 * G / (np.abs(G) + 0.25))


def test_lamb_is_as_long_as_the_weights() -> None:
    w, m, v = reference.lamb_step(W, G, ZERO, ZERO, step=1, learning_rate=0.25, epsilon=0.0)
    assert np.linalg.norm(w - W) == pytest.approx(0.25 * np.linalg.norm(W), rel=1e-12)
    close(w, W - 0.25 * math.sqrt(5 / 2) * np.sign(G))
    # Weights that are zero take the rate as it is.
    w, *_ = reference.lamb_step(ZERO, G, ZERO, ZERO, step=1, learning_rate=0.25, epsilon=0.0)
    close(w, -0.25 * np.sign(G))


def test_adafactor_of_a_product_of_rows_and_columns_is_exact() -> None:
    rows, columns = np.array([1.0, 2.0, 5.0]), np.array([1.0, -3.0])
    g = np.outer(rows, columns)
    w = np.full((3, 2), 0.5)
    w, r, c, v = reference.adafactor_step(w, g, step=1, learning_rate=0.25)
    assert v is None
    close(r, rows**2 * 5)
    close(c, columns**2 * 10)
    close(reference.adafactor_velocity(r, c), g * g)
    close(w, 0.5 - 0.5 * 0.25 * np.sign(g))  # the root mean square of w times the rate


def test_adafactor_of_a_vector() -> None:
    options = {"step": 1, "learning_rate": 0.25, "epsilon_2": 4.0, "clip_threshold": 0.5}
    w, r, c, v = reference.adafactor_step(W, G, **options)
    assert r is None
    assert c is None
    close(v, G * G)
    close(w, W - 4.0 * 0.25 * np.sign(G) / 2.0)  # u has the root mean square 1, twice the limit
    _, _, _, v2 = reference.adafactor_step(w, 2 * G, None, None, v, **{**options, "step": 2})
    close(v2, G * G * (1 - 2**-0.8) + 4 * G * G * 2**-0.8)


def test_adafactor_never_exceeds_the_root_of_the_steps() -> None:
    late, *_ = reference.adafactor_step(W, G, step=16, learning_rate=1.0)
    same, *_ = reference.adafactor_step(W, G, step=16, learning_rate=0.25)
    close(late, same)


@pytest.mark.parametrize("shape", [(4, 4), (3, 8), (8, 3)])
def test_orthogonalize(shape: tuple[int, int]) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    found = reference.orthogonalize(x)
    assert abs(np.linalg.svd(found)[1] - 1).max() < 0.35
    # The singular vectors stay.
    inner = u.T @ found @ vt.T
    assert abs(inner - np.diag(np.diag(inner))).max() < 1e-12
    transposed = reference.orthogonalize(x.T)
    close(transposed, found.T, 1e-10)


def test_muon() -> None:
    g = np.random.default_rng(1).standard_normal((3, 5))
    w, m = reference.muon_step(np.zeros((3, 5)), g, learning_rate=0.5, momentum=0.5)
    close(m, g)
    close(w, -0.5 * 0.2 * math.sqrt(5) * reference.orthogonalize(1.5 * g))
    w, m = reference.muon_step(w * 0, g, m, momentum=0.5, nesterov=False, rms_rate=None)
    close(m, 1.5 * g)
    close(w, -0.001 * reference.orthogonalize(g), 1e-6)  # the norm does not matter
    with pytest.raises(ValueError, match="must be a matrix"):
        reference.muon_step(W, G)


# --- What all optimizers share, on a session without ops ---


def session_of(kind: str = "sgd", **options: float) -> reference.Session:
    graph = Graph(optimizer=Optimizer(kind, options))
    graph.add_parameter(Parameter("w", (2,)))
    session = reference.Session(graph)
    session.set_parameter(0, W)
    return session


def values(session: reference.Session) -> np.ndarray:
    return session._parameters[0]


def test_accumulation_updates_by_the_mean() -> None:
    session = session_of(gradient_accumulation_steps=3.0, clipvalue=1.0)
    for number, g in enumerate(([1.0, 0.0], [2.0, -9.0])):
        session.apply([np.array(g)], [0.5])
        close(values(session), W)
        assert session.iterations == number + 1
    close(session.get_slot("gradient_accumulator", 0), [3.0, -9.0])
    session.apply([np.array([0.0, 3.0])], [0.5])
    close(values(session), W - 0.5 * np.array([1.0, -1.0]))  # the clipped mean of 3 and of -6
    assert not session.get_slot("gradient_accumulator", 0).any()


def test_the_average_starts_at_the_first_weights() -> None:
    session = session_of(use_ema=1.0, ema_momentum=0.75)
    seen = []
    for _ in range(3):
        session.apply([G], [0.5])
        seen.append(values(session))
    close(
        session.get_slot("average", 0), 0.5625 * seen[0] + 0.1875 * seen[1] + 0.25 * seen[2], 1e-6
    )


def test_the_average_overwrites_the_weights() -> None:
    session = session_of(use_ema=1.0, ema_momentum=0.5, ema_overwrite_frequency=2.0)
    session.apply([G], [0.5])
    first = values(session)
    session.apply([G], [0.5])
    close(values(session), 0.5 * first + 0.5 * (first - 0.5 * G))


def test_a_gradient_that_is_not_finite_is_skipped() -> None:
    options = {"initial_scale": 8.0, "dynamic_growth_steps": 2.0}
    session = session_of(dynamic_loss_scale=1.0, **options)
    session.apply([8.0 * G], [0.5])
    close(values(session), W - 0.5 * G)
    session.apply([np.array([np.inf, 0.0])], [0.5])
    close(values(session), W - 0.5 * G)
    assert (session.iterations, session.loss_scale, session.good_steps) == (1, 4.0, 0)
    for expected in (4.0, 8.0):
        session.apply([4.0 * G], [0.5])
        assert session.loss_scale == expected
    close(values(session), W - 1.5 * G)


def test_momentum_by_step() -> None:
    session = session_of(momentum=0.5)
    session.apply([G], [[[0.5, 0.25]]])
    session.apply([G], [[[0.5, 0.0]]])
    close(session.get_slot("momentum", 0), -0.5 * G)
    session.apply([G], [[[0.5, np.nan]]])
    close(session.get_slot("momentum", 0), -0.75 * G)


def test_several_optimizers() -> None:
    graph = Graph(optimizer=Optimizer("sgd", {}), other_optimizers=[Optimizer("nadam", {})])
    graph.add_parameter(Parameter("a", (2,)))
    graph.add_parameter(Parameter("b", (2,), optimizer=1))
    session = reference.Session(graph)
    for i in range(2):
        session.set_parameter(i, W)
    assert [[name for name, _ in session.slots(i)] for i in range(2)] == [
        [],
        ["momentum", "velocity"],
    ]
    session.apply([G, G], [[[0.5, np.nan], [0.25, np.nan]]])
    close(session._parameters[0], W - 0.5 * G)
    nadam, *_, product = reference.nadam_step(W, G, ZERO, ZERO, step=1, learning_rate=0.25)
    close(session._parameters[1], nadam)
    assert session.u_products == [1.0, product]
