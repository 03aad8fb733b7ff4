"""The nets of the ready-made estimators: two configurations that train well without tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnfast import checks, initializers, layers, optimizers, regularizers
from dnnfast.callbacks import EarlyStopping, OneCycle, ReduceLROnPlateau
from dnnfast.errors import unknown_name
from dnnfast.models import Sequential

DEEP = 4  # hidden layers from which on batch normalization is worth its cost
MIN_HELD_OUT = 10  # samples below which a validation loss says too little


@dataclass(frozen=True)
class Configuration:
    """Choices that belong together."""

    activation: str
    initializer: str
    normalized: bool  # whether deep nets get batch normalization
    dropout: Any  # a class of layers


# Glorot and Bengio 2010; He et al. 2015; Klambauer et al. 2017: see the classes' docstrings.
CONFIGURATIONS = {
    "default": Configuration("elu", "he_normal", True, layers.Dropout),
    "self_normalizing": Configuration("selu", "lecun_normal", False, layers.AlphaDropout),
}
SCHEDULES = ("performance", "one_cycle", "constant")


def configuration(estimator: Any) -> Configuration:
    """Return an estimator's configuration.

    Raises:
        ValueError: if there is none of that name.
    """
    if estimator.configuration not in CONFIGURATIONS:
        raise unknown_name("configuration", estimator.configuration, CONFIGURATIONS)
    return CONFIGURATIONS[estimator.configuration]


def network(
    estimator: Any, scaler: Any, n_features: int, n_outputs: int, activation: str
) -> Sequential:
    """Return the untrained net of an estimator.

    Args:
        estimator: a `DNNClassifier` or `DNNRegressor`.
        scaler: a fitted ``StandardScaler``, or None: inputs are used as they are.
        n_features: number of inputs.
        n_outputs: number of units of the last layer.
        activation: of the last layer.

    Raises:
        ValueError: if a parameter of the estimator is out of range.
    """
    name = type(estimator).__name__
    chosen = configuration(estimator)
    sizes = hidden_sizes(name, estimator.n_hidden_layers, estimator.n_neurons)
    rate = checks.number(name, "dropout", estimator.dropout, 0.0)
    normalized = estimator.batch_normalization
    if normalized == "auto":
        normalized = chosen.normalized and len(sizes) >= DEEP
    normalized = checks.flag(name, "batch_normalization", normalized)
    function = estimator.activation or chosen.activation
    decay = checks.number(name, "alpha", estimator.alpha, 0.0)
    model = Sequential([layers.Input((n_features,))])
    if scaler is not None:
        model.add(layers.Normalization(mean=scaler.mean_, variance=scaler.scale_**2))
    for size in sizes:
        dense = layers.Dense(
            size,
            activation=None if normalized else function,
            use_bias=not normalized,
            kernel_initializer=initializers.get(chosen.initializer),
            kernel_regularizer=regularizers.L2(decay) if decay else None,
        )
        model.add(dense)
        if normalized:
            model.add(layers.BatchNormalization())
            model.add(layers.Activation(function))
        if rate:
            model.add(chosen.dropout(rate))
    model.add(layers.Dense(n_outputs, activation=activation))
    return model


def hidden_sizes(name: str, n_hidden_layers: Any, n_neurons: Any) -> list[int]:
    """Return the number of units of each hidden layer.

    Raises:
        ValueError: if the numbers are no integers in range, or do not fit each other.
    """
    whole = (int, np.integer)
    if isinstance(n_hidden_layers, bool) or not isinstance(n_hidden_layers, whole):
        n_hidden_layers = -1
    if n_hidden_layers < 0:
        raise ValueError(f"{name}: n_hidden_layers must be an integer of at least 0.")
    if isinstance(n_neurons, whole) and not isinstance(n_neurons, bool):
        n_neurons = [n_neurons] * int(n_hidden_layers)
    sizes = list(n_neurons) if isinstance(n_neurons, (list, tuple, np.ndarray)) else [None]
    if len(sizes) != n_hidden_layers or not all(isinstance(n, whole) and n > 0 for n in sizes):
        raise ValueError(
            f"{name}: n_neurons must be an integer of at least 1, or one for each of the "
            f"{n_hidden_layers} hidden layers; got {n_neurons!r}."
        )
    return [int(n) for n in sizes if n is not None]


def optimizer(estimator: Any) -> optimizers.Optimizer:
    """Return a new optimizer with an estimator's learning rate.

    Raises:
        ValueError: if there is none of that name, or the rate is not above 0.
    """
    name = type(estimator).__name__
    rate = checks.number(name, "learning_rate", estimator.learning_rate, above=0.0)
    found = optimizers.get(estimator.optimizer)
    config = {**found.get_config(), "learning_rate": rate}
    return type(found).from_config(config)


def training_callbacks(estimator: Any, monitor: str, epochs: int) -> list[Any]:
    """Return the callbacks of an estimator's schedule and early stopping.

    Raises:
        ValueError: if a parameter of the estimator is out of range.
    """
    name = type(estimator).__name__
    if estimator.schedule not in SCHEDULES:
        raise unknown_name("schedule", estimator.schedule, SCHEDULES)
    patience = checks.number(name, "n_iter_no_change", estimator.n_iter_no_change, 1)
    found: list[Any] = []
    if estimator.schedule == "one_cycle":
        # A cycle cut short would end at a high rate.
        patience = epochs
        found.append(OneCycle(estimator.learning_rate))
    elif estimator.schedule == "performance":
        wait = max(1, int(patience) // 2)
        found.append(ReduceLROnPlateau(monitor, factor=0.5, patience=wait))
    if checks.flag(name, "early_stopping", estimator.early_stopping):
        tol = checks.number(name, "tol", estimator.tol, 0.0)
        stop = EarlyStopping(
            monitor, min_delta=tol, patience=int(patience), restore_best_weights=True
        )
        found.append(stop)
    return found
