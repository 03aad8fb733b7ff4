"""clone_model: new layers of the same structure."""

import numpy as np
import pytest

import dnnfast as keras


def sequential():
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(5, "relu", name="a"), keras.layers.Dense(2)]
    )


def branched():
    left, right = keras.Input((4,), name="left"), keras.Input((3,), name="right")
    shared = keras.layers.Dense(3, name="shared")
    h = keras.layers.add([shared(keras.layers.Dense(3)(left)), shared(right)])
    return keras.Model({"l": left, "r": right}, [keras.layers.Dense(1)(h), h])


def test_sequential(device):
    model = sequential()
    clone = keras.models.clone_model(model)
    x = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)
    assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]
    assert not np.array_equal(model.predict(x, verbose=0), clone.predict(x, verbose=0))
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(model.predict(x, verbose=0), clone.predict(x, verbose=0))
    clone.layers[0].kernel.assign(np.zeros((4, 5)))
    assert model.layers[0].kernel.numpy().any()


def test_functional_with_shared_layers(device):
    model = branched()
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    assert clone.count_params() == model.count_params()
    random = np.random.default_rng(0)
    x = {"l": random.normal(size=(5, 4)), "r": random.normal(size=(5, 3))}
    for mine, theirs in zip(model.predict(x, verbose=0), clone.predict(x, verbose=0), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_functions_of_ones_own():
    def wider(layer):
        if layer.name == "a":
            return keras.layers.Dense(9, name="a")
        return layer.__class__.from_config(layer.get_config())

    assert keras.models.clone_model(sequential(), clone_function=wider).layers[0].units == 9
    called = []

    def call(layer, *args, **kwargs):
        called.append(layer.name)
        return layer(*args, **kwargs)

    keras.models.clone_model(branched(), call_function=call)
    assert called.count("shared") == 2
    nested = keras.Sequential([keras.Input((4,)), sequential()])
    clone = keras.models.clone_model(nested, clone_function=wider, recursive=True)
    assert clone.layers[0].layers[0].units == 9


def test_other_inputs():
    tensor = keras.Input((4,), name="given")
    assert keras.models.clone_model(sequential(), input_tensors=tensor).inputs[0].name == "given"
    with pytest.raises(ValueError, match="has 2 inputs, got 1"):
        keras.models.clone_model(branched(), input_tensors=[tensor])


def test_wrong_arguments():
    with pytest.raises(ValueError, match="expected a model"):
        keras.models.clone_model(3)
    with pytest.raises(ValueError, match="functional models"):
        keras.models.clone_model(sequential(), call_function=lambda layer, x: layer(x))
    with pytest.raises(ValueError, match="clone_function returned NoneType"):
        keras.models.clone_model(sequential(), clone_function=lambda layer: None)
