"""Metrics as objects: names, one's own, state, plain data, mistakes, what engines run alone."""

import json

import numpy as np
import pytest

import dnnfast as keras
from api.data import classes, classifier, regression
from api.measures import new_metric
from dnnfast import ops

metrics = keras.metrics

NAMES = {
    "mse": "MeanSquaredError",
    "MAE": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "MSLE": "MeanSquaredLogarithmicError",
    "bce": "BinaryCrossentropy",
    "AUC": "AUC",
    "auc": "AUC",
    "logcosh": "LogCoshError",
    "kl_divergence": "KLDivergence",
    "true_positives": "TruePositives",
    "RootMeanSquaredError": "RootMeanSquaredError",
    "f1_score": "F1Score",
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_names(name, expected):
    assert type(metrics.get(name)).__name__ == expected


def test_forms_of_a_metric():
    cls = metrics.Precision
    for form in ("precision", "Precision", cls, cls(), metrics.serialize(cls())):
        assert type(metrics.get(form)) is cls
    assert metrics.get(None) is None
    for wrong in ("acuracy", 3, [], {"no": "class"}):
        with pytest.raises(ValueError, match="unknown metric"):
            metrics.get(wrong)
    wrapped = metrics.get(metrics.mean_squared_error)
    assert wrapped.native_kind == wrapped.name == "mean_squared_error"
    assert metrics.get(keras.losses.huber).native_kind is None


def test_automatic_names():
    found = [cls().name for cls in (metrics.AUC, metrics.AUC, metrics.TruePositives)]
    assert found == ["auc", "auc_1", "true_positives"]
    assert metrics.MeanIoU(2).name == "mean_io_u"
    assert metrics.Precision().variables[0].path == "precision/true_positives"


NATIVE = {
    "BinaryAccuracy": "binary_accuracy",
    "CategoricalAccuracy": "categorical_accuracy",
    "MeanAbsoluteError": "mean_absolute_error",
    "MeanSquaredError": "mean_squared_error",
    "SparseCategoricalAccuracy": "sparse_categorical_accuracy",
}


@pytest.mark.parametrize("cls", metrics.ALL.values())
def test_what_engines_run_themselves(cls):
    kind = NATIVE.get(cls.__name__)
    assert getattr(new_metric(cls), "native_kind", None) == kind
    if kind is None:
        return

    class Doubled(cls):
        def result(self):
            return 2 * super().result()

    class Negative(cls):
        def values(self, y_true, y_pred):
            return -super().values(y_true, y_pred)

    assert Doubled().native_kind is None and not Doubled().is_mean
    assert Negative().native_kind is None and Negative().is_mean
    assert cls(dtype="float16").native_kind is None
    if cls is metrics.BinaryAccuracy:
        assert cls(threshold=0.4).native_kind is None


def test_changed_means_in_a_model(device):
    class Doubled(metrics.MeanSquaredError):
        def result(self):
            return 2 * super().result()

    class Late(metrics.MeanMetricWrapper):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_true, y_pred + 1.0, sample_weight)

    x, y = regression(40)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    late = Late(keras.losses.mean_squared_error, name="late")
    model.compile("sgd", "mse", metrics=[Doubled(name="twice"), late])
    logs = model.evaluate(x, y, return_dict=True, verbose=0)
    error = model.predict(x, verbose=0)[:, 0] - y
    assert logs["twice"] == pytest.approx(2 * np.square(error).mean(), rel=1e-4)
    assert logs["late"] == pytest.approx(np.square(error + 1).mean(), rel=1e-4)


CHANGED = [
    metrics.AUC(9, "PR", "majoring", multi_label=True, label_weights=[1.0, 2.0]),
    metrics.AUC(thresholds=[0.25, 0.5]),
    metrics.BinaryAccuracy(threshold=0.25),
    metrics.CosineSimilarity(axis=0),
    metrics.SparseTopKCategoricalAccuracy(2, from_sorted_ids=True),
    metrics.Precision([0.25, 0.5], top_k=2, class_id=1),
    metrics.FBetaScore("micro", 2.0, 0.25),
    metrics.F1Score("macro", name="mine"),
    metrics.RecallAtPrecision(0.25, 9, 1),
    metrics.R2Score(None, 3, dtype="float16"),
    metrics.OneHotIoU(4, [1, 2], ignore_class=0, axis=1),
    metrics.BinaryIoU([1], 0.25),
    metrics.MeanMetricWrapper(keras.losses.huber, "mine", delta=2.0),
]


@pytest.mark.parametrize("metric", CHANGED, ids=lambda metric: type(metric).__name__)
def test_plain_data(metric):
    data = json.loads(json.dumps(metrics.serialize(metric)))
    again = metrics.deserialize(data)
    assert type(again) is type(metric)
    assert json.loads(json.dumps(metrics.serialize(again))) == data
    assert (again.name, again.dtype) == (metric.name, metric.dtype)
    state = [v.shape for v in metric.variables]
    assert [v.shape for v in again.variables] == state


MISTAKES = [
    (lambda: metrics.Precision(1.5), r"thresholds must be in \[0, 1\]"),
    (lambda: metrics.Recall([0.5, -0.1]), "thresholds must be"),
    (lambda: metrics.Recall([]), "must not be empty"),
    (lambda: metrics.Recall(top_k=0), "top_k"),
    (lambda: metrics.Precision(class_id=-1), "class_id"),
    (lambda: metrics.TruePositives("half"), "thresholds"),
    (lambda: metrics.AUC(num_thresholds=1), "num_thresholds"),
    (lambda: metrics.AUC(curve="ROCK"), '"ROC"'),
    (lambda: metrics.AUC(summation_method="simpson"), "summation_method"),
    (lambda: metrics.AUC(thresholds=[2.0]), "thresholds"),
    (lambda: metrics.AUC(num_labels=3), "multi_label=True"),
    (lambda: metrics.AUC(from_logits="no"), "from_logits must be True or False"),
    (lambda: metrics.AUC(multi_label=True)([1.0], [0.5]), "samples, labels"),
    (lambda: metrics.SensitivityAtSpecificity(1.5), r"specificity must be in \[0, 1\]"),
    (lambda: metrics.PrecisionAtRecall(0.5, num_thresholds=0), "num_thresholds"),
    (lambda: metrics.FBetaScore(average="mean"), "average"),
    (lambda: metrics.FBetaScore(beta=0), "beta"),
    (lambda: metrics.F1Score(threshold=1.5), "threshold"),
    (lambda: metrics.F1Score()([1.0], [0.5]), "samples, classes"),
    (lambda: metrics.R2Score("mean"), "class_aggregation"),
    (lambda: metrics.R2Score(num_regressors=-1), "num_regressors"),
    (lambda: metrics.R2Score()(np.ones((2, 2, 2)), np.ones((2, 2, 2))), "samples, columns"),
    (lambda: metrics.IoU(2, [2]), "target_class_ids"),
    (lambda: metrics.MeanIoU(0), "num_classes"),
    (lambda: metrics.MeanIoU(2.5), "num_classes must be an integer"),
    (lambda: metrics.TopKCategoricalAccuracy(k=0), "k must be an integer"),
    (lambda: metrics.SparseTopKCategoricalAccuracy(k="5"), "k must be an integer"),
    (lambda: metrics.BinaryAccuracy(threshold="a"), "threshold"),
    (lambda: metrics.BinaryCrossentropy(label_smoothing=2), "label_smoothing"),
    (lambda: metrics.PearsonCorrelation(axis=0.5), "axis"),
    (lambda: metrics.Mean(dtype="single"), "unknown dtype"),
]


@pytest.mark.parametrize(("call", "message"), MISTAKES)
def test_mistakes(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_more_mistakes():
    with pytest.raises(TypeError, match="must be a function"):
        metrics.MeanMetricWrapper("mse")
    for method in ("update_state", "result"):
        with pytest.raises(NotImplementedError, match=method):
            getattr(metrics.Metric(), method)()

    class Unstarted(metrics.Metric):
        def __init__(self):
            self.total = self.add_variable((), "zeros")

    with pytest.raises(RuntimeError, match=r"super\(\).__init__\(\)"):
        Unstarted()
    with pytest.raises(ValueError, match="expected values for its 2 variables"):
        metrics.Mean().stateless_result([1.0])
    with pytest.raises(AttributeError, match="'Precision' object has no attribute 'recall'"):
        _ = metrics.Precision().recall


# State.


def test_stateless():
    metric = metrics.Mean()
    metric.update_state([5.0])
    state = metric.stateless_reset_state()
    assert [float(value) for value in state] == [0.0, 0.0]
    state = metric.stateless_update_state(state, [1.0, 2.0], sample_weight=[1.0, 3.0])
    assert [float(value) for value in state] == [7.0, 4.0]
    assert metric.stateless_result(state) == 1.75
    assert metric.result() == 5.0
    area = metrics.AUC(num_thresholds=5)
    state = area.stateless_update_state(area.stateless_reset_state(), [0, 1], [0.3, 0.8])
    assert area.stateless_result(state) == 1.0 and area.result() == 0.0


class Both(metrics.Metric):
    """Has metrics and a variable inside, in a list and a dict."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.steps = self.add_weight(name="steps")
        self.inside = [metrics.MeanSquaredError(), {"a": metrics.MeanAbsoluteError()}]
        self.last = keras.Variable(0.0, trainable=False, name="last")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.steps.assign_add(1.0)
        self.last.assign(3.0)
        self.inside[0].update_state(y_true, y_pred, sample_weight)
        self.inside[1]["a"].update_state(y_true, y_pred, sample_weight)

    def result(self):
        squares, absolute = self.inside[0].result(), self.inside[1]["a"].result()
        return {"squares": squares, "absolute": absolute, "steps": self.steps, "last": self.last}


def test_metrics_inside_of_metrics(device):
    x, y = regression(40)
    metric = Both(name="both")
    assert len(metric.variables) == 6
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[metric])
    for _ in range(2):
        logs = model.evaluate(x, y, batch_size=16, return_dict=True, verbose=0)
        error = model.predict(x, verbose=0)[:, 0] - y
        assert logs["squares"] == pytest.approx(np.square(error).mean(), rel=1e-4)
        assert logs["absolute"] == pytest.approx(np.abs(error).mean(), rel=1e-4)
        assert (logs["steps"], logs["last"]) == (3.0, 3.0)


class Largest(metrics.Metric):
    def __init__(self, name="largest", **kwargs):
        super().__init__(name=name, **kwargs)
        self.most = self.add_variable((), "zeros", name="most")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.most.assign(ops.maximum(self.most, ops.max(ops.abs(y_true - y_pred))))

    def result(self):
        return self.most


def test_metrics_of_ones_own(device):
    x, y = regression(40)

    def worst(y_true, y_pred):
        return ops.max(ops.abs(y_true - y_pred), axis=-1)

    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1e-3), "mse", metrics=[Largest(), worst])
    logs = model.evaluate(x, y, batch_size=16, return_dict=True, verbose=0)
    error = np.abs(model.predict(x, verbose=0)[:, 0] - y)
    assert logs["largest"] == pytest.approx(error.max(), rel=1e-5)
    assert logs["worst"] == pytest.approx(error.mean(), rel=1e-5)
    history = model.fit(x, y, epochs=3, verbose=0, validation_data=(x, y)).history
    assert set(history) >= {"largest", "worst", "val_largest", "val_worst"}
    assert history["val_worst"][-1] < error.mean()
    again = Largest.from_config(Largest(dtype="float16").get_config())
    assert (again.name, again.dtype) == ("largest", "float16")


def test_a_state_of_another_shape_is_refused():
    class Wrong(Largest):
        def update_state(self, y_true, y_pred, sample_weight=None):
            self.most.assign(ops.mean(y_pred, axis=0))

    x, y = regression(20)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Wrong()])
    with pytest.raises(ValueError, match=r"cannot assign a tensor of shape \(1,\)"):
        model.evaluate(x, y, verbose=0)


def test_areas_in_training(device):
    x, y = classes(60, count=2)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1, "sigmoid")])
    scores = [metrics.AUC(name="area"), metrics.Precision(name="p"), metrics.F1Score(threshold=0.5)]
    model.compile(keras.optimizers.Adam(0.05), "bce", metrics=["accuracy", *scores])
    history = model.fit(x, y, epochs=8, verbose=0, validation_data=(x, y[:, None])).history
    same = metrics.AUC()
    same.update_state(y[:, None], model.predict(x, verbose=0))
    assert history["val_area"][-1] == pytest.approx(float(same.result()), abs=1e-5)
    assert history["val_area"][-1] > 0.9
    assert np.shape(history["val_f1_score"]) == (8, 1)


def test_direction():
    assert metrics.AUC()._direction == metrics.Precision()._direction == "up"
    assert (
        metrics.MeanSquaredError()._direction == metrics.BinaryCrossentropy()._direction == "down"
    )


def test_weighted_metrics_read_weights(device):
    x, y = classes(48)
    weight = np.random.default_rng(2).uniform(0, 2, 48)
    options = {"metrics": [metrics.TopKCategoricalAccuracy(2, name="plain")]}
    options["weighted_metrics"] = [metrics.TopKCategoricalAccuracy(2, name="weighted")]
    model = classifier(loss="categorical_crossentropy", **options)
    one_hot = keras.utils.to_categorical(y, 3)
    logs = model.evaluate(x, one_hot, sample_weight=weight, return_dict=True, verbose=0)
    right = metrics.top_k_categorical_accuracy(one_hot, model.predict(x, verbose=0), k=2)
    assert logs["plain"] == pytest.approx(right.mean(), rel=1e-5)
    assert logs["weighted"] == pytest.approx(np.average(right, weights=weight), rel=1e-5)


def test_accuracy_and_crossentropy_by_shapes(device):
    x, y = classes(48)
    forms = {
        "sparse_categorical_crossentropy": (y, 3),
        "categorical_crossentropy": (keras.utils.to_categorical(y, 3), 3),
        "binary_crossentropy": ((y > 0).astype(float), 1),
    }
    for loss, (target, units) in forms.items():
        kind = "sigmoid" if units == 1 else "softmax"
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(units, kind)])
        model.compile("sgd", loss, metrics=["acc", "crossentropy", "ce"])
        logs = model.evaluate(x, target, return_dict=True, verbose=0)
        assert list(logs) == ["loss", "acc", "crossentropy", "ce"]
        assert logs["crossentropy"] == logs["ce"] == pytest.approx(logs["loss"], rel=1e-4)
        p = model.predict(x, verbose=0)
        right = (p[:, 0] > 0.5) == target if units == 1 else p.argmax(axis=1) == y
        assert logs["acc"] == pytest.approx(right.mean(), rel=1e-5)


def test_functions_that_give_one_number_a_batch(device):
    x, y = np.arange(24).reshape(8, 3) / 10, np.arange(8) % 3

    def mean_label(y_true, y_pred):
        return keras.ops.mean(keras.ops.cast(y_true, "float32"))

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[mean_label])
    assert model.fit(x, y, verbose=0).history["mean_label"] == [0.875]
    assert model.evaluate(x, y, verbose=0)[1] == 0.875
    assert model.evaluate(x[:4], y[:4], verbose=0)[1] == 0.75


def test_labels_keep_their_shape_for_functions_of_ones_own(device):
    seen = []

    def distance(y_true, y_pred):
        seen.append(y_true.shape)
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    x, y = np.arange(24).reshape(8, 3) / 10, np.arange(8)[:, None] % 3
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", distance, metrics=["accuracy"])
    predicted = model.predict(x, verbose=0)
    found = model.evaluate(x, y, verbose=0)
    assert seen[-1] == (None, 1)
    assert found[0] == pytest.approx(np.mean((y - predicted) ** 2), rel=1e-5)
    assert found[1] == pytest.approx(np.mean(y[:, 0] == predicted.argmax(-1)))
