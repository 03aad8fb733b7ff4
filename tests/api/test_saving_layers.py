"""Layers in files: where they stand in a model, and what they save themselves."""

import io
import os
import zipfile

import h5py
import numpy as np

import dnnfast as keras

X = np.random.default_rng(0).normal(size=(48, 4)).astype(np.float32)
Y = (X[:, :2] > 0).astype(np.float32)


def same(a, b):
    for one, other in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_layers_in_attributes_and_lists(tmp_path):
    @keras.saving.register_keras_serializable("files")
    class Mixed(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.blocks = [keras.layers.Dense(4, "relu"), [keras.layers.Dense(4)]]
            self.by_name = {"out": keras.layers.Dense(2)}
            self._hidden = keras.layers.Dense(4)
            self.scale = self.add_weight((4,), "ones", name="scale")

        def call(self, x):
            x = self._hidden(self.blocks[1][0](self.blocks[0](x))) * self.scale
            return self.by_name["out"](x)

    model = Mixed()
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    same(model, loaded)
    for m in (model, loaded):
        m.fit(X, Y, verbose=0)
    same(model, loaded)
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content) as file:
        assert file["blocks/container/dense/vars/0"].shape == (4, 4)
        assert file["by_name/dense/vars/0"].shape == (4, 2)
        assert file["vars/0"].shape == (4,)


def test_layers_that_save_in_their_own_way(tmp_path):
    @keras.saving.register_keras_serializable("files")
    class Words(keras.layers.Layer):
        def build(self, shape):
            self.w = self.add_weight((shape[-1],), "normal", name="w")
            self.words = ["none"]

        def call(self, x):
            return x * self.w

        def save_own_variables(self, store):
            store["mine"] = self.w

        def load_own_variables(self, store):
            self.w.assign(store["mine"])

        def save_assets(self, folder):
            with open(os.path.join(folder, "words.txt"), "w") as file:
                file.write("\n".join(self.words))

        def load_assets(self, folder):
            with open(os.path.join(folder, "words.txt")) as file:
                self.words = file.read().split("\n")

    model = keras.Sequential([keras.Input((4,)), Words(name="words"), keras.layers.Dense(2)])
    model.layers[0].words = ["a", "b"]
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    same(model, loaded)
    assert loaded.layers[0].words == ["a", "b"]


def test_a_layer_that_occurs_in_two_models_stays_one(tmp_path):
    shared = keras.layers.Dense(3)
    first = keras.Sequential([keras.Input((4,)), shared], name="first")
    second = keras.Sequential([keras.Input((4,)), shared], name="second")
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Add()([first(x), second(x)]))
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    same(model, loaded)
    assert loaded.get_layer("first").layers[0] is loaded.get_layer("second").layers[0]
