"""Hyperband: many trials of few epochs, of which the best ones go on."""

from __future__ import annotations

import math
from typing import Any

from dnnfast.training.checks import at_least
from dnnfast.tuners.oracle import Oracle
from dnnfast.tuners.trial import Trial, TrialStatus


class HyperbandOracle(Oracle):
    """The schedule of Hyperband.

    Args:
        max_epochs: epochs of the trials that come through to the end.
        factor: of so many trials one goes on, with so many times the epochs.
        iterations: how often all brackets are run.
        **options: those of `Oracle`.
    """

    def __init__(self, max_epochs: int, factor: float, iterations: int, **options: Any) -> None:
        super().__init__(**options)
        self.max_epochs = at_least("max_epochs", max_epochs, 1)
        self.iterations = at_least("hyperband_iterations", iterations, 1)
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or factor <= 1:
            raise ValueError(f"factor must be a number above 1, got {factor!r}.")
        self.factor = factor
        # Rounding must not lose the last power: log(9, 3) is below 2.
        self.brackets = math.floor(math.log(self.max_epochs) / math.log(factor) + 1e-9)
        self._is_searched = False

    def rounds(self, bracket: int) -> list[tuple[int, int]]:
        """Return the rounds of a bracket: how many trials, and the epoch that they end with."""
        count = math.ceil((self.brackets + 1) * self.factor**bracket / (bracket + 1))
        found = []
        for i in range(bracket + 1):
            epochs = max(1, round(self.max_epochs * self.factor ** (i - bracket)))
            found.append((max(1, math.floor(count * self.factor**-i)), epochs))
        return found

    def choose(self, number: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
        for iteration in range(self.iterations):
            for bracket in range(self.brackets, -1, -1):
                found = self._of_bracket(iteration, bracket, number)
                if found is not None:
                    return found
        return None

    def _of_bracket(
        self, iteration: int, bracket: int, number: int
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the next trial of a bracket, or None if there is none at the moment."""
        earlier: list[Trial] = []
        before = 0
        for i, (count, epochs) in enumerate(self.rounds(bracket)):
            place = {"iteration": iteration, "bracket": bracket, "round": i}
            begun = [t for t in self._counted() if place.items() <= t.place.items()]
            values: dict[str, Any] | None
            if i == 0:
                if len(begun) < count and not self._is_searched:
                    values = self.drawn(number)
                    self._is_searched = values is None
                    if values is not None:
                        return self._scheduled(values, place, epochs, 0, None)
            else:
                if any(t.status == TrialStatus.RUNNING for t in earlier):
                    return None
                best = self._best(earlier)[:count]
                used = {t.place["parent"] for t in begun}
                parent = next((t for t in best if t.trial_id not in used), None)
                if parent is not None:
                    own = parent.hyperparameters.values
                    values = {k: v for k, v in own.items() if not k.startswith("tuner/")}
                    return self._scheduled(values, place, epochs, before, parent.trial_id)
            earlier, before = begun, epochs
        return None

    def _best(self, trials: list[Trial]) -> list[Trial]:
        done = [t for t in trials if t.status == TrialStatus.COMPLETED and t.score is not None]
        sign = 1 if self.objective.direction == "min" else -1
        return sorted(done, key=lambda trial: sign * float(trial.score or 0.0))

    def _scheduled(
        self,
        values: dict[str, Any],
        place: dict[str, Any],
        epochs: int,
        before: int,
        parent: str | None,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        values = {
            **values,
            "tuner/epochs": epochs,
            "tuner/initial_epoch": before,
            "tuner/bracket": place["bracket"],
            "tuner/round": place["round"],
        }
        if parent is not None:
            values["tuner/trial_id"] = parent
        return values, {**place, "parent": parent}
