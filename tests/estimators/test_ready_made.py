"""`DNNClassifier` and `DNNRegressor`: what they build, and what they learn."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import dnnfast
from dnnfast import layers
from dnnfast.sklearn import DNNClassifier, DNNRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 2)) * [1.0, 100.0] + [0.0, 5000.0]
QUADRANT = (X[:, 0] > 0).astype(int) + 2 * (X[:, 1] > 5000)


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


def test_default_configuration():
    model = DNNClassifier(2, 8, max_iter=1).fit(X, QUADRANT).model_
    assert kinds(model) == ["Normalization", "Dense", "Dense", "Dense"]
    hidden = model.layers[1]
    assert hidden.activation is dnnfast.activations.elu
    assert isinstance(hidden.kernel_initializer, dnnfast.initializers.HeNormal)
    assert isinstance(model.optimizer, dnnfast.optimizers.Nadam)


def test_deep_nets_are_normalized_unless_they_do_it_themselves():
    deep = DNNClassifier(4, 8, max_iter=1, dropout=0.1).fit(X, QUADRANT).model_
    assert kinds(deep)[1:5] == ["Dense", "BatchNormalization", "Activation", "Dropout"]
    assert deep.layers[1].bias is None
    own = DNNClassifier(4, 8, configuration="self_normalizing", max_iter=1, dropout=0.1)
    model = own.fit(X, QUADRANT).model_
    assert kinds(model)[1:5] == ["Dense", "AlphaDropout", "Dense", "AlphaDropout"]
    assert model.layers[1].activation is dnnfast.activations.selu
    assert isinstance(model.layers[1].kernel_initializer, dnnfast.initializers.LecunNormal)
    assert model.lint() == []


def test_parameters_reach_the_net():
    net = DNNRegressor(
        2, [8, 4], activation="tanh", alpha=0.01, optimizer="sgd", learning_rate=0.05, max_iter=1,
        standardize=False, batch_normalization=True, loss="mae", schedule="constant",
    ).fit(X, X[:, 0])  # fmt: skip
    dense = [layer for layer in net.model_.layers if isinstance(layer, layers.Dense)]
    assert [layer.units for layer in dense] == [8, 4, 1]
    assert dense[0].kernel_regularizer.l2 == pytest.approx(0.01)
    assert kinds(net.model_)[:3] == ["Dense", "BatchNormalization", "Activation"]
    assert isinstance(net.model_.optimizer, dnnfast.optimizers.SGD)
    assert float(net.model_.optimizer.learning_rate) == pytest.approx(0.05)
    assert net.model_.loss == "mae"


@pytest.mark.parametrize("configuration", ["default", "self_normalizing"])
def test_learns_from_unscaled_data(configuration):
    net = DNNClassifier(n_neurons=30, configuration=configuration, random_state=1)
    assert net.fit(X, QUADRANT).score(X, QUADRANT) > 0.95
    y = 1e4 + 1e3 * X[:, 0] ** 2
    line = DNNRegressor(configuration=configuration, learning_rate=3e-3, random_state=1).fit(X, y)
    assert line.score(X, y) > 0.95
    assert line.predict(X).mean() == pytest.approx(y.mean(), rel=0.01)


LABELS = {
    "str": ["a", "bb", "c", "d"],
    "object": np.array(["a", "bb", "c", "d"], object),
    "negative": [-5, 0, 7, 1000],
    "float": [-1.0, 0.0, 1.0, 2.0],
    "unsigned": np.array([3, 9, 200, 250], np.uint8),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_type(kind):
    names = np.asarray(LABELS[kind])
    y = names[QUADRANT]
    net = DNNClassifier(n_neurons=30, max_iter=60, random_state=1).fit(X, y)
    assert net.classes_.tolist() == sorted(names.tolist())
    assert net.predict(X).dtype == names.dtype
    assert (net.predict(X) == y).mean() > 0.9
    order = [net.classes_.tolist().index(name) for name in names.tolist()]
    chosen = net.predict_proba(X).argmax(axis=1)
    assert (chosen == np.asarray(order)[QUADRANT]).mean() > 0.9


def test_two_labels_are_one_unit():
    y = QUADRANT % 2 == 1
    net = DNNClassifier(n_neurons=20, max_iter=40, random_state=1).fit(X, y)
    assert net.model_.output_shape == (None, 1) and net.predict(X).dtype == bool
    assert (net.predict(X) == y).mean() > 0.95
    probabilities = net.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(probabilities[:, 1:], net.model_.predict(X, verbose=0))
    np.testing.assert_allclose(np.exp(net.predict_log_proba(X)), probabilities, rtol=1e-5)


def test_several_labels_a_sample():
    y = np.stack([X[:, 0] > 0, X[:, 1] > 5000, X[:, 0] > 1], axis=1).astype(int)
    net = DNNClassifier(n_neurons=30, random_state=1).fit(X, y)
    assert net.predict(X).shape == net.predict_proba(X).shape == (300, 3)
    assert net.score(X, y) > 0.85
    with pytest.raises(ValueError, match=r"fitted on rows of 3 labels: expected \(n, 3\)"):
        net.score(X, y[:, :2])


def test_several_targets():
    y = np.stack([X[:, 0], 1e3 * X[:, 1]], axis=1)
    net = DNNRegressor(n_neurons=30, random_state=1).fit(X, y)
    assert net.predict(X).shape == (300, 2) and net.n_outputs_ == 2
    assert net.score(X, y) > 0.95


def test_weights_are_repetitions():
    """Of whole batches in a fixed order, but for rounding."""
    weights = RNG.integers(0, 4, 60)
    rows = np.repeat(np.arange(60), weights)
    options = {
        "batch_size": 1000, "shuffle": False, "max_iter": 30, "random_state": 3,
        "early_stopping": False, "schedule": "constant", "learning_rate": 0.01,
    }  # fmt: skip
    for cls, y in ((DNNClassifier, QUADRANT), (DNNRegressor, X[:, 0])):
        weighted = cls(**options).fit(X[:60], y[:60], sample_weight=weights)
        repeated = cls(**options).fit(X[rows], y[rows])
        method = "predict_proba" if cls is DNNClassifier else "predict"
        a, b = (getattr(net, method)(X) for net in (weighted, repeated))
        np.testing.assert_allclose(a, b, atol=1e-4)


def test_class_weight():
    y = np.where(X[:, 0] + RNG.normal(size=300) > 1.5, "rare", "common")
    options = {"n_neurons": 10, "max_iter": 30, "random_state": 0}
    plain = DNNClassifier(**options).fit(X, y)
    balanced = DNNClassifier(class_weight="balanced", **options).fit(X, y)
    by_hand = DNNClassifier(**options).fit(
        X,
        y,
        sample_weight=np.where(y == "rare", 1 / np.mean(y == "rare"), 1 / np.mean(y != "rare")),
    )
    assert (balanced.predict(X) == "rare").sum() > 1.5 * (plain.predict(X) == "rare").sum()
    np.testing.assert_allclose(balanced.predict_proba(X), by_hand.predict_proba(X), atol=1e-5)


def test_early_stopping():
    y = RNG.integers(0, 2, 300)  # nothing to learn
    net = DNNClassifier(n_iter_no_change=4, random_state=0, learning_rate=0.01).fit(X, y)
    losses = net.history_["val_loss"]
    assert len(losses) == net.n_iter_ < 100
    assert net.n_iter_ - 1 - int(np.argmin(losses)) == 4
    assert min(net.history_["learning_rate"]) < 0.01  # of the performance schedule
    whole = DNNClassifier(early_stopping=False, max_iter=5).fit(X, y)
    assert whole.n_iter_ == 5 and "val_loss" not in whole.history_
    few = DNNClassifier(max_iter=5).fit(X[:90], y[:90])
    assert "val_loss" not in few.history_


def test_one_cycle():
    net = DNNClassifier(schedule="one_cycle", learning_rate=0.01, max_iter=10, n_iter_no_change=2)
    rates = net.fit(X, QUADRANT).history_["learning_rate"]
    assert len(rates) == 10 and rates[-1] < 1e-3
    assert max(rates) > 0.008 and 2 < int(np.argmax(rates)) < 8


def test_training_goes_on():
    net = DNNClassifier(n_neurons=10, max_iter=3, warm_start=True, early_stopping=False)
    first = net.fit(X, QUADRANT).model_
    net.fit(X, QUADRANT)
    assert net.model_ is first and len(net.history_["loss"]) == net.n_iter_ == 6
    net.set_params(warm_start=False).fit(X, QUADRANT)
    assert net.model_ is not first and net.n_iter_ == 3


def test_partial_fit():
    net = DNNClassifier(n_neurons=10, random_state=0, learning_rate=0.01)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        net.partial_fit(X, QUADRANT)
    for begin in (0, 100, 200) * 10:
        rows = slice(begin, begin + 100)
        net.partial_fit(X[rows], QUADRANT[rows], classes=[0, 1, 2, 3])
    assert net.score(X, QUADRANT) > 0.9 and net.n_iter_ == 30
    line = DNNRegressor(random_state=0)
    assert line.partial_fit(X, X[:, 0]).partial_fit(X, X[:, 0]).n_iter_ == 2


def test_seeds():
    a, b, c = (DNNClassifier(max_iter=3, random_state=r).fit(X, QUADRANT) for r in (5, 5, 6))
    assert (a.predict_proba(X) == b.predict_proba(X)).all()
    assert (a.predict_proba(X) != c.predict_proba(X)).any()
    np.random.seed(3)  # noqa: NPY002 (that is what random_state=None means)
    d = DNNClassifier(max_iter=3).fit(X, QUADRANT).predict_proba(X)
    np.random.seed(3)  # noqa: NPY002
    assert (DNNClassifier(max_iter=3).fit(X, QUADRANT).predict_proba(X) == d).all()


def test_the_global_seed_is_left_alone():
    dnnfast.random.set_seed(1)
    expected = dnnfast.random.normal((3,)).tolist()
    dnnfast.random.set_seed(1)
    DNNClassifier(max_iter=1, random_state=5).fit(X, QUADRANT)
    assert dnnfast.random.normal((3,)).tolist() == expected


def test_labels_that_the_training_did_not_have():
    net = DNNClassifier(max_iter=1).fit(X, np.where(QUADRANT == 1, "one", "other"))
    with pytest.raises(ValueError, match="labels that the training did not have: 'two'; it had"):
        net.score(X[:2], ["one", "two"])
    net = DNNClassifier(max_iter=1, warm_start=True).fit(X, QUADRANT)
    with pytest.raises(ValueError, match="did not have: 9; it had 0, 1, 2, 3"):
        net.fit(X[:2], [1, 9])


ERRORS = [
    ({"configuration": "he"}, "unknown configuration"),
    ({"n_hidden_layers": -1}, "n_hidden_layers must be an integer of at least 0"),
    ({"n_neurons": [3, 4, 5]}, "one for each of the 2 hidden layers"),
    ({"n_neurons": 0}, "n_neurons must be"),
    ({"learning_rate": 0}, "learning_rate must be a number above 0"),
    ({"optimizer": "adamm"}, "adam"),
    ({"schedule": "cosine"}, "unknown schedule"),
    ({"max_iter": 0}, "max_iter must be an integer of at least 1"),
    ({"n_iter_no_change": 0}, "n_iter_no_change"),
    ({"validation_fraction": 1.0}, "validation_fraction must be below 1"),
    ({"dropout": 1.5}, "rate"),
    ({"alpha": -1}, "alpha"),
    ({"batch_size": 0}, "batch_size"),
    ({"standardize": "no"}, "standardize must be True or False"),
    ({"class_weight": {"x": 2}}, "are not in class_weight"),
]


@pytest.mark.parametrize(("options", "message"), ERRORS, ids=[str(e[0]) for e in ERRORS])
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        DNNClassifier(**options).fit(X, QUADRANT)


def test_other_errors():
    with pytest.raises(NotFittedError):
        DNNClassifier().predict(X)
    with pytest.raises(ValueError, match="MultiOutputClassifier"):
        DNNClassifier().fit(X, np.stack([QUADRANT, QUADRANT], axis=1))
    net = DNNRegressor(max_iter=1, warm_start=True).fit(X, X)
    with pytest.raises(ValueError, match="y has 1 columns, but the net was fitted on 2"):
        net.fit(X, X[:, 0])


def test_a_clone_is_not_fitted():
    net = DNNClassifier(3, [5, 6, 7], random_state=4, class_weight={0: 2.0}).fit
    copy = clone(net.__self__)
    assert copy.get_params() == net.__self__.get_params() and not hasattr(copy, "model_")


def test_missing_scikit_learn_is_named():
    code = "import sys; sys.modules['sklearn'] = None; import dnnfast; dnnfast.{}"
    for name in ("sklearn", "wrappers"):
        run = subprocess.run(
            [sys.executable, "-c", code.format(name)], capture_output=True, text=True
        )
        assert "pip install 'dnnfast[sklearn]'" in run.stderr.strip().splitlines()[-1]
