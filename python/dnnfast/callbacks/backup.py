"""Going on after an interruption."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from pathlib import Path
from typing import Any

from dnnfast.callbacks.callback import Callback
from dnnfast.callbacks.checkpoint import checked_frequency
from dnnfast.distribution.current import is_writer
from dnnfast.saving.atomic import replacing


class BackupAndRestore(Callback):
    """Backs up the state of training, and restores it when an interrupted `fit` is run again.

    The state is all that there is: weights, the optimizer, the place in the data, random numbers,
    the states of callbacks (see `Callback.get_resume_state`) and the history. A training that was
    killed at any moment and run again ends with the same bits as one that was not, if it is given
    the same data. The backup is removed when training has come to its end.

    Args:
        backup_dir: a folder for this alone; created if missing.
        save_freq: ``"epoch"`` (default), or a number of batches: training goes on in the epoch that
            was interrupted.
        double_checkpoint: keep the backup before the last one, too, for the case that the last one
            is damaged. Default False.
        delete_checkpoint: whether to remove the backup at the end. Default True.

    Raises:
        ValueError: if an argument does not fit, or at the begin of training if the model is not
            built.
        OSError: in training, if the backup cannot be written, or is damaged.

    Example:
        >>> import dnnfast
        >>> dnnfast.callbacks.BackupAndRestore("backup").save_freq
        'epoch'
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError("BackupAndRestore: backup_dir is empty; give the name of a folder.")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq, self.double_checkpoint = save_freq, double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        folder = Path(self.backup_dir)
        self._latest = (folder / "latest.weights.h5", folder / "training_metadata.json")
        self._previous = (folder / "previous.weights.h5", folder / "previous_metadata.json")
        self._counter = checked_frequency("BackupAndRestore", save_freq)
        self._epoch = 0
        self._is_restored = False
        if self._counter is not None:  # only then training is looked at after every batch
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def restore_training(self) -> bool:
        """Restore the backup, if there is one, and tell whether it says where training stood."""
        if not self.model.built:
            raise ValueError(
                "BackupAndRestore: the model must be built before fit; give its first layer an "
                "Input, or call it on a batch."
            )
        self._epoch, self._is_restored = 0, True
        if is_writer():
            for unfinished in Path(self.backup_dir).glob(".*.part"):  # of writes that were cut off
                unfinished.unlink()
        if not self._latest[0].exists():
            return self._previous[0].exists() and self._restore(self._previous)
        try:
            return self._restore(self._latest)
        except (OSError, ValueError) as error:
            if not self._previous[0].exists():
                raise
            warnings.warn(
                f"The last backup is not restored, but the one before it: {error}",
                UserWarning,
                stacklevel=5,
            )
            return self._restore(self._previous)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Restore the backup, if `fit` has not done so."""
        if not self._is_restored:
            self.restore_training()
        self._is_restored = False

    def _restore(self, files: tuple[Path, Path]) -> bool:
        weights, metadata = files
        self.model._progress = None
        self.model.load_weights(str(weights))
        if self.model._progress is not None:
            return True
        if metadata.exists():  # a backup of Keras
            self._epoch = int(json.loads(metadata.read_text())["epoch"])
            self.model._initial_epoch = self._epoch
        return False

    def get_resume_state(self) -> dict[str, Any] | None:
        """Return the batches since the last backup."""
        return None if self._counter is None else {"counted": self._counter.state}

    def set_resume_state(self, state: dict[str, Any]) -> None:
        """Go on counting batches."""
        if self._counter is not None:
            self._counter.state = state["counted"]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Back up if it is time."""
        self._epoch = epoch + 1
        if self._counter is None:
            self._back_up(0)

    def _after_batch(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        assert self._counter is not None
        if self._counter.is_time(batch):
            self._back_up(batch)

    def _back_up(self, batch: int) -> None:
        """Write beside the last backup and then take its place: one of them is always whole."""
        if not is_writer():
            return
        weights, metadata = self._latest
        if self.double_checkpoint:
            for file, previous in zip(self._latest, self._previous, strict=True):
                if file.exists():
                    os.replace(file, previous)
        self.model.save_weights(str(weights), overwrite=True)
        with replacing(metadata) as file:  # for Keras; the first file says all of it
            file.write(json.dumps({"epoch": self._epoch, "batch": batch}).encode())

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Remove the backup."""
        if self.delete_checkpoint and is_writer():
            shutil.rmtree(self.backup_dir, ignore_errors=True)
