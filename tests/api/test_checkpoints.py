"""Callbacks that write the model's state to files."""

import json

import pytest

import dnnfast as keras
from api.data import classes

X, Y = classes(n=64)


def saving(rate=0.1):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, "softmax")])
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


def test_a_damaged_backup(tmp_path, device):
    options = {"double_checkpoint": True, "delete_checkpoint": False}
    model = saving()
    model.fit(
        X, Y, epochs=3, verbose=0, callbacks=[keras.callbacks.BackupAndRestore(tmp_path, **options)]
    )
    metadata = json.loads((tmp_path / "training_metadata.json").read_text())
    assert metadata == {"epoch": 3, "batch": 0}
    (tmp_path / "latest.weights.h5").write_bytes(b"damaged" * 100)
    (tmp_path / ".latest.weights.h5.0123.part").write_bytes(b"cut off")
    again = keras.callbacks.BackupAndRestore(tmp_path, double_checkpoint=True)
    with pytest.warns(UserWarning, match="the one before it"):
        history = saving().fit(X, Y, epochs=4, verbose=0, callbacks=[again])
    assert history.epoch == [0, 1, 2, 3]
    assert len(history.history["loss"]) == 4
    assert not tmp_path.exists()


def test_a_damaged_backup_alone(tmp_path):
    (tmp_path / "latest.weights.h5").write_bytes(b"damaged" * 100)
    with pytest.raises(OSError, match=r"latest\.weights\.h5.*signature"):
        saving().fit(X, Y, verbose=0, callbacks=[keras.callbacks.BackupAndRestore(tmp_path)])


def test_a_crash_between_two_backups(tmp_path):
    options = {"double_checkpoint": True, "delete_checkpoint": False}
    whole = saving().fit(X, Y, epochs=4, verbose=0)
    backup = keras.callbacks.BackupAndRestore(tmp_path, **options)
    saving().fit(X, Y, epochs=3, verbose=0, callbacks=[backup])
    (tmp_path / "latest.weights.h5").unlink()  # the last one was moved, the next not yet written
    again = keras.callbacks.BackupAndRestore(tmp_path, **options)
    history = saving().fit(X, Y, epochs=4, verbose=0, callbacks=[again])
    assert history.epoch == [0, 1, 2, 3]
    assert history.history == whole.history
