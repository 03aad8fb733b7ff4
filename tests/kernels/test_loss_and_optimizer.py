"""Losses, metrics and optimizer steps against the reference."""

import inspect

import numpy as np
import pytest

from dnnfast import kernels, reference
from tolerance import assert_close, bound

SHAPES = [(1, 2), (7, 10), (33, 31), (100, 100), (32, 300)]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def case(kind, shape, from_logits):
    rng = np.random.default_rng(3)
    prediction = draw(*shape, seed=1) * 2
    if not from_logits and "crossentropy" in kind:
        prediction = 1 / (1 + np.exp(-prediction))
        if "categorical" in kind:
            prediction /= prediction.sum(1, keepdims=True)
    if kind.startswith("sparse"):
        target = rng.integers(0, shape[1], shape[0])
    elif kind.startswith("categorical"):
        target = np.eye(shape[1])[rng.integers(0, shape[1], shape[0])]
    elif kind.startswith("binary"):
        target = rng.integers(0, 2, shape).astype(np.float64)
    else:
        target = draw(*shape, seed=2)
    return prediction.astype(np.float32), target


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", reference.LOSSES)
def test_loss(kind, shape):
    for from_logits in [False, True] if "crossentropy" in kind else [False]:
        prediction, target = case(kind, shape, from_logits)
        for smoothing in [0.0, 0.1] if kind[:3] in ("cat", "bin") else [0.0]:
            args = (kind, prediction, target, from_logits, smoothing)
            limit = bound(shape[1], operations=32)
            assert_close(kernels.loss_forward(*args), reference.loss_forward(*args), limit)
            weights = np.abs(draw(shape[0], seed=5))
            for weight in (None, weights):
                assert_close(
                    kernels.loss_backward(*args, weight),
                    reference.loss_backward(*args, weight),
                    limit,
                )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", reference.METRICS)
def test_metric(kind, shape):
    prediction, target = case(kind.replace("accuracy", "crossentropy"), shape, False)
    out = kernels.metric_rows(kind, prediction, target)
    assert_close(out, reference.metric_rows(kind, prediction, target), bound(shape[1]))


@pytest.mark.parametrize("label", [-1, 10, 2**40])
def test_labels_out_of_range(label):
    with pytest.raises(ValueError, match=r"target\[1\]"):
        kernels.loss_forward("sparse_categorical_crossentropy", draw(2, 10), [0, label])


OPTIONS = {
    "sgd": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}],
    "rmsprop": [{}, {"momentum": 0.9}, {"centered": True}, {"momentum": 0.5, "centered": True}],
    "adam": [{}, {"amsgrad": True}, {"beta_1": 0.8, "epsilon": 1e-3}],
    "ftrl": [{}, {"l1_regularization_strength": 0.1, "beta": 0.5}, {"learning_rate_power": -0.8}],
    "schedule_free_adamw": [{}, {"warmup_steps": 3}],
    "muon": [{}, {"nesterov": False, "rms_rate": None}],
}
STEP_FUNCTIONS = sorted(n.removesuffix("_step") for n in dir(kernels) if n.endswith("_step"))
CASES = [(kind, options) for kind in STEP_FUNCTIONS for options in OPTIONS.get(kind, [{}])]


def test_every_optimizer_has_a_step_of_the_same_signature():
    assert set(STEP_FUNCTIONS) == {*reference.OPTIMIZERS, "adamw"}
    for kind in STEP_FUNCTIONS:
        ours, exact = (getattr(m, f"{kind}_step") for m in (kernels, reference))
        mine, theirs = (inspect.signature(f).parameters.values() for f in (ours, exact))
        assert [(p.name, p.default, p.kind) for p in mine] == [
            (p.name, p.default, p.kind) for p in theirs
        ]


@pytest.mark.parametrize("shape", [(1,), (7,), (33,), (5000,), (7, 33), (100, 31)], ids=str)
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_optimizer_over_steps(kind, options, shape):
    if kind == "muon" and len(shape) != 2:
        pytest.skip("muon takes matrices")

    def run(module):
        step = getattr(module, f"{kind}_step")
        parameters = inspect.signature(step).parameters
        slots = [p for p in parameters.values() if p.kind == p.POSITIONAL_OR_KEYWORD][2:]
        w = draw(*shape, seed=1)
        state = [np.zeros(shape) if p.default is p.empty and p.name != "z" else None for p in slots]
        u_product = 1.0
        for t in range(1, 6):
            g = draw(*shape, seed=10 + t)
            more = {"step": t} if "step" in parameters else {}
            if kind == "nadam":
                more["u_product"] = u_product
            w, *state = step(w, g, *state, learning_rate=0.1, **more, **options)
            if kind == "nadam":
                u_product = state.pop()
        return w, u_product, state

    (w, u, state), (exact, exact_u, exact_state) = run(kernels), run(reference)
    limit = bound(5 * max(shape) if kind == "muon" else 5, operations=32)
    assert_close(w, exact, limit)
    assert u == pytest.approx(exact_u, rel=1e-12)
    for mine, theirs in zip(state, exact_state, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            assert_close(mine, theirs, limit)


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 16)], ids=str)
def test_adafactor_factors_the_last_two_axes(shape):
    w, g = draw(*shape, seed=1), draw(*shape, seed=2)
    for _ in range(2):
        found = kernels.adafactor_step(w, g, step=1, learning_rate=0.1)
        exact = reference.adafactor_step(w, g, step=1, learning_rate=0.1)
        for a, b in zip(found[:3], exact[:3], strict=True):
            assert_close(a, b, bound(5, operations=32))
