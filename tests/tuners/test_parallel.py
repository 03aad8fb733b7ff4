"""Trials in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from itertools import pairwise

import pytest

pytest.importorskip("optuna", reason="Optuna is not installed")

import optuna

import dnnfast as keras
from dnnfast import tuners
from tuners.nets import Scored, X, Y, net

pytestmark = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here"
)
QUIET = {"verbose": 0, "epochs": 2, "validation_split": 0.25}


@pytest.fixture
def folder(tmp_path):
    return {"directory": tmp_path, "seed": 1}


def children():
    """Those of searches; other tests' pools may wait for work."""
    found = multiprocessing.active_children()
    return [process for process in found if not process.name.startswith("Loky")]


def test_the_same_results_as_one_after_the_other(folder):
    found = []
    for n_jobs in (1, 2):
        tuner = keras.RandomSearch(
            net, "val_accuracy", max_trials=4, project_name=str(n_jobs), **folder
        )
        tuner.search(X, Y, n_jobs=n_jobs, **QUIET)
        names = ("n_hidden", "learning_rate")
        trials = tuner.oracle.trials.values()
        values = [[t.hyperparameters.get(name) for name in names] for t in trials]
        found.append((values, [trial.score for trial in trials]))
        best = tuner.oracle.get_best_trials()[0]
        accuracy = tuner.get_best_models()[0].evaluate(X[90:], Y[90:], verbose=0)[1]
        assert accuracy == pytest.approx(best.score, abs=1e-6)
    assert found[0] == found[1]


def test_processes_of_one_thread_at_the_same_time(folder):
    def score(hp):
        hp.Int("n", 0, 1000)  # asked of the searching process
        start = time.time()
        time.sleep(0.3)
        return {
            "loss": 0.0, "pid": os.getpid(), "threads": keras.config.threads(),
            "start": start, "end": time.time(),
        }  # fmt: skip

    tuner = keras.RandomSearch(Scored(score), "loss", max_trials=4, **folder)
    tuner.search(n_jobs=2)
    trials = [trial.metrics for trial in tuner.oracle.trials.values()]
    assert len({metrics.get_last_value("pid") for metrics in trials}) == 4
    assert {metrics.get_last_value("threads") for metrics in trials} == {1}
    times = [[metrics.get_last_value(name) for name in ("start", "end")] for metrics in trials]
    assert any(second[0] < first[1] for first, second in pairwise(sorted(times)))
    assert len({t.hyperparameters.get("n") for t in tuner.oracle.trials.values()}) == 4


def test_hyperband_waits_for_its_rounds(folder):
    tuner = keras.Hyperband(net, "val_loss", max_epochs=3, factor=3, **folder)
    tuner.search(X, Y, n_jobs=3, validation_split=0.25, verbose=0)
    places = sorted(
        (t.hyperparameters.values["tuner/bracket"], t.hyperparameters.values["tuner/round"])
        for t in tuner.oracle.trials.values()
    )
    assert places == [(0, 0)] * 2 + [(1, 0)] * 3 + [(1, 1)]
    (child,) = [t for t in tuner.oracle.trials.values() if t.place["round"] == 1]
    begun = [t for t in tuner.oracle.trials.values() if t.place["bracket"] == 1]
    best = min((t for t in begun if t.place["round"] == 0), key=lambda trial: trial.score)
    assert child.place["parent"] == best.trial_id


def test_pruning(folder):
    class Constant(tuners.HyperModel):
        def build(self, hp):
            return net(hp)

        def fit(self, hp, model, *args, callbacks, **kwargs):
            level = hp.Choice("level", [1.0, 2.0, 3.0, 4.0])
            fake = keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: (
                    logs.update(level=level),
                    time.sleep(0.05 * level),
                )
            )
            return model.fit(*args, callbacks=[fake, *callbacks], **kwargs)

    hp = tuners.HyperParameters()
    for name, value in (("n_hidden", 0), ("units", 4), ("learning_rate", 0.01)):
        hp.Fixed(name, value)
    tuner = keras.GridSearch(
        Constant(), tuners.Objective("level", "min"), hyperparameters=hp,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=1), **folder,
    )  # fmt: skip
    tuner.search(X, Y, epochs=4, n_jobs=2)
    states = [trial.status for trial in tuner.oracle.trials.values()]
    assert states[0] == "COMPLETED" and states[-1] == "STOPPED"


def test_a_process_that_dies_is_a_failed_trial(folder):
    def score(hp):
        if hp.Choice("x", [0, 1, 2, 3, 4]) == 1:
            os._exit(7)
        return 1.0

    tuner = keras.GridSearch(Scored(score), **folder)
    tuner.search(n_jobs=2, verbose=0)
    failed = [t for t in tuner.oracle.trials.values() if t.status == "FAILED"]
    assert [t.message for t in failed] == ["its process ended with exit code 7"]
    assert len(tuner.oracle.get_best_trials(9)) == 4


def test_errors_come_through(folder):
    def broken(hp):
        hp.Int("n", 0, 1000)
        raise ZeroDivisionError("in fit")

    tuner = keras.RandomSearch(Scored(broken), **folder)
    with pytest.raises(tuners.SearchFailure, match="ZeroDivisionError: in fit"):
        tuner.search(n_jobs=2, verbose=0)
    tuner = keras.RandomSearch(net, "val_loss", project_name="c", **folder)
    with pytest.raises(ValueError, match="'val_loss' is not among what was reported"):
        tuner.search(X, Y, n_jobs=2, verbose=0)
    assert children() == []


def test_an_interrupted_search_ends_its_processes(folder):
    def score(hp):
        if hp.Choice("x", [0, 1, 2, 3]) > 1:
            time.sleep(60)
        return 1.0

    tuner = keras.GridSearch(Scored(score), **folder)

    def interrupt():
        while len(tuner.oracle.get_best_trials(9)) < 2 or len(tuner.oracle.trials) < 4:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    start = time.time()
    with pytest.raises(KeyboardInterrupt):
        tuner.search(n_jobs=2, verbose=0)
    assert time.time() - start < 20 and children() == []
    states = sorted(trial.status for trial in tuner.oracle.trials.values())
    assert states == ["COMPLETED"] * 2 + ["INTERRUPTED"] * 2
    quick = keras.GridSearch(Scored(lambda hp: float(hp.Choice("x", [0, 1, 2, 3]))), **folder)
    quick.search(n_jobs=2, verbose=0)
    assert sorted(t.hyperparameters.get("x") for t in quick.oracle.get_best_trials(9)) == [
        0,
        1,
        2,
        3,
    ]


def test_a_gpu_runs_one_trial(folder, monkeypatch):
    monkeypatch.setattr(keras.config, "device", lambda: "cuda:0")
    tuner = keras.RandomSearch(Scored(lambda hp: 1.0), **folder)
    with pytest.raises(ValueError, match="n_jobs above 1 is for the CPU"):
        tuner.search(n_jobs=2)
