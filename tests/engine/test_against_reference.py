"""The native engine and the reference run the same graphs: gradients, trajectories, predictions."""

import os

import numpy as np
import pytest

from dnnfast import _core, reference
from dnnfast.graph import Optimizer
from engine.graphs import GRAPHS, make_data
from tolerance import assert_close, relative_error

# Gradients and a few steps of float32 against float64: rounding grows through the layers.
GRADIENT_LIMIT = 2e-5
TRAJECTORY_LIMIT = 2e-4
# tests/gpu runs the tests of this folder on another device.
DEVICE = os.environ.get("DNNFAST_TEST_DEVICE", "cpu")
if DEVICE != "cpu":
    _core.set_cuda_library(os.environ["DNNFAST_CUDA_LIBRARY"])


def native_session(graph):
    return _core.Session(graph, DEVICE)


def sessions(graph, seed=3):
    rng = np.random.default_rng(seed)
    values = []
    for parameter in graph.parameters:
        fan_in = parameter.shape[0] if len(parameter.shape) == 2 else 4
        value = rng.standard_normal(parameter.shape) / np.sqrt(fan_in)
        if "variance" in parameter.name or "gamma" in parameter.name:
            value = 1 + 0.2 * np.abs(value)
        values.append(value.astype(np.float32))
    result = []
    for session in (native_session(graph), reference.Session(graph)):
        session.seed = 11
        for i, value in enumerate(values):
            session.set_parameter(i, value)
        result.append(session)
    return result


def datasets(data):
    return [module.Dataset(*data) for module in (_core, reference)]


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("batch", [1, 7, 32, 33])
def test_gradients(name, batch):
    graph = GRAPHS[name]()
    native, exact = sessions(graph)
    mine, theirs = datasets(make_data(graph, rows=batch))
    native.compute_gradients(mine, 0, batch)
    exact.compute_gradients(theirs, 0, batch)
    norms = [np.linalg.norm(exact.get_gradient(i)) for i in range(len(graph.parameters))]
    for i, parameter in enumerate(graph.parameters):
        if parameter.trainable:
            # A bias before batch normalization has no gradient but rounding's.
            scale = np.full(1, max(norms[i], 1e-3 * max(norms)))
            assert_close(native.get_gradient(i), exact.get_gradient(i), GRADIENT_LIMIT, scale=scale)


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("rows", [64, 75])
def test_trajectory(name, rows):
    graph = GRAPHS[name]()
    native, exact = sessions(graph)
    data = make_data(graph, rows=rows)
    mine, theirs = datasets(data)
    steps = -(-rows // 32)
    for epoch in range(2):
        order = _core.shuffle(rows, 5, epoch)
        rates = np.full(steps, 0.01)
        for session, dataset in ((native, mine), (exact, theirs)):
            session.reset_totals()
            assert session.train(dataset, order, 0, steps, 32, rates) == steps
        np.testing.assert_allclose(native.totals(), exact.totals(), rtol=2e-4, atol=1e-6)
    for i in range(len(graph.parameters)):
        error = relative_error(native.get_parameter(i), exact.get_parameter(i))
        assert error < TRAJECTORY_LIMIT, f"{graph.parameters[i].name}: {error:.3g}"
    assert native.iterations == exact.iterations == 2 * steps

    for session, dataset in ((native, mine), (exact, theirs)):
        session.reset_totals()
        session.evaluate(dataset, 0, -(-rows // 25), 25)
    np.testing.assert_allclose(native.totals(), exact.totals(), rtol=2e-4, atol=1e-6)

    for training in (False, True):
        outputs = []
        for session, dataset in ((native, mine), (exact, theirs)):
            shapes = [graph.tensors[t].shape for t in graph.outputs]
            out = [np.full((rows, *shape), np.nan, np.float32) for shape in shapes]
            session.predict(dataset, 0, -(-rows // 20), 20, out, training, 4)
            outputs.append(out)
        for a, b in zip(*outputs, strict=True):
            assert_close(a, b, TRAJECTORY_LIMIT)


EVERYTHING = {
    **{"gradient_accumulation_steps": 2, "use_ema": 1, "ema_momentum": 0.5},
    **{"ema_overwrite_frequency": 3, "clipnorm": 0.05, "weight_decay": 0.1},
    "loss_scale_factor": 64,
}
OPTIMIZERS = [
    ("sgd", {}),
    ("sgd", {"momentum": 0.9}),
    ("sgd", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("rmsprop", {}),
    ("rmsprop", {"momentum": 0.5, "centered": True, "rho": 0.8}),
    ("adam", {}),
    ("adam", {"amsgrad": True, "weight_decay": 0.004}),
    ("nadam", {"beta_1": 0.8}),
    ("sgd", {"clipvalue": 0.01}),
    ("sgd", {"clipnorm": 0.05}),
    ("adam", {"global_clipnorm": 0.1}),
    *((kind, {}) for kind in reference.OPTIMIZERS[4:]),
    *((kind, EVERYTHING) for kind in reference.OPTIMIZERS),
    ("adagrad", {"use_ema": 1, "ema_momentum": 0.5}),
    ("adadelta", {"gradient_accumulation_steps": 2, "weight_decay": 0.1}),
    ("adamax", {"clipvalue": 0.01, "loss_scale_factor": 3}),
    ("lion", {"ema_overwrite_frequency": 2, "use_ema": 1}),
    ("ftrl", {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.1}),
    ("ftrl", {"l2_shrinkage_regularization_strength": 0.1, "beta": 0.5}),
    ("ftrl", {"learning_rate_power": -0.7}),
    ("ftrl", {"learning_rate_power": 0}),
    ("schedule_free_adamw", {"warmup_steps": 2, "weight_decay": 0.1}),
    ("lamb", {"weight_decay": 0.1, "global_clipnorm": 0.1}),
    ("adafactor", {"weight_decay": 0.1, "clipvalue": 0.01, "clip_threshold": 0.5}),
    ("muon", {"adam_weight_decay": 0.1, "rms_rate": 0, "ns_steps": 3, "nesterov": 0}),
    ("adam", {"dynamic_loss_scale": 1, "initial_scale": 2**10, "dynamic_growth_steps": 2}),
    ("lamb", {"dynamic_loss_scale": 1, "initial_scale": 2**10, "dynamic_growth_steps": 2}),
]


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS, ids=str)
@pytest.mark.parametrize("name", ["mlp", "regularized"])
def test_optimizer_trajectory(name, kind, options):
    graph = GRAPHS[name]()
    graph.optimizer = Optimizer(kind, {"epsilon": 1e-3, **options})
    train_both(graph, np.array([0.05, 0.02, 0.01]))


def train_both(graph, rates):
    """Train on both engines and compare all that training changes."""
    for parameter in graph.parameters:
        parameter.orthogonal = True  # muon's own step, where it can be
    native, exact = sessions(graph)
    mine, theirs = datasets(make_data(graph, rows=32 * len(rates)))
    for session, dataset in ((native, mine), (exact, theirs)):
        session.train(dataset, None, 0, len(rates), 32, rates)
    for i in range(len(graph.parameters)):
        error = relative_error(native.get_parameter(i), exact.get_parameter(i))
        assert error < TRAJECTORY_LIMIT
        for slot, _ in native.slots(i):
            # State of nearly no gradient is nearly nothing: compare on the scale of its largest.
            a, b = native.get_slot(slot, i), exact.get_slot(slot, i)
            assert np.abs(a - b).max() < 1e-4 * max(np.abs(b).max(), 1e-3)
        assert native.slots(i) == exact.slots(i)
    assert native.u_products == pytest.approx(exact.u_products, rel=1e-12)
    assert native.iterations == exact.iterations
    assert (native.loss_scale, native.good_steps) == (exact.loss_scale, exact.good_steps)


@pytest.mark.parametrize("name", ["mlp", "shared", "regularized"])
def test_several_optimizers(name):
    graph = GRAPHS[name]()
    ema = {"use_ema": 1, "ema_momentum": 0.5}
    graph.optimizer = Optimizer("adam", {"epsilon": 1e-3, "clipnorm": 0.1, **ema})
    graph.other_optimizers = [
        Optimizer("sgd", {"momentum": 0.5, "gradient_accumulation_steps": 2}),
        Optimizer("adafactor", {"weight_decay": 0.1}),
        Optimizer("nadam", {"epsilon": 1e-3}),
    ]
    for i, parameter in enumerate(graph.parameters):
        parameter.optimizer = i % 4
    rates = np.full((4, 4, 2), np.nan)
    rates[:, :, 0] = np.linspace(0.02, 0.05, 16).reshape(4, 4)
    rates[1:3, 1, 1] = 0.25, 0.75
    rates[2, 3, 1] = 0.8
    train_both(graph, rates)


ELEMENTWISE = [kind for kind in reference.OPTIMIZERS if kind not in ("lamb", "adafactor")]


@pytest.mark.parametrize("options", [{}, {"use_ema": 1, "gradient_accumulation_steps": 2}], ids=str)
@pytest.mark.parametrize("kind", ELEMENTWISE)
def test_fused_and_separate_updates_give_the_same_bits(kind, options):
    graph = GRAPHS["mlp"]()
    graph.optimizer = Optimizer(kind, {"epsilon": 1e-3, "weight_decay": 0.1, **options})
    fused, separate = sessions(graph)[0], sessions(graph)[0]
    text = fused.describe(32)
    assert "used up by the optimizer" in text and "optimizer_step" not in text
    data = _core.Dataset(*make_data(graph, rows=96))
    for step in range(3):
        separate.compute_gradients(data, step, 32)
        count = len(graph.parameters)
        separate.apply([separate.get_gradient(i) for i in range(count)], [0.05])
        fused.train(data, None, step, 1, 32, [0.05])
        for i in range(count):
            np.testing.assert_array_equal(fused.get_parameter(i), separate.get_parameter(i))
            for slot, _ in fused.slots(i):
                np.testing.assert_array_equal(fused.get_slot(slot, i), separate.get_slot(slot, i))


def test_gradients_that_are_not_finite_are_left_out():
    graph = GRAPHS["regularized"]()
    options = {"dynamic_loss_scale": 1, "initial_scale": 16, "dynamic_growth_steps": 2}
    graph.optimizer = Optimizer("adam", {"epsilon": 1e-3, "use_ema": 1, **options})
    native, exact = sessions(graph)
    rng = np.random.default_rng(0)
    for step in range(6):
        gradients = [rng.standard_normal(p.shape).astype(np.float32) for p in graph.parameters]
        if step in (2, 3):
            gradients[0].flat[-1] = (np.nan, np.inf)[step - 2]
        for session in (native, exact):
            session.apply(gradients, [0.1])
        assert (native.loss_scale, native.good_steps) == (exact.loss_scale, exact.good_steps)
    assert native.iterations == exact.iterations == 4
    for i in range(len(graph.parameters)):
        assert_close(native.get_parameter(i), exact.get_parameter(i), TRAJECTORY_LIMIT)


def test_applied_gradients_of_some_parameters():
    graph = GRAPHS["mlp"]()
    native, exact = sessions(graph)
    for given in ([0, 3], [1, 2, 3], [1, 2, 3]):
        gradients = [
            np.full(p.shape, 0.5, np.float32) if i in given else None
            for i, p in enumerate(graph.parameters)
        ]
        for session in (native, exact):
            session.apply(gradients, [0.1])
    for i in range(len(graph.parameters)):
        assert_close(native.get_parameter(i), exact.get_parameter(i), TRAJECTORY_LIMIT)
    with pytest.raises(ValueError, match="gradients"):
        native.apply([None], [0.1])
