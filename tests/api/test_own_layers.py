"""Layers of one's own, written with dnnfast.ops, run natively on every engine."""

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import ops


class Gated(keras.layers.Layer):
    """Uses products, reductions over the batch, a state, and a loss of its own."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], self.units), name="w")
        self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False, name="steps")

    def call(self, x, training=None):
        h = ops.matmul(x, self.w)
        self.add_loss(1e-3 * ops.mean(ops.square(h)))
        if training:
            self.steps.assign_add(1.0)
        return ops.tanh(h) * self.scale + ops.mean(h, axis=0)


def data(n=100):
    x = np.random.default_rng(0).normal(size=(n, 5)).astype(np.float32)
    return x, 2 * x[:, :1]


def own_model():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((5,)), Gated(8, name="gated"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model


def test_own_layer_learns_and_keeps_state(device):
    x, y = data()
    model = own_model()
    losses = model.fit(x, y, batch_size=32, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert float(model.get_layer("gated").steps.numpy()) == 12
    model.evaluate(x, y, verbose=0)
    assert float(model.get_layer("gated").steps.numpy()) == 12


def test_gradients_of_own_layer(device):
    x, y = data(33)
    model = own_model()
    found = model.gradients(x, y)
    for variable in model.trainable_weights:
        start, slopes = variable.numpy(), np.zeros(variable.shape)
        for place in np.ndindex(variable.shape):
            for sign in (1, -1):
                moved = start.copy()
                moved[place] += sign * 1e-2
                variable.assign(moved)
                slopes[place] += sign * model.evaluate(x, y, batch_size=33, verbose=0) / 2e-2
        variable.assign(start)
        error = np.linalg.norm(slopes - found[variable.path]) / np.linalg.norm(slopes)
        assert error < 2e-3, variable.path


def test_added_loss_is_reported(device):
    x, y = data()
    model = own_model()
    h = x @ model.get_weights()[0]
    squares = (model.predict(x, batch_size=100) - y) ** 2
    expected = squares.mean() + 1e-3 * (h**2).mean()
    assert model.evaluate(x, y, batch_size=100, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_engines_agree():
    x, y = data()
    found = {}
    for device in ("cpu", "reference"):
        keras.config.set_device(device)
        model = own_model()
        model.fit(x, y, batch_size=32, epochs=2, verbose=0)
        found[device] = model.get_weights()
    keras.config.set_device("cpu")
    for mine, theirs in zip(found["cpu"], found["reference"], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


def test_short_last_batch_counts_as_its_rows(device):
    class Centered(keras.layers.Layer):
        def call(self, x):
            return x - ops.mean(x, axis=0)

    x = np.arange(10, dtype=np.float32)[:, None]
    model = keras.Sequential([keras.Input((1,)), Centered()])
    found = model.predict(x, batch_size=4)
    parts = [part - part.mean() for part in (x[:4], x[4:8], x[8:])]
    np.testing.assert_allclose(found, np.concatenate(parts), atol=1e-6)


def test_numpy_in_a_layer_is_refused_with_the_spelling():
    class Wrong(keras.layers.Layer):
        def call(self, x):
            return np.exp(x)

    with pytest.raises(TypeError, match=r"ops\.exp"):
        Wrong()(keras.Input((3,)))
