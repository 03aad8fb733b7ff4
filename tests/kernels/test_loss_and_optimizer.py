"""Losses, metrics and optimizer steps against the reference."""

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
    "nadam": [{}, {"beta_1": 0.8}],
}
CASES = [(kind, options) for kind in reference.OPTIMIZERS for options in OPTIONS[kind]]


@pytest.mark.parametrize("size", [1, 7, 33, 5000])
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_optimizer_over_steps(kind, options, size):
    def run(module):
        step = getattr(module, f"{kind}_step")
        w, state = draw(size, seed=1), ()
        if kind == "rmsprop":
            state = (np.zeros(size),)
        elif kind in ("adam", "nadam"):
            state = (np.zeros(size), np.zeros(size))
        u_product = 1.0
        for t in range(1, 6):
            g = draw(size, seed=10 + t)
            more = {} if kind in ("sgd", "rmsprop") else {"step": t}
            if kind == "nadam":
                more["u_product"] = u_product
            w, *state = step(w, g, *state, learning_rate=0.1, **more, **options)
            if kind == "nadam":
                *state, u_product = state
        return w, u_product

    (w, u), (exact, exact_u) = run(kernels), run(reference)
    assert_close(w, exact, bound(5, operations=32))
    assert u == pytest.approx(exact_u, rel=1e-12)
