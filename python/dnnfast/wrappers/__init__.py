"""Estimators around models, under the names of older Keras code; see `dnnfast.sklearn`."""

from __future__ import annotations

from dnnfast.sklearn import KerasClassifier, KerasRegressor
from dnnfast.wrappers import scikit_learn

__all__ = ["KerasClassifier", "KerasRegressor", "scikit_learn"]
