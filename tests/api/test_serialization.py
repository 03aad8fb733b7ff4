"""Objects to plain data and back: custom names, functions, lambdas, what is refused."""

import json

import numpy as np
import pytest

import dnnfast as keras
from dnnfast.saving import deserialize_keras_object as deserialize
from dnnfast.saving import serialize_keras_object as serialize

DENSE = {
    "module": "keras.layers",
    "class_name": "Dense",
    "config": {"units": 3},
    "registered_name": None,
}


@keras.saving.register_keras_serializable("tests")
class Registered(keras.layers.Layer):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return x


@keras.saving.register_keras_serializable("tests")
def registered(x):
    return keras.activations.relu(x)


def plain(x):
    return keras.activations.tanh(x)


class Unregistered(keras.layers.Layer):
    def call(self, x):
        return x


def through_json(item):
    return json.loads(json.dumps(serialize(item)))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        2.5,
        "text",
        [1, [2.0]],
        {"a": {"b": [None]}},
        b"bytes",
        slice(1, None, 2),
        ...,
    ],
    ids=str,
)
def test_plain_values(value):
    assert deserialize(through_json(value)) == value


def test_arrays_numbers_and_tuples():
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    again = deserialize(through_json(array))
    np.testing.assert_array_equal(again, array)
    assert again.dtype == np.int16
    assert serialize(np.float32(0.5)) == serialize(np.array(0.5)) == 0.5
    assert serialize((1, (2,))) == (1, (2,))
    assert deserialize(serialize((1, (2,)))) == (1, (2,))
    assert deserialize({"class_name": "__tuple__", "items": [1, 2]}) == (1, 2)
    tensor = deserialize(through_json(keras.KerasTensor((None, 3), name="t")))
    assert tensor.shape == (None, 3)


def test_custom_classes():
    data = through_json(Registered(2.0, name="r"))
    assert data["registered_name"] == "tests>Registered"
    again = deserialize(data)
    assert type(again) is Registered
    assert (again.factor, again.name) == (2.0, "r")
    # Classes that are not registered have to be passed, whatever module the data names.
    data = serialize(Unregistered())
    assert data["module"] == __name__
    with pytest.raises(TypeError, match="custom_objects"):
        deserialize(data)
    assert type(deserialize(data, {"Unregistered": Unregistered})) is Unregistered
    with keras.saving.custom_object_scope({"Unregistered": Unregistered}):
        assert type(deserialize(data)) is Unregistered
    with pytest.raises(TypeError, match="custom_objects"):
        deserialize(data)


def test_functions():
    assert serialize(keras.activations.relu) == {
        "module": "builtins",
        "class_name": "function",
        "config": "relu",
        "registered_name": "function",
    }
    assert deserialize(serialize(keras.activations.relu)) is keras.activations.relu
    assert (
        deserialize(serialize(keras.losses.mean_squared_error)) is keras.losses.mean_squared_error
    )
    assert serialize(registered)["config"] == "tests>registered"
    assert deserialize(serialize(registered)) is registered
    bare = {**serialize(registered), "config": "registered"}
    assert deserialize(bare) is registered
    with pytest.raises(TypeError, match="'plain'"):
        deserialize(serialize(plain))
    assert deserialize(serialize(plain), {"plain": plain}) is plain
    layer = keras.layers.Dense(2, activation=registered)
    assert keras.layers.Dense.from_config(layer.get_config()).activation is registered


def test_lambdas_are_refused_in_safe_mode():
    with pytest.warns(UserWarning, match="lambda"):
        data = through_json(lambda x, power=2: x**power)
    with pytest.raises(ValueError, match="safe_mode=False"):
        deserialize(data)
    assert deserialize(data, safe_mode=False)(3) == 9
    offset = 5
    with pytest.warns(UserWarning, match="lambda"):
        data = through_json(lambda x: x + offset)
    assert deserialize(data, safe_mode=False)(3) == 8
    nested = {**DENSE, "config": {"units": 3, "activation": data}}
    with pytest.raises(ValueError, match="safe_mode=False"):
        deserialize(nested)
    assert deserialize(nested, safe_mode=False).activation(3) == 8
    with pytest.raises(ValueError, match="lambda"):
        deserialize({"class_name": "__lambda__", "config": {"value": "AAAA"}}, safe_mode=False)


@pytest.mark.parametrize(
    "data",
    [
        {**DENSE, "class_name": "Nothing"},
        {**DENSE, "module": "not_there"},
        {**DENSE, "module": "os", "class_name": "PathLike"},
        {"module": "os", "class_name": "system", "config": {}},
        {"module": "os", "class_name": "function", "config": "system"},
        {"module": "builtins", "class_name": "function", "config": "eval"},
        {"module": "keras.saving", "class_name": "deserialize_keras_object", "config": {}},
        {"module": "keras.utils", "class_name": "function", "config": "set_random_seed"},
        {"module": "keras.losses", "class_name": "Any", "config": {}},
        {"class_name": "__unknown__", "config": {}},
    ],
    ids=str,
)
def test_what_cannot_be_rebuilt(data):
    with pytest.raises(TypeError, match="deserialize_keras_object"):
        deserialize(data)


def test_a_builtin_has_no_registered_name():
    with pytest.raises(ValueError, match="registered name"):
        deserialize({**DENSE, "registered_name": "x>y"})


@pytest.mark.parametrize("module", ["keras.layers", "tensorflow.keras.layers", "keras.src.layers",
                                    "dnnfast.layers", None])  # fmt: skip
def test_modules_that_name_layers(module):
    assert deserialize({**DENSE, "module": module}).units == 3


def test_what_has_no_plain_form():
    class NoConfig:
        pass

    class WrongConfig:
        def get_config(self):
            return 3

    for item in (NoConfig(), WrongConfig(), {1, 2}, keras.layers.Dense, keras.Variable(1.0)):
        with pytest.raises(TypeError, match="serialize_keras_object"):
            serialize(item)
    with pytest.raises(ValueError, match="get_config"):
        keras.saving.register_keras_serializable()(NoConfig)


def test_names_of_custom_objects():
    saving = keras.saving
    assert saving.get_registered_name(Registered) == "tests>Registered"
    assert saving.get_registered_name(Unregistered) == "Unregistered"
    assert saving.get_registered_object("tests>Registered") is Registered
    assert saving.get_registered_object("tests>Nothing") is None
    assert saving.get_registered_object("a", {"a": 1}, {"a": 2}) == 1
    assert saving.get_registered_object("a", None, {"a": 2}) == 2
    with saving.CustomObjectScope({"a": 3, "b": 4}) as outer:
        assert outer.custom_objects == {"a": 3, "b": 4}
        assert "a" not in saving.get_custom_objects()
        with saving.custom_object_scope({"a": 5}):
            assert saving.get_registered_object("a", {"a": 1}) == 5
            assert saving.get_registered_object("b") == 4

            @saving.register_keras_serializable("tests", "kept")
            def kept(x):
                return x

        assert saving.get_registered_object("a") == 3
    assert saving.get_registered_object("a") is None
    # What is registered inside of a scope stays.
    assert saving.get_registered_object("tests>kept") is kept
    assert keras.utils.get_custom_objects() is saving.get_custom_objects()


def old_layer(name, config, *inbound):
    data = {"class_name": name, "config": {"trainable": True, "dtype": "float32", **config}}
    return {**data, "name": config["name"], "inbound_nodes": list(inbound)}


OLD_DENSE = {
    "units": 4,
    "activation": "relu",
    "use_bias": True,
    "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}},
    "bias_initializer": {"class_name": "Zeros", "config": {}},
    "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.5}},
    "bias_regularizer": None,
    "activity_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
}


def test_models_that_keras_2_wrote():
    policy = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    inputs = {"batch_input_shape": [None, 4], "sparse": False, "ragged": False, "name": "x"}
    chain = {
        "class_name": "Sequential",
        "config": {
            "name": "chain",
            "layers": [
                {"class_name": "InputLayer", "config": {**inputs, "dtype": "float32"}},
                {"class_name": "Dense", "config": {"name": "d", **OLD_DENSE, "dtype": policy}},
            ],
        },
        "keras_version": "2.4.0",
        "backend": "tensorflow",
    }
    model = keras.models.model_from_json(json.dumps(chain))
    layer = model.layers[0]
    assert (layer.units, layer.compute_dtype, layer.kernel.shape) == (4, "float16", (4, 4))
    assert layer.kernel_regularizer.l2 == 0.5
    dense = {"name": "d", **OLD_DENSE}
    graph = {
        "class_name": "Functional",
        "config": {
            "name": "graph",
            "layers": [
                old_layer("InputLayer", inputs),
                old_layer("Dense", dense, [["x", 0, 0, {}]], [["d", 0, 0, {}]]),
                old_layer("Add", {"name": "sum"}, [["d", 1, 0, {}], ["x", 0, 0, {}]]),
            ],
            "input_layers": [["x", 0, 0]],
            "output_layers": [["sum", 0, 0]],
        },
    }
    model = keras.models.model_from_json(json.dumps(graph))
    layer = model.get_layer("d")
    layer.set_weights([np.eye(4), np.ones(4)])
    np.testing.assert_array_equal(model(np.ones((1, 4))), [[4.0] * 4])
