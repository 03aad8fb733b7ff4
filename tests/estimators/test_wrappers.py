"""`KerasClassifier` and `KerasRegressor`: which parameter goes where, targets, scores, copies."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.base import clone

import dnnfast as keras
from dnnfast.sklearn import KerasClassifier, KerasRegressor
from dnnfast.wrappers import scikit_learn
from estimators.builders import classification, for_data, regression

RNG = np.random.default_rng(1)
X = RNG.normal(size=(240, 2)).astype(np.float32)
THREE = np.select([X[:, 0] > 0.5, X[:, 1] > 0.5], [0, 1], 2)
X8 = RNG.normal(size=(200, 8)).astype(np.float32)
Y8 = X8.sum(axis=1)
QUIET = {"verbose": 0, "random_state": 0}


def test_arguments_of_the_function():
    seen = []

    def build(units, rate=0.1, extra="default", meta=None, epochs=None):
        seen.append((units, rate, extra, meta["n_features_in_"], epochs))
        return regression(n_neurons=units)

    plain = KerasRegressor(build, units=5, model__extra="routed", epochs=2, **QUIET)
    plain.fit(X8, Y8)
    assert plain.model_.layers[0].units == 5 and plain.model_.optimizer.iterations == 14
    KerasRegressor(build, model__units=6, rate=0.5, **QUIET).fit(X8, Y8)
    # epochs was not given: the function has its own default.
    assert seen == [(5, 0.1, "routed", 8, 2), (6, 0.5, "default", 8, None)]


def test_any_arguments():
    def build(**options):
        return regression(**options)

    net = KerasRegressor(build, n_neurons=7, n_hidden=2, steps_per_epoch=3, **QUIET).fit(X8, Y8)
    assert [layer.units for layer in net.model_.layers] == [7, 7, 1]
    assert net.model_.optimizer.iterations == 3


def test_parameters_of_compile():
    net = KerasClassifier(
        for_data,
        optimizer="sgd",
        optimizer__learning_rate=0.5,
        optimizer__momentum=0.8,
        loss=keras.losses.SparseCategoricalCrossentropy,
        loss__from_logits=False,
        metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy],
        metrics__1__k=2,
        metrics__1__name="two",
        compile__steps_per_execution=4,
        **QUIET,
    ).fit(X, THREE)
    optimizer = net.model_.optimizer
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert (float(optimizer.learning_rate), optimizer.momentum) == (0.5, 0.8)
    assert set(net.history_) == {"loss", "accuracy", "two"}
    assert net.model_.steps_per_execution == 4


def test_a_class_as_a_parameter_of_a_class():
    net = KerasRegressor(
        lambda meta: keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)]),
        optimizer=keras.optimizers.Adam,
        optimizer__learning_rate=keras.optimizers.schedules.ExponentialDecay,
        optimizer__learning_rate__initial_learning_rate=0.5,
        optimizer__learning_rate__decay_steps=1,
        optimizer__learning_rate__decay_rate=0.5,
        batch_size=100,
        **QUIET,
    )
    net.fit(X8, Y8)
    assert float(net.model_.optimizer.learning_rate) == pytest.approx(0.125)
    assert net.model_.loss == "mse"


def test_a_function_that_compiles_takes_the_arguments():
    def build(compile_kwargs, meta):
        model = for_data(meta)
        model.compile(**{"loss": "mae", **{k: v for k, v in compile_kwargs.items() if v}})
        return model

    net = KerasRegressor(build, optimizer="adam", optimizer__learning_rate=0.25, **QUIET)
    net.fit(X8, Y8)
    assert net.model_.loss == "mae" and float(net.model_.optimizer.learning_rate) == 0.25


def test_parameters_without_effect_are_refused():
    net = KerasRegressor(regression, optimizer__learning_rate=0.1, **QUIET)
    with pytest.raises(ValueError, match=r"optimizer__learning_rate=0.1 has no effect.*compiled"):
        net.fit(X8, Y8)
    KerasRegressor(regression, loss="mse", **QUIET).fit(X8, Y8)  # is the model's own
    with pytest.raises(ValueError, match=r"optimizer: <.*> takes no parameters"):
        KerasClassifier(
            for_data, optimizer=keras.optimizers.SGD(), optimizer__momentum=0.5, **QUIET
        ).fit(X, THREE)


def test_unknown_parameters():
    with pytest.raises(
        TypeError, match=r'unknown parameter \'n_neuron\'. Did you mean "n_neurons"'
    ):
        KerasRegressor(regression, n_neuron=3)
    net = KerasRegressor(regression)
    with pytest.raises(ValueError, match="unknown parameter 'layers'"):
        net.set_params(layers=3)
    assert "layers" not in net.get_params()
    with pytest.raises(AttributeError, match="has no attribute 'layers'"):
        _ = net.layers


class Counter(keras.callbacks.Callback):
    def __init__(self, start=0, step=1):
        self.count, self.step = start, step

    def on_epoch_end(self, epoch, logs=None):
        self.count += self.step


def test_callbacks():
    given = Counter()
    net = KerasRegressor(regression, callbacks=[given], epochs=3, **QUIET).fit(X8, Y8)
    assert given.count == 3 and net.get_params()["callbacks"][0] is given
    made = []

    class Noted(Counter):
        def __init__(self, **options):
            super().__init__(**options)
            made.append(self)

    options = {"callbacks__step": 2, "callbacks__b__start": 10}
    net = KerasRegressor(regression, callbacks={"a": Noted, "b": Noted}, **options, **QUIET)
    net.fit(X8, Y8, epochs=2)
    assert [callback.count for callback in made] == [4, 14]
    stop = keras.callbacks.EarlyStopping
    net = KerasRegressor(regression, callbacks=stop, callbacks__patience=1, epochs=50, **QUIET)
    net.set_params(callbacks__monitor="val_loss", callbacks__min_delta=1e9, validation_split=0.2)
    assert len(net.fit(X8, Y8).history_["val_loss"]) == 2


def test_arguments_of_fit_win():
    net = KerasRegressor(regression, epochs=5, fit__epochs=4, batch_size=50, **QUIET)
    assert len(net.fit(X8, Y8).history_["loss"]) == 4
    assert net.model_.optimizer.iterations == 16
    assert len(net.fit(X8, Y8, epochs=2).history_["loss"]) == 2


def test_arguments_are_kept_and_cloned():
    schedule, callback = keras.optimizers.schedules.CosineDecay(0.1, 100), Counter
    net = KerasClassifier(
        for_data, units=7, optimizer__learning_rate=schedule, callbacks=[callback]
    )
    params = net.get_params()
    assert params["model"] is for_data and params["optimizer__learning_rate"] is schedule
    assert (params["units"], net.units) == (7, 7)
    copy = clone(net)
    assert copy.get_params()["units"] == 7 and copy.get_params()["model"] is for_data
    copy.set_params(units=9, model__units=8, batch_size=5)
    assert copy.fit(X, THREE, verbose=0).model_.layers[0].units == 8
    assert net.units == 7 and "for_data" in repr(net) and "units=7" in repr(net)


def test_a_model_is_copied():
    model = classification()
    model.fit(X, THREE, epochs=30, verbose=0)
    before, score = model.get_weights(), model.evaluate(X, THREE, verbose=0)[1]
    net = KerasClassifier(model, **QUIET).initialize(X, THREE)
    assert net.score(X, THREE) == pytest.approx(score, abs=1e-6)
    net.fit(X, THREE)
    assert all((a == b).all() for a, b in zip(model.get_weights(), before, strict=True))


FORMS = [
    ("sparse_categorical_crossentropy", "softmax", 3),
    ("categorical_crossentropy", "softmax", 3),
    ("categorical_hinge", "linear", 3),
    ("mse", "softmax", 3),
    (keras.losses.SparseCategoricalCrossentropy(from_logits=True), None, 3),
    (keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1), None, 3),
    ("sparse_categorical_crossentropy", "softmax", 5),
]


@pytest.mark.parametrize(("loss", "end", "outputs"), FORMS, ids=[str(f[0]) for f in FORMS])
def test_forms_of_targets(loss, end, outputs):
    names = np.array(["left", "middle", "right"])
    net = KerasClassifier(classification, loss=loss, end=end, outputs=outputs, epochs=30, **QUIET)
    net.fit(X, names[THREE], validation_data=(X, names[THREE]))
    assert net.score(X, names[THREE]) > 0.85 and "val_accuracy" in net.history_
    if end != "linear":
        np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1, atol=1e-5)
    assert net.predict_proba(X).shape == (240, 3)


@pytest.mark.parametrize(("end", "logits"), [("sigmoid", False), (None, True)])
def test_one_unit(end, logits):
    loss = keras.losses.BinaryCrossentropy(from_logits=logits)
    net = KerasClassifier(classification, loss=loss, end=end, outputs=1, epochs=30, **QUIET)
    net.fit(X, THREE == 0)
    assert net.predict(X).dtype == bool and net.score(X, THREE == 0) > 0.9
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1, atol=1e-6)
    agrees = net.predict(X) == (net.predict_proba(X)[:, 1] > 0.5)
    assert agrees.all()


def test_one_hot_labels():
    rows = np.eye(3)[THREE]
    options = {"loss": "categorical_crossentropy", "epochs": 30, **QUIET}
    net = KerasClassifier(classification, **options).fit(X, rows)
    assert net.predict(X).shape == (240, 3) and (net.predict(X).sum(axis=1) == 1).all()
    assert net.score(X, rows) > 0.85
    old = scikit_learn.KerasClassifier(classification, **options).fit(X, rows)
    assert (old.predict(X) == THREE).mean() > 0.85 and old.score(X, rows) > 0.85
    labels = KerasClassifier(for_data, epochs=30, **QUIET).fit(X, rows.astype(int))
    assert labels.model_.loss == "binary_crossentropy"
    assert labels.target_type_ == "multilabel-indicator"


def test_too_few_units():
    with pytest.raises(ValueError, match="there are 3 classes, but the model's last layer has 2"):
        KerasClassifier(classification, outputs=2, **QUIET).fit(X, THREE)


def test_class_weights_are_those_of_labels():
    names = np.array(["a", "b", "c"])[THREE]
    weighted = KerasClassifier(classification, class_weight={"a": 3.0}, **QUIET).fit(X, names)
    by_hand = KerasClassifier(classification, **QUIET)
    by_hand.fit(X, names, sample_weight=np.where(names == "a", 3.0, 1.0))
    assert (weighted.predict_proba(X) == by_hand.predict_proba(X)).all()
    late = KerasClassifier(classification, **QUIET).fit(X, names, class_weight={"a": 3.0})
    assert (late.predict_proba(X) == by_hand.predict_proba(X)).all()


def test_score_of_the_regressor_is_minus_the_loss():
    for cls in (KerasRegressor, scikit_learn.KerasRegressor):
        net = cls(regression, epochs=3, **QUIET).fit(X8, Y8)
        expected = -np.mean((net.predict(X8) - Y8) ** 2)
        assert net.score(X8, Y8) == pytest.approx(expected, rel=1e-5)
        weights = RNG.uniform(size=200)
        assert net.score(X8, Y8, weights) == pytest.approx(
            -np.mean(weights * (net.predict(X8) - Y8) ** 2), rel=1e-5
        )


def test_unseen_labels_are_named():
    net = KerasClassifier(classification, **QUIET).fit(X, np.array(["a", "b", "c"])[THREE])
    for call in (
        lambda: net.score(X[:2], ["a", "d"]),
        lambda: net.partial_fit(X[:2], ["a", "d"]),
        lambda: net.fit(X, np.array(["a", "b", "c"])[THREE], validation_data=(X[:1], ["d"])),
    ):
        with pytest.raises(ValueError, match=r"did not have: 'd'; it had 'a', 'b', 'c'"):
            call()


def test_going_on():
    net = KerasRegressor(regression, warm_start=True, epochs=2, **QUIET).fit(X8, Y8)
    model = net.model_
    assert net.fit(X8, Y8).model_ is model and len(net.history_["loss"]) == 4
    assert len(net.partial_fit(X8, Y8).history_["loss"]) == 5
    other = KerasClassifier(classification, **QUIET)
    other.partial_fit(X[:2], [0, 1], classes=[0, 1, 2]).partial_fit(X, THREE)
    assert other.classes_.tolist() == [0, 1, 2]


def test_seeds():
    a, b = (KerasRegressor(regression, **QUIET).fit(X8, Y8).predict(X8) for _ in range(2))
    assert (a == b).all()
    keras.utils.set_random_seed(3)
    c = KerasRegressor(regression, verbose=0).fit(X8, Y8).predict(X8)
    keras.utils.set_random_seed(3)
    d = KerasRegressor(regression, verbose=0).fit(X8, Y8).predict(X8)
    assert (c == d).all() and (a != c).any()


def test_images_and_columns_of_targets():
    def build(meta):
        model = keras.Sequential([keras.Input(meta["X_shape_"][1:]), keras.layers.Flatten()])
        model.add(keras.layers.Dense(meta["n_outputs_expected_"]))
        return model

    images = RNG.normal(size=(50, 3, 4))
    net = KerasRegressor(build, **QUIET).fit(images, images[:, :, 0])
    assert net.predict(images).shape == (50, 3)


def test_a_subclass_builds_its_own_model():
    class Net(KerasRegressor):
        def __init__(self, width=4, **options):
            super().__init__(**options)
            self.width = width

        def _keras_build_fn(self, meta):
            return for_data(meta, self.width)

    net = clone(Net(width=6, epochs=2, **QUIET)).fit(X8, Y8)
    assert net.model_.layers[0].units == 6 and net.get_params()["epochs"] == 2


def test_pickles_predict_and_go_on():
    net = KerasClassifier(classification, epochs=3, **QUIET).fit(X, THREE)
    copy = pickle.loads(pickle.dumps(net))
    assert (copy.predict_proba(X) == net.predict_proba(X)).all()
    for one in (net, copy):
        one.partial_fit(X, THREE, shuffle=False)
    np.testing.assert_array_equal(copy.predict_proba(X), net.predict_proba(X))


def test_the_old_spelling():
    """The course's program, with the names it used."""
    net = keras.wrappers.scikit_learn.KerasRegressor(regression, verbose=0)
    history = net.fit(
        X8, Y8, epochs=3, validation_data=(X8, Y8),
        callbacks=[keras.callbacks.EarlyStopping(patience=10)],
    ).history  # fmt: skip
    assert len(history["val_loss"]) == 3
    assert net.model is net.model_ and net.predict(X8[:2]).shape == (2,)
    assert "model" not in net.get_params() and clone(net).get_params() == net.get_params()
    with pytest.raises(ValueError, match="unknown parameter 'n_layers'"):
        scikit_learn.KerasRegressor(build_fn=regression, n_layers=3)


def test_missing_and_wrong_functions():
    with pytest.raises(ValueError, match="pass a function that builds the model"):
        KerasRegressor().fit(X8, Y8)
    with pytest.raises(TypeError, match="must return a Model, got None"):
        KerasRegressor(lambda: None, **QUIET).fit(X8, Y8)
    two = keras.Input((8,))
    model = keras.Model(two, [keras.layers.Dense(1)(two), keras.layers.Dense(1)(two)])
    with pytest.raises(ValueError, match="the model has 2 outputs; expected one"):
        KerasRegressor(model, **QUIET).fit(X8, Y8)
