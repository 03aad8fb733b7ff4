"""Where a `fit` stands, so that it can be interrupted at any step and go on with the same bits."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from dnnfast.callbacks import CallbackList
from dnnfast.random.seed import go_to, state
from dnnfast.training.steps import Steps


def keyed(callbacks: CallbackList) -> list[tuple[str, Any]]:
    """Return callbacks with names that tell them apart when the same ones are made again."""
    counts: dict[str, int] = {}
    found = []
    for callback in callbacks:
        name = type(callback).__name__
        counts[name] = counts.get(name, 0) + 1
        found.append((f"{name} {counts[name]}", callback))
    return found


class Progress:
    """Where a running `fit` stands; `data` may be asked for in any hook.

    Args:
        model: it is trained.
        steps: over the data.
        callbacks: of the `fit`.
        epoch: the first.
    """

    def __init__(self, model: Any, steps: Steps, callbacks: CallbackList, epoch: int) -> None:
        self._model, self._steps, self._callbacks = model, steps, callbacks
        self.epoch = epoch
        self.step = self.samples = 0
        self.in_epoch = False  # between the begin of an epoch and its end

    def begin_epoch(self, epoch: int, step: int = 0, samples: int = 0) -> None:
        """Note that an epoch begins, or goes on from a step."""
        self.epoch, self.step, self.samples, self.in_epoch = epoch, step, samples, True

    def end_epoch(self) -> None:
        """Note that an epoch has ended."""
        self.epoch, self.step, self.samples, self.in_epoch = self.epoch + 1, 0, 0, False

    def data(self) -> dict[str, Any]:
        """Return it as plain data and arrays."""
        hook, args, place = self._callbacks.running or ("", (), -1)
        callbacks = keyed(self._callbacks)
        found = {
            "epoch": self.epoch,
            "step": self.step,
            "samples": self.samples,
            "steps": self._steps.state(),
            "callbacks": [[key, _state_of(callback)] for key, callback in callbacks],
            "random": state(),
            "stopped": bool(self._model.stop_training),
            "hook": None,
        }
        if hook in ("on_epoch_end", "on_train_batch_end"):
            # Of the callbacks that come later, this hook is called when training goes on.
            found["hook"] = hook
            found["logs"] = dict(args[1])
            found["waiting"] = [key for key, _ in callbacks[place + 1 :]]
        if self.in_epoch and hook != "on_epoch_end":
            program = self._model._program
            found["sums"] = None if program is None else list(program.session.sums)
            found["metrics"] = [v.numpy() for v in self._metric_variables()]
        return found

    def finished(self) -> dict[str, Any]:
        """Return it for a training that has come to its end: without arrays of callbacks."""
        data = self.data()
        callbacks = [[key, _without_arrays(state)] for key, state in data["callbacks"]]
        return {**data, "callbacks": callbacks, "stopped": False}

    def _metric_variables(self) -> list[Any]:
        resolved = self._steps.resolved
        measures = [] if resolved is None else resolved.metrics
        metrics = [m.metric for m in measures if m.keeps_state] + self._model._own_metrics()
        return [variable for metric in metrics for variable in metric.variables]

    # Going on.

    def go_on(self, data: dict[str, Any]) -> None:
        """Put the callbacks, the data and the random numbers where they were."""
        go_to(data["random"])
        self._steps.restore(data["steps"], data["step"] > 0 and data["hook"] != "on_epoch_end")
        self.restore_callbacks(data)
        self._model.stop_training = data["stopped"]

    def restore_callbacks(self, data: dict[str, Any]) -> None:
        """Give the callbacks their states of then."""
        states = dict(data["callbacks"])
        for key, callback in keyed(self._callbacks):
            own = states.get(key)
            if own is not None and hasattr(callback, "set_resume_state"):
                callback.set_resume_state(own)

    def restore_sums(self, data: dict[str, Any]) -> None:
        """Let loss and metrics of the epoch go on from what was measured of it."""
        if self._steps.resolved is None:
            return
        program = self._model._training_program(self._steps.resolved)
        if data.get("sums") is not None and len(data["sums"]) == len(program.session.sums):
            program.session.sums = data["sums"]
        variables = self._metric_variables()
        values = data.get("metrics") or []
        if [v.shape for v in variables] == [np.shape(value) for value in values]:
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)

    def call_waiting(self, data: dict[str, Any]) -> dict[str, Any]:
        """Call the hook that was interrupted, of the callbacks it was not called of."""
        logs = data.get("logs") or {}
        if data["hook"] is not None:
            number = data["epoch"] if data["hook"] == "on_epoch_end" else data["step"] - 1
            for key, callback in keyed(self._callbacks):
                if key in data["waiting"]:
                    getattr(callback, data["hook"])(number, logs)
        return dict(logs)

    def fits(self, data: dict[str, Any]) -> bool:
        """Tell whether the data is cut into steps as it was."""
        if data["steps"].get("per_epoch") == self._steps.per_epoch:
            return True
        warnings.warn(
            f"An epoch has {self._steps.per_epoch} steps now, not "
            f"{data['steps'].get('per_epoch')} as when training was interrupted; the epoch is "
            "begun anew.",
            UserWarning,
            stacklevel=6,
        )
        return False


def _state_of(callback: Any) -> Any:
    get = getattr(callback, "get_resume_state", None)
    return None if get is None else get()


def _without_arrays(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_arrays(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        arrays = any(isinstance(item, np.ndarray) for item in value)
        return None if arrays else [_without_arrays(item) for item in value]
    return None if isinstance(value, np.ndarray) else value


# What a file holds.


def check(data: Any) -> None:
    """Look whether what a file holds is where a `fit` stands.

    Raises:
        ValueError: if not.
    """
    if not (isinstance(data, dict) and _is_whole(data)):
        raise ValueError("the file's record of its training is damaged.")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64


def _is_whole(data: dict[str, Any]) -> bool:
    steps, hook = data.get("steps"), data.get("hook")
    counts: list[Any] = [data.get(key) for key in ("epoch", "step", "samples")]
    numbers = data.get("random")
    good = (
        all(map(_is_count, counts))
        and all(count < 1 << 62 for count in counts)
        and isinstance(steps, dict)
        and _is_count(steps.get("position"))
        and isinstance(data.get("stopped"), bool)
        and isinstance(numbers, list)
        and len(numbers) == 2
        and all(map(_is_count, numbers))
        and isinstance(data.get("callbacks"), list)
        and all(isinstance(pair, list) and len(pair) == 2 for pair in data["callbacks"])
        and all(isinstance(key, str) for key, _ in data["callbacks"])
        and hook in (None, "on_epoch_end", "on_train_batch_end")
    )
    if not good:
        return False
    sums, metrics = data.get("sums"), data.get("metrics")
    if sums is not None and not (
        isinstance(sums, list) and all(isinstance(value, (int, float)) for value in sums)
    ):
        return False
    if metrics is not None and not isinstance(metrics, list):
        return False
    return hook is None or (
        isinstance(data.get("logs"), dict)
        and isinstance(data.get("waiting"), list)
        and all(isinstance(key, str) for key in data["waiting"])
    )
