"""The loops over steps: whole epochs in slices that an engine runs without returning."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnfast import engine
from dnnfast.callbacks import CallbackList
from dnnfast.training.data import Data
from dnnfast.training.device_arrays import DeviceArray
from dnnfast.training.program import Program

# Between slices the bar is drawn and Ctrl-C is answered.
_SLICE_SECONDS = 0.03
_SLICE_SECONDS_QUIET = 0.2
_FIRST_SLICE = 16


class Pacer:
    """Chooses how many steps make a slice of about the wanted duration."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._steps = _FIRST_SLICE

    def next(self, remaining: int) -> int:
        """Return the number of steps of the next slice."""
        return max(1, min(self._steps, remaining))

    def took(self, steps: int, seconds: float) -> None:
        """Learn from a slice."""
        wanted = steps * self._seconds / max(seconds, 1e-7)
        self._steps = max(1, int(min(wanted, self._steps * 8)))


@dataclass
class FitOptions:
    """The numbers given to `fit`."""

    batch_size: int
    epochs: int
    initial_epoch: int
    steps_per_epoch: int | None
    shuffle: bool
    validation_freq: Any
    validation_steps: int | None
    validation_batch_size: int | None


def steps_of(rows: int, batch: int) -> int:
    """Return the number of batches."""
    return math.ceil(rows / batch)


def log_dict(program: Program, names: list[str]) -> dict[str, float]:
    """Return the running means by name."""
    return dict(zip(names, program.session.totals(), strict=True))


def evaluate(
    program: Program,
    data: Data,
    batch: int,
    limit: int | None = None,
    callbacks: CallbackList | None = None,
) -> dict[str, float]:
    """Return loss and metrics of a data set."""
    program.sync()
    dataset = data.bound_to(program)
    session = program.session
    session.reset_totals()
    steps = steps_of(data.rows, batch)
    steps = steps if limit is None else min(steps, limit)
    names = data.resolved.log_names
    hooks = callbacks is not None and callbacks.wants_batches("test")
    if callbacks is not None:
        callbacks.call("on_test_begin", {})
    if hooks and callbacks is not None:
        for step in range(steps):
            callbacks.call("on_test_batch_begin", step, {})
            session.evaluate(dataset, step, 1, batch)
            callbacks.call("on_test_batch_end", step, log_dict(program, names))
    else:
        pacer, begin = Pacer(_SLICE_SECONDS_QUIET), 0
        while begin < steps:
            count, start = pacer.next(steps - begin), time.perf_counter()
            session.evaluate(dataset, begin, count, batch)
            pacer.took(count, time.perf_counter() - start)
            begin += count
    logs = log_dict(program, names)
    if callbacks is not None:
        callbacks.call("on_test_end", logs)
    return logs


class FitLoop:
    """Trains a model for some epochs."""

    def __init__(
        self, model: Any, program: Program, data: Data, options: FitOptions, callbacks: CallbackList
    ) -> None:
        self.model, self.program, self.data = model, program, data
        self.options, self.callbacks = options, callbacks
        self.validation: Data | None = None
        self.optimizer = model.optimizer
        self._pass_steps = steps_of(data.rows, options.batch_size)
        self.steps = options.steps_per_epoch or self._pass_steps
        self._hooks = callbacks.wants_batches("train")
        bar = callbacks.progress is not None and callbacks.params.get("verbose") == 1
        self._pacer = Pacer(_SLICE_SECONDS if bar else _SLICE_SECONDS_QUIET)
        # A pass goes through all rows once; steps_per_epoch may end an epoch in its middle.
        self._position = self._pass_steps
        self._order: np.ndarray | None = None

    def run(self) -> None:
        """Run the epochs."""
        options, call = self.options, self.callbacks.call
        self.program.sync()
        self._dataset = self.data.bound_to(self.program)
        call("on_train_begin", {})
        logs: dict[str, float] = {}
        for epoch in range(options.initial_epoch, options.epochs):
            call("on_epoch_begin", epoch, {})
            logs = self._epoch(epoch)
            if self.validation is not None and self._validates(epoch):
                found = evaluate(
                    self.program,
                    self.validation,
                    options.validation_batch_size or max(options.batch_size, 256),
                    options.validation_steps,
                    self.callbacks,
                )
                logs.update({f"val_{key}": value for key, value in found.items()})
            call("on_epoch_end", epoch, logs)
            if self.model.stop_training:
                break
        call("on_train_end", logs)

    def _validates(self, epoch: int) -> bool:
        frequency = self.options.validation_freq
        if isinstance(frequency, int):
            return (epoch + 1) % frequency == 0
        return epoch + 1 in frequency

    def _new_pass(self) -> None:
        self._position = 0
        if self.options.shuffle:
            self._order = engine.shuffle(self.data.rows, self.model._seed, self.model._passes)
        self.model._passes += 1

    def _epoch(self, epoch: int) -> dict[str, float]:
        """Run one epoch and return its logs."""
        self.program.session.reset_totals()
        if self.options.steps_per_epoch is None:
            self._position = self._pass_steps
        names = self.data.resolved.log_names
        done = samples = 0
        while done < self.steps:
            if self._position >= self._pass_steps:
                self._new_pass()
            remaining = min(self.steps - done, self._pass_steps - self._position)
            count = 1 if self._hooks else self._pacer.next(remaining)
            if self._hooks:
                self.callbacks.call("on_train_batch_begin", done, {})
            samples += self._slice(epoch, count)
            done += count
            if self._hooks:
                logs = log_dict(self.program, names)
                self.callbacks.call("on_train_batch_end", done - 1, logs)
                if self.model.stop_training:
                    break
            if self.callbacks.progress is not None:
                self._show(done, samples, names)
        return log_dict(self.program, names)

    def _show(self, done: int, samples: int, names: list[str]) -> None:
        advance = getattr(self.callbacks.progress, "advance", None)
        if advance is not None and done < self.steps:
            advance(done, samples, log_dict(self.program, names))
        elif advance is not None:
            advance(done, samples, {})

    def _slice(self, epoch: int, count: int) -> int:
        """Run some steps and return the number of samples they took."""
        batch, begin, session = self.options.batch_size, self._position, self.program.session
        self.program.sync()
        rates = self.optimizer.rates(session.iterations, count)
        start = time.perf_counter()
        try:
            session.train(self._dataset, self._order, begin, count, batch, rates)
        except FloatingPointError as error:
            raise self._explained(error, epoch) from None
        finally:
            self.program.changed()
        self._pacer.took(count, time.perf_counter() - start)
        self._position += count
        return min(self._position * batch, self.data.rows) - begin * batch

    def _explained(self, error: Any, epoch: int) -> Any:
        """Say where the loss stopped being finite, and whether the data is to blame."""
        step = getattr(error, "step", None)
        if step is None:
            return error
        batch = self.options.batch_size
        rows = np.arange(step * batch, min((step + 1) * batch, self.data.rows))
        rows = rows if self._order is None else self._order[rows]
        where = f"epoch {epoch + 1}, batch {step + 1} of {self._pass_steps}: "
        blame = _non_finite_rows(self.data, rows)
        error.args = (where + (f"{blame} " if blame else "") + str(error),)
        return error


def _non_finite_rows(data: Data, rows: np.ndarray) -> str:
    """Return a sentence naming the first rows with NaN or infinite values, or nothing."""
    weights = [w for w in data.weights if w is not None]
    for what, arrays in (("x", data.inputs), ("y", data.targets), ("sample_weight", weights)):
        for array in arrays:
            if isinstance(array, DeviceArray):
                continue
            values = array[rows]
            if values.dtype.kind != "f":
                continue
            bad = ~np.isfinite(values.reshape(len(rows), -1)).all(axis=1)
            if bad.any():
                listed = ", ".join(str(row) for row in rows[bad][:5])
                return f"{what} holds NaN or infinite values in row {listed}; clean the data."
    return ""
