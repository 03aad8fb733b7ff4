"""Saving a model while it trains."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from dnnfast.callbacks.monitor import Monitor
from dnnfast.config.messages import message


class BatchCounter:
    """Tells every so many batches that it is time, over the ends of epochs."""

    def __init__(self, frequency: int) -> None:
        self.frequency = frequency
        self._since, self._last = 0, -1

    def is_time(self, batch: int) -> bool:
        """Count up to batch number ``batch`` of an epoch."""
        new_epoch = batch <= self._last
        self._since += batch + 1 if new_epoch else batch - self._last
        self._last = batch
        if self._since < self.frequency:
            return False
        self._since = 0
        return True

    @property
    def state(self) -> list[int]:
        """What was counted."""
        return [self._since, self._last]

    @state.setter
    def state(self, value: list[int]) -> None:
        self._since, self._last = value


def checked_frequency(cls: str, value: Any) -> BatchCounter | None:
    """Return a counter of batches, or None for "epoch"."""
    if value == "epoch":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f'{cls}: save_freq must be "epoch" or a positive integer, got {value!r}.')
    return BatchCounter(int(value))


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, after epochs or every so many batches.

    Args:
        filepath: a path. ``{epoch}``, ``{batch}`` and names of the logs in it are filled in, as in
            ``"{epoch:02d}-{val_loss:.2f}.keras"``. It ends in ``.keras`` or ``.h5``, with
            ``save_weights_only`` in ``.weights.h5``. Missing folders are created.
        monitor: name of the quantity in the logs that tells which model is best. Default
            ``"val_loss"``.
        verbose: 1 prints a line for each saving. Default 0.
        save_best_only: save only when the quantity has improved. Default False.
        save_weights_only: call ``model.save_weights`` instead of ``model.save``. Default False.
        mode: ``"min"``, ``"max"``, or ``"auto"`` (default): by the name.
        save_freq: ``"epoch"`` (default), or a number of batches.
        initial_value_threshold: value that the first saved model must beat. Default None.

    Raises:
        ValueError: if the path's ending or ``save_freq`` does not fit.
        KeyError: in training, if the path names something that is not in the logs.

    Example:
        >>> import dnnfast
        >>> best = dnnfast.callbacks.ModelCheckpoint("best.keras", save_best_only=True)
        >>> best.monitor
        'val_loss'
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose, self.save_freq = verbose, save_freq
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            raise ValueError(
                f"ModelCheckpoint: filepath must end in {' or '.join(endings)} with "
                f"save_weights_only={save_weights_only}, got {self.filepath!r}."
            )
        self._counter = checked_frequency("ModelCheckpoint", save_freq)
        self._epoch = 0
        if self._counter is not None:  # only then training is looked at after every batch
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    def get_resume_state(self) -> dict[str, Any] | None:
        """Return the best value so far, and the batches since the last file."""
        counted = None if self._counter is None else self._counter.state
        return {"best": self.best, "counted": counted}

    def set_resume_state(self, state: dict[str, Any]) -> None:
        """Go on from the best value of before an interruption."""
        super().set_resume_state(state)
        if self._counter is not None and state["counted"] is not None:
            self._counter.state = state["counted"]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def _after_batch(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        assert self._counter is not None
        if self._counter.is_time(batch):
            self._save(self._epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save if it is time."""
        if self.save_best_only:
            self._check_way()
        if self._counter is None:
            self._save(epoch, None, logs or {})

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        numbers = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1})}
        try:
            return self.filepath.format(**{**numbers, **logs})
        except KeyError as error:
            names = ", ".join({**numbers, **logs})
            raise KeyError(
                f"ModelCheckpoint: filepath {self.filepath!r} names {error}, which is not among "
                f"{names}."
            ) from None

    def _is_wanted(self, epoch: int, logs: dict[str, Any]) -> bool:
        if not self.save_best_only:
            return True
        current = self._current(logs, "saving the best model")
        if current is None:
            return True
        if np.ndim(current):
            warnings.warn(
                f"ModelCheckpoint: {self.monitor!r} is an array, not a number; the model is saved.",
                UserWarning,
                stacklevel=4,
            )
            return True
        before = "nothing" if self.best is None else f"{self.best:.5f}"
        better = self._is_improvement(current, self.best)
        if self.verbose > 0:
            change = f"improved from {before} to {current:.5f}"
            text = change if better else f"did not improve from {before}"
            message(f"\nEpoch {epoch + 1}: {self.monitor} {text}")
        if better:
            self.best = current
        return better

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        path = self._path(epoch, batch, logs)
        if not self._is_wanted(epoch, logs):
            return
        if Path(path).is_dir():
            raise OSError(f"ModelCheckpoint: {path!r} is a folder; give the name of a file.")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)
        if self.verbose > 0:
            message(f"\nEpoch {epoch + 1}: the model is saved as {path}")
