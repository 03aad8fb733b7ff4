"""Copies by `copy` and `pickle`: the same numbers, and independent of the original."""

import copy
import pickle

import numpy as np
import pytest

import dnnfast as keras
from api.data import regression

WAYS = [
    pytest.param(copy.deepcopy, id="deepcopy"),
    pytest.param(copy.copy, id="copy"),
    pytest.param(lambda item: pickle.loads(pickle.dumps(item)), id="pickle"),
]
layers = keras.layers


def chain():
    return keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(8, "relu", kernel_initializer="he_normal", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(1),
        ]
    )


def graph():
    x = keras.Input((6,), name="x")
    shared = layers.Dense(6, "tanh", name="shared")
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(4, "selu")], name="inner")
    y = layers.Concatenate()([inner(shared(shared(x))), x, inner(x)])
    return keras.Model(inputs=x, outputs=layers.Dense(1, name="out")(y))


class Own(keras.Model):
    def __init__(self, width=5, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.first = layers.Dense(width, "relu")
        self.others = [layers.Dropout(0.2), layers.Dense(1)]

    def call(self, x):
        x = self.first(x)
        for layer in self.others:
            x = layer(x)
        return x


MODELS = [chain, graph, Own]


def trained(make, optimizer="adam"):
    x, y = regression()
    model = make()
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(x, y, epochs=2, verbose=0)
    return model


def same(a, b):
    return all(np.array_equal(v, w) for v, w in zip(a.get_weights(), b.get_weights(), strict=True))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", MODELS)
def test_a_copy_goes_on_as_the_original_would(make, way, device):
    x, y = regression()
    model = trained(make)
    again = way(model)
    assert type(again) is type(model)
    assert [w.path for w in again.weights] == [w.path for w in model.weights]
    assert not {id(w) for w in again.weights} & {id(w) for w in model.weights}
    assert same(model, again)
    before = model.get_weights()
    # The reference's float64 is rounded to float32 in a copy.
    close = {"rtol": 1e-4, "atol": 1e-5} if device == "reference" else {"rtol": 0, "atol": 0}
    np.testing.assert_allclose(again.predict(x), model.predict(x), **close)
    theirs = again.fit(x, y, epochs=2, verbose=0).history
    assert all(np.array_equal(v, w) for v, w in zip(before, model.get_weights(), strict=True))
    ours = model.fit(x, y, epochs=2, verbose=0).history
    for name, values in ours.items():
        np.testing.assert_allclose(theirs[name], values, **close)
    for v, w in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(v, w, **close)
    assert int(again.optimizer.iterations) == int(model.optimizer.iterations)
    assert again.optimizer is not model.optimizer


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.01, momentum=0.9),
        lambda: keras.optimizers.RMSprop(0.01, centered=True),
        lambda: keras.optimizers.Nadam(0.01),
        lambda: keras.optimizers.Adam(0.01, amsgrad=True, weight_decay=0.01),
    ],
)
def test_the_state_of_optimizers_is_copied(optimizer):
    x, y = regression()
    model = trained(chain, optimizer())
    # A copy of a copy, which no engine has had in between.
    again = copy.deepcopy(pickle.loads(pickle.dumps(model)))
    slots = [v.numpy() for v in model.optimizer.variables]
    for ours, theirs in zip(slots, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs.numpy())
    model.fit(x, y, verbose=0)
    again.fit(x, y, verbose=0)
    assert same(model, again)
    again.optimizer.learning_rate = 0.5
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)


@pytest.mark.parametrize("way", WAYS)
def test_the_structure_of_graphs(way):
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    middle = layers.Add(name="sum")([a, b])
    outputs = {"u": layers.Dense(2, name="d")(middle), "v": [middle, a]}
    model = keras.Model({"b": b, "a": a}, outputs, name="m")
    part = keras.Model(middle, model.get_layer("d").output, name="part")
    again, part_again = way(model), way(part)
    assert again.get_config() == model.get_config()
    assert again.name == "m"
    assert again.get_layer("d").input.shape == (None, 3)
    data = {"a": np.ones((2, 3)), "b": np.full((2, 3), 2.0)}
    ours, theirs = model(data), again(data)
    np.testing.assert_array_equal(ours["u"], theirs["u"])
    np.testing.assert_array_equal(ours["v"][0], theirs["v"][0])
    np.testing.assert_array_equal(part_again(np.ones((2, 3))), part(np.ones((2, 3))))
    # The original and models that share its layers are as they were.
    assert len(model.get_layer("d")._inbound_nodes) == 1


@pytest.mark.parametrize("way", WAYS)
def test_models_that_are_not_built_or_not_compiled(way):
    model = keras.Sequential([layers.Dense(3), layers.Dense(1)])
    again = way(model)
    assert not again.built
    assert again.predict(np.ones((2, 4)), verbose=0).shape == (2, 1)
    assert not model.built
    with pytest.raises(RuntimeError, match="not compiled"):
        way(chain()).fit(*regression(), verbose=0)
    own = Own(width=3)
    assert way(own).width == 3


@pytest.mark.parametrize("way", WAYS)
def test_layers(way):
    layer = layers.Dense(3, "relu", name="d")
    x = keras.Input((2,))
    layer(x)
    again = way(layer)
    assert again.get_config() == layer.get_config()
    assert again.kernel is not layer.kernel
    np.testing.assert_array_equal(again.kernel.numpy(), layer.kernel.numpy())
    again.kernel.assign_add(1.0)
    assert (again.kernel.numpy() != layer.kernel.numpy()).all()
    assert again(x).shape == (None, 3)
    assert way(layers.InputLayer(shape=(3,), name="i")).output.shape == (None, 3)


@pytest.mark.parametrize("way", WAYS)
def test_variables_and_seeds(way):
    v = keras.Variable([1.0, 2.0], name="v", trainable=False)
    again = way(v)
    assert (again.name, again.trainable, again.numpy().tolist()) == ("v", False, [1.0, 2.0])
    again.assign([3.0, 4.0])
    assert v.numpy().tolist() == [1.0, 2.0]
    seeds = keras.random.SeedGenerator(3)
    seeds.next()
    copied = way(seeds)
    assert copied.state.numpy().tolist() == [3, 1]
    with keras.StatelessScope([(v, [9.0, 9.0])]):
        assert way(v)._value.tolist() == [1.0, 2.0]


def test_weights_that_an_engine_holds_are_copied():
    model = trained(chain)
    kernel = model.layers[0].kernel
    assert kernel._value is None  # the engine has it
    again = pickle.loads(pickle.dumps(kernel))
    np.testing.assert_array_equal(again.numpy(), kernel.numpy())


def test_shared_weights_stay_shared():
    inner = layers.Dense(3, name="inner")
    pair = [
        keras.Sequential([keras.Input((3,)), inner]),
        keras.Sequential([keras.Input((3,)), inner]),
    ]
    first, second = copy.deepcopy(pair)
    assert first.layers[0] is second.layers[0]
    assert first.layers[0] is not inner


def test_models_of_many_layers():
    model = keras.Sequential([keras.Input((2,)), *(layers.Dense(2) for _ in range(400))])
    again = pickle.loads(pickle.dumps(copy.deepcopy(model)))
    assert same(model, again)
    assert len(again.layers) == 400


def test_copies_run_on_another_device():
    x, y = regression()
    model = trained(chain)
    data = pickle.dumps(model)
    keras.config.set_device("reference")
    again = pickle.loads(data)
    again.fit(x, y, verbose=0)
    keras.config.set_device("cpu")
    model.fit(x, y, verbose=0)
    for v, w in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(v, w, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("make", [chain, graph])
def test_json(make):
    model = make()
    again = keras.models.model_from_json(model.to_json())
    assert again.to_json() == model.to_json()
    assert not again.compiled
    again.set_weights(model.get_weights())
    x = regression()[0]
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    model.compile(keras.optimizers.SGD(0.25, momentum=0.5), "mse", metrics=["mae"])
    again = keras.models.model_from_json(model.to_json(indent=2))
    assert again.get_compile_config() == model.get_compile_config()
    assert float(again.optimizer.momentum) == 0.5
    again.set_weights(model.get_weights())
    assert again.evaluate(*regression(), verbose=0) == model.evaluate(*regression(), verbose=0)


def test_json_of_own_classes():
    model = Own(width=3, name="own")
    with pytest.raises(TypeError, match="custom_objects"):
        keras.models.model_from_json(model.to_json().replace(Own.__module__, "not_there"))
    again = keras.models.model_from_json(model.to_json(), {"Own": Own})
    assert (type(again), again.width) == (Own, 3)
    with pytest.raises(ValueError):
        keras.models.model_from_json("{")


def test_a_compile_of_ones_own_is_not_guessed():
    class Custom(Own):
        def compile(self, rate):
            super().compile(keras.optimizers.SGD(rate), "mse")

    model = Custom()
    model.compile(0.5)
    with pytest.warns(UserWarning, match="compile_from_config"):
        again = keras.models.model_from_json(model.to_json(), {"Custom": Custom})
    assert not again.compiled
