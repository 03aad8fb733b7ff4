"""Training of the estimators that need no model: early stopping, schedules, warm starts."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state, gen_batches

from dnnfast import checks
from dnnfast.sklearn import networks
from dnnfast.sklearn.base import NetEstimator, share_cores
from dnnfast.training.checks import at_least

_ROWS = 4096  # read at once for means and variances, which are computed in float64


class DNNBase(NetEstimator):
    """Training of the ready-made nets; see `DNNClassifier`."""

    def __init__(
        self,
        n_hidden_layers: int = 2,
        n_neurons: Any = 100,
        *,
        configuration: str = "default",
        activation: Any = None,
        batch_normalization: Any = "auto",
        dropout: float = 0.0,
        alpha: float = 0.0,
        optimizer: Any = "nadam",
        learning_rate: float = 1e-3,
        schedule: str = "performance",
        batch_size: int = 32,
        max_iter: int = 200,
        early_stopping: bool = True,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        validation_fraction: float = 0.1,
        shuffle: bool = True,
        standardize: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.n_hidden_layers = n_hidden_layers
        self.n_neurons = n_neurons
        self.configuration = configuration
        self.activation = activation
        self.batch_normalization = batch_normalization
        self.dropout = dropout
        self.alpha = alpha
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.validation_fraction = validation_fraction
        self.shuffle = shuffle
        self.standardize = standardize
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _targets(self, y: Any, weights: Any, fresh: bool, classes: Any) -> np.ndarray:
        """Return what the net learns to give; learn their form if it is a fresh one."""
        raise NotImplementedError

    def _last_layer(self, targets: np.ndarray) -> tuple[int, str, Any, list[str]]:
        """Return the last layer's units and activation, the loss and the metrics."""
        raise NotImplementedError

    def _fit(
        self, x: Any, y: Any, sample_weight: Any, once: bool = False, classes: Any = None
    ) -> Any:
        """Train: a fresh net, or the one there is; once through the data, or as is good for it."""
        share_cores()
        fresh = not (once or self.warm_start) or not hasattr(self, "model_")
        x, y = self._training_data(x, y, fresh, **self._checks_of_targets())
        y = y.toarray() if sparse.issparse(y) else y
        weights = self._weights(sample_weight, x, y, getattr(self, "class_weight", None))
        targets = self._targets(y, weights, fresh, classes)
        if weights is not None:
            counted = weights > 0
            x, targets, weights = x[counted], targets[counted], weights[counted]
            weights = (weights / weights.mean()).astype(np.float32)
        if fresh or not once:
            self._random = check_random_state(self.random_state)
        with self._seeds():
            if fresh:
                self._build(x, targets, weights)
            self._run(x, targets, weights, once)
        return self

    def _checks_of_targets(self) -> dict[str, Any]:
        return {}

    def _build(self, x: np.ndarray, targets: np.ndarray, weights: Any) -> None:
        standardize = checks.flag(type(self).__name__, "standardize", self.standardize)
        scaler = fitted_scaler(x, weights) if standardize else None
        units, activation, loss, metrics = self._last_layer(targets)
        self.model_ = networks.network(self, scaler, x.shape[1], units, activation)
        self.model_.compile(networks.optimizer(self), loss, metrics=metrics)
        self.history_ = {}

    def _run(self, x: np.ndarray, targets: np.ndarray, weights: Any, once: bool) -> None:
        epochs = 1 if once else at_least("max_iter", self.max_iter, 1)
        held_out, callbacks = None, []
        if not once:
            kept, held_out = self._split(x, targets, weights)
            monitor = "loss" if held_out is None else "val_loss"
            callbacks = networks.training_callbacks(self, monitor, epochs)
            x, targets, weights = kept
            self.model_.optimizer.learning_rate = float(self.learning_rate)
        history = self.model_.fit(
            x,
            targets,
            batch_size=self.batch_size,
            epochs=epochs,
            verbose=int(self.verbose),
            callbacks=callbacks,
            validation_data=held_out,
            shuffle=self.shuffle,
            sample_weight=weights,
        )
        for name, values in history.history.items():
            self.history_.setdefault(name, []).extend(values)
        self.n_iter_ = len(self.history_["loss"])

    def _split(self, x: np.ndarray, targets: np.ndarray, weights: Any) -> tuple[Any, Any]:
        """Return what to train on and what to hold out, which is None if that were too little."""
        name = type(self).__name__
        share = checks.number(name, "validation_fraction", self.validation_fraction, 0.0)
        if share >= 1:
            raise ValueError(f"{name}: validation_fraction must be below 1, got {share}.")
        data = (x, targets, weights)
        count = round(share * len(x))
        if not self.early_stopping or count < networks.MIN_HELD_OUT:
            return data, None
        train, test = train_test_split(
            np.arange(len(x)),
            test_size=count,
            random_state=self._random,
            stratify=self._strata(targets, count),
        )
        parts = [[a if a is None else a[rows] for a in data] for rows in (train, test)]
        return parts[0], tuple(a for a in parts[1] if a is not None)

    def _strata(self, targets: np.ndarray, count: int) -> Any:
        """Return class numbers whose shares both parts of the data are to have, or None."""
        if targets.dtype.kind != "i":
            return None
        sizes = np.unique(targets, return_counts=True)[1]
        enough = sizes.min() > 1 and len(sizes) <= min(count, len(targets) - count)
        return targets if enough else None


def fitted_scaler(x: np.ndarray, weights: Any) -> StandardScaler:
    """Return a scaler that has seen the samples, in float64 and a part at a time."""
    scaler = StandardScaler()
    for rows in gen_batches(len(x), _ROWS):
        own = None if weights is None else weights[rows]
        scaler.partial_fit(x[rows].astype(np.float64), sample_weight=own)
    return scaler


# The arguments that both estimators have.
SHARED = tuple(DNNBase._get_param_names())
