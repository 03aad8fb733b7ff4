"""The estimators of Keras 3's own ``keras.wrappers``."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import dnnfast as keras
from dnnfast.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

RNG = np.random.default_rng(4)
X = RNG.normal(size=(200, 2)).astype(np.float32)
NAMES = np.select([X[:, 0] > 0.5, X[:, 1] > 0.5], ["a", "b"], "c")
QUIET = {"verbose": 0, "epochs": 20}


def dynamic(X, y, loss, layers=(10,), end=None):
    keras.utils.set_random_seed(0)  # the wrappers have no random_state
    model = keras.Sequential([keras.Input(X.shape[1:])])
    for size in layers:
        model.add(keras.layers.Dense(size, activation="relu"))
    model.add(keras.layers.Dense(y.shape[1], activation=end))
    model.compile(keras.optimizers.Adam(0.02), loss)
    return model


CLASSIFIER = {"loss": "categorical_crossentropy", "end": "softmax"}
CHECKED = [
    SKLearnClassifier(dynamic, model_kwargs=CLASSIFIER, fit_kwargs=QUIET),
    SKLearnRegressor(dynamic, model_kwargs={"loss": "mse"}, fit_kwargs=QUIET),
    SKLearnTransformer(dynamic, model_kwargs={"loss": "mse"}, fit_kwargs=QUIET),
]
EXPECTED = {
    "SKLearnClassifier": {
        "check_classifiers_classes": "decision_function has a column for each of two classes, too",
        "check_classifiers_train": "decision_function has a column for each of two classes, too",
        "check_decision_proba_consistency": "decision_function has two columns",
    },
}


@parametrize_with_checks(
    CHECKED, expected_failed_checks=lambda e: EXPECTED.get(type(e).__name__, {})
)
def test_estimator(estimator, check):
    check(estimator)


def test_classifier():
    net = SKLearnClassifier(dynamic, model_kwargs=CLASSIFIER, fit_kwargs=QUIET)
    assert net.fit(X, NAMES).score(X, NAMES) > 0.9 and len(net.history_["loss"]) == 20
    assert net.decision_function(X).shape == (200, 3)
    assert len(net.fit(X, NAMES, epochs=2).history_["loss"]) == 2  # what fit is given wins
    assert cross_val_score(net, X, NAMES, cv=2).mean() > 0.8
    with pytest.raises(ValueError, match="did not have: 'd'"):
        net.score(X[:1], ["d"])
    with pytest.raises(ValueError, match="only one class"):
        net.fit(X, np.zeros(200))


def test_a_model_is_cloned_unless_it_goes_on():
    model = dynamic(X, X[:, :1], "mse")
    before = model.get_weights()
    net = SKLearnRegressor(model, fit_kwargs=QUIET).fit(X, X[:, 0])
    assert net.model_ is not model and net.predict(X).shape == (200,)
    assert all((a == b).all() for a, b in zip(before, model.get_weights(), strict=True))
    assert net.score(X, X[:, 0]) > 0.9 and not hasattr(clone(net), "model_")
    warm = SKLearnRegressor(model, warm_start=True, fit_kwargs=QUIET).fit(X, X[:, 0])
    assert warm.model_ is model
    assert warm.fit(X, X[:, 0]).history_["loss"][0] < net.history_["loss"][0]
    with pytest.raises(RuntimeError, match="must be compiled with an optimizer and a loss"):
        SKLearnRegressor(keras.Sequential([keras.layers.Dense(1)])).fit(X, X[:, 0])


def test_transformer():
    codes = SKLearnTransformer(dynamic, model_kwargs={"loss": "mse"}, fit_kwargs=QUIET)
    two = (NAMES == "a").astype(int)
    assert make_pipeline(codes, LogisticRegression()).fit(X, two).score(X, two) > 0.8
