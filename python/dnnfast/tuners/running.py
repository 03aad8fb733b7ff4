"""One trial: the model is built, trained and measured, here or in a process of its own."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np

from dnnfast.callbacks import Callback, History
from dnnfast.errors import NonFiniteLossError
from dnnfast.tuners.errors import FailedTrialError, FatalError, ObjectiveError
from dnnfast.tuners.kinds import HyperParameter
from dnnfast.tuners.objective import DEFAULT, Objective
from dnnfast.tuners.oracle import Oracle
from dnnfast.tuners.trial import MetricsTracker, Trial, TrialStatus


class Channel:
    """A running trial's connection to the oracle in the same process.

    Args:
        oracle: the oracle.
        trial: the trial.
    """

    def __init__(self, oracle: Oracle, trial: Trial) -> None:
        self.oracle, self.trial = oracle, trial

    def suggest(self, hp: HyperParameter) -> Any:
        """Return a value for a hyperparameter that the oracle did not know."""
        return self.oracle.suggest(self.trial, hp)

    def report(self, step: int, value: float) -> bool:
        """Report the objective after an epoch; return whether to stop."""
        return self.oracle.report(self.trial, step, value)


class Reporter(Callback):
    """Reports the objective after each epoch, and keeps the weights of the best one.

    Args:
        objective: the objective.
        trial: the trial.
        execution: number of the training in the trial; only the first one is reported.
    """

    def __init__(self, objective: Objective, trial: Trial, execution: int) -> None:
        self.objective, self.trial, self.execution = objective, trial, execution
        self._weights: Any = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Report, keep the weights, and stop if others had done better by now."""
        logs = dict(logs or {})
        if any(name not in logs for name in self.objective.names):
            return  # of an epoch without validation, say
        value, trial = self.objective.value(logs), self.trial
        if self.objective.is_better(value, trial._best):
            trial._best, trial._best_logs, trial._best_epoch = value, logs, epoch
            self._weights = self.model.get_weights()
        if self.execution == 0 and trial._channel.report(epoch, value):
            trial.status = TrialStatus.STOPPED
            self.model.stop_training = True

    def save(self, model: Any, path: str) -> None:
        """Write the weights of the trial's best epoch, if it was one of this training.

        Args:
            model: the model, which has those of the last epoch.
            path: of the file.
        """
        if self._weights is not None:
            model.set_weights(self._weights)
        if self._weights is not None or self.trial._best is None:
            model.save_weights(path)


def run(tuner: Any, trial: Trial, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Run a trial and fill it in; return whether it failed by an error that may be a mistake.

    Raises:
        FatalError: if the search makes no sense.
    """
    objective = tuner.oracle.objective
    trial.hyperparameters._source = trial._channel.suggest
    trial.metrics, trial._best, trial._best_logs = MetricsTracker(), None, {}
    trial.status, trial.message = TrialStatus.RUNNING, None
    failed = False
    try:
        results = tuner.run_trial(trial, *args, **kwargs)
        record(trial, results, objective)
    except NonFiniteLossError as error:
        # So ends a training at too high a rate; what it had reached before counts.
        trial.message = str(error)
        trial.status = TrialStatus.FAILED
        if trial._best_logs:
            trial.status = TrialStatus.COMPLETED
            _observe(trial, objective, trial._best_logs, trial._best_epoch)
    except FatalError:
        raise
    except FailedTrialError as error:
        trial.status, trial.message = TrialStatus.FAILED, str(error) or type(error).__name__
    except Exception:
        failed = True
        trial.status, trial.message = TrialStatus.FAILED, traceback.format_exc()
    finally:
        trial.hyperparameters._source = None
    if trial.status == TrialStatus.RUNNING:
        trial.status = TrialStatus.COMPLETED
    return failed


def record(trial: Trial, results: Any, objective: Objective) -> None:
    """Fill in the metrics and the score of a trial from what `Tuner.run_trial` returned.

    Raises:
        ObjectiveError: if that does not tell the objective.
    """
    results = results if isinstance(results, list) else [results]
    steps = []
    logs: dict[str, list[float]] = {}
    for result in results:
        found, step = _logs_of(result, objective)
        steps.append(step)
        for name, value in found.items():
            logs.setdefault(name, []).append(value)
    step = round(float(np.mean(steps)))
    for name, values in logs.items():
        for value in values:
            trial.metrics.update(name, value, step)
    means = {name: float(np.mean(values)) for name, values in logs.items()}
    trial.score, trial.best_step = objective.value(means), step


def _observe(trial: Trial, objective: Objective, logs: dict[str, Any], step: int) -> None:
    for name, value in logs.items():
        trial.metrics.update(name, value, step)
    trial.score, trial.best_step = objective.value(logs), step


def _logs_of(result: Any, objective: Objective) -> tuple[dict[str, float], int]:
    """Return what one training reported at its best epoch, and that epoch."""
    if isinstance(result, History):
        return _best_of(result.history, result.epoch, objective)
    if isinstance(result, dict) and all(isinstance(v, list) for v in result.values()):
        count = max((len(values) for values in result.values()), default=0)
        return _best_of(result, list(range(count)), objective)
    if isinstance(result, dict):
        _check(objective, list(result))
        return {name: float(value) for name, value in result.items()}, 0
    if isinstance(result, (int, float, np.number)) and not isinstance(result, bool):
        if len(objective.names) != 1:
            raise ObjectiveError(f"fit returned one number for {objective.names}; return a dict.")
        return {objective.name: float(result)}, 0
    raise ObjectiveError(
        "HyperModel.fit (or Tuner.run_trial) must return the History, a dict of values by name, or "
        f"the objective's value; got {result!r}."
    )


def _best_of(
    history: dict[str, list[Any]], epochs: list[int], objective: Objective
) -> tuple[dict[str, float], int]:
    if not epochs:
        raise ObjectiveError("the training had no epochs; pass epochs of at least 1.")
    whole = {name: values for name, values in history.items() if len(values) == len(epochs)}
    _check(objective, list(whole))
    logs = [{name: float(values[i]) for name, values in whole.items()} for i in range(len(epochs))]
    best = 0
    for i, one in enumerate(logs):
        if objective.is_better(objective.value(one), objective.value(logs[best])):
            best = i
    return logs[best], epochs[best]


def _check(objective: Objective, names: list[str]) -> None:
    missing = [name for name in objective.names if name not in names]
    if missing and missing[0] == DEFAULT:
        raise ObjectiveError(
            "there is no objective: pass objective= to the tuner, or return its value from fit."
        )
    if missing:
        raise ObjectiveError(
            f"the objective {missing[0]!r} is not among what was reported: {', '.join(names)}. Add "
            "the metric to `compile`, and pass validation_data if its name begins with val_."
        )
