"""Searches that are interrupted, killed, taken up again, or meet errors."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("optuna", reason="Optuna is not installed")

import dnnfast as keras
from dnnfast import tuners
from tuners.nets import Scored, X, Y, asking, net

QUIET = {"verbose": 0, "epochs": 2, "validation_split": 0.25}


@pytest.fixture
def folder(tmp_path):
    return {"directory": tmp_path, "seed": 1}


def tried(tuner):
    return [trial.hyperparameters.values for trial in tuner.oracle.trials.values()]


def test_a_search_goes_on(folder):
    first = keras.RandomSearch(net, "val_accuracy", max_trials=2, **folder)
    first.search(X, Y, **QUIET)
    second = keras.RandomSearch(net, "val_accuracy", max_trials=4, **folder)
    assert [t.score for t in second.oracle.trials.values()] == [
        trial.score for trial in first.oracle.trials.values()
    ]
    second.search(X, Y, **QUIET)
    whole = keras.RandomSearch(net, "val_accuracy", max_trials=4, project_name="whole", **folder)
    whole.search(X, Y, **QUIET)
    assert tried(second) == tried(whole)
    assert second.get_best_models()[0].predict(X, verbose=0).shape == (120, 1)
    new = keras.RandomSearch(net, "val_accuracy", max_trials=1, overwrite=True, **folder)
    assert new.oracle.trials == {}
    with pytest.raises(ValueError, match="objective to be made MAXIMIZED, not 'min'"):
        keras.RandomSearch(net, "val_loss", **folder)


def test_an_interrupted_search_keeps_what_was_done(folder):
    calls = []

    def score(hp):
        calls.append(hp.Float("x", 0, 1))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return calls[-1]

    tuner = keras.RandomSearch(Scored(score), max_trials=4, **folder)
    with pytest.raises(KeyboardInterrupt):
        tuner.search(verbose=0)
    assert len(tuner.oracle.get_best_trials(9)) == 2
    assert [t.status for t in tuner.oracle.trials.values()][-1] == "INTERRUPTED"
    same = keras.RandomSearch(Scored(score), max_trials=4, **folder)
    for one in (tuner, same):
        calls.append(None)
        one.search(verbose=0)
        assert len(one.oracle.get_best_trials(9)) == 4
        assert calls[2] in [t.score for t in one.oracle.trials.values()]  # tried again


KILLED = """
import os, sys
from tuners.nets import Scored
import dnnfast as keras
def score(hp):
    if len(tuner.oracle.trials) == 3:
        os._exit(9)
    return hp.Float("x", 0, 1)
tuner = keras.RandomSearch(Scored(score), max_trials=4, directory=sys.argv[1], seed=1)
tuner.search(verbose=0)
"""


def test_a_killed_search_goes_on(folder):
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", KILLED, str(folder["directory"])], env=paths)
    assert run.returncode == 9
    tuner = keras.RandomSearch(Scored(lambda hp: hp.Float("x", 0, 1)), max_trials=4, **folder)
    assert [t.status for t in tuner.oracle.trials.values()] == ["COMPLETED"] * 2 + ["INTERRUPTED"]
    tuner.search(verbose=0)
    assert len(tuner.oracle.get_best_trials(9)) == 4


def test_failures(folder):
    def sometimes(hp):
        if hp.Choice("x", [0, 1, 2, 3]) % 2:
            raise tuners.FailedTrialError("odd numbers do not fit")
        return 1.0

    tuner = keras.GridSearch(Scored(sometimes), **folder)
    tuner.search(verbose=0)
    states = [(t.status, t.message) for t in tuner.oracle.trials.values()]
    assert states[:2] == [("COMPLETED", None), ("FAILED", "odd numbers do not fit")]
    runs = []

    def broken(hp):
        runs.append(hp.Float("x", 0, 1))
        raise ZeroDivisionError("in fit")

    tuner = keras.RandomSearch(Scored(broken), max_retries_per_trial=1, project_name="b", **folder)
    with pytest.raises(tuners.SearchFailure, match=r"(?s)3 trials failed.*ZeroDivisionError: in"):
        tuner.search(verbose=0)
    assert len(runs) == 6 and runs[0] == runs[1] != runs[2]

    def fatal(hp):
        raise tuners.FatalError("no use")

    with pytest.raises(tuners.FatalError, match="no use"):
        keras.RandomSearch(Scored(fatal), project_name="c", **folder).search(verbose=0)


def test_a_rate_that_is_too_high_is_no_mistake(folder):
    """Neither ends the search; what was reached before it counts."""

    def build(hp):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        rate = hp.Choice("rate", [1e30, 1e32, 1e34, 1e36, 0.01])
        model.compile(keras.optimizers.SGD(rate), "mse")
        return model

    tuner = keras.GridSearch(build, "loss", **folder)
    tuner.search(X, Y, epochs=3, verbose=0)
    assert tuner.get_best_hyperparameters()[0].get("rate") == 0.01
    first = tuner.oracle.get_trial("0000")
    assert first.status == "FAILED" and "learning rate" in first.message


def test_what_is_reported_must_tell_the_objective(folder):
    for objective, message in (
        ("val_accuracy", "'val_accuracy' is not among what was reported: loss, accuracy"),
        (None, "there is no objective: pass objective="),
    ):
        tuner = keras.RandomSearch(net, objective, project_name=str(objective), **folder)
        with pytest.raises(ValueError, match=message):
            tuner.search(X, Y, epochs=1, verbose=0)
    tuner = keras.RandomSearch(Scored(lambda hp: None), project_name="none", **folder)
    with pytest.raises(ValueError, match="must return the History"):
        tuner.search(verbose=0)


def test_a_changed_space_is_told(folder):
    changes = ((("Choice", [1, 2, 3]), ("Choice", [1, 2, 9])), (("Int", 1, 5), ("Int", 1, 6)))
    for i, (before, after) in enumerate(changes):
        options = {"project_name": str(i), **folder}
        tuner = keras.RandomSearch(Scored(asking(a=before)), max_trials=2, **options)
        tuner.search(verbose=0)
        tuner = keras.RandomSearch(Scored(asking(a=after)), max_trials=3, **options)
        with pytest.raises(ValueError, match="'a' had other values in the study that goes on"):
            tuner.search(verbose=0)

    def build(hp):
        hp.Choice("a", choices)
        return Scored(None).build(hp)

    for choices in ([1, 2], [2, 3]):
        tuner = keras.RandomSearch(build, "loss", max_trials=len(choices), **folder)
        if choices == [1, 2]:
            tuner._end(tuner.oracle.create_trial(), False)
    with pytest.raises(ValueError, match="'a' had other values"):
        tuner.search(X[:, :1], Y, verbose=0)
