"""The trainer of the reference engine."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from dnnfast import errors, reference
from dnnfast.graph import Graph, Metric, Optimizer
from reference.graphs import Builder, parameters, train


def problem(rows: int = 203) -> tuple[np.ndarray, np.ndarray]:
    """Rows of 6 numbers and the position of the greatest of the first 4."""
    x = np.random.default_rng(1).normal(size=(rows, 6)).astype(np.float32)
    return x, x[:, :4].argmax(axis=1).astype(np.uint8)


def classifier(optimizer: str = "adam", **options: Any) -> reference.Session:
    b = Builder(optimizer, **options)
    h = b.node("activation", [b.dense(b.input(6), 24)], kind="relu")
    h = b.node("dropout", [b.batchnorm(h, momentum=0.9)], rate=0.1, stream=0)
    y = b.node("softmax", [b.dense(h, 4)])
    b.graph.outputs = [y]
    b.loss("sparse_categorical_crossentropy", y)
    b.graph.metrics.append(Metric("sparse_categorical_accuracy", y, 0))
    return b.session()


def regression(**options: Any) -> Builder:
    b = Builder("sgd", **options)
    b.loss("mean_squared_error", b.dense(b.input(3), 1))
    b.graph.outputs = [b.graph.nodes[-1].output]
    return b


def regression_data(rows: int = 10) -> reference.Dataset:
    rng = np.random.default_rng(2)
    return reference.Dataset([rng.normal(size=(rows, 3))], [rng.normal(size=rows)], [None])


def test_learns() -> None:
    x, y = problem()
    data, session = reference.Dataset([x], [y], [None]), classifier()
    session.evaluate(data, 0, 7, 32)
    before = session.totals()
    for epoch in range(12):
        train(session, data, 32, order=reference.shuffle(len(x), 1, epoch), learning_rate=0.02)
    session.reset_totals()
    session.evaluate(data, 0, 7, 32)
    after = session.totals()
    assert after[0] < 0.3 < before[0]
    assert after[1] > 0.93
    outputs = [np.full((203, 4), np.nan, dtype=np.float32)]
    session.predict(data, 0, 7, 32, outputs)
    np.testing.assert_allclose(outputs[0].sum(axis=1), 1.0, rtol=1e-6)
    assert (outputs[0].argmax(axis=1) == y).mean() == pytest.approx(after[1])


def test_replay_and_continuing_give_identical_numbers() -> None:
    x, y = problem()
    data = reference.Dataset([x], [y], [None])
    sessions = [classifier(), classifier()]
    for session in sessions:
        session.seed = 12
    rates = np.linspace(0.01, 0.02, 7)
    assert sessions[0].train(data, None, 0, 7, 32, rates) == 7
    for begin, count in ((0, 3), (3, 1), (4, 3)):
        sessions[1].train(data, None, begin, count, 32, rates[begin : begin + count])
    assert sessions[0].totals() == sessions[1].totals()
    for a, b in zip(parameters(sessions[0]), parameters(sessions[1]), strict=True):
        np.testing.assert_array_equal(a, b)
    other = classifier()
    other.seed = 13
    train(other, data, 32)
    assert (other.get_parameter(0) != sessions[0].get_parameter(0)).any()


def test_state_moves_to_another_session() -> None:
    data = regression_data()
    first = regression(momentum=0.9).session()
    train(first, data, 4)
    second = regression(momentum=0.9).session(seed=9)
    second.iterations = first.iterations
    for i, values in enumerate(parameters(first)):
        first.set_parameter(i, values)  # both from the same float32 numbers
        second.set_parameter(i, values)
        slot = first.get_slot("momentum", i)
        for session in (first, second):
            session.set_slot("momentum", i, slot)
    for session in (first, second):
        train(session, data, 4)
    for a, b in zip(parameters(first), parameters(second), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_short_last_batch_counts_by_its_rows() -> None:
    data = regression_data(10)
    session = regression().session()
    session.evaluate(data, 0, 3, 4)
    whole = regression().session()
    whole.evaluate(data, 0, 1, 100)
    assert session.totals() == pytest.approx(whole.totals(), rel=1e-14)
    # The gradient of the short batch is the mean over its two rows.
    session.compute_gradients(data, 2, 4)
    tail = reference.Dataset([data.inputs[0][8:]], [data.targets[0][8:]], [None])
    whole.compute_gradients(tail, 0, 2)
    np.testing.assert_array_equal(session.get_gradient(0), whole.get_gradient(0))


def test_order_permutes_rows() -> None:
    data = regression_data(10)
    order = np.random.default_rng(0).permutation(10)
    moved = reference.Dataset([data.inputs[0][order]], [data.targets[0][order]], [None])
    a, b = regression().session(), regression().session()
    train(a, data, 4, order=order)
    train(b, moved, 4)
    np.testing.assert_array_equal(a.get_parameter(0), b.get_parameter(0))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_step_with_a_loss_that_is_not_finite_is_not_applied(bad: float) -> None:
    x, y = problem(96)
    x[70] = bad
    data, session = reference.Dataset([x], [y], [None]), classifier()
    clean = classifier()
    clean.train(data, None, 0, 2, 32, [0.01, 0.01])
    with pytest.raises(errors.NonFiniteLossError, match="learning rate") as caught:
        train(session, data, 32)
    assert caught.value.step == 2
    assert not np.isfinite(caught.value.loss)
    assert session.iterations == 2
    for a, b in zip(parameters(session), parameters(clean), strict=True):
        np.testing.assert_array_equal(a, b)
    for name, _ in session.slots(0):
        np.testing.assert_array_equal(session.get_slot(name, 0), clean.get_slot(name, 0))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.step, str(again)) == (2, str(caught.value))
    assert isinstance(again, FloatingPointError)


def test_a_label_that_is_no_class_is_noticed() -> None:
    x, y = problem(8)
    y[3] = 4
    with pytest.raises(errors.NonFiniteLossError):
        train(classifier(), reference.Dataset([x], [y], [None]), 8)


def test_frozen_parameters_and_moving_statistics() -> None:
    session = classifier("sgd")
    graph = session.graph
    graph.parameters[0].trainable = False
    x, y = problem(64)
    data = reference.Dataset([x], [y], [None])
    before = parameters(session)
    train(session, data, 64)
    after = parameters(session)
    np.testing.assert_array_equal(before[0], after[0])
    assert not session.get_gradient(0).any()
    assert (before[1] != after[1]).any()
    z = np.maximum(x.astype(np.float64) @ before[0] + before[1], 0.0)
    for i, batch in ((4, z.mean(axis=0)), (5, z.var(axis=0))):
        expected = (before[i] * 0.9 + batch * 0.1).astype(np.float32)
        np.testing.assert_allclose(after[i], expected, rtol=1e-6)
    session.evaluate(data, 0, 1, 64)
    session.compute_gradients(data, 0, 64)
    np.testing.assert_array_equal(session.get_parameter(4), after[4])


def test_a_frozen_batch_normalization_keeps_its_statistics() -> None:
    b = Builder("sgd")
    y = b.batchnorm(b.input(3), mode="infer")
    b.loss("mean_squared_error", y)
    session = b.session()
    before = parameters(session)
    x = np.random.default_rng(0).normal(size=(8, 3))
    train(session, reference.Dataset([x], [x], [None]), 8)
    after = parameters(session)
    assert (after[0] != before[0]).any()
    np.testing.assert_array_equal(after[2], before[2])
    np.testing.assert_array_equal(after[3], before[3])


def test_clipping_in_a_step() -> None:
    data = regression_data()
    plain = regression().session()
    plain.compute_gradients(data, 0, 10)
    gradients = [plain.get_gradient(i).astype(np.float64) for i in (0, 1)]
    norms = [np.linalg.norm(g) for g in gradients]
    total = np.hypot(*norms)
    limit = 0.5 * min(norms)
    expected = {
        "clipvalue": [np.clip(g, -limit, limit) for g in gradients],
        "clipnorm": [g * limit / norm for g, norm in zip(gradients, norms, strict=True)],
        "global_clipnorm": [g * limit / total for g in gradients],
    }
    for option, clipped in expected.items():
        session = regression(**{option: limit}).session()
        before = parameters(session)
        session.train(data, None, 0, 1, 10, [1.0])
        for i, g in enumerate(clipped):
            step = before[i] - session.get_parameter(i)
            np.testing.assert_allclose(step, g, rtol=1e-5, atol=1e-6)


def test_penalties_count_in_loss_and_gradient_of_trained_parameters_only() -> None:
    b = Builder("sgd")
    h = b.dense(b.input(3), 2, l1=0.1, l2=0.2)
    b.loss("mean_squared_error", b.dense(h, 1, l2=5.0, trainable=False))
    session, data = b.session(), regression_data()
    session.evaluate(data, 0, 1, 10)
    with_penalty = session.totals()[0]
    w = [session.get_parameter(i).astype(np.float64) for i in (0, 1)]
    session.compute_gradients(data, 0, 10)
    gradient = session.get_gradient(0)
    for spec in b.graph.parameters:
        spec.l1 = spec.l2 = 0.0
    session.reset_totals()
    session.evaluate(data, 0, 1, 10)
    penalty = sum(0.1 * np.abs(v).sum() + 0.2 * (v * v).sum() for v in w)
    assert with_penalty - session.totals()[0] == pytest.approx(penalty)
    session.compute_gradients(data, 0, 10)
    expected = session.get_gradient(0) + 0.1 * np.sign(w[0]) + 0.4 * w[0]
    np.testing.assert_allclose(gradient, expected, rtol=1e-5)


def test_totals_of_several_losses_and_sample_weights() -> None:
    b = Builder("sgd")
    x = b.input(2)
    first, second = (b.dense(x, 1) for _ in range(2))
    b.loss("mean_squared_error", first, weight=2.0)
    b.loss("mean_absolute_error", second, target=1, weight=0.5)
    b.graph.metrics = [Metric("mean_absolute_error", first, 0)]
    b.graph.outputs = [first, second]
    rng = np.random.default_rng(3)
    x_values, t0, t1, weight = (rng.normal(size=s) for s in ((7, 2), (7, 1), (7,), (7,)))
    data = reference.Dataset([x_values], [t0, t1], [weight, None])
    session = b.session()
    outputs = [np.zeros((7, 1), dtype=np.float32) for _ in range(2)]
    session.predict(data, 0, 3, 3, outputs)
    session.evaluate(data, 0, 3, 3)
    losses = [
        (weight * ((outputs[0] - t0) ** 2)[:, 0]).mean(),
        np.abs(outputs[1][:, 0] - t1).mean(),
    ]
    expected = [2 * losses[0] + 0.5 * losses[1], *losses, np.abs(outputs[0] - t0).mean()]
    np.testing.assert_allclose(session.totals(), expected, rtol=1e-5)
    session.reset_totals()
    assert session.totals() == [0.0] * 4


def test_dropout_modes() -> None:
    for mode, drops in (("auto", [False, True]), ("train", [True, True])):
        b = Builder()
        b.graph.outputs = [b.node("dropout", [b.input(50)], rate=0.5, stream=4, mode=mode)]
        session = b.session()
        session.seed = 8
        data = reference.Dataset([np.ones((10, 50))])
        for training, expected in zip((False, True), drops, strict=True):
            y = np.zeros((10, 50), dtype=np.float32)
            session.predict(data, 0, 2, 5, [y], training=training, step=6)
            assert (y == 0).any() == expected
            if expected:  # the second batch is the next step
                mask = reference.dropout_mask(5, 50, 0.5, seed=8, step=7, stream=4)
                np.testing.assert_array_equal(y[5:], 2.0 * mask)


def test_cross_entropy_is_computed_from_logits_where_it_can_be() -> None:
    b = Builder()
    x = b.input(2)
    p = b.node("softmax", [b.node("activation", [x], kind="linear")])
    b.loss("categorical_crossentropy", b.node("dropout", [p], rate=0.5))
    q = b.node("activation", [x], kind="sigmoid")
    b.loss("binary_crossentropy", q, target=1)
    session = b.session()
    data = reference.Dataset([[[-1e3, 1e3]]], [[[1, 0]], [[1, 1]]], [None, None])
    session.evaluate(data, 0, 1, 1)
    assert session.totals()[1:] == [2000.0, 500.0]  # no clipping at 1e-7


def test_inputs_of_many_types_and_strides() -> None:
    base = np.arange(60).reshape(10, 6)
    session = regression().session()
    expected = np.zeros((10, 1), dtype=np.float32)
    session.predict(reference.Dataset([base[:, ::2].astype(np.float64)]), 0, 1, 10, [expected])
    for dtype in ("f2", "f4", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"):
        y = np.zeros((10, 1), dtype=np.float32)
        session.predict(reference.Dataset([base.astype(dtype)[:, ::2]]), 0, 4, 3, [y])
        np.testing.assert_array_equal(y, expected)


def test_descriptions() -> None:
    session = classifier()
    text = session.describe(32)
    assert "reference" in text
    assert all(node.op in text for node in session.graph.nodes)
    assert session.activation_bytes(2) == 2 * session.activation_bytes(1) > 0
    assert session.parameter_bytes == 8 * (4 * (6 * 24 + 24 + 48 + 24 * 4 + 4) + 48)


def test_wrong_arguments() -> None:
    session, data = regression().session(), regression_data()
    y = np.zeros((10, 1), dtype=np.float32)
    wrong = [
        (lambda: session.set_parameter(0, np.zeros(3)), "shape"),
        (lambda: session.get_slot("momentum", 0), "no state"),
        (lambda: session.train(data, None, 0, 4, 3, [0.1]), "learning rates"),
        (lambda: session.train(data, None, 1, 4, 3, [0.1] * 4), "outside the 4 steps"),
        (lambda: session.train(data, [0, 99], 0, 1, 3, [0.1]), "order must"),
        (lambda: session.evaluate(data, 0, 1, 0), "at least 1"),
        (lambda: session.predict(data, 0, 1, 10, [y, y]), "1 outputs; got 2"),
        (lambda: session.evaluate(reference.Dataset(data.inputs), 0, 1, 1), "read 1 targets"),
        (lambda: session.evaluate(reference.Dataset([]), 0, 0, 1), "read 1 targets"),
        (lambda: session.get_parameter(2), "parameter 2 does not exist; the model has 2"),
        (lambda: session.describe(1, "trian"), 'Did you mean "train"'),
        (lambda: reference.Dataset([np.zeros(3)], [np.zeros(4)], [None]), "different numbers"),
        (lambda: reference.Dataset([np.zeros(3)], [np.zeros(3)], [None, None]), "sample weights"),
        (lambda: reference.Session(Graph(optimizer=Optimizer("sgd"))), "at least one loss"),
    ]
    for call, message in wrong:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(RuntimeError, match="without an optimizer"):
        Builder().session().train(data, None, 0, 1, 1, [0.1])
    with pytest.raises(TypeError, match="numbers or booleans"):
        reference.Dataset([np.array(["a"])])


@pytest.mark.parametrize(
    ("op", "shapes", "attrs", "result"),
    [
        ("dense", [(2, 3), (3, 5)], {}, (2, 5)),
        ("activation", [()], {"kind": "relu"}, ()),
        ("glu", [(4, 6)], {}, (4, 3)),
        ("reshape", [(4, 6)], {"shape": [3, -1]}, (3, 8)),
        ("concatenate", [(2, 1), (2, 5)], {}, (2, 6)),
        ("batchnorm", [(3,), (3,), (3,), (3,)], {"scale": False}, (3,)),
        ("dense", [(3,), (4, 5)], {}, "kernel has shape"),
        ("dense", [(), (4, 5)], {}, "only the batch axis"),
        ("dense", [(4,), (4, 5), (4,)], {}, "bias"),
        ("dense", [(4,)], {}, "got 1 inputs"),
        ("activation", [(3,)], {"kind": "rellu"}, 'Did you mean "relu"'),
        ("softmax", [()], {}, "only the batch axis"),
        ("glu", [(3,)], {}, "must be even"),
        ("batchnorm", [(3,), (3,)], {}, "expected 5"),
        ("activation", [(3,)], {"kind": None}, (3,)),
        ("dropout", [(3,)], {"rate": 1.0}, r"\[0, 1\)"),
        ("dropout", [(3,)], {"rate": 0.1, "mode": "infer"}, "dropout mode"),
        ("reshape", [(4,)], {"shape": [3, -1]}, "do not fit"),
        ("reshape", [(4,)], {"shape": [0]}, "size below 1"),
        ("add", [(4,), (3,)], {}, "must be equal"),
        ("concatenate", [(4, 2), (3, 2)], {}, "all but"),
        ("dense_", [(3,)], {}, 'Did you mean "dense"'),
    ],
)
def test_shapes(op: str, shapes: list, attrs: dict, result: object) -> None:
    if isinstance(result, tuple):
        assert reference.infer_shape(op, shapes, attrs) == result
        return
    with pytest.raises(ValueError, match=str(result)):
        reference.infer_shape(op, shapes, attrs)


def test_bad_graphs() -> None:
    def graph() -> Builder:
        return regression()

    def session(change: Any) -> None:
        builder = graph()
        change(builder)
        reference.Session(builder.graph)

    wrong = [
        (lambda b: b.graph.nodes[0].inputs.__setitem__(0, 99), "does not exist"),
        (lambda b: b.graph.nodes[0].inputs.__setitem__(0, 3), "before it is computed"),
        (lambda b: b.graph.nodes[0].inputs.__setitem__(1, 0), "expected a variable"),
        (lambda b: setattr(b.graph.tensors[3], "shape", (2,)), "declares the output shape"),
        (lambda b: setattr(b.graph.tensors[0], "shape", (0,)), "at least 1"),
        (lambda b: setattr(b.graph.losses[0], "kind", "mse"), 'unknown loss "mse"'),
        (lambda b: setattr(b.graph.losses[0], "label_smoothing", 0.1), "no label_smoothing"),
        (lambda b: setattr(b.graph.losses[0], "target", -1), "negative target"),
        (lambda b: b.graph.metrics.append(Metric("acc", 3, 0)), "unknown metric"),
        (lambda b: b.graph.outputs.append(77), "does not exist"),
    ]
    for change, message in wrong:
        with pytest.raises(ValueError, match=message):
            session(change)
