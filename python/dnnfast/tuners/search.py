"""The tuners."""

from __future__ import annotations

from typing import Any

from dnnfast.models import Model
from dnnfast.tuners.bayesian import BayesianOracle
from dnnfast.tuners.hyperband import HyperbandOracle
from dnnfast.tuners.hyperparameters import HyperParameters
from dnnfast.tuners.oracle import GridOracle, RandomOracle
from dnnfast.tuners.trial import Trial
from dnnfast.tuners.tuner import Tuner


class RandomSearch(Tuner):
    """Tries hyperparameters that are drawn at random.

    Args:
        hypermodel: a function ``build(hp)`` that returns a compiled model, or a `HyperModel`.
        objective: a reported quantity, such as ``"val_accuracy"``; an `Objective`; a list of them,
            whose sum counts; or None: `HyperModel.fit` returns a number to be made small.
        max_trials: number of trials. Default 10.
        seed: an integer, which also seeds the trainings; default None: another one each time.
        hyperparameters: a space, or fixed values, known beforehand; default None.
        tune_new_entries: whether what ``hyperparameters`` lacks is tuned, too. Default True.
        allow_new_entries: whether it may be asked for at all. Default True.
        max_retries_per_trial: how often a trial that raised an error is run again. Default 0.
        max_consecutive_failed_trials: trials with errors after which the search ends. Default 3.
        **kwargs: those of `Tuner`: ``executions_per_trial``, ``directory``, ``project_name``,
            ``overwrite``, ``sampler``, ``pruner``, ...

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast as keras, numpy, tempfile
        >>> def build(hp):
        ...     model = keras.Sequential([keras.Input((2,))])
        ...     model.add(keras.layers.Dense(hp.Int("units", 1, 20), activation="tanh"))
        ...     model.add(keras.layers.Dense(1))
        ...     rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
        ...     model.compile(keras.optimizers.Adam(rate), loss="mse")
        ...     return model
        >>> x = numpy.random.default_rng(0).normal(size=(200, 2))
        >>> tuner = keras.RandomSearch(build, objective="val_loss", max_trials=3, seed=42,
        ...     directory=tempfile.mkdtemp())
        >>> tuner.search(x, x[:, 0], epochs=3, validation_split=0.2, verbose=0)
        >>> len(tuner.oracle.get_best_trials(num_trials=5))
        3
        >>> tuner.get_best_models()[0].predict(x, verbose=0).shape
        (200, 1)
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int = 10,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = RandomOracle(
            objective,
            max_trials,
            seed,
            hyperparameters,
            tune_new_entries,
            allow_new_entries,
            max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, max_retries_per_trial, **kwargs)


class GridSearch(Tuner):
    """Tries all hyperparameters; ten values of each number without a step.

    Args:
        hypermodel: this and the next are those of `RandomSearch`.
        objective: as there.
        max_trials: number of trials at most; default None: all.
        seed: of the trainings, as in `RandomSearch`; so are all others.
        hyperparameters: as there.
        tune_new_entries: as there.
        allow_new_entries: as there.
        max_retries_per_trial: as there.
        max_consecutive_failed_trials: as there.
        **kwargs: those of `Tuner`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> import dnnfast as keras, numpy, tempfile
        >>> class Rate(keras.HyperModel):
        ...     def build(self, hp):
        ...         hp.Choice("rate", [0.01, 0.1, 1.0])
        ...         return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        ...     def fit(self, hp, model, **kwargs):
        ...         return abs(hp.get("rate") - 0.2)
        >>> tuner = keras.GridSearch(Rate(), directory=tempfile.mkdtemp())
        >>> tuner.search(verbose=0)
        >>> tuner.get_best_hyperparameters()[0].values, len(tuner.oracle.trials)
        ({'rate': 0.1}, 3)
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int | None = None,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = GridOracle(
            objective,
            max_trials,
            seed,
            hyperparameters,
            tune_new_entries,
            allow_new_entries,
            max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, max_retries_per_trial, **kwargs)


class Hyperband(Tuner):
    """Trains many models for few epochs, and only the best of them longer.

    Each trial that goes on is a new one, which starts from the best weights of the earlier one and
    has the values ``tuner/trial_id``, ``tuner/initial_epoch``, ``tuner/epochs``, ``tuner/bracket``
    and ``tuner/round``. The ``epochs`` given to `search` do not count.

    Args:
        hypermodel: this and the next are those of `RandomSearch`.
        objective: as there.
        max_epochs: epochs of the models that come through to the end; choose somewhat more than
            training needs, with early stopping. Default 100.
        factor: of so many models one goes on, for so many times the epochs. Default 3.
        hyperband_iterations: how often all is done; each time costs about
            ``max_epochs * (log(max_epochs) / log(factor)) ** 2`` epochs. Default 1.
        seed: as in `RandomSearch`; so are all others.
        hyperparameters: as there.
        tune_new_entries: as there.
        allow_new_entries: as there.
        max_retries_per_trial: as there.
        max_consecutive_failed_trials: as there.
        **kwargs: those of `Tuner`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: bracket ``s``, from ``S = floor(log(max_epochs) / log(factor))`` to 0, begins with
    ``n = ceil((S + 1) factor^s / (s + 1))`` trials; ``floor(n / factor^i)`` come to round ``i``,
    which ends with epoch ``max_epochs factor^(i - s)``. Li et al., "Hyperband: A Novel Bandit-Based
    Approach to Hyperparameter Optimization" (JMLR 2018), algorithm 1.

    Example:
        >>> import dnnfast as keras, numpy, tempfile
        >>> def build(hp):
        ...     rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")
        ...     model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        ...     model.compile(keras.optimizers.SGD(rate), loss="mse")
        ...     return model
        >>> x = numpy.random.default_rng(0).normal(size=(100, 2))
        >>> tuner = keras.Hyperband(build, objective="loss", max_epochs=3, factor=3, seed=42,
        ...     directory=tempfile.mkdtemp())
        >>> tuner.search(x, x[:, 0], verbose=0)
        >>> [t.hyperparameters.values["tuner/epochs"] for t in tuner.oracle.trials.values()]
        [1, 1, 1, 3, 3, 3]
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_epochs: int = 100,
        factor: float = 3,
        hyperband_iterations: int = 1,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = HyperbandOracle(
            max_epochs,
            factor,
            hyperband_iterations,
            objective=objective,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, max_retries_per_trial, **kwargs)

    def run_trial(self, trial: Trial, *fit_args: Any, **fit_kwargs: Any) -> Any:
        """Build and train a model up to the epoch of its round."""
        values = trial.hyperparameters.values
        fit_kwargs["epochs"] = values["tuner/epochs"]
        fit_kwargs["initial_epoch"] = values["tuner/initial_epoch"]
        return super().run_trial(trial, *fit_args, **fit_kwargs)

    def _prepare(self, trial: Trial, model: Model) -> None:
        earlier = trial.hyperparameters.values.get("tuner/trial_id")
        if earlier is not None:
            parent = self.oracle.get_trial(earlier)
            if not model.built and parent.build_config is not None:
                model.build_from_config(parent.build_config)
            model.load_weights(self._weights_file(earlier))


class BayesianOptimization(Tuner):
    """Tries hyperparameters where a model of the earlier scores promises most.

    The model is a Gaussian process; ranges count with their sampling, strings as being equally far
    from each other.

    Args:
        hypermodel: this and the next two are those of `RandomSearch`.
        objective: as there.
        max_trials: as there.
        num_initial_points: trials drawn at random first; default three for each hyperparameter.
        alpha: variance of the noise of scores, which are scaled to variance 1. Default 1e-4.
        beta: how many standard deviations of uncertainty count as better. Default 2.6.
        seed: as in `RandomSearch`; so are all others.
        hyperparameters: as there.
        tune_new_entries: as there.
        allow_new_entries: as there.
        max_retries_per_trial: as there.
        max_consecutive_failed_trials: as there.
        **kwargs: those of `Tuner`.

    Raises:
        ValueError: if an argument is out of range.

    Formula: the next values are those of the least ``mean - beta * deviation`` of the process, its
    covariance Matern's with ``nu = 5/2``; Snoek et al., "Practical Bayesian Optimization of Machine
    Learning Algorithms" (NIPS 2012).

    Example:
        >>> import dnnfast as keras, tempfile
        >>> class Bowl(keras.HyperModel):
        ...     def build(self, hp):
        ...         return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        ...     def fit(self, hp, model, **kwargs):
        ...         return (hp.Float("x", -1, 1) - 0.3) ** 2
        >>> tuner = keras.BayesianOptimization(Bowl(), max_trials=12, seed=1,
        ...     directory=tempfile.mkdtemp())
        >>> tuner.search(verbose=0)
        >>> round(tuner.get_best_hyperparameters()[0].get("x"), 1)
        0.3
    """

    def __init__(
        self,
        hypermodel: Any = None,
        objective: Any = None,
        max_trials: int = 10,
        num_initial_points: int | None = None,
        alpha: float = 1e-4,
        beta: float = 2.6,
        seed: int | None = None,
        hyperparameters: HyperParameters | None = None,
        tune_new_entries: bool = True,
        allow_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        **kwargs: Any,
    ) -> None:
        oracle = BayesianOracle(
            num_initial_points,
            alpha,
            beta,
            objective=objective,
            max_trials=max_trials,
            seed=seed,
            hyperparameters=hyperparameters,
            tune_new_entries=tune_new_entries,
            allow_new_entries=allow_new_entries,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
        )
        super().__init__(oracle, hypermodel, max_retries_per_trial, **kwargs)
