"""dnnfast: dense networks, trained fast, with the API of Keras (``import dnnfast as keras``)."""

from __future__ import annotations

import importlib
from typing import Any

from dnnfast import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    distribution,
    dtype_policies,
    dtypes,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    random,
    regularizers,
    saving,
    tree,
    utils,
)
from dnnfast.dtype_policies import DTypePolicy, FloatDTypePolicy
from dnnfast.initializers import Initializer
from dnnfast.keras_tensor import KerasTensor
from dnnfast.layers import Input, InputSpec, Layer
from dnnfast.losses import Loss
from dnnfast.metrics import Metric
from dnnfast.models import Model, Sequential
from dnnfast.name_scopes import name_scope
from dnnfast.operation import Operation
from dnnfast.optimizers import Optimizer
from dnnfast.regularizers import Regularizer
from dnnfast.stateless import StatelessScope
from dnnfast.variable import Variable
from dnnfast.version import __version__

# Loaded on first use: data sets and plots need no engine, kernels the native one, the reference is
# large, estimators need scikit-learn and tuners Optuna.
_LAZY = ("datasets", "errors", "kernels", "plots", "reference", "sklearn", "tuners", "wrappers")
_OF_TUNERS = (
    "BayesianOptimization",
    "GridSearch",
    "HyperModel",
    "HyperParameters",
    "Hyperband",
    "Objective",
    "RandomSearch",
)


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return importlib.import_module(f"dnnfast.{name}")
    if name in _OF_TUNERS:
        return getattr(importlib.import_module("dnnfast.tuners"), name)
    if name == "report":  # draws
        return importlib.import_module("dnnfast.reports").report
    raise AttributeError(f"module 'dnnfast' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY, *_OF_TUNERS, "report"])


__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Operation",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "StatelessScope",
    "Variable",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "distribution",
    "dtype_policies",
    "dtypes",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
]
