"""What chooses the hyperparameters of the next trial, and remembers the earlier ones."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dnnfast.tuners.errors import SearchFailure
from dnnfast.tuners.hyperparameters import HyperParameters
from dnnfast.tuners.kinds import HyperParameter
from dnnfast.tuners.objective import Objective, as_objective
from dnnfast.tuners.study import Study
from dnnfast.tuners.trial import Trial, TrialStatus

_COLLISIONS = 20  # draws of known values after which a space counts as searched


class Wait(Exception):
    """There is no trial to begin until another one has ended."""


class Oracle:
    """The base of the oracles; they choose values in `choose`.

    Args:
        objective: a name, an `Objective`, a list of them, or None.
        max_trials: number of trials, or None.
        seed: an integer, or None for one of NumPy's own.
        hyperparameters: a space that is known beforehand, or values to be kept; or None.
        tune_new_entries: whether what ``hyperparameters`` lacks is tuned, too.
        allow_new_entries: whether it may be asked for at all.
        max_consecutive_failed_trials: failures after which the search is given up.

    Example:
        >>> import dnnfast, tempfile
        >>> build = lambda hp: dnnfast.Sequential([dnnfast.layers.Dense(hp.Int("units", 1, 9))])
        >>> tuner = dnnfast.RandomSearch(build, "loss", directory=tempfile.mkdtemp())
        >>> [hp.name for hp in tuner.oracle.get_space().space], tuner.oracle.get_best_trials()
        (['units'], [])
    """

    # Whether a trial that is the first to ask for something gets the default.
    _starts_with_defaults = False

    def __init__(
        self,
        objective: Any = None,
        max_trials: int | None = None,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_consecutive_failed_trials: int = 3,
    ) -> None:
        if not tune_new_entries and hyperparameters is None:
            raise ValueError("tune_new_entries=False needs `hyperparameters`: what is tuned then?")
        self.objective: Objective = as_objective(objective)
        self.max_trials = max_trials
        self.seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
        self.hyperparameters = hyperparameters.copy() if hyperparameters else HyperParameters()
        self._tuned = {hp.key for hp in self.hyperparameters.space}
        self.tune_new_entries, self.allow_new_entries = tune_new_entries, allow_new_entries
        self.max_consecutive_failed_trials = max_consecutive_failed_trials
        self.trials: dict[str, Trial] = {}
        self.start_order: list[str] = []
        self._again: list[tuple[HyperParameters, dict[str, Any]]] = []
        self._study: Any = None
        self._failures = 0

    def open(self, folder: Path, overwrite: bool, sampler: Any, pruner: Any) -> None:
        """Open the study in a folder, and go on from its trials."""
        self._study = Study(folder, self.objective.direction, overwrite, sampler, pruner)
        for trial in self._study.trials():
            self.trials[trial.trial_id] = trial
            self.start_order.append(trial.trial_id)
            for hp in trial.hyperparameters.space:
                hp.is_recalled = True
            self.hyperparameters.merge(trial.hyperparameters)
            if trial.status == TrialStatus.INTERRUPTED:
                self._retry(trial)

    # Spaces and values.

    def get_space(self) -> HyperParameters:
        """Return the search space as it is known so far."""
        return self.hyperparameters.copy()

    def update_space(self, hp: HyperParameters) -> None:
        """Add what a build or a trial asked for.

        Raises:
            RuntimeError: if nothing new was allowed.
        """
        known = {one.key for one in self.hyperparameters.space}
        new = [one.name for one in hp.space if one.key not in known]
        if new and not self.allow_new_entries:
            raise RuntimeError(
                f"allow_new_entries is False, but {new[0]!r} is not among the hyperparameters: "
                f"{', '.join(one.name for one in self.hyperparameters.space)}."
            )
        self.hyperparameters.merge(hp)

    def is_tuned(self, hp: HyperParameter) -> bool:
        """Tell whether a hyperparameter is to be varied."""
        return self.tune_new_entries or hp.key in self._tuned

    def drawn(self, number: int) -> dict[str, Any] | None:
        """Return values drawn for trial ``number``, or None if all that come up are known."""
        tried = self.tried()
        for attempt in range(_COLLISIONS):
            values = self._drawn(number, attempt)
            if fingerprint(values) not in tried:
                return values
        return None

    def _drawn(self, number: int, attempt: int) -> dict[str, Any]:
        return self.values(lambda hp: self._draw(hp, number, attempt))

    def _draw(self, hp: HyperParameter, number: int, attempt: int = 0) -> Any:
        """Return a value drawn for a trial, which does not depend on what else is drawn."""
        own = [self.seed, number, attempt, zlib.crc32(hp.key.encode())]
        return hp.at(float(np.random.default_rng(own).random()))

    def values(self, choose: Any) -> dict[str, Any]:
        """Return values of the space: those of ``choose``, and defaults of what is not tuned."""
        found: dict[str, Any] = {}
        for hp in self.hyperparameters.space:
            if hp.is_active(found):
                fixed = self.hyperparameters.values.get(hp.name, hp.default)
                found[hp.name] = choose(hp) if self.is_tuned(hp) else fixed
        return found

    def tried(self) -> set[str]:
        """Return the fingerprints of the values of all trials."""
        return {fingerprint(t.hyperparameters.values) for t in self._counted()}

    # Trials.

    def choose(self, number: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return values for trial ``number`` and its place in a schedule, or None to end.

        Raises:
            Wait: if another trial must end first.
        """
        raise NotImplementedError

    def create_trial(self) -> Trial | None:
        """Begin the next trial; None ends the search.

        Raises:
            Wait: if another trial must end first.
        """
        if self.max_trials is not None and len(self._counted()) >= self.max_trials:
            return None
        if self._again:
            hp, place = self._again.pop(0)
        else:
            hp = self.get_space()
            hp.values = {}
            number = len(self._counted())
            chosen = self.choose(number)
            if chosen is None:
                if self._is_running():
                    raise Wait  # they may ask for something new
                return None
            place = {"number": number, **chosen[1]}
            hp.values = self._left_to_sampler(chosen[0]) if self._study.samples else chosen[0]
        extra = {k: v for k, v in hp.values.items() if k.startswith("tuner/")}
        trial: Trial = self._study.begin(hp, place)
        trial.hyperparameters.values.update(extra)
        self.trials[trial.trial_id] = trial
        self.start_order.append(trial.trial_id)
        return trial

    def _left_to_sampler(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values that a sampler of Optuna is not asked for."""
        space = {hp.name: hp for hp in self.hyperparameters.space}
        return {k: v for k, v in values.items() if k not in space or not self.is_tuned(space[k])}

    def suggest(self, trial: Trial, hp: HyperParameter) -> Any:
        """Return a value for what a running trial is the first to ask for."""
        if not self.allow_new_entries:
            self.update_space(_space_of(hp))
        self.hyperparameters.merge(_space_of(hp))
        if not self.is_tuned(hp) or self._starts_with_defaults:
            value = hp.default
        elif self._study.samples:
            value = None
        else:
            value = self._draw(hp, trial.place["number"])
        # Here, too, if the trial runs in another process.
        trial.hyperparameters.values[hp.name] = value = self._study.suggest(trial, hp, value)
        return value

    def report(self, trial: Trial, step: int, value: float) -> bool:
        """Record the objective after an epoch; tell whether the trial shall stop."""
        return bool(self._study.report(trial, step, value))

    def end_trial(self, trial: Trial) -> None:
        """Record what came of a trial.

        Raises:
            SearchFailure: if too many failed one after the other.
        """
        self.hyperparameters.merge(trial.hyperparameters)
        if trial.status in (TrialStatus.COMPLETED, TrialStatus.STOPPED) and trial.score is not None:
            if math.isnan(trial.score):
                trial.status, trial.message = TrialStatus.FAILED, "the objective is NaN"
            self._failures = 0
        self._study.end(trial)
        if trial.status == TrialStatus.INTERRUPTED:
            self._retry(trial)

    def count_failure(self, trial: Trial) -> None:
        """Count a trial that raised an error.

        Raises:
            SearchFailure: if too many did, one after the other.
        """
        self._failures += 1
        if self._failures >= self.max_consecutive_failed_trials:
            raise SearchFailure(
                f"{self._failures} trials failed one after the other; the last one, number "
                f"{trial.trial_id}, with {trial.hyperparameters.values}:\n{trial.message}"
            )

    def _retry(self, trial: Trial) -> None:
        hp = self.get_space()
        hp.values = dict(trial.hyperparameters.values)
        self._again.append((hp, trial.place))

    def _is_running(self) -> bool:
        return any(trial.status == TrialStatus.RUNNING for trial in self.trials.values())

    def _counted(self) -> list[Trial]:
        kept = TrialStatus.INTERRUPTED
        return [trial for trial in self.trials.values() if trial.status != kept]

    def get_trial(self, trial_id: str) -> Trial:
        """Return a trial by its id."""
        return self.trials[trial_id]

    def get_best_trials(self, num_trials: int = 1) -> list[Trial]:
        """Return the completed trials with the best scores, the best first.

        Args:
            num_trials: how many at most. Default 1.
        """
        done = [t for t in self.trials.values() if t.status == TrialStatus.COMPLETED]
        done = [trial for trial in done if trial.score is not None]
        sign = 1 if self.objective.direction == "min" else -1
        return sorted(done, key=lambda trial: sign * float(trial.score or 0.0))[:num_trials]


def _space_of(hp: HyperParameter) -> HyperParameters:
    found = HyperParameters()
    found._space.append(hp)
    return found


def fingerprint(values: dict[str, Any]) -> str:
    """Return text that is the same for the same values."""
    own = {name: value for name, value in values.items() if not name.startswith("tuner/")}
    return json.dumps(own, sort_keys=True)


class RandomOracle(Oracle):
    """Draws values at random, none twice."""

    def choose(self, number: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
        values = self.drawn(number)
        return None if values is None else (values, {})


class GridOracle(Oracle):
    """Goes through all values, those of the last hyperparameter changing fastest."""

    _starts_with_defaults = True

    def choose(self, number: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
        tried = self.tried()
        space = self.hyperparameters.space
        return next(((v, {}) for v in self._all(space, {}) if fingerprint(v) not in tried), None)

    def _all(self, space: list[HyperParameter], values: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if not space:
            yield values
            return
        hp, rest = space[0], space[1:]
        if not hp.is_active(values):
            yield from self._all(rest, values)
            return
        choices = hp.grid() if self.is_tuned(hp) else [hp.default]
        for value in choices:
            yield from self._all(rest, {**values, hp.name: value})
