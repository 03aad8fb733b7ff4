"""What a session refuses, and what it leaves unchanged."""

import os

import numpy as np
import pytest

from dnnfast import _core
from dnnfast.errors import NonFiniteLossError
from dnnfast.graph import Optimizer
from engine.graphs import GRAPHS, Builder, make_data


def session_and_data(name="mlp", rows=64):
    graph = GRAPHS[name]()
    session = _core.Session(graph)
    for i, parameter in enumerate(graph.parameters):
        value = np.random.default_rng(i).standard_normal(parameter.shape) * 0.2
        session.set_parameter(i, np.abs(value) if "variance" in parameter.name else value)
    return session, make_data(graph, rows), graph


def state(session, graph):
    return [session.get_parameter(i).tobytes() for i in range(len(graph.parameters))]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_changes_nothing(bad):
    session, (inputs, targets, weights), graph = session_and_data("normalized")
    inputs[0][40, 3] = bad
    before = state(session, graph)
    data = _core.Dataset(inputs, targets, weights)
    with pytest.raises(NonFiniteLossError) as error:
        session.train(data, None, 0, 4, 16, np.full(4, 0.01))
    assert error.value.step == 2 and not np.isfinite(error.value.loss)
    assert session.iterations == 2
    clean, *_ = session_and_data("normalized")
    clean.train(data, None, 0, 2, 16, np.full(2, 0.01))
    assert state(clean, graph) == state(session, graph) != before


@pytest.mark.parametrize(
    "dtype", ["f2", "f4", "f8", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "?"]
)
def test_every_dtype_and_layout_is_read_in_place(dtype):
    session, _, graph = session_and_data()
    values = np.random.default_rng(0).integers(0, 2 if dtype == "?" else 100, (50, 33))
    x = values.astype(dtype)
    frozen = x.copy()
    frozen.flags.writeable = False
    padded = np.zeros((100, 40), dtype)
    padded[::2, 3:36] = x
    outputs = []
    for array in (x, frozen, np.asfortranarray(x), padded[::2, 3:36], x[::-1].copy()[::-1]):
        out = np.full((50, 10), np.nan, np.float32)
        session.predict(_core.Dataset([array], [], []), 0, 4, 16, [out])
        outputs.append(out)
    exact = np.full((50, 10), np.nan, np.float32)
    session.predict(_core.Dataset([values.astype(np.float32)], [], []), 0, 4, 16, [exact])
    for out in outputs:
        assert np.array_equal(out, exact)


def test_batches_may_change_size():
    session, data, _ = session_and_data(rows=70)
    dataset = _core.Dataset(*data)
    results = []
    for batch in (8, 64, 70, 1000, 1, 33):
        out = np.full((70, 10), np.nan, np.float32)
        session.predict(dataset, 0, -(-70 // batch), batch, [out])
        results.append(out)
    assert all(np.array_equal(results[0], out) for out in results)


def test_input_errors():
    session, (inputs, targets, weights), _ = session_and_data()
    good = _core.Dataset(inputs, targets, weights)
    rates = np.full(2, 0.1)
    cases = [
        (lambda: _core.Dataset([inputs[0][:5]], targets), "samples"),
        (lambda: _core.Dataset([np.array(3.0)]), "scalar"),
        (lambda: _core.Dataset([np.ones((4, 2, 6))[:, :, :4]]), "ascontiguousarray"),
        (lambda: session.train(good, None, 0, 3, 32, np.full(3, 0.1)), "steps"),
        (lambda: session.train(good, None, -1, 2, 32, rates), "steps"),
        (lambda: session.train(good, None, 0, 2, 0, rates), "batch_size"),
        (lambda: session.train(good, None, 0, 2, 32, np.full(3, 0.1)), "learning rates"),
        (lambda: session.train(good, np.full(64, 64), 0, 2, 32, rates), "order[0]"),
        (lambda: session.train(good, np.zeros(65, int), 0, 2, 32, rates), "at most 64"),
        (lambda: session.train(good, np.arange(5), 0, 2, 32, rates), "1 steps of 5 rows"),
        (lambda: session.evaluate(_core.Dataset([inputs[0][:, :30]], targets), 0, 1, 32), "(33,)"),
        (lambda: session.evaluate(_core.Dataset(inputs), 0, 1, 32), "targets"),
        (lambda: session.evaluate(_core.Dataset(inputs, [np.ones((64, 2))]), 0, 1, 32), "label"),
        (lambda: session.predict(good, 0, 1, 32, [np.zeros((5, 10), np.float32)]), "too small"),
        (lambda: session.set_parameter(0, np.zeros((3, 3))), "(33, 31)"),
        (lambda: session.get_parameter(99), "does not exist"),
        (lambda: session.get_slot("nothing", 0), "nothing"),
    ]
    for call, words in cases:
        with pytest.raises(ValueError) as error:
            call()
        assert words in str(error.value), str(error.value)
    with pytest.raises(TypeError, match="dtype"):
        _core.Dataset([np.array(["a", "b"])])
    with pytest.raises(TypeError, match="dtype"):
        _core.Dataset([np.ones((2, 2)).astype(">f4")])


def test_graph_errors():
    b = Builder((4,))
    b.graph.add_node("dense", [b.inputs[0], b.parameter("w", 5, 3)], {}, (3,))
    with pytest.raises(ValueError, match="last axis is 4"):
        _core.Session(b.graph)
    b = Builder((4,))
    b.graph.add_node("sofmax", [b.inputs[0]], {}, (4,))
    with pytest.raises(ValueError, match="softmax"):
        _core.Session(b.graph)
    graph = GRAPHS["mlp"]()
    graph.nodes.reverse()
    with pytest.raises(ValueError, match="before it is computed"):
        _core.Session(graph)
    graph = GRAPHS["mlp"]()
    graph.losses[0].kind = "hinge"
    with pytest.raises(ValueError, match="mean_squared_error"):
        _core.Session(graph)
    graph = GRAPHS["mlp"]()
    graph.optimizer = Optimizer("sgd", {"clipnorm": 1.0, "clipvalue": 1.0})
    with pytest.raises(ValueError, match="only one of"):
        _core.Session(graph)
    graph = GRAPHS["mlp"]()
    graph.optimizer = None
    with pytest.raises(RuntimeError, match="optimizer"):
        _core.Session(graph).train(_core.Dataset(*make_data(graph, 8)), None, 0, 1, 8, np.ones(1))


def test_plan_is_described_with_reasons():
    session, _, _ = session_and_data("normalized")
    text = session.describe(32)
    assert "batchnorm_forward" in text and "elu" in text and "dropout 0.2" in text
    assert "with the activation gradient of the layer below" in text
    update = text.split("if the loss is finite")[1]
    assert "used up by the optimizer" in update and "optimizer_step" not in update
    graph = GRAPHS["normalized"]()
    graph.optimizer = Optimizer("adam", {"global_clipnorm": 1.0})
    clipped = _core.Session(graph).describe(32).split("if the loss is finite")[1]
    assert "used up" not in clipped and clipped.index("gradient_norm") < clipped.index(
        "optimizer_step"
    )
    assert "dropout" not in session.describe(32, "predict")
    assert session.activation_bytes(32, "predict") < session.activation_bytes(32, "train")


def test_buffers_are_shared_in_prediction():
    b = Builder((64,))
    x = b.inputs[0]
    for _ in range(20):
        x = b.dense(x, 64, activation="relu")
    graph = b.finish(x, loss="mean_squared_error")
    # Two live activations at a time, however deep the network.
    assert _core.Session(graph).activation_bytes(128, "predict") <= 3 * 128 * 64 * 4 + 256


def test_threads_setting():
    before = _core.threads()
    with pytest.raises(ValueError, match="from 1 to"):
        _core.set_threads(0)
    assert _core.threads() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_trains():
    session, data, graph = session_and_data()
    dataset = _core.Dataset(*data)
    session.train(dataset, None, 0, 1, 32, np.full(1, 0.1))
    child = os.fork()
    if child == 0:
        session.train(dataset, None, 1, 1, 32, np.full(1, 0.1))
        os._exit(0 if np.isfinite(session.get_parameter(0)).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
