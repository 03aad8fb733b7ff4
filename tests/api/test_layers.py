"""Every layer class: values, shapes, modes, weights, plain data, in models and on arrays."""

import json

import numpy as np
import pytest

import dnnfast as keras
from dnnfast import tree
from layer_rows import ELSEWHERE, ROWS

IDS = [f"{i}-{row}" for i, row in enumerate(ROWS)]


def made(row, built=True):
    """Return the layer of a row, with weights that are not what they start as."""
    layer = getattr(keras.layers, row.name)(**row.options)
    if built:
        layer.build(tree.map_structure(lambda x: (None, *x.shape[1:]), row.inputs))
        rng = np.random.default_rng(5)
        # All positive: moving variances are.
        layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return layer


def expected(row, layer):
    inputs = row.inputs if isinstance(row.inputs, list) else [row.inputs]
    inputs = [x if x.dtype.kind == "i" else x.astype(np.float64) for x in inputs]
    return row.formula(*inputs, *(w.astype(np.float64) for w in layer.get_weights()))


def placeholders(row, batch=None):
    return tree.map_structure(
        lambda x: keras.KerasTensor((batch, *x.shape[1:]), x.dtype.name), row.inputs
    )


def test_every_layer_has_a_row():
    classes = {
        name
        for name in keras.layers.__all__
        if isinstance(getattr(keras.layers, name), type)
        and issubclass(getattr(keras.layers, name), keras.layers.Layer)
    }
    assert classes == {row.name for row in ROWS} | set(ELSEWHERE)


@pytest.mark.parametrize("row", [row for row in ROWS if row.formula], ids=str)
def test_values(row, device):
    layer = made(row)
    found = layer(row.inputs, **row.call)
    np.testing.assert_allclose(found, expected(row, layer), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_shapes_and_types(row, device):
    found = made(row)(row.inputs)
    shape = tree.map_structure(lambda x: x.shape, row.inputs)
    assert made(row, built=False).compute_output_shape(shape) == found.shape
    for layer in (made(row, built=False), made(row)):
        spec = layer.compute_output_spec(placeholders(row))
        assert spec.shape == (None, *found.shape[1:])
        assert spec.dtype == found.dtype.name
        fixed = layer.compute_output_spec(placeholders(row, batch=4))
        assert fixed.shape == found.shape
    symbolic = made(row, built=False)(placeholders(row))
    assert symbolic.shape == (None, *found.shape[1:])
    assert symbolic.dtype == found.dtype.name
    assert made(row, built=False)(placeholders(row, batch=4)).shape == found.shape


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_plain_data(row):
    layer = made(row, built=False)
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    built = made(row)
    data = json.loads(json.dumps(keras.saving.serialize_keras_object(built)))
    other = keras.saving.deserialize_keras_object(data)
    found = json.loads(json.dumps(keras.saving.serialize_keras_object(other)))
    # What is built from the start forgets with what shape it was built again.
    for plain in (data, found):
        plain.pop("build_config", None)
    assert found == data
    assert [w.shape for w in other.weights] == [w.shape for w in built.weights]
    assert set(dir(other)) == set(dir(built))


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_building_by_shape_and_by_call(row):
    by_call, by_shape = made(row, built=False), made(row)
    by_call(row.inputs)
    assert by_call.built and by_shape.built
    for kind in ("trainable_weights", "non_trainable_weights", "non_trainable_variables"):
        of_call, of_shape = getattr(by_call, kind), getattr(by_shape, kind)
        assert [(w.name, w.shape) for w in of_call] == [(w.name, w.shape) for w in of_shape]
    seeds = len(by_call.non_trainable_variables) - len(by_call.non_trainable_weights)
    assert seeds == (1 if row.random else 0)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_modes(row, device):
    layer = made(row)
    usual = layer(row.inputs)
    np.testing.assert_array_equal(layer(row.inputs, training=False).shape, usual.shape)
    trained = made(row)
    in_training = trained(row.inputs, training=True)
    if row.random:
        assert not np.allclose(in_training, usual)
        assert not np.allclose(in_training, trained(row.inputs, training=True))
    elif not row.differs_in_training:
        np.testing.assert_array_equal(in_training, usual)
        for a, b in zip(trained.get_weights(), layer.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    if not row.random or row.formula:
        np.testing.assert_array_equal(usual, layer(row.inputs, training=False))


def model_of(row):
    inputs = tree.map_structure(lambda x: keras.Input(x.shape[1:], dtype=x.dtype.name), row.inputs)
    layer = made(row)
    return keras.Model(inputs, layer(inputs)), layer


@pytest.mark.parametrize("row", [row for row in ROWS if row.formula], ids=str)
def test_in_models(row, device):
    model, layer = model_of(row)
    wanted = expected(row, layer)
    for found in (model.predict(row.inputs, batch_size=3, verbose=0), model(row.inputs)):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("row", [row for row in ROWS if row.gradients], ids=str)
def test_training(row, device):
    """A fit runs; what is trained changes, in the same way on every engine."""
    model, layer = model_of(row)
    model.compile(keras.optimizers.SGD(0.01), "mse")
    before = layer.get_weights()
    y = np.zeros((4, *model.output_shape[1:]), np.float32)
    history = model.fit(row.inputs, y, epochs=2, batch_size=2, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    trained = {id(w) for w in layer.trainable_weights}
    for weight, old in zip(layer.weights, before, strict=True):
        if id(weight) in trained:
            assert not np.array_equal(weight.numpy(), old)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_shared_between_models(row, device):
    first, layer = model_of(row)
    inputs = tree.map_structure(lambda x: keras.Input(x.shape[1:], dtype=x.dtype.name), row.inputs)
    second = keras.Model(inputs, layer(inputs))
    assert [id(w) for w in first.weights] == [id(w) for w in second.weights]
    if not row.random:
        for a, b in zip([first(row.inputs)], [second(row.inputs)], strict=True):
            np.testing.assert_array_equal(a, b)
