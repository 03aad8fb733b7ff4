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


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_one_cycle(momentum, device):
    options = {"batch_size": 16, "epochs": 3, "shuffle": False, "verbose": 0}
    model, expected = (build(keras.optimizers.SGD(0.1, momentum=momentum)) for _ in range(2))
    for each in (model, expected):
        each.fit(X, Y, **{**options, "epochs": 1})  # the cycle begins at a later step
    cycle = keras.callbacks.OneCycle(0.5, max_momentum=0.8, min_momentum=0.6)
    history = model.fit(X, Y, callbacks=[cycle], **options)
    table = keras.optimizers.schedules.OneCycle(0.5, 12, max_momentum=0.8, min_momentum=0.6)
    for i in range(12):
        expected.optimizer.learning_rate = float(table(i))
        if momentum:
            expected.optimizer.momentum = table.momentum_at(i)
        rows = slice(16 * (i % 4), 16 * (i % 4) + 16)
        expected.train_on_batch(X[rows], Y[rows])
    for a, b in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.1)
    assert model.optimizer.momentum == momentum
    assert history.history["lr"] == pytest.approx([float(table(i)) for i in (4, 8, 12)])
    assert not keras.callbacks.CallbackList([cycle]).wants_batches("train")


def test_one_cycle_with_adam_and_an_interruption(device):
    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise KeyboardInterrupt

    model = build(keras.optimizers.Adam(0.01))
    cycle = keras.callbacks.OneCycle(0.1)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=8, verbose=0, callbacks=[cycle, Interrupt()])
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)
    history = model.fit(X, Y, batch_size=8, epochs=10, verbose=0, callbacks=[cycle]).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    for wrong in ({"max_rate": -1.0}, {"max_rate": 1.0, "max_momentum": 1.0}):
        with pytest.raises(ValueError, match="OneCycle"):
            keras.callbacks.OneCycle(**wrong)
    with pytest.raises(ValueError, match="how many steps"):
        model.fit(((X, Y) for _ in range(3)), verbose=0, callbacks=[keras.callbacks.OneCycle(0.1)])


def ema(**options):
    return build(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5, **options))


def averages(model, steps):
    """Train in order by hand and return the weights and their average."""
    average = None
    for i in range(steps):
        rows = slice(16 * (i % 4), 16 * (i % 4) + 16)
        model.train_on_batch(X[rows], Y[rows])
        weights = model.get_weights()
        pairs = zip(average or weights, weights, strict=True)
        average = [0.5 * a + 0.5 * w for a, w in pairs]
    return weights, average


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_averaged_weights(swap_on_epoch, device):
    seen, losses = [], []

    class Spy(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.get_weights())
            losses.append(logs["val_loss"])

    weights, average = averages(build(), 4)
    model = ema()
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch)
    options = {"batch_size": 16, "shuffle": False, "verbose": 0, "validation_data": (X, Y)}
    model.fit(X, Y, callbacks=[swap, Spy()], **options)
    for found, wanted in (
        (seen[0], average if swap_on_epoch else weights),
        (model.get_weights(), average),
    ):
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert losses[0] == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    model, (weights, average) = ema(), averages(build(), 8)
    model.fit(X, Y, epochs=5, callbacks=[swap, Stop()], **options)
    for a, b in zip(model.get_weights(), average, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_averages_in_evaluation_and_prediction(device):
    model = ema()
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y)
    before = model.get_weights()
    plain, loss = model.predict(X, verbose=0), model.evaluate(X, Y, verbose=0)
    swap = keras.callbacks.SwapEMAWeights()
    averaged = model.predict(X, verbose=0, callbacks=[swap])
    assert not np.allclose(plain, averaged)
    assert model.evaluate(X, Y, verbose=0, callbacks=[swap]) != pytest.approx(loss, rel=1e-6)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="use_ema=True"):
        build().fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[swap])
