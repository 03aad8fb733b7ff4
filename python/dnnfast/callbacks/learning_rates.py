"""Learning rates that change from epoch to epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from dnnfast.callbacks.callback import Callback
from dnnfast.callbacks.monitor import Monitor, note_rates, plural
from dnnfast.config.messages import message


def _takes_rate(function: Callable[..., Any]) -> bool:
    """Tell whether a schedule can be called with epoch and rate."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(0, 0.0)
    except TypeError:
        return False
    return True


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch; ``history["learning_rate"]`` records it.

    Args:
        schedule: ``schedule(epoch, rate)`` or ``schedule(epoch)``, with epochs from 0; returns the
            new rate.
        verbose: 1 prints each rate. Default 0.

    Raises:
        ValueError: in training, if the schedule returns no number.
        TypeError: if ``schedule`` cannot be called.

    Example:
        >>> import dnnfast
        >>> halve = dnnfast.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        >>> halve.schedule(3, 0.5)
        0.25
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise TypeError(
                f"LearningRateScheduler: expected a function of the epoch, got {schedule!r}."
            )
        self.schedule, self.verbose = schedule, verbose

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the learning rate."""
        for optimizer in plural(self.model.optimizer):
            rate = float(optimizer.learning_rate)
            rate = (
                self.schedule(epoch, rate) if _takes_rate(self.schedule) else self.schedule(epoch)
            )
            if isinstance(rate, (bool, str, type(None))) or np.ndim(rate) != 0:
                raise ValueError(
                    f"LearningRateScheduler: the schedule returned {rate!r} for epoch {epoch}; "
                    "expected a number."
                )
            optimizer.learning_rate = float(rate)
            if self.verbose > 0:
                message(f"\nEpoch {epoch + 1}: the learning rate is set to {float(rate):g}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the learning rate."""
        if logs is not None:
            note_rates(self.model.optimizer, logs)


class ReduceLROnPlateau(Monitor):
    """Lowers the learning rate when a quantity has stopped improving.

    Args:
        monitor: name of the quantity in the logs. Default ``"val_loss"``.
        factor: the rate is multiplied by it, in (0, 1). Default 0.1.
        patience: epochs without improvement before that. Default 10.
        verbose: 1 prints each change. Default 0.
        mode: ``"min"``, ``"max"``, or ``"auto"`` (default): by the name.
        min_delta: least change that counts as an improvement. Default 1e-4.
        cooldown: epochs after a change that are not counted. Default 0.
        min_lr: the rate does not get lower than this. Default 0.
        **kwargs: the old ``epsilon``, which is ``min_delta``.

    Raises:
        ValueError: if ``factor`` is 1 or more.

    Example:
        >>> import dnnfast
        >>> dnnfast.callbacks.ReduceLROnPlateau(factor=0.5, patience=5).min_delta
        0.0001
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        min_delta = kwargs.pop("epsilon", min_delta)
        for key in kwargs:
            raise TypeError(f"ReduceLROnPlateau: unknown argument {key!r}.")
        super().__init__(monitor, mode, min_delta=min_delta)
        if not 0 < factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be in (0, 1), got {factor!r}.")
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.cooldown, self.min_lr = cooldown, min_lr
        self._start()

    def _start(self) -> None:
        self.best, self.wait, self.cooldown_counter = None, 0, 0

    _resumed = ("best", "wait", "cooldown_counter")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forget the last training."""
        self._start()

    def in_cooldown(self) -> bool:
        """Tell whether the last change was so recent that epochs are not counted."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the learning rate and lower it if it is time."""
        self._check_way()
        logs = {} if logs is None else logs
        note_rates(self.model.optimizer, logs)
        current = self._current(logs, "lowering the learning rate")
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best, self.wait = current, 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._lower(epoch):
                self.cooldown_counter, self.wait = self.cooldown, 0

    def _lower(self, epoch: int) -> bool:
        lowered = False
        for optimizer in plural(self.model.optimizer):
            rate = float(optimizer.learning_rate)
            if rate <= float(np.float32(self.min_lr)):
                continue
            lowered = True
            optimizer.learning_rate = max(rate * self.factor, self.min_lr)
            if self.verbose > 0:
                rate = float(optimizer.learning_rate)
                message(f"\nEpoch {epoch + 1}: the learning rate is lowered to {rate:g}")
        return lowered
