"""Searches: what they try, keep, print, survive, and go on with."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest

pytest.importorskip("optuna", reason="Optuna is not installed")

import optuna

import dnnfast as keras
from dnnfast import tuners
from tuners.nets import Scored, X, Y, asking, net

QUIET = {"verbose": 0, "epochs": 2, "validation_split": 0.25}


@pytest.fixture
def folder(tmp_path):
    return {"directory": tmp_path, "seed": 1}


def tried(tuner):
    return [trial.hyperparameters.values for trial in tuner.oracle.trials.values()]


def test_random_search(folder):
    tuner = keras.RandomSearch(net, "val_accuracy", max_trials=4, **folder)
    assert tuner.remaining_trials == 4
    tuner.search(X, Y, **QUIET)
    best = tuner.oracle.get_best_trials(4)
    scores = [trial.score for trial in best]
    assert len(best) == 4 and scores == sorted(scores, reverse=True)
    assert tuner.remaining_trials == 0
    last = best[0].metrics.get_last_value("val_accuracy")
    assert last == best[0].score == best[0].metrics.get_best_value("val_accuracy")
    assert set(best[0].metrics.observations) == {"accuracy", "loss", "val_accuracy", "val_loss"}
    models = tuner.get_best_models(num_models=2)
    for model, trial in zip(models, best, strict=False):
        found = model.evaluate(X[90:], Y[90:], verbose=0, return_dict=True)
        assert found["accuracy"] == pytest.approx(trial.score, abs=1e-6)
        assert found["loss"] == pytest.approx(trial.metrics.get_last_value("val_loss"), abs=1e-5)
    values = tuner.get_best_hyperparameters()[0].values
    assert set(values) <= {"n_hidden", "units", "learning_rate"}
    again = keras.RandomSearch(net, "val_accuracy", max_trials=4, project_name="2", **folder)
    again.search(X, Y, **QUIET)
    assert [t.score for t in again.oracle.get_best_trials(4)] == scores  # the seed says it all


def test_the_best_epoch_counts(folder):
    """Of weights, metrics and score; not the last epoch."""

    class Spoilt(tuners.HyperModel):
        def build(self, hp):
            return net(hp)

        def fit(self, hp, model, *args, callbacks, **kwargs):
            def spoil(epoch, logs):
                if epoch == 3:
                    model.set_weights([-100 * weight for weight in model.get_weights()])

            callbacks = [keras.callbacks.LambdaCallback(on_epoch_begin=spoil), *callbacks]
            return model.fit(*args, callbacks=callbacks, **kwargs)

    tuner = keras.RandomSearch(Spoilt(), "val_loss", max_trials=1, **folder)
    tuner.search(X, Y, epochs=5, validation_data=(X, Y), verbose=0)
    (trial,) = tuner.oracle.get_best_trials()
    assert trial.best_step == 2
    found = tuner.get_best_models()[0].evaluate(X, Y, verbose=0)[0]
    assert found == pytest.approx(trial.score, abs=1e-5)


def test_a_finite_space_is_searched_once(folder):
    score = asking(a=("Choice", [1, 2, 3]), b=("Boolean",))
    tuner = keras.RandomSearch(Scored(score), max_trials=50, **folder)
    tuner.search(verbose=0)
    unique = {tuple(sorted(values.items())) for values in tried(tuner)}
    assert len(tuner.oracle.trials) == len(unique) == 6


def test_grid_search(folder):
    def score(hp):
        if hp.Choice("a", ["x", "y"]) == "y":
            with hp.conditional_scope("a", ["y"]):
                hp.Int("b", 0, 2)
        return float(hp.get("a") == "y" and hp.get("b") == 1)

    tuner = keras.GridSearch(Scored(score), tuners.Objective("score", "max"), **folder)
    tuner.search(verbose=0)
    assert tried(tuner) == [{"a": "x"}, *({"a": "y", "b": b} for b in range(3))]
    assert tuner.get_best_hyperparameters()[0].values == {"a": "y", "b": 1}
    few = keras.GridSearch(Scored(score), max_trials=2, project_name="few", **folder)
    few.search(verbose=0)
    assert len(few.oracle.trials) == 2


def test_bayesian_optimization(folder):
    def bowl(hp):
        x, rate = hp.Float("x", -1, 1), hp.Float("rate", 1e-4, 1, sampling="log")
        kind = {"a": 0.0, "b": 0.3}[hp.Choice("kind", ["b", "a"])]
        return (x - 0.3) ** 2 + (np.log10(rate) + 2) ** 2 / 4 + kind

    options = {"max_trials": 30, "num_initial_points": 8, **folder}
    tuner = keras.BayesianOptimization(Scored(bowl), project_name="bayes", **options)
    tuner.search(verbose=0)
    best = tuner.oracle.get_best_trials()[0]
    assert best.score < 0.02 and best.hyperparameters.get("kind") == "a"
    later = [trial.score for trial in list(tuner.oracle.trials.values())[-8:]]
    random = keras.RandomSearch(Scored(bowl), max_trials=30, project_name="random", **folder)
    random.search(verbose=0)
    assert np.median(later) < 0.25 * np.median([t.score for t in random.oracle.trials.values()])


def test_hyperband(folder):
    tuner = keras.Hyperband(net, "val_loss", max_epochs=9, factor=3, **folder)
    given = {"callbacks": [keras.callbacks.History()], "validation_split": 0.25, "verbose": 0}
    tuner.search(X, Y, epochs=1, **given)
    values = tried(tuner)
    places = [(v["tuner/bracket"], v["tuner/round"], v["tuner/epochs"]) for v in values]
    expected = [(2, 0, 1)] * 9 + [(2, 1, 3)] * 3 + [(2, 2, 9)]
    assert places == expected + [(1, 0, 3)] * 5 + [(1, 1, 9)] + [(0, 0, 9)] * 3
    first = list(tuner.oracle.trials.values())[:9]
    best = sorted(first, key=lambda trial: trial.score)[:3]
    assert [v["tuner/trial_id"] for v in values[9:12]] == [trial.trial_id for trial in best]
    for value in values:
        if "tuner/trial_id" in value:
            parent = tuner.oracle.get_trial(value["tuner/trial_id"]).hyperparameters.values
            assert value["tuner/initial_epoch"] == parent["tuner/epochs"]
            assert value["learning_rate"] == parent["learning_rate"]


def test_hyperband_goes_on_from_the_weights(folder):
    begun = []

    class Watched(tuners.HyperModel):
        def build(self, hp):
            return net(hp)

        def fit(self, hp, model, *args, **kwargs):
            earlier = hp.values.get("tuner/trial_id")
            if earlier is not None:
                loss = model.evaluate(X, Y, verbose=0)[0]
                begun.append((earlier, loss, kwargs["initial_epoch"], kwargs["epochs"]))
            return model.fit(*args, **kwargs)

    tuner = keras.Hyperband(Watched(), "val_loss", max_epochs=4, factor=4, **folder)
    tuner.search(X, Y, validation_data=(X, Y), verbose=0)
    assert [entry[2:] for entry in begun] == [(1, 4)]
    for earlier, loss, *_ in begun:
        assert loss == pytest.approx(tuner.oracle.get_trial(earlier).score, abs=1e-5)


def test_what_fit_asks_for_is_tuned(folder):
    class Batches(tuners.HyperModel):
        def build(self, hp):
            return net(hp)

        def fit(self, hp, model, *args, **kwargs):
            return model.fit(*args, batch_size=hp.Choice("batch_size", [8, 32]), **kwargs)

    tuner = keras.RandomSearch(Batches(), "val_loss", max_trials=8, **folder)
    tuner.search(X, Y, **QUIET)
    assert {values["batch_size"] for values in tried(tuner)} == {8, 32}


def test_a_subclass_runs_its_own_trials(folder):
    class Line(keras.RandomSearch):
        def run_trial(self, trial, target, **kwargs):
            return abs(trial.hyperparameters.Float("x", 0, 1) - target)

    tuner = Line(max_trials=5, **folder)
    tuner.search(0.5, verbose=0)
    assert tuner.oracle.get_best_trials()[0].score < 0.3


def test_given_hyperparameters(folder):
    hp = tuners.HyperParameters()
    hp.Fixed("learning_rate", 0.0125)
    hp.Int("n_hidden", 1, 2)
    tuner = keras.RandomSearch(
        net, "val_loss", max_trials=3, hyperparameters=hp, tune_new_entries=False, **folder
    )
    tuner.search(X, Y, **QUIET)
    for values in tried(tuner):
        assert values["learning_rate"] == 0.0125 and values["units"] == 4
    with pytest.raises(RuntimeError, match=r"allow_new_entries is False, but 'units'"):
        keras.RandomSearch(
            net, "val_loss", hyperparameters=hp, allow_new_entries=False, project_name="b", **folder
        )


def test_executions_are_averaged(folder):
    values = iter([1.0, 3.0, 5.0, 5.0])
    tuner = keras.RandomSearch(
        Scored(lambda hp: hp.Float("x", 0, 1) * 0 + next(values)),
        max_trials=2, executions_per_trial=2, **folder,
    )  # fmt: skip
    tuner.search(verbose=0)
    assert [trial.score for trial in tuner.oracle.trials.values()] == [2.0, 5.0]
    history = tuner.oracle.get_trial("0000").metrics.get_history("default_objective")
    assert history[0].value == [1.0, 3.0]


def test_several_objectives(folder):
    def score(hp):
        x = hp.Choice("x", [0, 1, 2])
        return {"cost": x**2, "gain": 3 * x}

    objectives = [tuners.Objective("cost", "min"), tuners.Objective("gain", "max")]
    tuner = keras.GridSearch(Scored(score), objectives, **folder)
    tuner.search(verbose=0)
    assert [trial.score for trial in tuner.oracle.trials.values()] == [0, -2, -2]


def test_pruning(folder):
    """Trials that are worse than the earlier ones end before their last epoch."""

    class Constant(tuners.HyperModel):
        def build(self, hp):
            return net(hp)

        def fit(self, hp, model, *args, callbacks, **kwargs):
            level = hp.Choice("level", [1.0, 2.0, 3.0])
            fake = keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: logs.update(level=level)
            )
            return model.fit(*args, callbacks=[fake, *callbacks], **kwargs)

    tuner = keras.GridSearch(
        Constant(), tuners.Objective("level", "min"), max_trials=3,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=1), hyperparameters=fixed(), **folder,
    )  # fmt: skip
    tuner.search(X, Y, epochs=4, verbose=0)
    trials = list(tuner.oracle.trials.values())
    assert [trial.status for trial in trials] == ["COMPLETED", "STOPPED", "STOPPED"]
    assert len(tuner.oracle.get_best_trials(9)) == 1


def fixed():
    hp = tuners.HyperParameters()
    for name, value in (("n_hidden", 0), ("units", 4), ("learning_rate", 0.01)):
        hp.Fixed(name, value)
    return hp


def test_a_sampler_of_optuna(folder):
    """It chooses what the oracle would, also of what is found only in `fit`."""

    def build(hp):
        hp.Float("x", 0, 1)
        hp.Choice("kind", ["a", "b", "c"])
        return Scored(None).build(hp)

    class Late(tuners.HyperModel):
        def build(self, hp):
            return build(hp)

        def fit(self, hp, model, *args, **kwargs):
            return hp.get("x") + hp.Int("n", 0, 10)

    given = {"kind": "b", "n": 7}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls it experimental
        sampler = optuna.samplers.PartialFixedSampler(given, optuna.samplers.RandomSampler(seed=0))
    tuner = keras.RandomSearch(Late(), max_trials=6, sampler=sampler, **folder)
    tuner.search(verbose=0)
    assert [{name: v[name] for name in given} for v in tried(tuner)] == [given] * 6
    assert len({values["x"] for values in tried(tuner)}) == 6


def test_callbacks_are_copied(folder):
    class Counter(keras.callbacks.Callback):
        count = 0

        def on_epoch_end(self, epoch, logs=None):
            self.count += 1
            assert self.count == epoch + 1

    counter = Counter()
    board = keras.callbacks.TensorBoard(folder["directory"] / "board")
    stop = keras.callbacks.EarlyStopping(patience=5)
    tuner = keras.RandomSearch(net, "val_loss", max_trials=2, **folder)
    tuner.search(X, Y, callbacks=[counter, board, stop], **QUIET)
    assert counter.count == 0
    for trial in ("0000", "0001"):
        assert list((folder["directory"] / "board" / trial / "execution0" / "train").iterdir())


def test_what_is_printed(folder, capsys):
    tuner = keras.GridSearch(Scored(asking(a=("Choice", [10, 20]))), **folder)
    tuner.search()
    said = capsys.readouterr().out
    assert "Trial 0001 begins" in said and "Best default_objective so far: 0" in said
    tuner.results_summary(1)
    said = capsys.readouterr().out
    assert f"Results in {folder['directory']}" in said and "a: 10" in said and "score: 0.0" in said
    tuner.search_space_summary()
    assert "a (Choice)" in capsys.readouterr().out
    tuner.oracle.get_best_trials()[0].summary()
    assert capsys.readouterr().out.splitlines() == [
        "Trial 0000: completed",
        "  a: 10",
        "  score: 0.0",
    ]
    quiet = keras.GridSearch(Scored(asking(a=("Boolean",))), project_name="q", **folder)
    quiet.search(verbose=0)
    assert capsys.readouterr().out == ""


def test_errors(folder):
    with pytest.raises(ValueError, match="hypermodel must be"):
        keras.RandomSearch(3, "loss", **folder)
    with pytest.raises(ValueError, match="pass a hypermodel, or override"):
        keras.RandomSearch(objective="loss", **folder)
    with pytest.raises(tuners.FatalError, match="must return a compiled Model, got 5"):
        keras.RandomSearch(lambda hp: 5, "loss", **folder)
    with pytest.raises(ValueError, match="factor must be a number above 1"):
        keras.Hyperband(net, "loss", factor=1, **folder)
    with pytest.raises(ValueError, match="tune_new_entries=False needs"):
        keras.RandomSearch(net, "loss", tune_new_entries=False, **folder)
    tuner = keras.RandomSearch(net, "loss", **folder)
    with pytest.raises(ValueError, match="n_jobs must be an integer of at least 1"):
        tuner.search(X, Y, n_jobs=0)


def test_missing_optuna_is_named():
    code = "import sys; sys.modules['optuna'] = None; import dnnfast; dnnfast.RandomSearch"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'dnnfast[tune]'" in run.stderr.strip().splitlines()[-1]
