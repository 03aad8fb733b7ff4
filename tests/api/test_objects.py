"""Optimizers, initializers, activations, losses, metrics: meanings and round trips."""

import json
import warnings

import numpy as np
import pytest

import dnnfast as keras
from api.data import classes, classifier, regression
from api.measures import new_metric

OBJECTS = [
    *(cls() for cls in keras.initializers.ALL.values()),
    *(cls() for cls in keras.regularizers.ALL.values()),
    *(cls() for cls in keras.losses.ALL.values()),
    *(new_metric(cls) for cls in keras.metrics.ALL.values()),
    *(cls(learning_rate=0.5, clipnorm=1.0) for cls in keras.optimizers.ALL.values()),
    keras.layers.Dense(3, "relu", kernel_regularizer="l2", name="a"),
    keras.layers.Dense(3, keras.layers.LeakyReLU(name="inner"), name="a"),
    keras.layers.Activation("gelu", name="a"),
    keras.layers.ReLU(6.0, name="a"),
    keras.layers.LeakyReLU(0.1, name="a"),
    keras.layers.ELU(0.5, name="a"),
    keras.layers.Softmax(name="a"),
    keras.layers.BatchNormalization(momentum=0.5, scale=False, name="a"),
    keras.layers.Dropout(0.25, seed=3, name="a"),
    keras.layers.Flatten(name="a"),
    keras.layers.Reshape((2, -1), name="a"),
    keras.layers.Identity(name="a"),
    keras.layers.Add(name="a"),
    keras.layers.Concatenate(name="a"),
    keras.layers.InputLayer(shape=(3,), name="a"),
]


@pytest.mark.parametrize("item", OBJECTS, ids=lambda item: type(item).__name__)
def test_round_trip(item):
    data = json.loads(json.dumps(keras.saving.serialize_keras_object(item)))
    again = keras.saving.deserialize_keras_object(data)
    assert type(again) is type(item)
    assert json.loads(json.dumps(keras.saving.serialize_keras_object(again))) == data
    assert again.get_config() == type(item).from_config(item.get_config()).get_config()
    assert data["module"].split(".")[0] == "keras"


def graph_model():
    a = keras.Input((4,), name="a")
    shared = keras.layers.Dense(4, activation="selu", name="shared")
    x = keras.layers.Add(name="sum")([shared(shared(a)), a])
    return keras.Model(a, [keras.layers.Dense(1, name="u")(x), x], name="graph")


@pytest.mark.parametrize("make", [graph_model, lambda: classifier(features=4)])
def test_model_round_trip(make, device):
    model = make()
    data = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    again = keras.saving.deserialize_keras_object(data)
    assert type(again) is type(model)
    assert json.loads(json.dumps(keras.saving.serialize_keras_object(again))) == data
    again.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(5, 4))
    for a, b in zip(keras.tree.flatten(model.predict(x)), keras.tree.flatten(again.predict(x)),
                    strict=True):  # fmt: skip
        np.testing.assert_array_equal(a, b)
    copy = type(model).from_config(model.get_config())
    assert [w.shape for w in copy.weights] == [w.shape for w in model.weights]


@pytest.mark.parametrize("name", keras.activations.ALL)
def test_activations_in_a_model_equal_those_on_arrays(name, device):
    function = keras.activations.ALL[name]
    if name == "threshold":

        def function(x):
            return keras.activations.threshold(x, 0.5, -1.0)

    x = np.linspace(-4, 4, 24).reshape(4, 6)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Activation(function)])
    np.testing.assert_allclose(model.predict(x), function(x), rtol=1e-5, atol=1e-6)
    if name != "threshold":
        assert keras.activations.get(keras.activations.serialize(function)) is function


def test_step_functions_warn():
    x, y = classes()
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(3, "heaviside"), keras.layers.Dense(3)]
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.warns(UserWarning, match="heaviside"):
        model.fit(x, y, verbose=0)


@pytest.mark.parametrize("name", keras.initializers.ALL)
def test_initializers(name):
    for initializer in (keras.initializers.get(name), getattr(keras.initializers, name)()):
        value = initializer((20, 10))
        assert value.shape == (20, 10)
        assert value.dtype == np.float32
    if "seed" in initializer.get_config():
        a = type(initializer)(seed=3)
        np.testing.assert_array_equal(a((4, 4)), a((4, 4)))
        assert (initializer((4, 4)) != initializer((4, 4))).any()


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / 500),
        ("glorot_normal", 2 / 500),
        ("he_uniform", 2 / 300),
        ("he_normal", 2 / 300),
        ("lecun_uniform", 1 / 300),
        ("lecun_normal", 1 / 300),
    ],
)
def test_initializer_variance(name, variance):
    assert keras.initializers.get(name)((300, 200)).var() == pytest.approx(variance, rel=0.03)


def test_learning_rate_reads_and_writes():
    optimizer = keras.optimizers.SGD(0.25)
    assert optimizer.learning_rate == 0.25
    assert float(optimizer.lr) * 2 == optimizer.lr * 2 == 0.5
    assert optimizer.learning_rate.numpy() == np.float32(0.25)
    assert f"{optimizer.lr:.3f}" == "0.250"
    optimizer.lr = 0.5
    optimizer.learning_rate.assign(optimizer.lr / 2)
    assert keras.backend.get_value(optimizer.learning_rate) == 0.25
    for value in (-1.0, "x", None, np.nan):
        with pytest.raises((ValueError, TypeError)):
            optimizer.learning_rate = value
    assert optimizer.lr == 0.25


def test_old_arguments_warn_once():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        optimizer = keras.optimizers.SGD(lr=0.5, decay=1.0)
        keras.layers.LeakyReLU(alpha=0.1)
    assert [w.category for w in caught] == [DeprecationWarning] * 3
    np.testing.assert_allclose(optimizer.rates(0, 3), [0.5, 0.25, 0.5 / 3])


class Halving(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, start=0.1):
        self.start = start

    def __call__(self, step):
        return self.start * 0.5**step


def test_schedules(device):
    x, y = regression()
    results = []
    for rate in (Halving(), lambda step: 0.1 * 0.5**step):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(rate), "mse")
        model.fit(x, y, verbose=0)
        assert float(model.optimizer.learning_rate) == pytest.approx(0.1 * 0.5**7)
        results.append(model.get_weights()[0])
    np.testing.assert_array_equal(*results)
    with pytest.raises(TypeError, match="schedule"):
        keras.optimizers.SGD(Halving()).learning_rate = 0.1


@pytest.mark.parametrize("cls", keras.optimizers.ALL.values())
@pytest.mark.parametrize(
    "options", [{}, {"weight_decay": 0.1}, {"clipnorm": 0.1}, {"global_clipnorm": 0.1}], ids=str
)
def test_optimizers_on_both_devices(cls, options):
    x, y = regression()
    results = []
    for device in ("reference", "cpu"):
        keras.config.set_device(device)
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
        model.compile(cls(0.01, **options), "mse")
        model.fit(x, y, epochs=2, verbose=0)
        results.append(model.get_weights()[0])
    np.testing.assert_allclose(*results, rtol=1e-4, atol=1e-5)


def test_losses_and_metrics_equal_those_of_a_model(device):
    x, y = regression()
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    for name in ("mse", "mae"):
        model.compile("sgd", name, metrics=["mse", keras.metrics.MeanAbsoluteError()])
        logs = model.evaluate(x, y, return_dict=True)
        predicted = model.predict(x)
        assert logs["loss"] == pytest.approx(keras.losses.get(name)(y, predicted), rel=1e-5)
        assert logs["mse"] == pytest.approx(keras.metrics.get("mse")(y, predicted), rel=1e-5)
        assert list(logs) == ["loss", "mse", "mean_absolute_error"]


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_logits_equal_probabilities(smoothing, device):
    x, y = classes()
    targets = keras.utils.to_categorical(y)
    logits = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    soft = keras.Sequential([logits, keras.layers.Softmax()])
    cls = keras.losses.CategoricalCrossentropy
    logits.compile("sgd", cls(from_logits=True, label_smoothing=smoothing))
    soft.compile("sgd", cls(label_smoothing=smoothing))
    expected = soft.evaluate(x, targets, verbose=0)
    assert logits.evaluate(x, targets, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert expected == pytest.approx(
        cls(label_smoothing=smoothing)(targets, soft.predict(x)), rel=1e-5
    )


def test_accuracy_is_resolved_by_shapes():
    x, y = classes()
    sparse = classifier()
    one_hot = classifier(loss="categorical_crossentropy", metrics=["acc"])
    one_hot.set_weights(sparse.get_weights())
    a = sparse.evaluate(x, y, verbose=0)[1]
    logs = one_hot.evaluate(x, keras.utils.to_categorical(y), return_dict=True)
    assert logs["acc"] == pytest.approx(a)
    assert sparse.metrics_names == ["loss", "accuracy"]


def test_global_clipnorm_limits_the_update(device):
    x, y = regression()
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1.0, global_clipnorm=0.5), "mse")
    before = model.get_weights()
    model.train_on_batch(x, y)
    change = [a - b for a, b in zip(model.get_weights(), before, strict=True)]
    assert np.sqrt(sum(np.square(c).sum() for c in change)) == pytest.approx(0.5, rel=1e-4)


def test_to_categorical_and_normalize():
    np.testing.assert_array_equal(keras.utils.to_categorical([[1], [0]], 3), np.eye(3)[[1, 0]])
    np.testing.assert_allclose(np.linalg.norm(keras.utils.normalize(np.ones((2, 3))), axis=1), 1)
    with pytest.raises(ValueError, match="range from"):
        keras.utils.to_categorical([3], 2)


def test_variables():
    v = keras.Variable(np.ones((2, 2)), name="v")
    v.assign_sub(v.numpy())
    assert not np.asarray(v).any()
    with pytest.raises(ValueError, match="shape"):
        v.assign(np.ones(3))
    copy = v.numpy()
    copy += 1
    assert not v.numpy().any()
