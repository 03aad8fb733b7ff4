"""Going on after an interruption."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from dnnfast.callbacks.callback import Callback
from dnnfast.callbacks.checkpoint import checked_frequency


class BackupAndRestore(Callback):
    """Backs up the state of training, and restores it when an interrupted `fit` is run again.

    The state is the weights, the optimizer's state and the number of the epoch. The backup is
    removed when training has come to its end.

    Args:
        backup_dir: a folder for this alone; created if missing.
        save_freq: ``"epoch"`` (default), or a number of batches. An epoch that was interrupted is
            begun again.
        double_checkpoint: keep the backup before the last one, too, for the case that the last one
            is damaged. Default False.
        delete_checkpoint: whether to remove the backup at the end. Default True.

    Raises:
        ValueError: if an argument does not fit, or at the begin of training if the model is not
            built.

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
        if self._counter is not None:  # only then training is looked at after every batch
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Restore the backup, if there is one."""
        if not self.model.built:
            raise ValueError(
                "BackupAndRestore: the model must be built before fit; give its first layer an "
                "Input, or call it on a batch."
            )
        self._epoch = 0
        try:
            self._restore(self._latest)
        except (OSError, ValueError):
            if not self._previous[0].exists():
                raise
            self._restore(self._previous)

    def _restore(self, files: tuple[Path, Path]) -> None:
        weights, metadata = files
        if not weights.exists() or not metadata.exists():
            return
        epoch = int(json.loads(metadata.read_text())["epoch"])
        self.model.load_weights(str(weights))
        self.model._initial_epoch = self._epoch = epoch

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
        Path(self.backup_dir).mkdir(parents=True, exist_ok=True)
        weights, metadata = self._latest
        new = weights.with_name("new.weights.h5")
        self.model.save_weights(str(new), overwrite=True)
        text = json.dumps({"epoch": self._epoch, "batch": batch})
        fresh = metadata.with_name("new_metadata.json")
        fresh.write_text(text)
        if self.double_checkpoint and weights.exists() and metadata.exists():
            os.replace(weights, self._previous[0])
            os.replace(metadata, self._previous[1])
        os.replace(new, weights)
        os.replace(fresh, metadata)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Remove the backup."""
        if self.delete_checkpoint:
            shutil.rmtree(self.backup_dir, ignore_errors=True)
