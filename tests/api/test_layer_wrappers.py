"""Layers made of functions and of other layers."""

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import ops

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
STEPS = np.random.default_rng(1).normal(size=(4, 5, 3)).astype(np.float32)


@keras.utils.register_keras_serializable("tests")
def scaled(x, factor=2.0, training=None):
    return ops.multiply(x, factor)


def test_functions(device):
    layer = keras.layers.Lambda(scaled, arguments={"factor": 3.0})
    np.testing.assert_allclose(layer(X), 3 * X, rtol=1e-6)
    again = keras.layers.Lambda.from_config(layer.get_config())
    np.testing.assert_allclose(again(X), 3 * X, rtol=1e-6)
    model = keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(2)])
    copy = keras.Sequential.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy.predict(X, verbose=0), model.predict(X, verbose=0))
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((4, 2)), verbose=0)


def test_functions_of_mask_and_mode(device):
    def kept(x, mask, training):
        y = ops.where(ops.expand_dims(mask, -1), x, 7.0)
        return ops.negative(y) if training else y

    layer = keras.layers.Lambda(kept, mask=lambda inputs, mask: mask)
    x = np.where(STEPS > 0.3, STEPS, 0.0)
    valid = (x != 0).any(-1)
    masked = keras.layers.Masking()(x)
    y = layer(masked)
    np.testing.assert_allclose(y, np.where(valid[..., None], x, 7.0))
    np.testing.assert_array_equal(y._keras_mask, valid)
    np.testing.assert_allclose(layer(masked, training=True), -y)


def test_lambdas_are_not_loaded_in_safe_mode(device):
    layer = keras.layers.Lambda(lambda x: x * 2.0)
    with pytest.warns(UserWarning, match="lambda"):
        config = layer.get_config()
    with pytest.raises(ValueError, match="lambda"):
        keras.layers.Lambda.from_config(config)
    again = keras.layers.Lambda.from_config(config, safe_mode=False)
    np.testing.assert_allclose(again(X), 2 * X)


def test_shapes_of_functions():
    layer = keras.layers.Lambda(lambda x: ops.concatenate([x, x], -1))
    assert layer.compute_output_shape((None, 3)) == (None, 6)
    given = keras.layers.Lambda(scaled, output_shape=(9,))
    assert given.compute_output_shape((None, 3)) == (None, 9)
    given = keras.layers.Lambda(scaled, output_shape=lambda shape: (*shape, 1))
    assert given.compute_output_shape((None, 3)) == (None, 3, 1)
    with pytest.raises(TypeError, match="function"):
        keras.layers.Lambda(3)


@keras.utils.register_keras_serializable("tests")
class Residual(keras.layers.Wrapper):
    def call(self, x):
        return keras.layers.add([x, self.layer(x)])


def test_wrappers(device):
    layer = Residual(keras.layers.Dense(3, "relu"))
    y = layer(X)
    w, b = layer.get_weights()
    np.testing.assert_allclose(y, X + np.maximum(X @ w + b, 0), rtol=1e-5, atol=1e-6)
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(again) is Residual and again.layer.units == 3
    again.set_weights([w, b])
    np.testing.assert_array_equal(again(X), y)
    with pytest.raises(ValueError, match="expected a layer"):
        keras.layers.Wrapper(3)


def test_a_layer_for_each_step(device):
    inner = keras.layers.Dense(2, "tanh")
    layer = keras.layers.TimeDistributed(inner)
    y = layer(STEPS)
    w, b = layer.get_weights()
    np.testing.assert_allclose(y, np.tanh(STEPS @ w + b), rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape((None, 5, 3)) == (None, 5, 2)
    flat = keras.layers.TimeDistributed(keras.layers.Flatten())
    assert flat.compute_output_shape((None, 5, 3, 2)) == (None, 5, 6)
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    again.set_weights([w, b])
    np.testing.assert_array_equal(again(STEPS), y)
    model = keras.Sequential([keras.Input((5, 3)), layer])
    model.compile("sgd", "mse")
    model.fit(STEPS, np.zeros((4, 5, 2)), verbose=0)
    assert not np.array_equal(w, layer.get_weights()[0])
    with pytest.raises(ValueError, match="steps"):
        layer(X)


def test_embeddings_as_inputs(device):
    weights = np.arange(8.0).reshape(4, 2)
    layer = keras.layers.Embedding(4, 2, weights=[weights])
    np.testing.assert_array_equal(layer(np.array([[3, 0]])), weights[[[3, 0]]])
    model = keras.Sequential([keras.Input((2,)), layer, keras.layers.Flatten()])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    before = model.predict(np.array([[1, 2]]), verbose=0)
    model.fit(np.array([[1, 1]], np.float64), np.zeros((1, 4)), verbose=0)
    after = layer.get_weights()[0]
    # Only the vector that was looked up learns.
    np.testing.assert_array_equal(after[[0, 2, 3]], weights[[0, 2, 3]])
    np.testing.assert_allclose(after[1], weights[1] - 0.5 * weights[1], rtol=1e-6)
    assert before.tolist() == [[2.0, 3.0, 4.0, 5.0]]
    outside = keras.layers.Embedding(4, 2)(np.array([[9]]))
    assert np.isnan(outside).all()
    for wrong in (0, 2.5, "3", True):
        with pytest.raises(ValueError, match="input_dim"):
            keras.layers.Embedding(wrong, 2)
