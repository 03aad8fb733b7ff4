"""Ending training when it no longer helps."""

from __future__ import annotations

from typing import Any

from dnnfast.callbacks.monitor import Monitor
from dnnfast.config.messages import message


class EarlyStopping(Monitor):
    """Ends training when a quantity has stopped improving.

    Args:
        monitor: name of the quantity in the logs. Default ``"val_loss"``.
        min_delta: least change that counts as an improvement. Default 0.
        patience: epochs without improvement after which training ends. Default 0.
        verbose: 1 prints a line when it acts. Default 0.
        mode: ``"min"``, ``"max"``, or ``"auto"`` (default): by the name.
        baseline: value that an improvement must also beat to reset the patience. Default None.
        restore_best_weights: whether to set the best epoch's weights at the end. Default False.
        start_from_epoch: first epoch (from 0) that counts. Default 0.

    Raises:
        ValueError: at the end of the first epoch, if it is not known which way is better.

    Example:
        >>> import dnnfast
        >>> stop = dnnfast.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
        >>> stop.monitor, stop.patience
        ('val_loss', 3)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience, self.verbose, self.baseline = patience, verbose, baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._start()

    def _start(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = self.best_weights = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget the last training."""
        self._start()

    _resumed = ("best", "wait", "best_epoch", "stopped_epoch", "best_weights")

    def set_resume_state(self, state: dict[str, Any]) -> None:
        """Go on from the best epoch of before an interruption."""
        super().set_resume_state(state)
        if self.restore_best_weights and self.best is not None and self.best_weights is None:
            self.best_weights = self.model.get_weights()  # they were restored when training ended

    def get_monitor_value(self, logs: dict[str, Any] | None) -> Any:
        """Return the watched value, or None with a warning if the logs lack it."""
        return self._current(logs, "stopping early")

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Compare with the best epoch."""
        self._check_way()
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)  # even of an epoch that is no improvement (NaN)
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best = current
            self._keep(epoch)
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Set the best weights, if wanted."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            message(f"Epoch {self.stopped_epoch + 1}: training stops early")
        if self.best_weights is not None:
            if self.verbose > 0:
                message(f"The weights of epoch {self.best_epoch + 1} are restored")
            self.model.set_weights(self.best_weights)
