"""Policies reach layers and plans, round-trip, and change nothing where products stay float32."""

from __future__ import annotations

import numpy as np
import pytest

import dnnfast as keras

X = np.random.default_rng(0).standard_normal((40, 6)).astype("float32")


@pytest.fixture
def policy():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield keras.config.dtype_policy()
    keras.config.set_dtype_policy(before)


def trained(**arguments) -> keras.Sequential:
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Dense(5, "relu", **arguments), keras.layers.Dense(1, **arguments)]
    model = keras.Sequential([keras.Input((6,)), *layers])
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], epochs=2, verbose=0)
    return model


def test_new_layers_get_the_policy(policy):
    layer = keras.layers.Dense(3)
    assert layer.dtype_policy is policy
    assert (layer.dtype, layer.variable_dtype, layer.compute_dtype) == (
        "float32",
        "float32",
        "bfloat16",
    )
    assert keras.layers.Dense(3, dtype="float32").compute_dtype == "float32"


@pytest.mark.parametrize("name", ["float32", "tf32", "mixed_bfloat16", "mixed_float16"])
def test_policies_round_trip(name):
    policy = keras.dtype_policies.get(name)
    assert keras.dtype_policies.DTypePolicy.from_config(policy.get_config()) == policy
    assert keras.dtype_policies.deserialize(keras.dtype_policies.serialize(policy)) == policy
    keras_form = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}}
    assert keras.dtype_policies.get(keras_form) == policy
    layer = keras.layers.Dense(3, dtype=keras_form)
    assert keras.layers.Dense.from_config(layer.get_config()).dtype_policy == policy


@pytest.mark.parametrize("name", ["tf32", "mixed_bfloat16"])
def test_a_cpu_multiplies_in_float32(name):
    plain, other = trained(), trained(dtype=name)
    for a, b in zip(plain.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(a, b)
    precision = name.removeprefix("mixed_")
    assert other.plan().describe().count(f"{precision} where the device has it") == 5
    assert "where the device has it" not in plain.plan().describe()


def test_maps_of_policies():
    policies = keras.dtype_policies
    chosen = policies.DTypePolicyMap("float32", {"wide.*": policies.get("mixed_bfloat16")})
    chosen["last"] = "tf32"
    assert (len(chosen), list(chosen), "last" in chosen) == (2, ["wide.*", "last"], True)
    assert chosen["wide_3"].name == "mixed_bfloat16"
    assert chosen["other"].name == "float32"
    assert chosen.name == "map_float32"
    layers = [keras.layers.Dense(4, dtype=chosen, name=name) for name in ("wide", "middle", "last")]
    assert [layer.compute_dtype for layer in layers] == ["bfloat16", "float32", "float32"]
    model = keras.Sequential([keras.Input((6,)), *layers])
    text = model.plan().describe()
    assert "bfloat16 where" in text
    assert "tf32 where" in text
    again = keras.Sequential.from_config(model.get_config())
    assert again.layers[0].dtype_policy == chosen
    assert policies.deserialize(policies.serialize(chosen)) == chosen
    del chosen["last"]
    assert chosen["last"].name == "float32"
    chosen[".*_3"] = "tf32"
    for call, error in (
        (lambda: chosen["wide_3"], ValueError),
        (lambda: chosen.__setitem__("wide.*", "tf32"), ValueError),
        (lambda: chosen.__setitem__("x", 3), ValueError),
        (lambda: chosen.__delitem__("x"), KeyError),
        (lambda: policies.DTypePolicyMap(chosen), ValueError),
        (lambda: policies.DTypePolicyMap("float32", 3), TypeError),
        (lambda: policies.DTypePolicy(3), TypeError),
        (lambda: policies.DTypePolicy("float23"), ValueError),
        (lambda: policies.get(3), ValueError),
        (lambda: policies.get(np.float64), ValueError),
        (
            lambda: policies.get({"class_name": "Dense", "config": {"units": 1}}),
            (TypeError, ValueError),
        ),
        (lambda: keras.config.set_dtype_policy(None), ValueError),
    ):
        with pytest.raises(error):
            call()


def test_older_names():
    policy = keras.mixed_precision.Policy("mixed_float16")
    assert keras.dtype_policies.get(policy) is policy
    assert policy.quantization_mode is None
    keras.mixed_precision.set_global_policy("mixed_float16")
    assert keras.mixed_precision.global_policy().compute_dtype == "float16"
    keras.config.set_dtype_policy("float32")
    assert keras.FloatDTypePolicy("float32") == keras.DTypePolicy("float32")
    assert keras.dtype_policies.get(np.float32).name == "float32"
