"""A single row takes a way of its own through kernels and Python; results stay the same."""

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import _core, kernels
from engine.graphs import GRAPHS, make_data
from engine.test_against_reference import TRAJECTORY_LIMIT, sessions
from tolerance import assert_close


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("out", [1, 16, 33, 48, 100, 300, 500, 1000])
def test_one_row_has_the_bits_of_many(out, threads):
    rng = np.random.default_rng(out)
    x = rng.standard_normal((7, 65)).astype(np.float32)
    w = rng.standard_normal((65, out)).astype(np.float32)
    many = kernels.dense_forward(x, w, w[0], activation="relu")
    bare = kernels.dense_forward(x, w)
    before, work = _core.threads(), _core.work_worth_threads()
    try:
        _core.set_work_worth_threads(0)
        _core.set_threads(threads)
        for i in range(len(x)):
            row = x[i : i + 1]
            one = kernels.dense_forward(row, w, w[0], activation="relu")
            assert np.array_equal(one, many[i : i + 1])
            assert np.array_equal(kernels.dense_forward(row, w), bare[i : i + 1])
    finally:
        _core.set_threads(before)
        _core.set_work_worth_threads(work)


@pytest.mark.parametrize("inputs", [1, 7, 48, 65, 300])
@pytest.mark.parametrize("out", [1, 16, 33, 100])
def test_the_gradients_of_one_row(inputs, out):
    rng = np.random.default_rng(inputs)
    x = rng.standard_normal((7, inputs)).astype(np.float32)
    w = rng.standard_normal((inputs, out)).astype(np.float32)
    dz = rng.standard_normal((7, out)).astype(np.float32)
    dx_of_many = kernels.dense_backward(x, w, dz)[0]
    for i in range(len(x)):
        dx, dw, db = kernels.dense_backward(x[i : i + 1], w, dz[i : i + 1])
        assert np.array_equal(dx, dx_of_many[i : i + 1])
        assert np.array_equal(dw, np.outer(x[i], dz[i]))  # one product: nothing to round twice
        assert np.array_equal(db, dz[i])


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("training", [False, True])
def test_a_batch_in_one_call(name, training):
    graph = GRAPHS[name]()
    inputs = make_data(graph, 9)[0]
    native, exact = sessions(graph)
    outputs = native.predict_batch(inputs, training, 3)
    for a, b in zip(outputs, exact.predict_batch(inputs, training, 3), strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype == np.float32
        assert_close(a, b, TRAJECTORY_LIMIT)
    filled = [np.full_like(a, np.nan) for a in outputs]
    native.predict(_core.Dataset(inputs), 0, 1, 9, filled, training, 3)
    assert all(np.array_equal(a, b) for a, b in zip(outputs, filled, strict=True))


def test_a_batch_that_does_not_fit():
    graph = GRAPHS["residual"]()
    session = _core.Session(graph)
    inputs = make_data(graph, 4)[0]
    cases = [
        (inputs[:1], "2 inputs; got 1"),
        ([inputs[0], inputs[1][:2]], "input 1 has 2 samples"),
        ([inputs[1], inputs[0]], "samples of 5 elements"),
        ([a[:0] for a in inputs], "at least 1"),
    ]
    for given, words in cases:
        with pytest.raises(ValueError, match=words):
            session.predict_batch(given)
    with pytest.raises(TypeError, match="input 1 has dtype"):
        session.predict_batch([inputs[0], inputs[1].astype("c8")])


def test_calls_and_predictions_of_a_model_agree():
    x = np.random.default_rng(0).standard_normal((300, 6)).astype(np.float32)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, "tanh")])
    model.add(keras.layers.BatchNormalization())
    model.add(keras.layers.Dropout(0.5))
    expected = model.predict(x)
    for rows in (1, 2, 256, 300):
        part = x[:rows]
        for out in (model(part), model.predict(part), model.predict(part, batch_size=7)):
            assert np.array_equal(out, expected[:rows])
        assert np.array_equal(model(part.tolist()), expected[:rows])
    assert not np.array_equal(model(x, training=True), expected)
    # That has moved the statistics of batch normalization, as in Keras.
    assert not np.array_equal(model(x), expected)
    for run in (model, model.predict):
        with pytest.raises(ValueError, match="no samples"):
            run(x[:0])
        with pytest.raises(ValueError, match="expected samples of shape"):
            run(x[:1, :3])
        with pytest.raises(ValueError, match=r"x\[None\]"):
            run(x[0])
        with pytest.raises(TypeError, match="dtype"):
            run(x[:1].astype(object).astype(str))

    class Unready(keras.Model):
        def __init__(self):
            pass

    with pytest.raises(RuntimeError, match=r"super\(\).__init__\(\)"):
        Unready()(x)
