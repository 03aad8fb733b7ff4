"""Search for hyperparameters, in the words of Keras Tuner, over Optuna.

The tuners need Optuna: ``pip install 'dnnfast[tune]'``.
"""

from __future__ import annotations

import importlib
from typing import Any

from dnnfast.tuners.errors import FailedTrialError, FatalError, SearchFailure
from dnnfast.tuners.hypermodel import HyperModel
from dnnfast.tuners.hyperparameters import HyperParameters
from dnnfast.tuners.objective import Objective

# Loaded on first use, as they need Optuna; and where they are.
_LAZY = {
    "BayesianOptimization": "search",
    "GridSearch": "search",
    "Hyperband": "search",
    "Oracle": "oracle",
    "RandomSearch": "search",
    "Trial": "trial",
    "Tuner": "tuner",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"dnnfast.tuners.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'dnnfast.tuners' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])


__all__ = [
    "FailedTrialError",
    "FatalError",
    "HyperModel",
    "HyperParameters",
    "Objective",
    "SearchFailure",
    *_LAZY,
]
