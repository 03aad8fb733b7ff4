"""Estimators around models, under the names of Keras: of Keras 3, and of older code.

See `dnnfast.sklearn` for estimators that need no model, and for the parameters of the wrappers.
"""

from __future__ import annotations

from dnnfast.sklearn import KerasClassifier, KerasRegressor
from dnnfast.wrappers import scikit_learn
from dnnfast.wrappers.sklearn_wrapper import (
    SKLearnClassifier,
    SKLearnRegressor,
    SKLearnTransformer,
)

__all__ = [
    "KerasClassifier",
    "KerasRegressor",
    "SKLearnClassifier",
    "SKLearnRegressor",
    "SKLearnTransformer",
    "scikit_learn",
]
