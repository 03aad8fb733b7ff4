"""Callbacks that write the model's state to files."""

import json

import numpy as np
import pytest

import dnnfast as keras
from api.data import classes

X, Y = classes(n=64)


class Saving(keras.Sequential):
    """A model that keeps what it is asked to save in a folder, as arrays."""

    def save_weights(self, path, overwrite=True):
        state = {str(i): v.numpy() for i, v in enumerate(self.optimizer.variables)}
        weights = {f"w{i}": w for i, w in enumerate(self.get_weights())}
        with open(path, "wb") as file:
            np.savez(file, **state, **weights)

    save = save_weights

    def load_weights(self, path):
        with np.load(path) as saved:
            weights = [saved[name] for name in saved.files if name.startswith("w")]
            self.optimizer.iterations = int(saved["0"])
        self.set_weights(weights)


def saving(rate=0.1):
    keras.utils.set_random_seed(3)
    model = Saving([keras.Input((6,)), keras.layers.Dense(3, "softmax")])
    model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("weights_only", [False, True])
def test_checkpoints(weights_only, tmp_path, device):
    ending = "weights.h5" if weights_only else "keras"
    calls, model = keras.callbacks, saving()
    every = calls.ModelCheckpoint(
        tmp_path / "a" / ("{epoch:02d}-{loss:.1f}." + ending), save_weights_only=weights_only
    )
    some = calls.ModelCheckpoint(
        str(tmp_path / ("{epoch}-{batch}." + ending)), save_weights_only=weights_only, save_freq=3
    )
    model.fit(X, Y, batch_size=16, epochs=2, verbose=0, callbacks=[every, some])
    names = sorted(path.name[:3] for path in (tmp_path / "a").iterdir())
    assert names == ["01-", "02-"]
    names = sorted(path.name for path in tmp_path.iterdir() if path.is_file())
    assert names == [f"1-3.{ending}", f"2-2.{ending}"]


def test_the_best_checkpoint(tmp_path, capsys, device):
    class Script(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["val_loss"] = [3.0, 1.0, 2.0, 0.5][epoch]

    best = keras.callbacks.ModelCheckpoint(
        str(tmp_path / "{epoch}.keras"), save_best_only=True, verbose=1
    )
    saving().fit(X, Y, epochs=4, verbose=0, callbacks=[Script(), best])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.keras", "2.keras", "4.keras"]
    text = capsys.readouterr().out
    assert "Epoch 2: val_loss improved from 3.00000 to 1.00000" in text
    assert "Epoch 3: val_loss did not improve from 1.00000" in text
    missing = keras.callbacks.ModelCheckpoint(str(tmp_path / "{val_auc}.keras"))
    with pytest.raises(KeyError, match="val_auc"):
        saving().fit(X, Y, verbose=0, callbacks=[missing])
    (tmp_path / "folder.keras").mkdir()
    folder = keras.callbacks.ModelCheckpoint(str(tmp_path / "folder.keras"))
    with pytest.raises(OSError, match="is a folder"):
        saving().fit(X, Y, verbose=0, callbacks=[folder])


@pytest.mark.parametrize(
    "options",
    [
        {"filepath": "a.txt"},
        {"filepath": "a.keras", "save_weights_only": True},
        {"filepath": "a.keras", "save_freq": "batch"},
        {"filepath": "a.keras", "save_freq": 0},
    ],
    ids=str,
)
def test_checkpoint_arguments(options):
    with pytest.raises(ValueError, match="ModelCheckpoint"):
        keras.callbacks.ModelCheckpoint(**options)


@pytest.mark.parametrize("frequency", ["epoch", 3])
def test_backup(frequency, tmp_path, device):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path / "backup", frequency)

    whole = saving()
    whole.fit(X, Y, epochs=4, verbose=0, shuffle=False, batch_size=16)
    model = saving()
    options = {"epochs": 4, "verbose": 0, "shuffle": False, "batch_size": 16}
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, callbacks=[backup(), Interrupt()], **options)
    metadata = json.loads((tmp_path / "backup" / "training_metadata.json").read_text())
    assert metadata["epoch"] == (2 if frequency == "epoch" else 1)
    again = saving()
    history = again.fit(X, Y, callbacks=[backup()], **options)
    assert history.epoch == list(range(metadata["epoch"], 4))
    assert not (tmp_path / "backup").exists()
    if frequency == "epoch":  # the reference engine keeps more digits than are saved
        tolerance = 1e-6 if device == "reference" else 0
        for a, b in zip(again.get_weights(), whole.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance)
    assert len(again.fit(X, Y, **options).epoch) == 4


def test_a_damaged_backup(tmp_path, device):
    options = {"double_checkpoint": True, "delete_checkpoint": False}
    model = saving()
    model.fit(
        X, Y, epochs=3, verbose=0, callbacks=[keras.callbacks.BackupAndRestore(tmp_path, **options)]
    )
    (tmp_path / "latest.weights.h5").write_bytes(b"damaged")
    again = keras.callbacks.BackupAndRestore(tmp_path, double_checkpoint=True)
    with pytest.raises(ValueError, match="pickle"):
        model.load_weights(tmp_path / "latest.weights.h5")
    assert saving().fit(X, Y, epochs=4, verbose=0, callbacks=[again]).epoch == [2, 3]
