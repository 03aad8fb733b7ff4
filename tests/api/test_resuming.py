"""An interrupted training goes on with the same bits: order, dropout, optimizer, history."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import dnnfast as keras

ROWS, BATCH, EPOCHS = 40, 8, 3
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, 6)).astype(np.float32)
Y = np.eye(3, dtype=np.float32)[(X @ RNG.normal(size=(6, 3))).argmax(axis=1)]
SLOPES = {"reference": 1e-5}


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch):
    """Waiting for the disk takes most of the time of these many files."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


class Stop(Exception):
    """Stands for the end of the process."""


class StopAt(keras.callbacks.Callback):
    """Ends training in a hook."""

    def __init__(self, hook, number, epoch=None):
        self.seen = None
        self.hook, self.number, self.epoch = hook, number, epoch
        if hook == "epoch_end":
            self.on_epoch_end = self._epoch_end
        else:
            self.on_train_batch_end = self._batch_end

    def on_epoch_begin(self, epoch, logs=None):
        self.seen = epoch

    def _epoch_end(self, epoch, logs=None):
        if epoch == self.number:
            raise Stop

    def _batch_end(self, batch, logs=None):
        if self.seen == self.epoch and batch == self.number:
            raise Stop


def fresh(optimizer=None):
    keras.backend.clear_session()  # equal names
    keras.utils.set_random_seed(5)
    layers = [
        keras.Input((6,)),
        keras.layers.Dense(8, "relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.4),
        keras.layers.Dense(3, "softmax"),
    ]
    model = keras.Sequential(layers)
    rate = keras.optimizers.schedules.ExponentialDecay(0.05, 7, 0.8)
    rule = optimizer or keras.optimizers.Nadam(rate)
    metrics = ["accuracy", keras.metrics.AUC(num_thresholds=20, name="auc")]
    model.compile(rule, "categorical_crossentropy", metrics=metrics)
    return model


def close(a, b, device="cpu"):
    tolerance = SLOPES.get(device, 0)
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def compared(model, history, whole, expected, device):
    close(model.get_weights(), whole.get_weights(), device)
    close(model.optimizer.get_weights(), whole.optimizer.get_weights(), device)
    assert history.epoch == expected.epoch
    assert list(history.history) == list(expected.history)
    for key, values in expected.history.items():
        np.testing.assert_allclose(history.history[key], values, rtol=SLOPES.get(device, 0))


OPTIONS = {"epochs": EPOCHS, "batch_size": BATCH, "verbose": 0, "validation_split": 0.2}


@pytest.mark.parametrize("where", [("epoch_end", 1), ("batch_end", 2, 2)])
@pytest.mark.parametrize("frequency", ["epoch", 1, 3])
def test_a_backup_restores_everything(where, frequency, tmp_path, device):
    whole = fresh()
    expected = whole.fit(X, Y, **OPTIONS)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", frequency)
    with pytest.raises(Stop):
        fresh().fit(X, Y, callbacks=[backup, StopAt(*where)], **OPTIONS)
    model = fresh()
    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", frequency)
    history = model.fit(X, Y, callbacks=[backup], **OPTIONS)
    compared(model, history, whole, expected, device)
    assert not (tmp_path / "b").exists()


def callbacks_of(folder):
    calls = keras.callbacks
    return [
        calls.EarlyStopping("loss", patience=50, restore_best_weights=True),
        calls.ReduceLROnPlateau("accuracy", factor=0.5, patience=1, min_delta=0.3),
        calls.CSVLogger(folder / "log.csv"),
        calls.BackupAndRestore(folder / "b", 1),
        calls.ModelCheckpoint(folder / "best.keras", "loss", save_best_only=True),
        calls.LearningRateScheduler(lambda epoch, rate: 0.9 * rate),
    ]


@pytest.mark.parametrize("where", [("epoch_end", 1), ("batch_end", 1, 2)])
def test_callbacks_go_on(where, tmp_path):
    results = []
    for name in ("whole", "parts"):
        folder = tmp_path / name
        folder.mkdir()
        if name == "parts":
            stopping = [*callbacks_of(folder), StopAt(*where)]
            with pytest.raises(Stop):
                fresh(keras.optimizers.Adam(0.03)).fit(X, Y, callbacks=stopping, **OPTIONS)
        model = fresh(keras.optimizers.Adam(0.03))
        calls = callbacks_of(folder)
        history = model.fit(X, Y, callbacks=calls, **OPTIONS)
        early, plateau, best = calls[0], calls[1], calls[4]
        counts = (early.best, early.wait, early.best_epoch, plateau.best, plateau.wait, best.best)
        text = (folder / "log.csv").read_text()
        saved = keras.models.load_model(folder / "best.keras").get_weights()
        results.append((history.history, counts, text, model.get_weights(), saved))
    whole, parts = results
    assert whole[0] == parts[0]
    assert whole[1:3] == parts[1:3]
    close(whole[3], parts[3])
    close(whole[4], parts[4])


def test_a_cycle_of_rates_goes_on(tmp_path):
    def run(folder, *more):
        calls = [keras.callbacks.OneCycle(0.1), keras.callbacks.BackupAndRestore(folder, 2)]
        model = fresh(keras.optimizers.SGD(0.02, momentum=0.9))
        return model, model.fit(X, Y, callbacks=[*calls, *more], **OPTIONS)

    whole, expected = run(tmp_path / "a")
    with pytest.raises(Stop):
        run(tmp_path / "b", StopAt("batch_end", 2, 2))
    model, history = run(tmp_path / "b")
    compared(model, history, whole, expected, "cpu")
    assert float(model.optimizer.learning_rate) == 0.02


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return ROWS // BATCH

    def __getitem__(self, i):
        return X[BATCH * i : BATCH * (i + 1)], Y[BATCH * i : BATCH * (i + 1)]


def generated():
    while True:
        for i in range(ROWS // BATCH):
            yield X[BATCH * i : BATCH * (i + 1)], Y[BATCH * i : BATCH * (i + 1)]


DATA = {
    "arrays, 3 of 5 steps": lambda: ((X, Y), {"steps_per_epoch": 3, "batch_size": BATCH}),
    "dataset": lambda: ((Batches(),), {}),
    "dataset, 3 of 5 steps": lambda: ((Batches(),), {"steps_per_epoch": 3}),
    "generator": lambda: ((generated(),), {"steps_per_epoch": 3}),
    "in batches": lambda: ((X, Y), {"shuffle": "batch", "batch_size": BATCH}),
    "in order": lambda: ((X, Y), {"shuffle": False, "batch_size": BATCH}),
}


@pytest.mark.filterwarnings("ignore:The data ran out")
@pytest.mark.parametrize("frequency", ["epoch", 2])
@pytest.mark.parametrize("kind", DATA)
def test_every_kind_of_data_goes_on(kind, frequency, tmp_path):
    def run(folder, *more):
        data, options = DATA[kind]()
        model = fresh()
        backup = keras.callbacks.BackupAndRestore(folder, frequency)
        return model, model.fit(
            *data, epochs=EPOCHS, verbose=0, callbacks=[backup, *more], **options
        )

    whole, expected = run(tmp_path / "a")
    with pytest.raises(Stop):
        run(tmp_path / "b", StopAt("batch_end", 1, 2))
    model, history = run(tmp_path / "b")
    compared(model, history, whole, expected, "cpu")


@pytest.mark.parametrize("name", ["{epoch}.keras", "m.keras", "m.h5", "w.weights.h5"])
def test_fit_goes_on_from_a_checkpoint(name, tmp_path, device):
    def checkpoint():
        weights = name.endswith("weights.h5")
        return keras.callbacks.ModelCheckpoint(tmp_path / name, save_weights_only=weights)

    whole = fresh()
    expected = whole.fit(X, Y, **OPTIONS)
    with pytest.raises(Stop):
        fresh().fit(X, Y, callbacks=[checkpoint(), StopAt("batch_end", 1, 2)], **OPTIONS)
    model = fresh()
    history = model.fit(X, Y, callbacks=[checkpoint()], resume=True, **OPTIONS)
    compared(model, history, whole, expected, device)


def test_fit_goes_on_with_a_loaded_model(tmp_path):
    whole = fresh()
    expected = whole.fit(X, Y, **OPTIONS)
    model = fresh()
    model.fit(X, Y, **{**OPTIONS, "epochs": 2})
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    for one in (model, loaded):
        history = one.fit(X, Y, resume=True, **OPTIONS)
        compared(one, history, whole, expected, "cpu")
    assert fresh().fit(X, Y, resume=True, **OPTIONS).epoch == list(range(EPOCHS))


def test_fit_goes_on_in_the_same_process():
    whole = fresh()
    expected = whole.fit(X, Y, **OPTIONS)
    model = fresh()
    with pytest.raises(Stop):
        model.fit(X, Y, callbacks=[StopAt("batch_end", 1, 1)], **OPTIONS)
    compared(model, model.fit(X, Y, resume=True, **OPTIONS), whole, expected, "cpu")


def test_other_data_begins_the_epoch_anew(tmp_path):
    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", 1)
    with pytest.raises(Stop):
        fresh().fit(X, Y, callbacks=[backup, StopAt("batch_end", 2, 1)], **OPTIONS)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "b", 1)
    with pytest.warns(UserWarning, match="begun anew"):
        history = fresh().fit(X[:24], Y[:24], callbacks=[backup], **OPTIONS)
    assert history.epoch == list(range(EPOCHS))


def test_a_callback_of_ones_own_goes_on(tmp_path):
    class Mean(keras.callbacks.Callback):
        def __init__(self):
            self.total = np.zeros(3)

        def on_epoch_end(self, epoch, logs=None):
            self.total = self.total + self.model.layers[-1].bias.numpy()

        def get_resume_state(self):
            return {"total": self.total}

        def set_resume_state(self, state):
            self.total = state["total"]

    totals = []
    for name, stops in (("a", []), ("b", [StopAt("epoch_end", 1)])):
        backup = keras.callbacks.BackupAndRestore(tmp_path / name)
        if stops:
            with pytest.raises(Stop):
                fresh().fit(X, Y, callbacks=[backup, Mean(), *stops], **OPTIONS)
        mean = Mean()
        fresh().fit(X, Y, callbacks=[backup, mean], **OPTIONS)
        totals.append(mean.total)
    np.testing.assert_array_equal(*totals)


SCRIPT = """
import os, signal, sys
from pathlib import Path
from api.test_resuming import callbacks_of, run_in
import dnnfast as keras

class Kill(keras.callbacks.Callback):
    steps = 0
    def on_train_batch_end(self, batch, logs=None):
        Kill.steps += 1
        if Kill.steps == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)

run_in(Path(sys.argv[1]), Kill())
"""


def run_in(folder, *more):
    model = fresh(keras.optimizers.Adam(0.03))
    history = model.fit(X, Y, callbacks=[*callbacks_of(folder), *more], **OPTIONS)
    return model.get_weights(), history.history, (folder / "log.csv").read_text()


def test_a_killed_process_ends_with_the_same_bits(tmp_path):
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    kills = np.random.default_rng().integers(1, 6, 3).tolist()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    for step in kills:
        found = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "parts"), str(step)],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert found.returncode == -signal.SIGKILL, (kills, found.stderr)
    assert (tmp_path / "parts/b/latest.weights.h5").exists()
    whole, parts = run_in(tmp_path / "whole"), run_in(tmp_path / "parts")
    for a, b in zip(whole[0], parts[0], strict=True):
        np.testing.assert_array_equal(a, b, err_msg=f"killed at {kills}")
    assert whole[1:] == parts[1:]


def test_a_backup_of_keras_itself(tmp_path):
    model = fresh()
    model.fit(X, Y, **{**OPTIONS, "epochs": 1})
    model._progress = None  # what files of Keras do not tell
    folder = tmp_path / "b"
    model.save_weights(folder / "latest.weights.h5")
    (folder / "training_metadata.json").write_text(json.dumps({"epoch": 2, "batch": 0}))
    history = fresh().fit(X, Y, callbacks=[keras.callbacks.BackupAndRestore(folder)], **OPTIONS)
    assert history.epoch == [2]


def test_averages_and_monitors_go_on(tmp_path):
    results = []
    for name in ("whole", "parts"):

        def run(*more, name=name):
            rule = keras.optimizers.Adam(0.03, use_ema=True, ema_momentum=0.8)
            model, monitor = fresh(rule), keras.callbacks.LayerMonitor()
            swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
            backup = keras.callbacks.BackupAndRestore(tmp_path / name)
            model.fit(X, Y, callbacks=[swap, monitor, backup, *more], **OPTIONS)
            return model.get_weights(), monitor.epochs, monitor.history["update_ratio"]

        if name == "parts":
            with pytest.raises(Stop):
                run(StopAt("epoch_end", 1))
        results.append(run())
    whole, parts = results
    close(whole[0], parts[0])
    assert whole[1:] == parts[1:]
