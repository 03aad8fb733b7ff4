"""LayerMonitor, model.gradients, model.lint, and the layer named when a loss is not finite."""

import numpy as np
import pytest

import dnnfast as keras


def deep(activation, initializer, units=20):
    keras.utils.set_random_seed(3)
    layers = [
        keras.layers.Dense(units, activation, kernel_initializer=initializer, name=f"hidden_{i}")
        for i in range(8)
    ]
    out = keras.layers.Dense(2, "softmax", name="out")
    model = keras.Sequential([keras.Input((10,)), *layers, out])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def data(n=300):
    x = np.random.default_rng(1).normal(size=(n, 10)).astype(np.float32)
    return x, (x[:, 0] > 0).astype(np.int64)


def test_vanishing_gradients_show(device):
    x, y = data()
    ratios = {}
    for name, initializer in (("sigmoid", "random_normal"), ("relu", "he_normal")):
        monitor = keras.callbacks.LayerMonitor()
        deep(name, initializer).fit(x, y, epochs=2, verbose=0, callbacks=[monitor])
        gradient = monitor.history["gradient"]
        assert list(gradient) == [f"hidden_{i}" for i in range(8)] + ["out"]
        assert all(len(values) == 2 for values in gradient.values())
        ratios[name] = gradient["hidden_0"][0] / gradient["hidden_7"][0]
    assert ratios["sigmoid"] < 1e-4 < 1e-2 < ratios["relu"]


def test_what_is_recorded(device):
    x, y = data()
    model = deep("relu", "he_normal")
    model.get_layer("hidden_1").bias.assign(np.full(20, -100.0))
    before = [v.numpy() for v in model.get_layer("hidden_0").weights]
    monitor = keras.callbacks.LayerMonitor()
    model.fit(x, y, batch_size=300, epochs=1, verbose=0, callbacks=[monitor])
    history = monitor.history
    assert history["dead"]["hidden_1"] == [1.0] and history["deviation"]["hidden_1"] == [0.0]
    h = np.maximum(x @ before[0] + before[1], 0)
    # The layer got no gradient through the dead one, so it is as it was.
    sample = np.sort(h.mean(axis=1))
    assert sample.min() <= history["mean"]["hidden_0"][0] <= sample.max()
    assert history["update_ratio"]["hidden_0"] == [0.0]
    assert history["update_ratio"]["out"][0] > 0


def test_saturation(device):
    x, y = data()
    model = deep("sigmoid", "random_normal")
    model.get_layer("hidden_0").bias.assign(np.full(20, 50.0))
    monitor = keras.callbacks.LayerMonitor()
    model.fit(x, y, epochs=1, verbose=0, callbacks=[monitor])
    assert monitor.history["saturated"]["hidden_0"] == [1.0]
    assert monitor.history["saturated"]["hidden_3"][0] == 0.0


def test_monitoring_changes_nothing(device):
    x, y = data()
    histories, weights = [], []
    for callbacks in ([], [keras.callbacks.LayerMonitor()]):
        model = deep("tanh", "glorot_uniform")
        fitted = model.fit(x, y, epochs=3, verbose=0, callbacks=callbacks)
        histories.append(fitted.history["loss"])
        weights.append(model.get_weights())
    assert histories[0] == histories[1]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_plot(tmp_path):
    pytest.importorskip("matplotlib")
    x, y = data()
    monitor = keras.callbacks.LayerMonitor()
    with pytest.raises(ValueError, match="nothing was recorded"):
        monitor.plot()
    deep("relu", "he_normal").fit(x, y, epochs=2, verbose=0, callbacks=[monitor])
    figure = monitor.plot(["gradient"], path=tmp_path / "plot.png")
    (panel,) = figure.axes
    assert len(panel.lines) == 9 and panel.get_yscale() == "log"
    assert (tmp_path / "plot.png").stat().st_size > 1000
    with pytest.raises(ValueError, match="unknown quantity"):
        monitor.plot(["gradients"])


def test_the_layer_of_a_loss_that_is_not_finite_is_named(device):
    x, y = data()
    model = deep("relu", "he_normal")
    kernel = model.get_layer("hidden_2").kernel
    kernel.assign(np.full(kernel.shape, np.inf))
    with pytest.raises(keras.errors.NonFiniteLossError, match="'hidden_2'"):
        model.fit(x, y, verbose=0)


def test_lint():
    def rules(*layers, loss=None, **given):
        model = keras.Sequential([keras.Input((4,)), *layers])
        if loss is not None:
            model.compile("sgd", loss)
        return {finding.rule for finding in model.lint(**given)}

    dense, norm = keras.layers.Dense, keras.layers.BatchNormalization
    good = [dense(8, "relu"), dense(3, "softmax")]
    x = np.random.default_rng(0).normal(size=(50, 4))
    assert rules(*good, loss="sparse_categorical_crossentropy", x=x) == set()
    assert "selu-init" in rules(dense(8, "selu"), dense(1))
    lecun = dense(8, "selu", kernel_initializer="lecun_normal")
    assert rules(lecun, dense(1)) == set()
    assert "selu-batchnorm" in rules(lecun, norm(), dense(1))
    assert "selu-dropout" in rules(lecun, keras.layers.Dropout(0.2), dense(1))
    assert "bias-before-batchnorm" in rules(dense(8), norm(), dense(1))
    assert rules(dense(8, use_bias=False), norm(), dense(1)) == set()
    assert "saturating-hidden" in rules(*[dense(8, "sigmoid") for _ in range(5)], dense(1))
    assert "rectifier-init" in rules(*[dense(8, "relu") for _ in range(5)], dense(1))
    he = [dense(8, "relu", kernel_initializer="he_normal") for _ in range(5)]
    assert rules(*he, dense(1)) == set()
    logits = keras.losses.BinaryCrossentropy(from_logits=True)
    assert "logits" in rules(dense(1, "sigmoid"), loss=logits)
    assert "probabilities" in rules(dense(3), loss="categorical_crossentropy")
    assert "unscaled-input" in rules(*good, x=255 * x)
    y = np.repeat([0, 1, 2], 10)
    assert "no-shuffling" in rules(*good, y=y, shuffle=False)
    assert rules(*good, y=y, shuffle=True) == set()
    loss = "sparse_categorical_crossentropy"
    assert "rate-above-finder" in rules(*good, loss=loss, suggested_rate=1e-4)
    with pytest.raises(ValueError, match="not built"):
        keras.Sequential([dense(1)]).lint()
