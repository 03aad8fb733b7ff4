"""Steps over data, and those over arrays, of which the engine runs many in one call."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnfast import engine
from dnnfast.training.data import Data

# Rows that evaluate and predict take at once when no batch size is given.
EVALUATION_BATCH = 256


@dataclass
class StepOptions:
    """How data is cut into steps."""

    batch_size: int | None = None
    per_epoch: int | None = None  # as given by the user
    shuffle: Any = False
    what: str = ""  # stands before "x" and "y" in messages
    resolved: Any = None  # losses and metrics, if they are settled already

    def batch_of(self, rows: int) -> int:
        """Return the batch size for arrays."""
        if self.batch_size is None:
            return 32 if self.per_epoch is None else math.ceil(rows / self.per_epoch)
        return self.batch_size


def shuffled(model: Any, count: int, batch: int, how: Any) -> np.ndarray | None:
    """Return the order of a new pass: of all rows, or ("batch") within the batches."""
    model._passes += 1
    return order_of_pass(model, count, batch, how)


def order_of_pass(model: Any, count: int, batch: int, how: Any) -> np.ndarray | None:
    """Return the order of the pass that was begun last."""
    if not how:
        return None
    order = engine.shuffle(count, model._seed, model._passes - 1)
    return order[np.argsort(order // batch, kind="stable")] if how == "batch" else order


def totals(model: Any, resolved: Any) -> dict[str, Any]:
    """Return loss and metrics since they were reset."""
    found: dict[str, Any] = resolved.logs(model._program_for(resolved))
    if resolved.own_loss is not None:  # what `compute_loss` has tracked
        found.update(model._results_of_own_metrics())
    return found


class Steps:
    """Steps in epochs and passes.

    A pass goes once through the data. Without a given number of steps an epoch is a pass; with one,
    it takes so many steps and the next epoch goes on from there, but ends where the pass ends.
    """

    _pass_steps: int | None = None
    resolved: Any = None  # losses and metrics, of steps that the engine runs

    def __init__(self, model: Any, options: StepOptions) -> None:
        self.model, self.options = model, options
        self._position = 0  # in the pass
        self._in_pass = False

    @property
    def per_epoch(self) -> int | None:
        """The number of steps of an epoch, or None if it is not known."""
        return self.options.per_epoch or self._pass_steps

    def finished(self) -> bool:
        """Tell whether there is no data for another epoch."""
        return False

    def begin_epoch(self) -> None:
        """Go to the first step of an epoch."""
        raise NotImplementedError

    def end_epoch(self) -> None:
        """Tell the data that the epoch has ended."""

    def ready(self) -> bool:
        """Tell whether the pass has another step."""
        raise NotImplementedError

    def at_once(self) -> int:
        """Return how many steps can run in one call."""
        raise NotImplementedError

    def train(self, count: int) -> int:
        """Train for some steps and return how many samples they took."""
        raise NotImplementedError

    def evaluate(self, count: int) -> int:
        """Add some steps to loss and metrics and return how many samples they took."""
        raise NotImplementedError

    def logs(self) -> dict[str, float]:
        """Return loss and metrics since they were reset."""
        raise NotImplementedError

    def own_loss(self) -> float:
        """Return the loss that the user's own step returned; 0 where the engine computes it."""
        return 0.0

    def epoch_logs(self) -> dict[str, float]:
        """Return loss and metrics since they were reset, over all processes that train along."""
        return self.logs()

    def failed_step(self, step: int) -> tuple[int, tuple[Data | None, np.ndarray]]:
        """Return the number of a failed step in the last call, and the data and rows it took.

        Args:
            step: its number as the engine reported it.
        """
        return 0, (None, np.arange(0))

    def last(self) -> tuple[Data, np.ndarray]:
        """Return the data and rows that the first step of the last call took."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Return the place in the data, for `restore`."""
        return {
            "position": self._position,
            "in_pass": self._in_pass,
            "per_epoch": self.per_epoch,
        }

    def restore(self, state: dict[str, Any], in_epoch: bool) -> None:
        """Go to a place in the data.

        Args:
            state: what `state` returned.
            in_epoch: whether an epoch goes on there, and is not begun.
        """
        goes_on = in_epoch or self.options.per_epoch is not None
        if state.get("in_pass") and goes_on:
            self._go_to(state["position"])

    def _go_to(self, position: int) -> None:
        """Go to a step of the pass that was begun last."""
        raise NotImplementedError

    def close(self) -> None:
        """Free threads and processes."""


class ArraySteps(Steps):
    """Steps over arrays: as many as wanted in one call."""

    def __init__(self, model: Any, options: StepOptions, data: Data) -> None:
        super().__init__(model, options)
        self.resolved = data.resolved
        self._program: Any = None
        self.data, self.rows = data, data.rows
        self.batch = options.batch_of(data.rows)
        self._pass_steps: int = math.ceil(data.rows / self.batch)
        self._order: np.ndarray | None = None
        self._begin = 0

    def begin_epoch(self) -> None:
        """Go to the first step of an epoch."""
        if self._in_pass and self.options.per_epoch is not None and self.ready():
            return
        self._position, self._in_pass = 0, True
        if self.options.shuffle is not None:
            self._order = self._new_order()

    def _new_order(self) -> np.ndarray | None:
        return shuffled(self.model, self.rows, self.batch, self.options.shuffle)

    def _go_to(self, position: int) -> None:
        self._position, self._in_pass = position, True
        how = self.options.shuffle
        self._order = order_of_pass(self.model, self.rows, self.batch, how)

    def ready(self) -> bool:
        """Tell whether the pass has another step."""
        return self._position < self._pass_steps

    def at_once(self) -> int:
        """Return how many steps are left in the pass."""
        return self._pass_steps - self._position

    def _bound(self, program: Any) -> Any:
        if program is not self._program:
            self._program, self._dataset = program, self.data.bound_to(program)
        return self._dataset

    def _advance(self, count: int) -> int:
        self._position += count
        return min(self._position * self.batch, self.rows) - self._begin * self.batch

    def train(self, count: int) -> int:
        """Train for some steps and return how many samples they took."""
        program = self.model._training_program(self.resolved)
        self._begin = self._position
        program.train(
            self.model.optimizer, self._bound(program), self._order, self._begin, count, self.batch
        )
        return self._advance(count)

    def evaluate(self, count: int) -> int:
        """Add some steps to loss and metrics and return how many samples they took."""
        program = self.model._program_for(self.resolved)
        self._begin = self._position
        program.evaluate(self._bound(program), self._begin, count, self.batch)
        return self._advance(count)

    def logs(self) -> dict[str, float]:
        """Return loss and metrics since they were reset."""
        return totals(self.model, self.resolved)

    def failed_step(self, step: int) -> tuple[int, tuple[Data | None, np.ndarray]]:
        """Return the number of a failed step in the last call, and the data and rows it took."""
        return step - self._begin, (self.data, self._rows_of(step))

    def last(self) -> tuple[Data, np.ndarray]:
        """Return the data and rows that the first step of the last call took."""
        return self.data, self._rows_of(self._begin)

    def _rows_of(self, step: int) -> np.ndarray:
        begin = step * self.batch
        rows = np.arange(begin, min(begin + self.batch, self.rows))
        return rows if self._order is None else self._order[rows]
