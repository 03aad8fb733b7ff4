"""Plain data of objects is that of Keras, and each package reads the other's."""

import json

import numpy as np
import pytest

import dnnfast as keras
from parity.oracle import keras3

pytestmark = pytest.mark.parity

PACKAGES = (keras, keras3)


def data_of(package, make):
    return json.loads(json.dumps(package.saving.serialize_keras_object(make(package))))


SAME = [
    lambda k: k.initializers.HeNormal(seed=3),
    lambda k: k.initializers.Orthogonal(seed=k.random.SeedGenerator(3, name="s")),
    lambda k: k.initializers.Constant(np.ones((2, 2))),
    lambda k: k.regularizers.L1L2(0.25, 0.5),
    lambda k: k.dtype_policies.DTypePolicy("mixed_bfloat16"),
    lambda k: k.dtype_policies.DTypePolicyMap("float32", {"a": k.DTypePolicy("mixed_bfloat16")}),
    lambda k: k.random.SeedGenerator(3, name="s"),
    lambda k: k.InputSpec(shape=(None, 3), axes={1: 3}),
    lambda k: k.activations.relu,
    lambda k: k.losses.mean_squared_error,
    lambda k: [1, (2.5, None), {"a": b"x", "b": slice(1, 2), "c": ...}],
    lambda k: np.arange(4),
    lambda k: np.float32(0.5),
]
MODULES = ["initializers", "regularizers", "losses", "metrics", "optimizers", "layers"]
BUILT_WITH = {
    "CategoryEncoding": (3,),
    "Dense": (2,),
    "Discretization": ([0.0],),
    "Activation": ("relu",),
    "Dropout": (0.5,),
    "Reshape": ((2, 1),),
    "InputLayer": ((3,),),
    "MeanMetricWrapper": None,
    "OperationLayer": None,
    "Regularizer": None,
}


@pytest.mark.parametrize("make", SAME)
def test_plain_data_is_the_same(make):
    ours, theirs = (data_of(package, make) for package in PACKAGES)
    assert ours == theirs


def shared_classes():
    for module in MODULES:
        mine, others = getattr(keras, module), getattr(keras3, module)
        for name in sorted(mine.__all__):
            cls, other = getattr(mine, name), getattr(others, name, None)
            arguments = BUILT_WITH.get(name, ())
            if isinstance(cls, type) and isinstance(other, type) and arguments is not None:
                yield pytest.param(module, name, arguments, id=f"{module}.{name}")


@pytest.mark.parametrize(("module", "name", "arguments"), shared_classes())
def test_modules_and_names_of_classes(module, name, arguments):
    def make(package):
        try:
            return getattr(getattr(package, module), name)(*arguments)
        except TypeError as error:
            pytest.skip(f"needs arguments: {error}")

    ours, theirs = (data_of(package, make) for package in PACKAGES)
    for key in ("module", "class_name", "registered_name"):
        assert ours[key] == theirs[key]


READ = [
    lambda k: k.initializers.GlorotUniform(seed=3),
    lambda k: k.regularizers.L2(0.25),
    lambda k: k.layers.Dense(3, "relu", kernel_regularizer="l2", name="d", dtype="mixed_bfloat16"),
    lambda k: k.layers.BatchNormalization(momentum=0.5, name="b"),
    lambda k: k.layers.Dropout(0.25, seed=3, name="p"),
    lambda k: k.losses.BinaryCrossentropy(from_logits=True),
    lambda k: k.optimizers.SGD(0.25, momentum=0.5),
    lambda k: k.random.SeedGenerator(3),
    lambda k: k.dtype_policies.DTypePolicyMap("float32", {"a": k.DTypePolicy("mixed_bfloat16")}),
]


@pytest.mark.parametrize("make", READ)
@pytest.mark.parametrize(("writer", "reader"), [(keras, keras3), (keras3, keras)])
def test_each_reads_the_others(make, writer, reader):
    data = data_of(writer, make)
    again = reader.saving.deserialize_keras_object(data)
    assert type(again).__name__ == type(make(reader)).__name__
    config = again.get_config()
    for key, value in json.loads(json.dumps(reader.saving.serialize_keras_object(config))).items():
        if key in data["config"] and not key.startswith(("activity", "name")):
            assert (
                value == pytest.approx(data["config"][key])
                if isinstance(value, float)
                else (value == data["config"][key])
            )


REFUSED = [
    {"module": "not_there", "class_name": "Dense", "config": {"units": 3}},
    {"module": "os", "class_name": "system", "config": {}},
    {"module": "builtins", "class_name": "function", "config": "nothing",
     "registered_name": "function"},
    {"module": "keras.layers", "class_name": "Dense", "config": {"unitz": 3}},
]  # fmt: skip


@pytest.mark.parametrize("data", REFUSED, ids=str)
def test_both_refuse(data):
    for package in PACKAGES:
        with pytest.raises(TypeError):
            package.saving.deserialize_keras_object(data)


def test_a_lambda_of_keras_is_refused_or_read():
    with pytest.warns(UserWarning, match="lambda"):
        data = keras3.saving.serialize_keras_object(lambda x, n=3: x * n)
    data = json.loads(json.dumps(data))
    for package in PACKAGES:
        with pytest.raises(ValueError, match="safe_mode=False"):
            package.saving.deserialize_keras_object(data)
        assert package.saving.deserialize_keras_object(data, safe_mode=False)(2) == 6


def test_names_are_those_of_keras():
    # What Keras has for other purposes: compiled graphs, model files, text and images.
    for module in ("config", "dtype_policies", "mixed_precision"):
        names = {n for n in dir(getattr(keras3, module)) if not n.startswith("_")}
        names -= {"LossScaleOptimizer", "enable_flash_attention", "disable_flash_attention",
                  "is_flash_attention_enabled"}  # fmt: skip
        names -= {n for n in names if n.endswith("DTypePolicy") and n[0] in "AGIQ"}
        assert names - set(dir(getattr(keras, module))) == set()
