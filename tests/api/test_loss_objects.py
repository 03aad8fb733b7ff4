"""Losses as objects: names, one's own, plain data, mistakes, and what engines run themselves."""

import json

import numpy as np
import pytest

import dnnfast as keras
from api.data import classes, classifier, regression
from dnnfast import ops

losses = keras.losses

NAMES = {
    "mse": "MeanSquaredError",
    "MSE": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "MAE": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "MAPE": "MeanAbsolutePercentageError",
    "msle": "MeanSquaredLogarithmicError",
    "MSLE": "MeanSquaredLogarithmicError",
    "bce": "BinaryCrossentropy",
    "BCE": "BinaryCrossentropy",
    "kld": "KLDivergence",
    "KLD": "KLDivergence",
    "logcosh": "LogCosh",
    "huber_loss": "Huber",
    "kullback_leibler_divergence": "KLDivergence",
    "cosine_similarity": "CosineSimilarity",
    "CategoricalHinge": "CategoricalHinge",
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_names(name, expected):
    assert type(losses.get(name)).__name__ == expected
    function = getattr(losses, name, None)
    if function is not None:
        assert type(losses.get(function)).__name__ == expected


@pytest.mark.parametrize("name", losses.ALL)
def test_forms_of_a_loss(name):
    cls = losses.ALL[name]
    found = [name, cls.__name__, cls, cls(), getattr(losses, name), losses.serialize(cls())]
    assert all(type(losses.get(form)) is cls for form in found)
    assert losses.deserialize(losses.serialize(getattr(losses, name))) is getattr(losses, name)
    assert losses.get(cls(name="other")).name == "other"


def test_none_and_unknown():
    assert losses.get(None) is None
    for wrong in ("mes", 3, [], {"no": "class"}):
        with pytest.raises(ValueError, match="unknown loss"):
            losses.get(wrong)


NATIVE = {
    "BinaryCrossentropy": "binary_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "MeanAbsoluteError": "mean_absolute_error",
    "MeanSquaredError": "mean_squared_error",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
}


@pytest.mark.parametrize("cls", losses.ALL.values())
def test_what_engines_run_themselves(cls):
    kind = NATIVE.get(cls.__name__)
    assert cls().native_kind == kind
    assert cls(reduction="sum").native_kind is None
    if kind is None:
        return

    class Changed(cls):
        def call(self, y_true, y_pred):
            return 2 * super().call(y_true, y_pred)

    assert Changed().native_kind is None
    if "axis" in cls().arguments():
        assert cls(axis=1).native_kind is None
        assert cls(from_logits=True).native_kind == kind
        assert cls(from_logits=True).from_logits is True
    same = losses.LossFunctionWrapper(getattr(losses, kind))
    assert same.native_kind == kind and same.sparse == kind.startswith("sparse")
    same.fn = losses.log_cosh
    assert same.native_kind is None


CHANGED = [
    losses.Huber(2.0),
    losses.CosineSimilarity(axis=0),
    losses.SparseCategoricalCrossentropy(True, -1, axis=1),
    losses.CategoricalFocalCrossentropy(alpha=[0.25, 0.5], gamma=1.0),
    losses.BinaryFocalCrossentropy(True, label_smoothing=0.5),
    losses.Dice("sum", axis=(1, 2)),
    losses.MeanSquaredError(None, "mine", dtype="float16"),
    losses.Circle(gamma=2.0, remove_diagonal=False),
    losses.LossFunctionWrapper(losses.huber, "sum", "mine", delta=2.0),
]


@pytest.mark.parametrize("loss", CHANGED, ids=lambda loss: type(loss).__name__)
def test_plain_data(loss):
    data = json.loads(json.dumps(losses.serialize(loss)))
    again = losses.deserialize(data)
    assert type(again) is type(loss)
    assert json.loads(json.dumps(losses.serialize(again))) == data
    assert (again.name, again.reduction, again.dtype) == (loss.name, loss.reduction, loss.dtype)
    assert [*again.arguments()] == [*loss.arguments()]
    for key, value in loss.arguments().items():
        np.testing.assert_array_equal(again.arguments()[key], value)


MISTAKES = [
    (lambda: losses.MeanSquaredError(reduction="average"), "loss reduction"),
    (lambda: losses.MeanSquaredError(dtype="single"), "unknown dtype"),
    (lambda: losses.BinaryCrossentropy(from_logits="no"), "from_logits must be True or False"),
    (lambda: losses.BinaryCrossentropy(label_smoothing=1.5), "label_smoothing must be in"),
    (lambda: losses.CategoricalCrossentropy(label_smoothing=-0.1), "label_smoothing must be"),
    (lambda: losses.CategoricalCrossentropy(axis=True), "axis must be an integer"),
    (lambda: losses.categorical_crossentropy([[1]], [[1.0]], axis=1.5), "axis must be"),
    (lambda: losses.SparseCategoricalCrossentropy(ignore_class="none"), "ignore_class"),
    (lambda: losses.Huber(0.0), "delta must be a number above 0"),
    (lambda: losses.huber([0.0], [1.0], delta="a"), "delta"),
    (lambda: losses.CategoricalGeneralizedCrossEntropy(1.0), "interval"),
    (lambda: losses.BinaryFocalCrossentropy(alpha=2), r"alpha must be in \[0, 1\]"),
    (lambda: losses.CategoricalFocalCrossentropy(gamma=-1), "gamma"),
    (lambda: losses.Tversky(alpha="a"), "alpha"),
    (lambda: losses.Dice(axis="last"), "axis"),
    (lambda: losses.Circle(gamma=0), "gamma"),
    (lambda: losses.binary_crossentropy(np.ones((2, 3)), np.ones((2, 2))), "same shape"),
    (lambda: losses.sparse_categorical_crossentropy([[0, 1]], [[0.5, 0.5]]), "axis of classes"),
]


@pytest.mark.parametrize(("call", "message"), MISTAKES)
def test_mistakes(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_more_mistakes():
    with pytest.raises(TypeError, match="must be a function"):
        losses.LossFunctionWrapper("mse")
    with pytest.raises(NotImplementedError, match="Empty does not define `call"):
        type("Empty", (losses.Loss,), {})()([1.0], [1.0])
    with pytest.warns(SyntaxWarning, match="binary_crossentropy"):
        losses.CategoricalCrossentropy()([[1.0]], [[1.0]])


# One's own.


@keras.utils.register_keras_serializable("tests")
def quartic(y_true, y_pred):
    return ops.mean((y_true - y_pred) ** 4, axis=-1)


@keras.utils.register_keras_serializable("tests")
class Scaled(losses.Loss):
    def __init__(self, factor=2.0, name="scaled", reduction="sum_over_batch_size"):
        super().__init__(name=name, reduction=reduction)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * ops.mean(ops.abs(y_true - y_pred), axis=-1)


def line():
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])


def test_functions_and_classes_of_ones_own(device):
    x, y = regression(60)
    for loss, formula in ((quartic, lambda e: e**4), (Scaled(3.0), lambda e: 3 * np.abs(e))):
        model = line()
        model.compile(keras.optimizers.SGD(1e-3), loss)
        error = y[:, None] - model.predict(x, verbose=0)
        expected = formula(error.astype(float)).mean()
        found = model.evaluate(x, y, batch_size=60, verbose=0)
        assert found == pytest.approx(expected, rel=1e-4)
        history = model.fit(x, y, epochs=5, verbose=0).history["loss"]
        assert history[-1] < history[0]


def test_a_loss_that_is_called_in_its_own_way(device):
    class Largest(losses.MeanSquaredError):
        def __call__(self, y_true, y_pred, sample_weight=None):
            error = ops.abs(y_true - y_pred)[:, 0]
            return ops.max(error if sample_weight is None else error * sample_weight)

    x, y = regression(40)
    weight = np.random.default_rng(2).uniform(0, 2, 40)
    model = line()
    model.compile("sgd", Largest())
    error = np.abs(y - model.predict(x, verbose=0)[:, 0])
    found = model.evaluate(x, y[:, None], batch_size=40, verbose=0)
    assert found == pytest.approx(error.max(), rel=1e-5)
    found = model.evaluate(x, y[:, None], batch_size=40, sample_weight=weight, verbose=0)
    assert found == pytest.approx((error * weight).max(), rel=1e-5)


def test_plain_data_of_ones_own():
    again = losses.get(losses.serialize(Scaled(3.0)))
    assert type(again) is Scaled and again.factor == 3.0
    wrapped = losses.get(quartic)
    assert wrapped.name == "quartic" and wrapped.native_kind is None
    assert losses.get(losses.serialize(wrapped)).fn is quartic
    assert losses.get(losses.serialize(quartic)).fn is quartic
    with keras.saving.custom_object_scope({"mine": quartic}):
        assert losses.get("mine").fn is quartic
    assert losses.get(lambda t, p: ops.mean(t - p, axis=-1))([[3.0]], [[1.0]]) == 2.0
    assert [Scaled(name=None).name, losses.Loss().name, losses.Loss().name] == [
        "scaled",
        "loss",
        "loss_1",
    ]


@pytest.mark.parametrize("reduction", ["sum", "mean_with_sample_weight"])
def test_reductions_in_training(reduction, device):
    x, y = regression(48)
    weight = np.random.default_rng(2).uniform(0, 2, 48)
    model = line()
    model.compile(keras.optimizers.SGD(1e-3), losses.MeanSquaredError(reduction=reduction))
    squares = np.square(y - model.predict(x, verbose=0)[:, 0])
    total = (squares * weight).sum() / (1.0 if reduction == "sum" else weight.sum())
    found = model.evaluate(x, y, batch_size=48, sample_weight=weight, verbose=0)
    assert found == pytest.approx(total, rel=1e-4)


def test_one_value_a_batch_is_weighed_by_the_mean(device):
    x, y = classes(48)
    one_hot = keras.utils.to_categorical(y, 3)
    weight = np.random.default_rng(2).uniform(0, 2, 48)
    model = classifier(loss=losses.Dice(), metrics=[])
    expected = losses.Dice()(one_hot, model.predict(x, verbose=0), sample_weight=weight)
    found = model.evaluate(x, one_hot, batch_size=48, sample_weight=weight, verbose=0)
    assert found == pytest.approx(float(expected), rel=1e-4)


def test_ignored_class_in_training(device):
    x, y = classes(48)
    marked = np.where(np.arange(48) % 4 == 0, -1, y)
    kept = marked >= 0
    model = classifier(loss=losses.SparseCategoricalCrossentropy(ignore_class=-1), metrics=[])
    plain = classifier(metrics=[])
    plain.set_weights(model.get_weights())
    expected = plain.evaluate(x[kept], y[kept], batch_size=48, verbose=0)
    assert model.evaluate(x, marked, batch_size=48, verbose=0) == pytest.approx(expected, rel=1e-4)
    history = model.fit(x, marked, epochs=8, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_old_reductions():
    assert losses.MeanSquaredError(reduction=losses.Reduction.NONE)([[1.0]], [[3.0]]) == [4.0]
    auto = losses.Huber(reduction=losses.Reduction.AUTO)
    assert auto.reduction == "sum_over_batch_size"


def test_attributes_hold():
    loss = losses.Huber()
    loss.delta = 0.5
    assert loss([[0.0]], [[1.0]]) == losses.Huber(0.5)([[0.0]], [[1.0]])
