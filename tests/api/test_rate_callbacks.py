"""Callbacks that change the learning rate from step to step."""

import numpy as np
import pytest

import dnnfast as keras
from api.data import classes

X, Y = classes(n=64)


def build(optimizer=None):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, "softmax")])
    model.compile(optimizer or keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return model


def sweep(model, callback, **options):
    options = {"batch_size": 8, "epochs": 5, "verbose": 0, "callbacks": [callback], **options}
    return model.fit(X, Y, **options)


def test_the_rate_finder_changes_nothing(device):
    found = []
    for looks in (False, True):
        keras.utils.set_random_seed(3)
        layers = [keras.layers.Dense(8), keras.layers.BatchNormalization()]
        layers += [keras.layers.Dropout(0.2), keras.layers.Dense(3, "softmax")]
        model = keras.Sequential([keras.Input((6,)), *layers])
        model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
        model.fit(X, Y, verbose=0)
        if looks:
            finder = keras.callbacks.LearningRateFinder(1e-4, 10.0)
            sweep(model, finder)
            assert len(finder.losses) > 5
            assert float(model.optimizer.learning_rate) == pytest.approx(0.01)
            assert int(model.optimizer.iterations) == 2
        history = model.fit(X, Y, epochs=2, verbose=0).history["loss"]
        found.append([history, *model.get_weights()])
        found[-1] += [v.numpy() for v in model.optimizer.variables]
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_rates_of_the_finder(device):
    model = build()
    finder = keras.callbacks.LearningRateFinder(1e-3, 1.0, stop_factor=1e9)
    sweep(model, finder, initial_epoch=2, shuffle=False)
    assert len(finder.rates) == len(finder.losses) == 24
    np.testing.assert_allclose(np.diff(np.log(finder.rates)), np.log(1e3) / 23, rtol=1e-6)
    assert finder.losses[0] == pytest.approx(model.evaluate(X[:8], Y[:8], verbose=0))
    finder = keras.callbacks.LearningRateFinder(1e-4, 3.0)
    sweep(model, finder, batch_size=32, epochs=30)
    assert 1e-3 < finder.suggestion() < 1.0
    finder = keras.callbacks.LearningRateFinder(1e-3, 1.0, steps=7, smoothing=0.0)
    sweep(model, finder)
    assert len(finder.rates) == 7
    np.testing.assert_allclose(finder.smoothed, finder.losses)
    high = keras.callbacks.LearningRateFinder(1e-3, 1e12, stop_factor=1.5)
    sweep(model, high, epochs=20)
    assert len(high.losses) < 160
    assert len(high.losses) == len(high.rates)
    assert np.isfinite(high.losses).all()
    schedule = keras.callbacks.LearningRateFinder(steps=3)
    sweep(model, schedule)
    with pytest.raises(ValueError, match="too few"):
        schedule.suggestion()


def test_an_interrupted_sweep_restores_the_model(device):
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise KeyboardInterrupt

    model = build()
    before = model.get_weights()
    with pytest.raises(KeyboardInterrupt):
        sweep(model, [keras.callbacks.LearningRateFinder(0.1, 1.0), Interrupt()])
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)
    model.fit(X, Y, verbose=0)


def test_arguments_of_the_finder():
    finder = keras.callbacks.LearningRateFinder
    for options in (
        {"min_rate": 0.0},
        {"min_rate": 1.0, "max_rate": 0.5},
        {"steps": 1},
        {"smoothing": 1.0},
        {"stop_factor": 1.0},
    ):
        with pytest.raises(ValueError, match="LearningRateFinder"):
            finder(**options)
    with pytest.raises(ValueError, match="how many steps"):
        build().fit(((X, Y) for _ in range(3)), verbose=0, callbacks=[finder()])


def test_the_plot_of_the_finder():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    finder = keras.callbacks.LearningRateFinder(1e-3, 1.0)
    sweep(build(), finder, batch_size=32, epochs=30)
    axes = finder.plot()
    assert axes.get_xscale() == "log"
    assert len(axes.lines) == 3
    assert "suggestion" in axes.get_legend().get_texts()[-1].get_text()
