"""A trial: some hyperparameters, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dnnfast.callbacks.monitor import direction as known_direction
from dnnfast.tuners.hyperparameters import HyperParameters


class TrialStatus:
    """The states of a trial."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    STOPPED = "STOPPED"  # before its last epoch, as others had done better by then
    FAILED = "FAILED"
    INTERRUPTED = "INTERRUPTED"  # to be tried again


@dataclass
class MetricObservation:
    """The values of a quantity at a step, one for each execution."""

    value: list[float]
    step: int

    def mean(self) -> float:
        """Return their mean."""
        return float(np.mean(self.value))


@dataclass
class MetricsTracker:
    """What a trial reported: observations by the names of quantities."""

    observations: dict[str, list[MetricObservation]] = field(default_factory=dict)

    def exists(self, name: str) -> bool:
        """Tell whether there are observations of a name."""
        return name in self.observations

    def update(self, name: str, value: Any, step: int = 0) -> None:
        """Add an observation; one of the same step gets a further value."""
        history = self.observations.setdefault(name, [])
        if history and history[-1].step == step:
            history[-1].value.append(float(value))
        else:
            history.append(MetricObservation([float(value)], step))

    def get_history(self, name: str) -> list[MetricObservation]:
        """Return the observations of a name, by step.

        Raises:
            ValueError: if there are none.
        """
        if name not in self.observations:
            known = ", ".join(self.observations) or "none"
            raise ValueError(f"metrics: there is no {name!r}; the names are: {known}.")
        return self.observations[name]

    def get_last_value(self, name: str) -> float:
        """Return the last observation of a name: that of the trial's best epoch."""
        return self.get_history(name)[-1].mean()

    def get_best_value(self, name: str) -> float:
        """Return the best observation of a name."""
        values = [one.mean() for one in self.get_history(name)]
        return max(values) if known_direction(name) == "max" else min(values)

    def get_best_step(self, name: str) -> int:
        """Return the step of the best observation of a name."""
        best = self.get_best_value(name)
        return next(one.step for one in self.get_history(name) if one.mean() == best)

    def get_statistics(self, name: str) -> dict[str, float]:
        """Return smallest, largest, mean and median value, variance and deviation of a name."""
        values = np.concatenate([one.value for one in self.get_history(name)])
        found = {"min": values.min(), "max": values.max(), "mean": values.mean()}
        found.update(median=np.median(values), var=values.var(), std=values.std())
        return {key: float(value) for key, value in found.items()}


class Trial:
    """Some hyperparameters, and what came of them.

    Args:
        trial_id: its number, as text.
        hyperparameters: its values.

    Attributes:
        metrics: what it reported, at its best epoch: ``metrics.get_last_value("val_accuracy")``.
        score: the value of the objective, or None.
        best_step: the epoch (from 0) of that value.
        status: ``"RUNNING"``, ``"COMPLETED"``, ``"STOPPED"``, ``"FAILED"`` or ``"INTERRUPTED"``.
        message: what went wrong, or None.

    Example:
        >>> from dnnfast.tuners import HyperParameters, Trial
        >>> trial = Trial("0000", HyperParameters())
        >>> trial.metrics.update("val_accuracy", 0.875)
        >>> trial.metrics.get_last_value("val_accuracy")
        0.875
    """

    def __init__(self, trial_id: str, hyperparameters: HyperParameters) -> None:
        self.trial_id, self.hyperparameters = trial_id, hyperparameters
        self.metrics = MetricsTracker()
        self.score: float | None = None
        self.best_step = 0
        self.status = TrialStatus.RUNNING
        self.message: str | None = None
        self.build_config: Any = None  # what builds a model that meets its input only in `fit`
        self.place: dict[str, Any] = {}  # in the schedule of an oracle that has one
        # While it runs: the way to the oracle, and the best epoch.
        self._channel: Any = None
        self._best: float | None = None
        self._best_logs: dict[str, Any] = {}
        self._best_epoch = 0

    def summary(self) -> None:
        """Print number, hyperparameters and score."""
        print(f"Trial {self.trial_id}: {self.status.lower()}")
        for name, value in self.hyperparameters.values.items():
            print(f"  {name}: {value}")
        if self.score is not None:
            print(f"  score: {self.score}")
        if self.message is not None:
            print(f"  {self.message}")

    def get_state(self) -> dict[str, Any]:
        """Return it as plain data."""
        observations = {
            name: [[one.value, one.step] for one in history]
            for name, history in self.metrics.observations.items()
        }
        names = ("trial_id", "score", "best_step", "status", "message", "build_config", "place")
        found = {name: getattr(self, name) for name in names}
        config = self.hyperparameters.get_config()
        return {**found, "metrics": observations, "hyperparameters": config}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Trial:
        """Create it from the result of `get_state`.

        Args:
            state: the plain data.
        """
        found = cls(state["trial_id"], HyperParameters.from_config(state["hyperparameters"]))
        found.metrics.observations = {
            name: [MetricObservation(list(value), step) for value, step in history]
            for name, history in state["metrics"].items()
        }
        for name in ("score", "best_step", "status", "message", "build_config", "place"):
            setattr(found, name, state[name])
        return found
