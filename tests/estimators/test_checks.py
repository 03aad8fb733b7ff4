"""scikit-learn's own checks of estimators."""

from __future__ import annotations

import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.utils.estimator_checks import parametrize_with_checks

from dnnfast.sklearn import (
    DNNClassifier,
    DNNRegressor,
    KerasClassifier,
    KerasRegressor,
)
from estimators.builders import for_data

WRAPPED = {
    "epochs": 30,
    "batch_size": 16,
    "verbose": 0,
    "optimizer": "adam",
    "optimizer__learning_rate": 0.02,
}
ESTIMATORS = [
    DNNClassifier(4, 20, configuration="self_normalizing", max_iter=40, n_iter_no_change=5),
    DNNRegressor(n_neurons=20, max_iter=60, n_iter_no_change=5),
    KerasClassifier(for_data, **WRAPPED),
    KerasRegressor(for_data, **WRAPPED),
]


def expected_to_fail(estimator):
    """Samples that weigh 2 are not drawn twice: batches hold others, and sums are of float32."""
    name = "check_sample_weight_equivalence_on_dense_data"
    return {name: "trained on batches, in float32; see test_weights_are_repetitions"}


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_to_fail)
def test_estimator(estimator, check):
    check(estimator)
