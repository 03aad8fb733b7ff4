"""clone_model: new layers of the same structure."""

import numpy as np
import pytest

import dnnfast as keras
from api.data import regression
from api.test_copies import Own, chain, graph


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
    with pytest.raises(ValueError, match="defines `call`"):
        keras.models.clone_model(Own(), clone_function=lambda layer: layer)
    with pytest.raises(ValueError, match="one input tensor"):
        keras.models.clone_model(sequential(), input_tensors=[keras.Input((4,))] * 2)
    with pytest.raises(ValueError, match="symbolic"):
        keras.models.clone_model(graph(), input_tensors=[1])


@pytest.mark.parametrize("make", [chain, graph, Own])
def test_clones_have_the_structure_and_other_weights(make):
    x, y = regression()
    model = make()
    model.compile(keras.optimizers.SGD(0.01, momentum=0.5), "mse", metrics=["mae"])
    model.fit(x, y, verbose=0)
    before = model.get_weights()
    clone = keras.models.clone_model(model)
    assert type(clone) is type(model)
    if make is not Own:
        assert clone.to_json() == model.to_json()
    clone.fit(x, y, verbose=0)
    assert clone.compiled
    assert clone.optimizer is not model.optimizer
    assert int(clone.optimizer.iterations) == len(range(0, len(x), 32))
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    assert not {id(w) for w in clone.weights} & {id(w) for w in model.weights}
    assert (clone.get_weights()[0] != before[0]).any()
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_clone_function_sees_each_layer_once():
    model, seen = graph(), []

    def clone(layer):
        seen.append(layer.name)
        if isinstance(layer, keras.layers.Dense):
            return type(layer).from_config({**layer.get_config(), "activation": "linear"})
        return layer

    made = keras.models.clone_model(model, clone_function=clone)
    assert sorted(seen) == ["concatenate", "inner", "out", "shared"]
    assert made.get_layer("shared").activation is keras.activations.linear
    assert made.get_layer("inner") is model.get_layer("inner")
    seen.clear()
    made = keras.models.clone_model(model, clone_function=clone, recursive=True)
    assert "inner" not in seen
    assert len(seen) == 4
    inner = made.get_layer("inner")
    assert inner is not model.get_layer("inner")
    assert inner.layers[0].activation is keras.activations.linear


def test_shared_layers_keep_their_weights():
    model = chain()
    made = keras.models.clone_model(model, clone_function=lambda layer: layer)
    assert all(a is b for a, b in zip(made.weights, model.weights, strict=True))


def test_names_are_kept_and_unbuilt_models_stay_unbuilt():
    model = keras.Sequential([keras.layers.Dense(3)], name="s")
    made = keras.models.clone_model(model)
    assert (made.name, made.built, made.layers[0].name) == ("s", False, model.layers[0].name)
    model = chain()
    assert keras.models.clone_model(model).input.name == model.input.name
