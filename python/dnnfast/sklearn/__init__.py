"""Estimators for scikit-learn: ready-made nets, and wrappers around models.

They need scikit-learn 1.6 or newer: ``pip install 'dnnfast[sklearn]'``.
"""

from __future__ import annotations

from dnnfast.extras import need

need("sklearn", "dnnfast.sklearn", "sklearn")

from dnnfast.sklearn.dnn import DNNClassifier, DNNRegressor  # noqa: E402
from dnnfast.sklearn.wrappers import KerasClassifier, KerasRegressor  # noqa: E402

__all__ = ["DNNClassifier", "DNNRegressor", "KerasClassifier", "KerasRegressor"]
