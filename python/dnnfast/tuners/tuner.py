"""The base of the tuners: the search, and what is left of it."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import numpy as np

from dnnfast.models import Model
from dnnfast.random.seed import seeded
from dnnfast.training.checks import at_least
from dnnfast.tuners.display import Display
from dnnfast.tuners.errors import FatalError
from dnnfast.tuners.hypermodel import as_hypermodel
from dnnfast.tuners.hyperparameters import HyperParameters
from dnnfast.tuners.interrupts import uninterrupted
from dnnfast.tuners.oracle import Oracle
from dnnfast.tuners.running import Channel, Reporter, run
from dnnfast.tuners.trial import Trial, TrialStatus


class Tuner:
    """Builds and trains models with hyperparameters that an oracle chooses; see `RandomSearch`.

    A subclass may override `run_trial`, and ask ``trial.hyperparameters`` for more in it.

    Args:
        oracle: the oracle.
        hypermodel: a `HyperModel`, or a function ``build(hp)`` that returns a compiled model, or
            None if `run_trial` is overridden.
        max_retries_per_trial: how often a trial that raised an error is run again. Default 0.
        executions_per_trial: trainings of each trial, whose reported values are averaged.
            Default 1.
        directory: folder of all projects; default the current one.
        project_name: folder in it. Default ``"untitled_project"``.
        overwrite: whether to begin anew; otherwise a search that is found there goes on. Default
            False.
        optimizer: replaces that of the models, as the next two do; default: theirs.
        loss: as above.
        metrics: as above.
        sampler: a sampler of Optuna that is to choose the values instead of the oracle, such as
            ``optuna.samplers.TPESampler()``; default None.
        pruner: a pruner of Optuna that ends bad trials before their last epoch, such as
            ``optuna.pruners.MedianPruner()``; default None.

    Attributes:
        oracle: the oracle, with ``get_best_trials(num_trials)`` and ``trials``.
        project_dir: the folder of the study and of the trials' weights.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast as keras, tempfile
        >>> class Nearest(keras.RandomSearch):
        ...     def run_trial(self, trial, target):
        ...         return abs(trial.hyperparameters.Float("x", 0, 1) - target)
        >>> tuner = Nearest(max_trials=20, directory=tempfile.mkdtemp(), seed=0)
        >>> isinstance(tuner, keras.tuners.Tuner)
        True
    """

    def __init__(
        self,
        oracle: Oracle,
        hypermodel: Any = None,
        max_retries_per_trial: int = 0,
        executions_per_trial: int = 1,
        directory: Any = None,
        project_name: str | None = None,
        overwrite: bool = False,
        optimizer: Any = None,
        loss: Any = None,
        metrics: Any = None,
        sampler: Any = None,
        pruner: Any = None,
    ) -> None:
        self.oracle, self.hypermodel = oracle, as_hypermodel(hypermodel)
        if self.hypermodel is None and type(self).run_trial is Tuner.run_trial:
            raise ValueError(f"{type(self).__name__}: pass a hypermodel, or override `run_trial`.")
        self.max_retries_per_trial = at_least("max_retries_per_trial", max_retries_per_trial, 0)
        self.executions_per_trial = at_least("executions_per_trial", executions_per_trial, 1)
        self.directory = os.fspath(directory or ".")
        self.project_name = project_name or "untitled_project"
        self._compile = {"optimizer": optimizer, "loss": loss, "metrics": metrics}
        self.display = Display(oracle)
        self._attempts: dict[str, int] = {}
        if self.hypermodel is not None:
            self._learn_space()
        oracle.open(Path(self.project_dir), overwrite, sampler, pruner)

    @property
    def project_dir(self) -> str:
        """The folder of the study and of the trials' weights."""
        return os.path.join(self.directory, self.project_name)

    def _learn_space(self) -> None:
        """Build a model of default values; what it does not ask for is found in trials."""
        hp = self.oracle.get_space()
        hp.values = self.oracle.values(lambda one: one.default)
        self._build(hp)
        self.oracle.update_space(hp)

    # Searching.

    def search(self, *fit_args: Any, n_jobs: int = 1, **fit_kwargs: Any) -> None:
        """Run trials until there are enough, or nothing is left to try.

        What was done is kept when it is interrupted; called again, it goes on.

        Args:
            *fit_args: arguments of `HyperModel.fit`, which are those of `Model.fit`.
            n_jobs: number of trials at a time, each in a process of its own with one thread. With a
                ``seed`` a random or exhaustive search gives the same results for any number; the
                others choose by what has ended before. Default 1.
            **fit_kwargs: further arguments. Callbacks are copied for each training; those of
                TensorBoard write into a folder for each. With ``verbose=0`` nothing is printed.

        Raises:
            SearchFailure: if too many trials failed one after the other.
            ObjectiveError: (a ValueError) if the objective is not among what is reported.
            ValueError: if ``n_jobs`` is no integer of at least 1.
        """
        count = at_least("n_jobs", n_jobs, 1)
        self.display.start(fit_kwargs.get("verbose", "auto"))
        try:
            if count > 1:
                from dnnfast.tuners.parallel import Workers

                Workers(self, count, fit_args, fit_kwargs).run()
            else:
                while self._search_once(fit_args, fit_kwargs):
                    pass
        except BaseException:
            with uninterrupted():
                for trial in self.oracle.trials.values():
                    if trial.status == TrialStatus.RUNNING:
                        trial._channel, trial.status = None, TrialStatus.INTERRUPTED
                        self.oracle.end_trial(trial)
            raise

    def _search_once(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Run the next trial here; tell whether there was one."""
        with uninterrupted():
            trial = self.oracle.create_trial()
            if trial is None:
                return False
            self.display.begin(trial)
            trial._channel = Channel(self.oracle, trial)
        failed = run(self, trial, args, kwargs)
        while self._again(trial, failed):
            failed = run(self, trial, args, kwargs)
        with uninterrupted():
            self._end(trial, failed)
        return True

    def _again(self, trial: Trial, failed: bool) -> bool:
        """Tell whether a trial shall be run again."""
        count = self._attempts.get(trial.trial_id, 0)
        self._attempts[trial.trial_id] = count + 1
        return failed and count < self.max_retries_per_trial

    def _end(self, trial: Trial, failed: bool) -> None:
        trial._channel = None
        self.oracle.end_trial(trial)
        self.display.end(trial)
        if failed:
            self.oracle.count_failure(trial)

    def run_trial(self, trial: Trial, *fit_args: Any, **fit_kwargs: Any) -> Any:
        """Build and train a model; subclasses may override it.

        Args:
            trial: the trial, with ``hyperparameters``.
            *fit_args: those of `search`.
            **fit_kwargs: those of `search`.

        Returns:
            What `HyperModel.fit` may return, or a list of such.
        """
        results = []
        for execution in range(self.executions_per_trial):
            numbers = [self.oracle.seed, int(trial.trial_id), execution]
            seed = int(np.random.SeedSequence(numbers).generate_state(1)[0])
            reporter = Reporter(self.oracle.objective, trial, execution)
            callbacks = self._callbacks(trial, execution, fit_kwargs.get("callbacks"))
            arguments = {**fit_kwargs, "callbacks": [*callbacks, reporter]}
            with seeded(seed):
                results.append(self._train(trial, reporter, fit_args, arguments))
            if trial.status == TrialStatus.STOPPED:
                break
        return results

    def _train(
        self, trial: Trial, reporter: Reporter, args: tuple[Any, ...], arguments: dict[str, Any]
    ) -> Any:
        assert self.hypermodel is not None
        model = self._build(trial.hyperparameters)
        self._prepare(trial, model)
        try:
            return self.hypermodel.fit(trial.hyperparameters, model, *args, **arguments)
        finally:
            if model.built:
                trial.build_config = model.get_build_config()
                path = self._weights_file(trial.trial_id)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                reporter.save(model, path)

    def _prepare(self, trial: Trial, model: Model) -> None:
        """Do what a model needs before its training."""

    def _build(self, hp: HyperParameters) -> Model:
        assert self.hypermodel is not None
        model = self.hypermodel.build(hp)
        if not isinstance(model, Model):
            raise FatalError(f"`build` must return a compiled Model, got {model!r}.")
        given = {name: value for name, value in self._compile.items() if value is not None}
        if given:
            own = {"optimizer": model.optimizer, "loss": model.loss} if model.compiled else {}
            model.compile(**{**own, **copy.deepcopy(given)})
        return model

    def _callbacks(self, trial: Trial, execution: int, given: Any) -> list[Any]:
        if given is None:
            given = []
        copies = copy.deepcopy(list(given) if isinstance(given, (list, tuple)) else [given])
        for callback in copies:
            if hasattr(callback, "log_dir"):
                own = os.path.join(os.fspath(callback.log_dir), trial.trial_id)
                callback.log_dir = os.path.join(own, f"execution{execution}")
        return copies

    def _weights_file(self, trial_id: str) -> str:
        return os.path.join(self.project_dir, f"trial_{trial_id}", "checkpoint.weights.h5")

    # Results.

    @property
    def remaining_trials(self) -> int | None:
        """How many trials are left, or None if their number has no limit."""
        limit = self.oracle.max_trials
        return None if limit is None else max(0, limit - len(self.oracle._counted()))

    def load_model(self, trial: Trial) -> Model:
        """Return a trial's model with the weights of its best epoch.

        Args:
            trial: the trial.
        """
        model = self._build(trial.hyperparameters.copy())
        if not model.built and trial.build_config is not None:
            model.build_from_config(trial.build_config)
        model.load_weights(self._weights_file(trial.trial_id))
        return model

    def get_best_models(self, num_models: int = 1) -> list[Model]:
        """Return the models of the best trials, each with the weights of its best epoch.

        They know the training data only; train the best hyperparameters again on all data.

        Args:
            num_models: how many at most. Default 1.
        """
        return [self.load_model(trial) for trial in self.oracle.get_best_trials(num_models)]

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[HyperParameters]:
        """Return the hyperparameters of the best trials, for ``hypermodel.build``.

        Args:
            num_trials: how many at most. Default 1.
        """
        return [trial.hyperparameters for trial in self.oracle.get_best_trials(num_trials)]

    def search_space_summary(self, extended: bool = False) -> None:
        """Print the hyperparameters and their ranges.

        Args:
            extended: also print under which conditions they count.
        """
        space = self.oracle.hyperparameters.space
        print(f"Search space: {len(space)} hyperparameters")
        for hp in space:
            config = {k: v for k, v in hp.get_config().items() if k not in ("name", "conditions")}
            print(f"{hp.name} ({type(hp).__name__})")
            print("  " + ", ".join(f"{name}: {value}" for name, value in config.items()))
            if extended and hp.conditions:
                print("  if " + " and ".join(f"{n} in {values}" for n, values in hp.conditions))

    def results_summary(self, num_trials: int = 10) -> None:
        """Print the best trials.

        Args:
            num_trials: how many at most. Default 10.
        """
        objective = self.oracle.objective
        best = self.oracle.get_best_trials(num_trials)
        print(f"Results in {self.project_dir}")
        print(f"The best {len(best)} of {len(self.oracle.trials)} trials by {objective}")
        for trial in best:
            print()
            trial.summary()
