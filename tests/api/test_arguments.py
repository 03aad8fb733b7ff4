"""Arguments out of range: found at once, named, and of the types that Keras raises."""

import math

import numpy as np
import pytest

import dnnfast as keras

layers, activations = keras.layers, keras.activations
X = np.ones((2, 3), np.float32)

ACTIVATIONS = {
    "elu": ("alpha", lambda v: activations.elu(X, v)),
    "celu": ("alpha", lambda v: activations.celu(X, v)),
    "leaky_relu": ("negative_slope", lambda v: activations.leaky_relu(X, v)),
    "relu slope": ("negative_slope", lambda v: activations.relu(X, negative_slope=v)),
    "relu threshold": ("threshold", lambda v: activations.relu(X, threshold=v)),
    "relu cap": ("max_value", lambda v: activations.relu(X, max_value=v)),
    "silu": ("beta", lambda v: activations.silu(X, v)),
    "squareplus": ("b", lambda v: activations.squareplus(X, v)),
    "soft_shrink": ("threshold", lambda v: activations.soft_shrink(X, v)),
    "hard_shrink": ("threshold", lambda v: activations.hard_shrink(X, v)),
    "threshold": ("threshold", lambda v: activations.threshold(X, v, 0.0)),
    "threshold value": ("default_value", lambda v: activations.threshold(X, 0.0, v)),
    "ELU": ("alpha", layers.ELU),
    "LeakyReLU": ("negative_slope", layers.LeakyReLU),
    "ReLU slope": ("negative_slope", lambda v: layers.ReLU(negative_slope=v)),
    "ReLU threshold": ("threshold", lambda v: layers.ReLU(threshold=v)),
    "ReLU cap": ("max_value", layers.ReLU),
    "momentum": ("momentum", lambda v: layers.BatchNormalization(momentum=v)),
    "epsilon": ("epsilon", lambda v: layers.BatchNormalization(epsilon=v)),
}


class OwnElu(layers.Layer):
    def __init__(self, alpha):
        super().__init__()
        self.alpha = alpha

    def call(self, x):
        return activations.elu(x, self.alpha)


ACTIVATIONS["in a layer"] = ("alpha", lambda v: OwnElu(v)(keras.Input((3,))))


@pytest.mark.parametrize("wrong", [math.nan, math.inf, "no", [1.0, 2.0], True], ids=repr)
@pytest.mark.parametrize(("name", "call"), ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_parameters_are_finite_numbers(name, call, wrong):
    with pytest.raises(ValueError, match=f"{name} must be"):
        call(wrong)


def test_ranges():
    for call in (
        lambda: layers.LeakyReLU(-0.1),
        lambda: layers.ReLU(max_value=-1.0),
        lambda: layers.ReLU(threshold=-1.0),
        lambda: layers.ReLU(negative_slope=None),
        lambda: activations.relu(X, max_value=-1.0),
        lambda: activations.celu(X, 0.0),
        lambda: layers.BatchNormalization(momentum=1.5),
        lambda: layers.BatchNormalization(epsilon=0.0),
    ):
        with pytest.raises(ValueError, match="must"):
            call()
    # NumPy's numbers are numbers.
    assert layers.ELU(np.float32(0.5)).alpha == 0.5
    np.testing.assert_allclose(activations.leaky_relu(-X, np.float64(0.5)), -0.5 * X)


@pytest.mark.parametrize("wrong", [None, 3, "kernel"])
def test_weights_that_are_no_list(wrong):
    layer = layers.Dense(2, name="d")
    layer.build((None, 3))
    before = layer.get_weights()
    with pytest.raises(TypeError, match="'d': expected a list of 2 arrays"):
        layer.set_weights(wrong)
    with pytest.raises(ValueError, match="d/kernel"):
        layer.set_weights(["ab", None])
    with pytest.raises(ValueError, match="d/bias"):
        layer.set_weights([np.zeros((3, 2)), [[1.0], [2.0, 3.0]]])
    assert all(np.array_equal(a, b) for a, b in zip(before, layer.get_weights(), strict=True))


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.Sequential([keras.Input((784,)), layers.Dense(10**9, name="huge")]),
        lambda: keras.Sequential([keras.Input((10**9,)), layers.Dense(1000, name="huge")]),
        lambda: layers.Dense(10**18, name="huge")(X),
        lambda: layers.Dense(10**9, name="huge").build((None, 784)),
    ],
)
def test_weights_larger_than_memory(make):
    with pytest.raises(MemoryError, match=r"'huge'.*GB"):
        make()


@pytest.mark.parametrize("shape", ["ab", (2.5,), (-1, 2), (None, 2)], ids=str)
def test_shapes_of_weights(shape):
    with pytest.raises(ValueError, match="shape"):
        layers.Layer(name="d").add_weight(shape)
