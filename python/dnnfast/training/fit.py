"""The loop over epochs: steps in slices that an engine runs without returning, and the hooks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnfast.callbacks import CallbackList
from dnnfast.distribution import distribution
from dnnfast.errors import NonFiniteLossError
from dnnfast.training.data import Data
from dnnfast.training.device_arrays import DeviceArray
from dnnfast.training.evaluation import Evaluation
from dnnfast.training.inspection import first_non_finite
from dnnfast.training.pacing import SECONDS, SECONDS_QUIET, Pacer, warn_of_end
from dnnfast.training.progress import Progress
from dnnfast.training.resuming import found_progress
from dnnfast.training.state import numbers_of, restore_numbers
from dnnfast.training.steps import Steps
from dnnfast.training.together import average_state, start_equal


@dataclass
class FitOptions:
    """The numbers given to `fit`."""

    epochs: int
    initial_epoch: int
    validation_freq: Any
    resume: bool = False

    def validates(self, epoch: int) -> bool:
        """Tell whether validation follows an epoch (from 0)."""
        if isinstance(self.validation_freq, int):
            return (epoch + 1) % self.validation_freq == 0
        return epoch + 1 in self.validation_freq


class FitLoop:
    """Trains a model for some epochs."""

    def __init__(
        self,
        model: Any,
        steps: Steps,
        options: FitOptions,
        callbacks: CallbackList,
        validation: Evaluation | None,
    ) -> None:
        self.model, self.steps, self.options = model, steps, options
        self.callbacks, self.validation = callbacks, validation
        self.limit = steps.options.per_epoch
        self._group = distribution()
        self._progress = Progress(model, steps, callbacks, options.initial_epoch)
        self._in_step = False
        self._middle: dict[str, Any] | None = None  # where an interrupted epoch goes on
        self._hooks = callbacks.wants_batches("train")
        self._probes = [c for c in callbacks if hasattr(c, "on_probe_end")]
        bar = callbacks.progress is not None and callbacks.params.get("verbose") == 1
        self._pacer = Pacer(SECONDS if bar else SECONDS_QUIET)

    def run(self) -> None:
        """Run the epochs."""
        self.model.stop_training, self.model._initial_epoch = False, None
        if self._group is not None:
            start_equal(self.model, self.steps.resolved, self._group)
        try:
            self._run()
        except BaseException:
            # Where a step was cut off it is not known how far training came.
            known = self.model._progress is self._progress and not self._in_step
            self.model._progress = self._progress.data() if known else None
            self.callbacks.abandoned()
            self._finalize()
            raise

    def _finalize(self) -> None:
        """Set the weights to their averages, if the optimizer keeps some."""
        optimizer = self.model.optimizer
        if int(optimizer.iterations) > 0:
            optimizer.finalize_variable_values(self.model.trainable_weights)

    def _run(self) -> None:
        options, call, model = self.options, self.callbacks.call, self.model
        logs: dict[str, float] = {}
        resumed = found_progress(model, self.callbacks, options.resume)
        model._resuming = resumed is not None
        call("on_train_begin", {})
        # A callback may say where to begin.
        first = model._initial_epoch or options.initial_epoch
        self._progress = Progress(model, self.steps, self.callbacks, first)
        if resumed is not None:
            first, logs = self._go_on(resumed)
        model._progress = self._progress
        stopped = resumed is not None and model.stop_training
        for epoch in range(first, first if stopped else options.epochs):
            if self.steps.finished():
                warn_of_end(f"training stops before epoch {epoch + 1}; the last one", 0, self.limit)
                break
            model.reset_metrics()
            call("on_epoch_begin", epoch, {})
            logs = self._epoch(epoch)
            if self._group is not None:
                average_state(self.model, self._group)
            if self.validation is not None and options.validates(epoch):
                found = self.validation.run(self.callbacks)
                logs.update({f"val_{key}": value for key, value in found.items()})
            call("on_epoch_end", epoch, logs)
            if self._group is not None:
                model.stop_training = self._group.any(model.stop_training)
            self._progress.end_epoch()
            if model.stop_training:
                break
        call("on_weights_final")
        self._finalize()
        call("on_train_end", logs)
        model._progress = self._progress.finished()

    def _go_on(self, data: dict[str, Any]) -> tuple[int, dict[str, float]]:
        """Take up a training; returns the epoch to run next and the last logs."""
        progress, epoch = self._progress, data["epoch"]
        in_epoch = data["step"] > 0 and data["hook"] != "on_epoch_end"
        if in_epoch and not progress.fits(data):
            data, in_epoch = {**data, "step": 0, "hook": None}, False
            self.model._passes -= 1
        progress.go_on(data)
        if in_epoch:
            self._middle = {**data, "numbers": numbers_of(self.model.optimizer)}
            progress.begin_epoch(epoch, data["step"], data["samples"])
            return epoch, {}
        logs = progress.call_waiting(data)
        progress.epoch = epoch + 1 if data["hook"] == "on_epoch_end" else epoch
        return progress.epoch, logs

    def _begin_epoch(self, epoch: int) -> tuple[int, int]:
        """Begin an epoch, or go on in it; returns the steps and samples that are done."""
        middle, self._middle = self._middle, None
        if middle is None:
            self._progress.begin_epoch(epoch)
            self.steps.begin_epoch()
            return 0, 0
        # What `on_epoch_begin` has changed was changed already when training was interrupted.
        restore_numbers(self.model.optimizer, middle["numbers"])
        self._progress.restore_callbacks(middle)
        self._progress.restore_sums(middle)
        self._progress.call_waiting(middle)
        return middle["step"], middle["samples"]

    def _epoch(self, epoch: int) -> dict[str, float]:
        """Run one epoch and return its logs."""
        model, steps = self.model, self.steps
        done, samples = self._begin_epoch(epoch)
        failed: dict[str, float] = {}
        while (self.limit is None or done < self.limit) and steps.ready():
            most = steps.at_once()
            most = most if self.limit is None else min(most, self.limit - done)
            count = min(most, model.steps_per_execution) if self._hooks else self._pacer.next(most)
            count = 1 if model.stop_training else count  # set before the epoch: one step, and out
            probes = [c for c in self._probes if c.wants_probe()] if done == 0 else []
            if probes:
                count = 1
                for probe in probes:
                    probe.on_probe_begin()
            if self._hooks:
                self.callbacks.call("on_train_batch_begin", done, {})
            start = time.perf_counter()
            self._in_step = True
            try:
                samples += steps.train(count)
            except FloatingPointError as error:
                failed = self._failed(error, epoch, done)
            else:
                failed = self._spoilt(steps.own_loss(), done)
            self._in_step = False
            self._pacer.took(count, time.perf_counter() - start)
            for probe in probes:
                probe.on_probe_end(*steps.last())
            done += count
            self._progress.step, self._progress.samples = done, samples
            logs = {**steps.logs(), **failed} if self._hooks or failed else {}
            if self._hooks:
                self.callbacks.call("on_train_batch_end", done - 1, logs)
            if failed or model.stop_training:
                break
            self.callbacks.advance(done, samples, steps.logs)
        steps.end_epoch()
        if done < (self.limit or 0) and not model.stop_training:
            warn_of_end(f"epoch {epoch + 1}", done, self.limit)
        return {**steps.epoch_logs(), **failed}

    def _failed(self, error: Any, epoch: int, done: int) -> dict[str, float]:
        """Let the callbacks decide what a loss that is not finite means; raise, or return logs."""
        step = getattr(error, "step", None)
        if step is None:
            raise error
        begin, rows = self.steps.failed_step(step)
        number = done + begin
        explained = self._explained(error, epoch, number, rows)
        if not self.callbacks.accepts_non_finite(number, explained):
            raise explained from None
        self.model.stop_training = True
        return {"loss": float(error.loss)}

    def _spoilt(self, loss: float, number: int) -> dict[str, float]:
        """Tell callbacks of a loss, returned by the user's own step, that is not finite."""
        if np.isfinite(loss):
            return {}
        error = FloatingPointError(f"train_step returned the loss {loss}")
        if not self.callbacks.accepts_non_finite(number, error):
            return {}
        self.model.stop_training = True
        return {"loss": loss}

    def _explained(
        self, error: Any, epoch: int, number: int, rows: tuple[Data | None, np.ndarray]
    ) -> Any:
        """Say where the loss stopped being finite, and whether the data is to blame."""
        found = NonFiniteLossError(number, error.loss)
        count = self.steps.per_epoch
        of = "" if count is None else f" of {count}"
        data, where = rows
        blame = _non_finite_rows(data, where) if data is not None else ""
        if data is not None and not blame:
            blame = self._non_finite_layer(data, where)
        blame += " " if blame else ""
        found.args = (f"epoch {epoch + 1}, batch {number + 1}{of}: {blame}{found}",)
        return found

    def _non_finite_layer(self, data: Data, rows: np.ndarray) -> str:
        """Return a sentence naming the first layer whose output is not finite, or nothing."""
        layer = first_non_finite(self.model, data, rows)
        if layer is None:
            return "all layers give finite outputs, so it comes from the loss itself."
        return f"the first layer whose output is not finite is {layer!r}."


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
