"""Hooks come in Keras's order, and callbacks decide as Keras's do."""

import warnings

import numpy as np
import pytest

import dnnfast as keras
from api import hooks
from parity.oracle import keras3

pytestmark = pytest.mark.parity


def test_the_order_of_hooks():
    assert hooks.recorded(keras3) == hooks.expected()


class Rate:
    """A learning rate that both sides can read and write."""

    def __init__(self):
        self.learning_rate = 1.0


class Model:
    """What callbacks that decide by the logs need of a model."""

    def __init__(self):
        self.stop_training = False
        self.optimizer = Rate()
        self.metrics = ()
        self.weights = None

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def run(callback, values, first=0):
    """Feed a callback with a quantity, epoch by epoch, and return what it did."""
    model = Model()
    callback.set_model(model)
    callback.set_params({"epochs": len(values), "steps": 1, "verbose": 0})
    callback.on_train_begin({})
    did = []
    for epoch, value in enumerate(values, first):
        callback.on_epoch_begin(epoch, {})
        model.weights = epoch
        logs = {"loss": 1.0}
        logs |= {} if value is None else {"val_loss": value, "val_accuracy": -value}
        callback.on_epoch_end(epoch, logs)
        did.append((model.optimizer.learning_rate, sorted(logs), model.stop_training))
        if model.stop_training:
            break
    callback.on_train_end({})
    state = {key: getattr(callback, key, None) for key in ("best", "wait", "stopped_epoch")}
    return did, model.weights, state


STOPPING = [
    {},
    {"patience": 2},
    {"patience": 2, "min_delta": 0.3},
    {"patience": 2, "min_delta": -0.3, "restore_best_weights": True},
    {"patience": 3, "baseline": 0.2, "restore_best_weights": True},
    {"patience": 1, "start_from_epoch": 4, "restore_best_weights": True},
    {"monitor": "val_accuracy", "mode": "max", "patience": 2, "restore_best_weights": True},
]
PLATEAUS = [
    {"patience": 0},
    {"patience": 2},
    {"patience": 1, "cooldown": 2, "factor": 0.5},
    {"patience": 1, "min_delta": 0.4, "min_lr": 0.05},
    {"monitor": "val_accuracy", "mode": "max", "patience": 1},
]


def sequences():
    rng = np.random.default_rng(0)
    for length in (1, 2, 5, 12, 12, 12, 12):
        yield rng.random(length).tolist()
    yield np.linspace(1, 0, 8).tolist()
    yield [0.5, float("nan"), 0.4, float("nan"), float("nan"), 0.1]
    yield [None, 0.5, None, 0.6, 0.7, 0.8]


@pytest.mark.parametrize("options", STOPPING, ids=str)
def test_early_stopping(options):
    for values in sequences():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours = run(keras.callbacks.EarlyStopping(**options), values)
            theirs = run(keras3.callbacks.EarlyStopping(**options), values)
        assert str(ours) == str(theirs)


@pytest.mark.parametrize("options", PLATEAUS, ids=str)
def test_reduce_on_plateau(options):
    for values in sequences():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours = run(keras.callbacks.ReduceLROnPlateau(**options), values)
            theirs = run(keras3.callbacks.ReduceLROnPlateau(**options), values)
        assert [step[1:] for step in ours[0]] == [step[1:] for step in theirs[0]]
        rates = [[step[0] for step in did] for did, *_ in (ours, theirs)]
        np.testing.assert_allclose(*rates, rtol=1e-6)


@pytest.mark.parametrize("schedule", [lambda epoch: 0.5**epoch, lambda epoch, rate: rate / 2])
def test_learning_rate_scheduler(schedule):
    found = [
        run(package.callbacks.LearningRateScheduler(schedule), [0.1] * 5)[0]
        for package in (keras, keras3)
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("append", [False, True])
def test_csv(append, tmp_path):
    texts = []
    for package in (keras, keras3):
        path = tmp_path / f"{package.__name__}.csv"
        for _ in range(2):
            run(package.callbacks.CSVLogger(str(path), ";", append), [0.5, 0.25])
        texts.append(path.read_text().splitlines())
    assert texts[0] == texts[1]


# Keras itself fails for the best of batches.
@pytest.mark.parametrize(("frequency", "best"), [("epoch", False), (3, False), ("epoch", True)])
def test_checkpoints(frequency, best, tmp_path):
    names = {}
    for package in (keras, keras3):
        saved = names[package.__name__] = []

        class Saved(package.Sequential):
            def save(self, path, overwrite=True, saved=saved):
                saved.append(path.rsplit("/")[-1])

        model = Saved([package.Input((4,)), package.layers.Dense(1, kernel_initializer="zeros")])
        model.compile(package.optimizers.SGD(0.1), "mse")
        pattern = "{epoch:02d}.keras" if frequency == "epoch" else "{epoch:02d}-{batch}.keras"
        callback = package.callbacks.ModelCheckpoint(
            str(tmp_path / pattern),
            monitor="loss",
            save_best_only=best,
            save_freq=frequency,
            initial_value_threshold=0.3 if best else None,
        )
        model.fit(hooks.X, hooks.Y, 10, 4, verbose=0, shuffle=False, callbacks=[callback])
    assert names["dnnfast"] == names["keras"]
    assert names["keras"]
