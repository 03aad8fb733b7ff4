"""Models in files: every format gives back what was saved, and training goes on from there."""

import io
import json
import os
import stat
import zipfile

import h5py
import numpy as np
import pytest

import dnnfast as keras

FORMATS = ["model.keras", "model.h5", "model.hdf5", "plain"]
X = np.random.default_rng(0).normal(size=(48, 4)).astype(np.float32)
Y = (X[:, :2] > 0).astype(np.float32)


def built(optimizer="nadam"):
    inner = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(5, "relu"), keras.layers.BatchNormalization()]
    )
    shared = keras.layers.Dense(5, "tanh")
    x = keras.Input((4,))
    normal = keras.layers.Normalization()
    normal.adapt(X)
    h = keras.layers.Dropout(0.3)(inner(normal(x)))
    h = keras.layers.Add()([shared(h), shared(shared(h))])
    h = keras.layers.Dense(3, keras.layers.PReLU())(keras.ops.relu(h))
    model = keras.Model(x, keras.layers.Dense(2, "sigmoid")(h))
    model.compile(optimizer, "mse", metrics=["mae", keras.metrics.AUC(num_thresholds=5)])
    return model


def trained(optimizer="nadam"):
    model = built(optimizer)
    model.fit(X, Y, epochs=2, verbose=0)
    return model


def same(a, b, device="cpu"):
    """The reference engine keeps more digits than files do."""
    tolerance = 1e-5 if device == "reference" else 0
    for one, other in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", FORMATS)
def test_training_goes_on_as_if_never_interrupted(name, tmp_path, device):
    model = trained()
    path = tmp_path / "new" / "folder" / name
    model.save(path)
    assert [file.name for file in path.parent.iterdir()] == [name]
    loaded = keras.models.load_model(path)
    same(model, loaded)
    tolerance = 1e-5 if device == "reference" else 0
    predicted = [m.predict(X, verbose=0) for m in (model, loaded)]
    np.testing.assert_allclose(*predicted, rtol=tolerance)
    assert loaded.optimizer.iterations == model.optimizer.iterations == 4
    for one, other in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    history = [m.fit(X, Y, epochs=2, verbose=0).history for m in (model, loaded)]
    same(model, loaded, device)
    for key, values in history[0].items():
        np.testing.assert_allclose(values, history[1][key], rtol=tolerance)


@pytest.mark.parametrize("name", ["w.weights.h5", "plain"])
def test_weights_and_optimizer_state_alone(name, tmp_path, device):
    model, other = trained(), built()
    model.save_weights(tmp_path / "new" / name)
    other.load_weights(tmp_path / "new" / name)
    for m in (model, other):
        m.fit(X, Y, epochs=1, verbose=0)
    same(model, other, device)


def test_weights_of_whole_models(tmp_path):
    model, other = trained(), built()
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        other.set_weights([0 * w for w in other.get_weights()])
        other.load_weights(tmp_path / name)
        same(model, other)


OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda: keras.optimizers.RMSprop(centered=True, momentum=0.5),
    "adam": lambda: keras.optimizers.Adam(amsgrad=True, use_ema=True, clipnorm=1.0),
    "schedule": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(0.1, 10, warmup_target=0.2, warmup_steps=3)
    ),
    "adafactor": lambda: keras.optimizers.Adafactor(0.1),
    "ftrl": lambda: keras.optimizers.Ftrl(0.1),
    "muon": lambda: keras.optimizers.Muon(0.01),
    "schedule_free": lambda: keras.optimizers.ScheduleFreeAdamW(0.01),
    "accumulating": lambda: keras.optimizers.Lion(0.01, gradient_accumulation_steps=2),
    "loss_scale": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Nadam(0.01), dynamic_growth_steps=2
    ),
    "multi": lambda: keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(
            keras.optimizers.Adam(0.03), {".*bias": keras.optimizers.SGD(0.1, momentum=0.5)}
        )
    ),
    "decay": lambda: keras.optimizers.SGD(0.1, decay=0.1),
}


@pytest.mark.filterwarnings("ignore:SGD. `decay`")
@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("name", ["model.keras", "model.h5", "w.weights.h5"])
def test_state_of_optimizers(kind, name, tmp_path):
    def small():
        keras.utils.set_random_seed(3)
        layers = [keras.Input((4,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(2)]
        model = keras.Sequential(layers)
        model.compile(OPTIMIZERS[kind](), "mse")
        return model

    model = small()
    model.fit(X, Y, epochs=1, batch_size=16, verbose=0)
    if name.endswith(".weights.h5"):
        model.save_weights(tmp_path / name)
        other = small()
        other.load_weights(tmp_path / name)
    else:
        model.save(tmp_path / name)
        other = keras.models.load_model(tmp_path / name)
    for m in (model, other):
        m.fit(X, Y, epochs=1, batch_size=16, verbose=0)
    same(model, other)


def test_a_rate_set_by_hand_travels_with_all_digits(tmp_path):
    model = trained(keras.optimizers.SGD(0.1, momentum=0.5))
    model.optimizer.learning_rate = 1 / 3
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        assert float(keras.models.load_model(tmp_path / name).optimizer.learning_rate) == 1 / 3
    model.save_weights(tmp_path / "m.weights.h5")
    other = built(keras.optimizers.SGD(0.1, momentum=0.5))
    other.load_weights(tmp_path / "m.weights.h5")
    assert float(other.optimizer.learning_rate) == 1 / 3


def test_what_an_archive_holds(tmp_path):
    model = trained("adam")
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        assert archive.namelist() == ["metadata.json", "config.json", "model.weights.h5"]
        assert json.loads(archive.read("metadata.json"))["keras_version"].startswith("3.")
        config = json.loads(archive.read("config.json"))
        assert config["compile_config"]["optimizer"]["class_name"] == "Adam"
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            names = {f"layers/{name}" for name in file["layers"]}
            assert {"layers/sequential", "layers/dense", "layers/dense_1"} <= names
            inner = file["layers/sequential/layers/batch_normalization/vars"]
            assert sorted(inner) == ["0", "1", "2", "3"]
            assert file["layers/dense_1/activation/vars/0"].shape == (3,)
            assert file["layers/normalization/vars/2"].dtype == np.int32
            assert len(file["optimizer/vars"]) == len(model.optimizer.variables)


def test_uncompiled_and_unbuilt_models(tmp_path):
    model = keras.Sequential([keras.layers.Dense(2)])
    with pytest.warns(UserWarning, match="before it is built"):
        model.save(tmp_path / "m.keras")
    assert not keras.models.load_model(tmp_path / "m.keras").built
    with pytest.raises(ValueError, match="not yet been built"):
        model.save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match="not yet been built"):
        model.load_weights(tmp_path / "m.keras")
    model.build((None, 4))
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        with pytest.warns() if name == "m.h5" else _nothing():
            assert not keras.models.load_model(tmp_path / name).compiled
    trained().save(tmp_path / "c.keras")
    assert not keras.models.load_model(tmp_path / "c.keras", compile=False).compiled
    trained().save(tmp_path / "c.h5", include_optimizer=False)
    with pytest.warns(UserWarning, match="No training configuration"):
        assert not keras.models.load_model(tmp_path / "c.h5").compiled


def _nothing():
    import contextlib

    return contextlib.nullcontext()


def test_compiled_but_never_trained(tmp_path):
    model = built()
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        other = keras.models.load_model(tmp_path / name)
        first = [m.evaluate(X, Y, verbose=0) for m in (model, other)]
        assert first[0] == first[1]


def test_folders_and_names(tmp_path, monkeypatch):
    model = trained()
    keras.saving.save_model(model, tmp_path / "folder", zipped=False)
    assert len(list((tmp_path / "folder").iterdir())) == 3
    same(model, keras.saving.load_model(tmp_path / "folder"))
    for name in ("model.txt", "model.pb", "m.weights"):
        with pytest.raises(ValueError, match="extension"):
            model.save(tmp_path / name)
    with pytest.raises(ValueError, match="must end in"):
        model.save_weights(tmp_path / "w.npz")
    with pytest.raises(ValueError, match="unknown arguments"):
        model.save(tmp_path / "m.keras", saveformat="tf")
    with pytest.warns(DeprecationWarning, match="save_format"):
        model.save(tmp_path / "old", save_format="h5")
    with h5py.File(tmp_path / "old") as file:
        assert "model_config" in file.attrs
    same(model, keras.models.load_model(tmp_path / "old"))
    before = (tmp_path / "old").read_bytes()
    monkeypatch.setattr("builtins.input", lambda text: "n")
    keras.models.save_model(model, tmp_path / "old", overwrite=False)
    assert (tmp_path / "old").read_bytes() == before
    with pytest.raises(FileNotFoundError, match="not found"):
        keras.models.load_model(tmp_path / "nothing.keras")
    with pytest.raises(ValueError, match="not found"):
        keras.models.load_model(tmp_path / "nothing.h5")


def test_loading_changes_everything_or_nothing(tmp_path):
    model = trained("adam")
    small = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    small.save_weights(tmp_path / "small.weights.h5")
    small.save(tmp_path / "small.h5")
    before = model.get_weights(), model.optimizer.get_weights()
    for name in ("small.weights.h5", "small.h5"):
        with pytest.raises(ValueError, match=r"could not be loaded|mismatch"):
            model.load_weights(tmp_path / name)
    other = trained("adam")
    other.save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5", "a") as file:  # the last thing that is read
        count = len(file["optimizer/vars"])
        del file[f"optimizer/vars/{count - 1}"]
        file[f"optimizer/vars/{count - 1}"] = np.zeros((7, 7))
    with pytest.raises(ValueError, match="shape mismatch"):
        model.load_weights(tmp_path / "w.weights.h5")
    for old, now in zip(before, (model.get_weights(), model.optimizer.get_weights()), strict=True):
        for a, b in zip(old, now, strict=True):
            np.testing.assert_array_equal(a, b)


def test_skipping_what_does_not_fit(tmp_path):
    def chain(last):
        layers = [keras.layers.Dense(3, name="a"), keras.layers.Dense(last, name="b")]
        return keras.Sequential([keras.Input((4,)), *layers])

    saved, other = chain(2), chain(5)
    before = other.layers[1].get_weights()
    for name in ("w.weights.h5", "w.h5"):
        saved.save_weights(tmp_path / name)
        other.layers[0].set_weights([0 * w for w in other.layers[0].get_weights()])
        with pytest.warns(UserWarning, match=r"could not be loaded|left out"):
            other.load_weights(tmp_path / name, skip_mismatch=True)
        same(saved.layers[0], other.layers[0])
        for a, b in zip(before, other.layers[1].get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    head = keras.layers.Dense(3, name="a")
    renamed = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, name="new"), head])
    with pytest.raises(ValueError, match="mismatch"):
        renamed.load_weights(tmp_path / "w.h5", by_name=True)
    named = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="a")])
    named.load_weights(tmp_path / "w.h5", by_name=True)
    same(saved.layers[0], named)
    with pytest.raises(ValueError, match="by_name"):
        named.load_weights(tmp_path / "w.weights.h5", by_name=True)


def test_permissions_and_links_stay(tmp_path):
    model = trained()
    path, link = tmp_path / "m.keras", tmp_path / "link.keras"
    model.save(path)
    os.chmod(path, 0o640)
    link.symlink_to(path)
    model.save(link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_of_keras_2(tmp_path):
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(4, 2)), rng.normal(size=2)
    moments = [np.ones(2), np.zeros(2), 0.1 * np.ones(2), 4 * np.ones(2)]
    names = ["gamma", "beta", "moving_mean", "moving_variance"]
    layers = [
        {"class_name": "Dense", "config": {
            "name": "d", "trainable": True, "batch_input_shape": [None, 4], "dtype": "float32",
            "units": 2, "activation": "relu", "use_bias": True, "kernel_initializer":
            {"class_name": "GlorotUniform", "config": {"seed": None}},
            "bias_initializer": {"class_name": "Zeros", "config": {}}, "kernel_regularizer": None,
        }},
        {"class_name": "BatchNormalization", "config": {
            "name": "b", "axis": [1], "momentum": 0.9, "epsilon": 0.001, "center": True,
        }},
    ]  # fmt: skip
    training = {
        "loss": "mse", "metrics": [[{"class_name": "MeanMetricWrapper", "config":
        {"name": "mae", "dtype": "float32", "fn": "mean_absolute_error"}}]],
        "weighted_metrics": None, "loss_weights": None, "optimizer_config":
        {"class_name": "Adam", "config": {"name": "Adam", "learning_rate": 0.25, "decay": 0.0,
                                          "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}},
    }  # fmt: skip
    with h5py.File(tmp_path / "old.h5", "w") as file:
        model = {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}
        file.attrs["model_config"] = json.dumps(model).encode()
        file.attrs["training_config"] = json.dumps(training).encode()
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"d", b"b"]
        for layer, arrays in (("d", {"kernel": kernel, "bias": bias}),
                              ("b", dict(zip(names, moments, strict=True)))):  # fmt: skip
            group = weights.create_group(layer)
            group.attrs["weight_names"] = [f"{layer}/{name}:0".encode() for name in arrays]
            for name, array in arrays.items():
                group[f"{layer}/{name}:0"] = array.astype(np.float32)
    loaded = keras.models.load_model(tmp_path / "old.h5")
    expected = (np.maximum(X @ kernel + bias, 0) - 0.1) / np.sqrt(4.001)
    np.testing.assert_allclose(loaded.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)
    assert float(loaded.optimizer.learning_rate) == 0.25
    assert sorted(loaded.evaluate(X, Y, verbose=0, return_dict=True)) == [
        "loss",
        "mean_absolute_error",
    ]


def test_long_lists_of_names_are_written_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("dnnfast.saving.legacy._HEADER_LIMIT", 40)
    model = trained("adam")
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        assert {"layer_names0", "layer_names1"} <= set(file["model_weights"].attrs)
    loaded = keras.models.load_model(tmp_path / "m.h5")
    same(model, loaded)
    for a, b in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
