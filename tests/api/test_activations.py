"""Activations: numbers, gradients, in models, and as plain data."""

import numpy as np
import pytest

import dnnfast as keras
import gradients
from dnnfast import ops

X = np.array([-7.0, -2.75, -1.5, -0.75, -0.25, 0.25, 0.75, 1.5, 2.5, 7.0], np.float32)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


FORMULAS = {
    "celu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "exponential": np.exp,
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "heaviside": lambda x: (x > 0).astype(float),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "linear": lambda x: x,
    "log_sigmoid": lambda x: -softplus(-x),
    "log_softmax": lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True)),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "sigmoid": sigmoid,
    "sign": np.sign,
    "silu": lambda x: x * sigmoid(x),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "tanh": np.tanh,
    "tanh_shrink": lambda x: x - np.tanh(x),
}
KNOWN = {
    "gelu": ([-1.0, 0.0, 2.0], [-0.158655, 0.0, 1.954500]),
    "glu": ([4.0, 1.0, 0.0, 0.0], [2.0, 0.5]),
    "selu": ([-1.0, 0.0, 2.0], [-1.111331, 0.0, 2.101402]),
    "sparsemax": ([1.0, 0.5, -1.0], [0.75, 0.25, 0.0]),
    "threshold": None,  # needs arguments, below
}
SAME_AS = {"swish": "silu", "hard_swish": "hard_silu"}
STEPS = ("heaviside", "sign")


def test_every_activation_has_a_test():
    assert set(keras.activations.ALL) == {*FORMULAS, *KNOWN, *SAME_AS}
    assert set(keras.activations.ALL) <= set(keras.activations.__all__)


@pytest.mark.parametrize("name", FORMULAS)
def test_values(name, device):
    function = getattr(keras.activations, name)
    expected = FORMULAS[name](X.astype(np.float64)[None])
    for result in (function(X[None]), keras.layers.Activation(name)(X[None])):
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", [name for name, known in KNOWN.items() if known])
def test_known_values(name, device):
    x, expected = (np.array([numbers], np.float32) for numbers in KNOWN[name])
    for result in (getattr(keras.activations, name)(x), keras.layers.Activation(name)(x)):
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", sorted({*FORMULAS, *KNOWN} - {*STEPS, "threshold"}))
def test_gradients_are_differences_of_values(name, device):
    function = getattr(keras.activations, name)
    factors = np.linspace(-1, 1, X.size // 2 if name == "glu" else X.size)
    layer = keras.layers.Activation(name)
    (found,), _ = gradients.of_layer(layer, X[None], [factors], training=True)
    step = 2.0**-10
    for i in range(X.size):
        ends = []
        for sign in (1, -1):
            x = X.astype(np.float64)
            x[i] += sign * step
            value = FORMULAS[name](x) if name in FORMULAS else function(x[None])[0]
            ends.append((np.float64(value) * factors).sum())
        difference = (ends[0] - ends[1]) / (2 * step)
        assert found[i] / X[i] == pytest.approx(difference, rel=2e-3, abs=2e-4)


@pytest.mark.parametrize("name", STEPS)
def test_steps_have_no_gradient(name, device):
    (found,), _ = gradients.of_layer(keras.layers.Activation(name), X[None], [X], training=True)
    np.testing.assert_array_equal(found, 0)


@pytest.mark.parametrize("slope", [0.0, 0.25])
@pytest.mark.parametrize("top", [None, 1, 6, 2.5])
@pytest.mark.parametrize("low", [0.0, 0.5, 1.5])
def test_relu_with_any_arguments(slope, top, low, device):
    above = np.where(low < X, X, 0)
    capped = above if top is None else np.minimum(above, top)
    expected = np.where(low < X, capped, slope * (X - low))
    for result in (
        keras.activations.relu(X[None], slope, top, low),
        keras.layers.ReLU(top, slope, low)(X[None]),
    ):
        np.testing.assert_allclose(result[0], expected, rtol=1e-6)


def test_threshold(device):
    def upper(x):
        return keras.activations.threshold(x, 0.5, -1.0)

    expected = np.where(X > 0.5, X, -1.0)
    np.testing.assert_array_equal(upper(X), expected)
    np.testing.assert_array_equal(keras.layers.Activation(upper)(X[None])[0], expected)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "glu", "sparsemax"])
@pytest.mark.parametrize("axis", [1, 2, -2])
def test_activations_along_an_axis(name, axis, device):
    function = getattr(keras.activations, name)
    x = np.random.default_rng(0).normal(size=(2, 4, 6)).astype(np.float32)
    expected = np.moveaxis(function(np.moveaxis(x, axis, -1)), -1, axis)
    layer = keras.layers.Activation(lambda t: function(t, axis=axis))
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)


def test_softmax_over_several_axes(device):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    expected = keras.activations.softmax(x.reshape(2, 12)).reshape(x.shape)
    layer = keras.layers.Activation(lambda t: keras.activations.softmax(t, axis=(1, 2)))
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5)


def test_swish_with_a_factor(device):
    expected = X * sigmoid(1.7 * X)
    np.testing.assert_allclose(keras.activations.swish(X, 1.7), expected, rtol=1e-5)
    variable = keras.Variable(1.7)
    np.testing.assert_allclose(keras.activations.swish(X, variable), expected, rtol=1e-5)


@keras.utils.register_keras_serializable("tests")
def cubed(x):
    return ops.power(x, 3)


@pytest.mark.parametrize("name", keras.activations.ALL)
def test_plain_data(name):
    function = keras.activations.get(name)
    assert keras.activations.deserialize(keras.activations.serialize(function)) is function
    assert keras.activations.get(function) is function


def test_custom_activations(device):
    data = keras.activations.serialize(cubed)
    assert keras.activations.deserialize(data) is cubed
    assert keras.activations.get("tests>cubed") is cubed
    layer = keras.layers.Dense(2, activation=cubed, kernel_initializer="ones")
    again = keras.layers.Dense.from_config(layer.get_config())
    assert again.activation is cubed
    np.testing.assert_allclose(again(np.array([[1.0, 1.0]])), [[8.0, 8.0]])


def test_layers_as_activations(device):
    layer = keras.layers.Dense(2, activation=keras.layers.LeakyReLU(0.5), kernel_initializer="ones")
    again = keras.layers.Dense.from_config(layer.get_config())
    assert again.activation.negative_slope == 0.5
    np.testing.assert_allclose(again(np.array([[-1.0, -1.0]])), [[-1.0, -1.0]])


@pytest.mark.parametrize("wrong", ["rellu", 3, object()])
def test_unknown_activations(wrong):
    with pytest.raises(ValueError, match="activation"):
        keras.activations.get(wrong)
