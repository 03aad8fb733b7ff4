"""Trials in a study of Optuna, kept in a file that a later search goes on from."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

from dnnfast.extras import need
from dnnfast.tuners.errors import SpaceError
from dnnfast.tuners.hyperparameters import HyperParameters
from dnnfast.tuners.kinds import Choice, Fixed, HyperParameter, Int, Range
from dnnfast.tuners.trial import Trial, TrialStatus

need("optuna", "dnnfast.tuners", "tune")
import optuna  # noqa: E402

FILE = "study.log"
_STATE = "trial"  # the attribute under which Optuna keeps ours


class _Chosen(optuna.samplers.BaseSampler):
    """Gives what the oracle has chosen."""

    value: Any = None

    def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
        return {}

    def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
        return {}

    def sample_independent(self, study: Any, trial: Any, name: str, distribution: Any) -> Any:
        return self.value


class Study:
    """A study of Optuna in a folder.

    Args:
        folder: where its file is, or will be.
        direction: ``"min"`` or ``"max"``.
        overwrite: whether to delete the folder, if it holds a study, and start anew.
        sampler: a sampler of Optuna that chooses all values, or None: the oracle does.
        pruner: a pruner of Optuna, or None: all trials run to their end.
    """

    def __init__(
        self,
        folder: Path,
        direction: str,
        overwrite: bool,
        sampler: Any = None,
        pruner: Any = None,
    ) -> None:
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        if overwrite and (folder / FILE).exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.samples, self._chosen = folder, sampler is not None, _Chosen()
        way: Any = {"min": "minimize", "max": "maximize"}[direction]
        level = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            self._study = optuna.create_study(
                storage=JournalStorage(JournalFileBackend(str(folder / FILE))),
                study_name="dnnfast",
                direction=way,
                sampler=sampler or self._chosen,
                pruner=pruner or optuna.pruners.NopPruner(),
                load_if_exists=True,
            )
        finally:
            optuna.logging.set_verbosity(level)
        if self._study.direction.name.lower()[:3] != direction:
            raise ValueError(
                f"the study in {folder} has an objective to be made {self._study.direction.name}D, "
                f"not {direction!r}; pass overwrite=True or another project_name."
            )
        self._running: dict[str, Any] = {}

    def trials(self) -> list[Trial]:
        """Return the trials in the file; those that were cut short are interrupted ones."""
        found = []
        for frozen in self._study.get_trials(deepcopy=False):
            state = frozen.user_attrs.get(_STATE)
            if state is None:
                continue
            trial = Trial.from_state(state)
            if trial.status == TrialStatus.RUNNING:
                trial.status = TrialStatus.INTERRUPTED
                if not frozen.state.is_finished():
                    self._study.tell(frozen.number, state=optuna.trial.TrialState.FAIL)
            found.append(trial)
        return found

    def begin(self, hp: HyperParameters, place: dict[str, Any]) -> Trial:
        """Return a new trial with the values of ``hp``; without some, the sampler draws them."""
        running = self._study.ask()
        trial = Trial(f"{running.number:04d}", hp)
        trial.place = place
        self._running[trial.trial_id] = running
        for one in hp.space:
            is_given = one.name in hp.values
            if one.is_active(hp.values) and is_given != self.samples:
                hp.values[one.name] = self.suggest(trial, one, hp.values.get(one.name))
        self._keep(trial)
        return trial

    def suggest(self, trial: Trial, hp: HyperParameter, value: Any) -> Any:
        """Record the value of a hyperparameter in a trial, which None leaves to the sampler.

        Raises:
            SpaceError: if the study knows it with other values.
        """
        running = self._running[trial.trial_id]
        if isinstance(hp, Fixed):
            return hp.value
        if self.samples and value is not None:
            return value
        self._chosen.value = None if value is None else encoded(hp, value)
        with warnings.catch_warnings():
            # A name that is asked for twice has its first value, as it should.
            warnings.simplefilter("ignore", RuntimeWarning)
            try:
                return suggested(running, hp)
            except ValueError as error:
                raise SpaceError(hp.name, error) from error

    def report(self, trial: Trial, step: int, value: float) -> bool:
        """Record the objective after an epoch; tell whether the pruner would stop the trial."""
        running = self._running[trial.trial_id]
        running.report(value, step)
        return bool(running.should_prune())

    def end(self, trial: Trial) -> None:
        """Record what came of a trial."""
        states = optuna.trial.TrialState
        self._keep(trial)
        running = self._running.pop(trial.trial_id)
        if trial.status == TrialStatus.COMPLETED:
            self._study.tell(running, trial.score)
        else:
            pruned = trial.status == TrialStatus.STOPPED
            self._study.tell(running, state=states.PRUNED if pruned else states.FAIL)

    def _keep(self, trial: Trial) -> None:
        self._running[trial.trial_id].set_user_attr(_STATE, trial.get_state())


def _is_numbered(hp: Range) -> bool:
    """Whether Optuna gets the number of a value: it has no such steps, or they need not fit."""
    plain_steps = isinstance(hp, Int) and hp.sampling == "linear" and hp.step is None
    return hp.count is not None and not plain_steps


def encoded(hp: HyperParameter, value: Any) -> Any:
    """Return a value as Optuna has it."""
    if isinstance(hp, Range):
        if _is_numbered(hp):
            values = hp.grid()
            return min(range(len(values)), key=lambda i: abs(values[i] - value))
        if hp.sampling == "reverse_log":
            return hp.max_value + hp.min_value - value
    return value


def suggested(running: Any, hp: HyperParameter) -> Any:
    """Return the value of a hyperparameter in a running trial of Optuna."""
    if isinstance(hp, Choice):
        return running.suggest_categorical(hp.key, hp.values)
    assert isinstance(hp, Range)
    if _is_numbered(hp):
        return hp.numbered(running.suggest_int(hp.key, 0, (hp.count or 1) - 1))
    suggest = running.suggest_int if isinstance(hp, Int) else running.suggest_float
    found = suggest(hp.key, hp.min_value, hp.max_value, log=hp.sampling != "linear")
    return hp.max_value + hp.min_value - found if hp.sampling == "reverse_log" else found
