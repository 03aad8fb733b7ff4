"""Steps over arrays that several processes take together."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from dnnfast.training.data import Data
from dnnfast.training.steps import ArraySteps, StepOptions, Steps
from dnnfast.training.together import combined_logs

if TYPE_CHECKING:
    from dnnfast.distribution import DataParallel


class SharedTraining(ArraySteps):
    """Training steps, in each of which this process takes rows of its own."""

    def __init__(self, model: Any, options: StepOptions, data: Data, group: DataParallel) -> None:
        super().__init__(model, options, data)
        self.group = group
        self.batch = options.batch_of(math.ceil(data.rows / group.size))
        self._pass_steps = math.ceil(data.rows / (self.batch * group.size))

    def _new_order(self) -> np.ndarray | None:
        return self.group.part_of(super()._new_order(), self.rows, self.batch)

    def _advance(self, count: int) -> int:
        self._position += count
        of_all = self.batch * self.group.size
        return min(self._position * of_all, self.rows) - self._begin * of_all

    def epoch_logs(self) -> dict[str, float]:
        """Return loss and metrics since they were reset, over all processes."""
        return combined_logs(self.model, self.resolved, self.group)


class SharedEvaluation(ArraySteps):
    """Steps over this process's part of the rows."""

    def __init__(self, model: Any, options: StepOptions, data: Data, group: DataParallel) -> None:
        part = group.slice_of(data.rows)
        own = dataclasses.replace(
            data,
            inputs=[a[part] for a in data.inputs],
            targets=[a[part] for a in data.targets],
            weights=[None if a is None else a[part] for a in data.weights],
            rows=part.stop - part.start,
        )
        super().__init__(model, options, own)
        self.group = group

    def epoch_logs(self) -> dict[str, float]:
        """Return loss and metrics since they were reset, over all processes."""
        return combined_logs(self.model, self.resolved, self.group)


def shared_steps(group: DataParallel) -> Callable[[Any, StepOptions, Data], Steps]:
    """Return what makes the steps of a group."""

    def make(model: Any, options: StepOptions, data: Data) -> Steps:
        if data.rows < group.size:
            raise ValueError(
                f"{data.rows} samples are not enough for {group.size} processes; give each at "
                "least one."
            )
        if options.shuffle is not None:
            return SharedTraining(model, options, data, group)
        return SharedEvaluation(model, options, data, group)

    return make
