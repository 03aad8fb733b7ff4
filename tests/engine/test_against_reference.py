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
]


@pytest.mark.parametrize(("kind", "options"), OPTIMIZERS, ids=str)
@pytest.mark.parametrize("name", ["mlp", "regularized"])
def test_optimizer_trajectory(name, kind, options):
    graph = GRAPHS[name]()
    graph.optimizer = Optimizer(kind, {"epsilon": 1e-3, **options})
    native, exact = sessions(graph)
    mine, theirs = datasets(make_data(graph, rows=96))
    for session, dataset in ((native, mine), (exact, theirs)):
        session.train(dataset, None, 0, 3, 32, np.array([0.05, 0.02, 0.01]))
    for i in range(len(graph.parameters)):
        error = relative_error(native.get_parameter(i), exact.get_parameter(i))
        assert error < TRAJECTORY_LIMIT
        for slot in native.slot_names:
            # State of nearly no gradient is nearly nothing: compare on the scale of its largest.
            a, b = native.get_slot(slot, i), exact.get_slot(slot, i)
            assert np.abs(a - b).max() < 1e-4 * max(np.abs(b).max(), 1e-3)
    assert list(native.slot_names) == list(exact.slot_names)
    assert native.u_product == pytest.approx(exact.u_product, rel=1e-12)
