"""Models as JSON: Keras builds ours, we build Keras's, and both compute the same."""

import json

import numpy as np
import pytest

import dnnfast as keras
from parity.oracle import keras3

pytestmark = pytest.mark.parity


def sequential(k):
    return k.Sequential(
        [
            k.Input((6,), name="x"),
            k.layers.Dense(5, "relu", kernel_initializer="he_normal", name="a"),
            k.layers.BatchNormalization(name="b"),
            k.layers.Dropout(0.5, name="c"),
            k.layers.Dense(3, kernel_regularizer=k.regularizers.L2(0.25), name="d"),
            k.layers.Softmax(name="e"),
        ],
        name="chain",
    )


def unbuilt(k):
    return k.Sequential([k.layers.Dense(4, name="a"), k.layers.ReLU(name="b")], name="chain")


def shared(k):
    x = k.Input((6,), name="x")
    layer = k.layers.Dense(6, "tanh", name="shared")
    twice = layer(layer(x))
    return k.Model(x, [k.layers.Dense(2, name="out")(twice), twice], name="shared_model")


def nested(k):
    x = k.Input((6,), name="x")
    inner = k.Sequential([k.Input((6,), name="y"), k.layers.Dense(4, name="i")], name="inner")
    deeper = k.Model(x, k.layers.Dense(4, "elu", name="j")(x), name="deeper")
    z = k.Input((6,), name="z")
    joined = k.layers.Concatenate(name="join")([inner(z), deeper(z), z])
    return k.Model(z, k.layers.Dense(1, name="out")(joined), name="outer")


def several(k):
    a, b = k.Input((6,), name="a"), k.Input((6,), name="b")
    both = k.layers.Add(name="sum")([a, b])
    outputs = {"u": k.layers.Dense(2, name="u")(both), "v": k.layers.Dense(3, name="v")(a)}
    return k.Model({"a": a, "b": b}, outputs, name="several")


def listed(k):
    a = k.Input((6,), name="a")
    return k.Model([a], [k.layers.Dense(2, name="u")(a)], name="listed")


MODELS = [sequential, shared, nested, several, listed]


def data_for(make):
    x = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    return {"a": x, "b": x[::-1].copy()} if make is several else [x] if make is listed else x


def outputs_of(package, model, data):
    if isinstance(data, dict):
        data = dict(data)
    return [np.asarray(leaf) for leaf in package.tree.flatten(model(data))]


def weights_by_path(model):
    return {"/".join(w.path.split("/")[-2:]): w for w in model.weights}


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize(("writer", "reader"), [(keras, keras3), (keras3, keras)],
                         ids=["ours", "theirs"])  # fmt: skip
def test_each_builds_the_others_json(make, writer, reader):
    model = make(writer)
    again = reader.models.model_from_json(model.to_json())
    assert type(again).__name__ in (type(model).__name__, "Functional", "Model")
    assert again.name == model.name
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert again.count_params() == model.count_params()
    rng = np.random.default_rng(1)
    found = weights_by_path(again)
    assert set(found) == set(weights_by_path(model))
    for path, weight in weights_by_path(model).items():
        value = rng.uniform(0.5, 1.5, weight.shape).astype(np.float32)
        weight.assign(value)
        found[path].assign(value)
    for a, b in zip(outputs_of(writer, model, data_for(make)),
                    outputs_of(reader, again, data_for(make)), strict=True):  # fmt: skip
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [*MODELS, unbuilt])
def test_the_structure_is_that_of_keras(make):
    ours, theirs = (json.loads(make(package).to_json()) for package in (keras, keras3))
    for key in ("module", "class_name", "registered_name"):
        assert ours[key] == theirs[key]
    ours, theirs = ours["config"], theirs["config"]
    assert [c["config"]["name"] for c in ours["layers"]] == [
        c["config"]["name"] for c in theirs["layers"]
    ]
    for key in ("name", "trainable", "input_layers", "output_layers", "build_input_shape", "dtype"):
        assert ours.get(key) == theirs.get(key)
    for mine, other in zip(ours["layers"], theirs["layers"], strict=True):
        assert mine["class_name"] == other["class_name"]
        for node in other.get("inbound_nodes", []):
            node["kwargs"].pop("mask", None)  # that there is none
        assert mine.get("inbound_nodes") == other.get("inbound_nodes")
        # The layers of nested models are compared where these come by themselves.
        if "layers" not in mine["config"]:
            config = {k: v for k, v in mine["config"].items() if k in other["config"]}
            assert config == other["config"]


def test_what_was_compiled():
    config = {}
    for package in (keras, keras3):
        model = sequential(package)
        model.compile(
            package.optimizers.SGD(0.25, momentum=0.5),
            package.losses.CategoricalCrossentropy(label_smoothing=0.25),
            metrics=["accuracy"],
        )
        config[package] = json.loads(model.to_json())["compile_config"]
    for writer, reader in ((keras, keras3), (keras3, keras)):
        model = sequential(reader)
        model.compile_from_config(config[writer])
        assert float(model.optimizer.learning_rate) == 0.25
        assert float(model.optimizer.momentum) == 0.5
        loss = model.get_compile_config()["loss"]
        assert loss["class_name"] == "CategoricalCrossentropy"
        assert loss["config"]["label_smoothing"] == 0.25
        assert model.get_compile_config()["metrics"] == ["accuracy"]
