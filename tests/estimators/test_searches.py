"""Estimators in scikit-learn's tools: pipelines, searches, processes, frames of pandas."""

from __future__ import annotations

import multiprocessing
import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

import joblib
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import BaggingClassifier, VotingRegressor
from sklearn.inspection import permutation_importance
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import dnnfast as keras
from dnnfast.sklearn import DNNClassifier, DNNRegressor, KerasClassifier, KerasRegressor
from estimators.builders import classification, regression, threads_after_fit

RNG = np.random.default_rng(2)
X = RNG.normal(size=(240, 2)).astype(np.float32)
LABELS = np.where(X[:, 0] * X[:, 1] > 0, "same", "different")
X8 = RNG.normal(size=(150, 8)).astype(np.float32)
Y8 = X8.sum(axis=1)
FAST = {"n_neurons": 20, "max_iter": 40, "learning_rate": 0.01, "random_state": 0}


def test_grid_search_over_a_pipeline_in_two_processes():
    pipeline = make_pipeline(StandardScaler(), DNNClassifier(**FAST))
    grid = {"dnnclassifier__n_hidden_layers": [0, 2], "dnnclassifier__n_neurons": [10]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2, error_score="raise").fit(X, LABELS)
    assert search.best_params_["dnnclassifier__n_hidden_layers"] == 2
    assert search.score(X, LABELS) > 0.9
    alone = cross_val_score(search.best_estimator_, X, LABELS, cv=3)
    assert alone.mean() == pytest.approx(search.best_score_)  # the same bits in any process


def test_randomized_search_of_the_course():
    options = {
        "n_hidden": [0, 1, 2],
        "n_neurons": np.arange(1, 30).tolist(),
        "learning_rate": np.geomspace(3e-4, 3e-2, 50).tolist(),
    }
    net = keras.wrappers.scikit_learn.KerasRegressor(regression, verbose=0)
    search = RandomizedSearchCV(
        net, options, n_iter=4, cv=3, n_jobs=2, random_state=42, error_score="raise"
    )
    stop = keras.callbacks.EarlyStopping(patience=10)
    search.fit(X8, Y8, epochs=4, validation_data=(X8, Y8), callbacks=[stop])
    assert set(search.best_params_) == set(options) and search.best_score_ < 0
    model = search.best_estimator_.model
    assert search.score(X8, Y8) == pytest.approx(-model.evaluate(X8, Y8, verbose=0), rel=1e-5)


def test_search_over_routed_parameters():
    net = KerasClassifier(classification, epochs=15, outputs=1, end="sigmoid", verbose=0)
    net.set_params(loss="binary_crossentropy", random_state=1)
    grid = {"units": [1, 20], "batch_size": [16], "fit__shuffle": [True]}
    search = GridSearchCV(net, grid, cv=2, error_score="raise").fit(X, LABELS)
    assert search.best_params_["units"] == 20


def fitted_score(estimator, x, y):
    return estimator.fit(x, y).score(x, y)


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here"
)
def test_processes_that_are_forks():
    """A child of fork has none of the threads that the parent's engine started."""
    before = keras.config.threads()
    keras.config.set_threads(2)
    try:
        net = DNNClassifier(1, 512, batch_size=120, max_iter=3, random_state=0)
        expected = fitted_score(net, X, LABELS)  # starts the threads
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks while threads run
            with joblib.parallel_config(backend="multiprocessing"):
                jobs = [joblib.delayed(fitted_score)(net, X, LABELS) for _ in range(4)]
                found = joblib.Parallel(n_jobs=2, timeout=60)(jobs)
        assert found == [expected] * 4
        assert fitted_score(net, X, LABELS) == expected
    finally:
        keras.config.set_threads(before)


def test_workers_share_the_cores():
    net = DNNClassifier(1, 8, max_iter=1)
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        found = joblib.Parallel(n_jobs=2)(
            joblib.delayed(threads_after_fit)(net, X, LABELS) for _ in range(2)
        )
    assert found == [1, 1]


def test_threads():
    """Each thread has a seed of its own."""
    net = DNNClassifier(1, 64, max_iter=3, random_state=0)
    expected = fitted_score(net, X, LABELS)
    with joblib.parallel_config(backend="threading"):
        jobs = [joblib.delayed(fitted_score)(clone(net), X, LABELS) for _ in range(6)]
        assert joblib.Parallel(n_jobs=3)(jobs) == [expected] * 6


@pytest.mark.parametrize("cls", [DNNClassifier, DNNRegressor])
def test_pickles(cls, tmp_path):
    y = LABELS if cls is DNNClassifier else X[:, 0]
    net = cls(**FAST).fit(X, y)
    copy = pickle.loads(pickle.dumps(net))
    assert (copy.predict(X) == net.predict(X)).all()
    joblib.dump(net, tmp_path / "net.joblib")
    assert (joblib.load(tmp_path / "net.joblib").predict(X) == net.predict(X)).all()
    assert copy.partial_fit(X, y).n_iter_ == net.n_iter_ + 1


def test_frames_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": np.where(X[:, 0] > 0, "x", "y")})
    columns = make_column_transformer((OneHotEncoder(), ["c"]), remainder="passthrough")
    labels = pandas.Series(LABELS, name="label", dtype="category")
    pipeline = make_pipeline(columns, DNNClassifier(**FAST)).fit(frame, labels)
    assert pipeline.score(frame, labels) > 0.9
    net = DNNRegressor(**FAST).fit(frame[["a", "b"]], frame["a"])
    assert net.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names"):
        net.predict(frame[["b", "a"]])
    wrapped = KerasClassifier(classification, outputs=2, epochs=2, verbose=0)
    assert wrapped.fit(frame[["a", "b"]], labels).predict(frame[["a", "b"]]).shape == (240,)


def test_inside_of_other_estimators():
    bag = BaggingClassifier(DNNClassifier(**FAST), n_estimators=2).fit(X, LABELS)
    assert bag.score(X, LABELS) > 0.8
    both = VotingRegressor([("a", DNNRegressor(**FAST)), ("b", DNNRegressor(**FAST))])
    assert both.fit(X8, Y8).score(X8, Y8) > 0.8
    scaled = TransformedTargetRegressor(DNNRegressor(**FAST), transformer=StandardScaler())
    assert scaled.fit(X8, 100 * Y8).score(X8, 100 * Y8) > 0.8
    net = DNNRegressor(**FAST).fit(X8, X8[:, 3])
    importances = permutation_importance(net, X8, X8[:, 3], n_repeats=2, random_state=0)
    assert int(importances.importances_mean.argmax()) == 3
    wrapped = KerasRegressor(regression, n_neurons=5, verbose=0, random_state=0)
    assert cross_val_predict(wrapped, X8, Y8, cv=2).shape == (150,)
