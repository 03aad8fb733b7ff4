"""Activations, regularizers and constraints give Keras's numbers, gradients and plain data."""

import json

import numpy as np
import pytest

import dnnfast as keras
import gradients
from parity.oracle import keras3

pytestmark = pytest.mark.parity

jax = pytest.importorskip("jax")
X = np.linspace(-6.5, 7.5, 84).astype(np.float32).reshape(7, 12)
NAMES = [name for name in keras.activations.ALL if hasattr(keras3.activations, name)]
# Keras's sparsemax adds up cumulative sums; its results are no probabilities.
NAMES.remove("sparsemax")
CALLS = [
    *((name, {}) for name in NAMES),
    ("relu", {"negative_slope": 0.25, "max_value": 3.0, "threshold": 1.1}),
    ("relu", {"max_value": 2.0}),
    ("relu", {"negative_slope": 0.25, "max_value": 6}),
    ("relu", {"negative_slope": 0.25, "threshold": 1.1}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("elu", {"alpha": 0.5}),
    ("celu", {"alpha": 2.0}),
    ("gelu", {"approximate": True}),
    ("squareplus", {"b": 2}),
    ("soft_shrink", {"threshold": 0.9}),
    ("hard_shrink", {"threshold": 0.9}),
    ("threshold", {"threshold": 1.1, "default_value": -2.0}),
    ("softmax", {"axis": (1, 2)}),
    ("softmax", {"axis": 1}),
    ("log_softmax", {"axis": 1}),
    ("glu", {"axis": 1}),
]
W = np.array([[3.0, -0.5, 0.25], [4.0, 0.5, -0.25]], np.float32)
WEIGHTS = [
    lambda k: k.regularizers.L1(0.25),
    lambda k: k.regularizers.L2(0.25),
    lambda k: k.regularizers.L1L2(0.25, 0.2),
    lambda k: k.regularizers.OrthogonalRegularizer(0.25),
    lambda k: k.regularizers.OrthogonalRegularizer(0.25, "columns"),
    lambda k: k.constraints.MaxNorm(1.5),
    lambda k: k.constraints.MaxNorm(1.5, axis=[0, 1]),
    lambda k: k.constraints.NonNeg(),
    lambda k: k.constraints.UnitNorm(axis=1),
    lambda k: k.constraints.MinMaxNorm(1.0, 2.0, rate=0.5),
]


@pytest.mark.parametrize(("name", "options"), CALLS)
def test_activations(name, options, device):
    if name == "threshold" and not options:
        options = {"threshold": 0.1, "default_value": 0.2}
    ours, theirs = (getattr(package.activations, name) for package in (keras, keras3))
    x = X.reshape(7, 2, 6) if isinstance(options.get("axis"), (int, tuple)) else X
    expected = np.asarray(theirs(x, **options))
    np.testing.assert_allclose(ours(x, **options), expected, rtol=1e-5, atol=1e-6)
    layer = keras.layers.Activation(lambda t: ours(t, **options))
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)

    factors = np.linspace(-1, 1, expected[0].size).reshape(expected[0].shape).astype(np.float32)
    (found,), _ = gradients.of_layer(layer, x, [factors], training=True)

    def loss(scale):
        return (theirs(x * scale, **options) * factors).sum() / len(x)

    wanted = jax.grad(loss)(np.ones(x.shape[1:], np.float32))
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("make", WEIGHTS)
def test_functions_of_weights(make, device):
    ours, theirs = make(keras), make(keras3)
    np.testing.assert_allclose(ours(W), theirs(jax.numpy.asarray(W)), rtol=1e-6)

    def loss(function):
        return lambda w: (function(w) * 1.5).sum() if function is theirs else total(function(w))

    def total(value):
        return keras.ops.sum(keras.ops.multiply(value, 1.5))

    (found,) = gradients.of_function(loss(ours), W)
    np.testing.assert_allclose(found, jax.grad(loss(theirs))(W), rtol=1e-5, atol=1e-6)
    assert ours.get_config() == theirs.get_config()
    data = [
        json.loads(json.dumps(package.saving.serialize_keras_object(item)))
        for package, item in ((keras, ours), (keras3, theirs))
    ]
    assert data[0] == data[1]


@pytest.mark.parametrize("module", ["activations", "regularizers", "constraints"])
def test_every_name_of_keras_is_there(module):
    names = {name for name in dir(getattr(keras3, module)) if not name.startswith("_")}
    assert not {name for name in names if not hasattr(getattr(keras, module), name)}
