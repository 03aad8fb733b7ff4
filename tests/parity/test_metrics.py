"""Every metric of Keras is here, with its arguments, its plain data, its state and its numbers."""

import inspect
import json

import numpy as np
import pytest

import dnnfast as keras
from api.measures import MEASURES, REQUIRED, example
from parity.oracle import keras3

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:In loss:SyntaxWarning"),
    pytest.mark.filterwarnings("ignore:.*weight"),
    pytest.mark.filterwarnings("ignore:.*[Aa]djusted R2"),
]
NAMES = sorted(
    name
    for name, cls in vars(keras3.metrics).items()
    if isinstance(cls, type) and issubclass(cls, keras3.metrics.Metric) and name != "Metric"
)
FUNCTIONS = sorted(
    name
    for name, function in vars(keras3.metrics).items()
    if inspect.isfunction(function) and name not in ("get", "serialize", "deserialize")
)
SHARES = [{"thresholds": [0.2, 0.7]}, {"top_k": 1}, {"top_k": 2, "class_id": 1}, {"class_id": 0}]
COUNTS = [{"thresholds": [0.2, 0.7]}, {"thresholds": [0.0, 0.5, 1.0]}]
TRADE_OFFS = [{"num_thresholds": 1}, {"num_thresholds": 7, "class_id": 1}]
SCORES = [{"average": a, "threshold": t} for a in ("micro", "weighted") for t in (None, 0.4)]
OPTIONS = {
    "AUC": [
        {"curve": "PR"},
        {"curve": "PRGAIN"},
        {"curve": "PR", "summation_method": "majoring"},
        {"summation_method": "minoring", "num_thresholds": 5},
        {"multi_label": True, "num_labels": 3},
        {"multi_label": True, "curve": "PR", "thresholds": [0.25, 0.5, 0.55]},
        {"thresholds": [0.25, 0.5, 0.55]},
        {"from_logits": True},
        {"label_weights": [0.5, 1.0, 2.0]},
        {"label_weights": [0.5, 1.0, 2.0], "multi_label": True},
    ],
    "BinaryAccuracy": [{"threshold": 0.7}],
    "BinaryCrossentropy": [{"label_smoothing": 0.2}, {"from_logits": True}],
    "BinaryIoU": [{"target_class_ids": [1], "threshold": 0.3}],
    "CategoricalCrossentropy": [{"label_smoothing": 0.2}, {"from_logits": True}],
    "F1Score": SCORES,
    "FBetaScore": [{"beta": 2.0, **options} for options in SCORES],
    "IoU": [{"ignore_class": 0}, {"dtype": "float32"}],
    "Precision": SHARES,
    "R2Score": [
        {"class_aggregation": None},
        {"class_aggregation": "variance_weighted_average"},
        {"num_regressors": 2},
    ],
    "Recall": SHARES,
    "SparseTopKCategoricalAccuracy": [{"k": 2}],
    "TopKCategoricalAccuracy": [{"k": 1}, {"k": 2}],
    **dict.fromkeys(
        ["TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"], COUNTS
    ),
    **dict.fromkeys(
        ["SensitivityAtSpecificity", "SpecificityAtSensitivity", "PrecisionAtRecall",
         "RecallAtPrecision"],
        TRADE_OFFS,
    ),
}  # fmt: skip
# Where Keras's states of the same meaning have another type (models keep all in float32).
OF_INTEGERS = ("IoU", "MeanIoU", "BinaryIoU", "OneHotIoU", "OneHotMeanIoU")


def pair(name, options):
    """The metric of each package."""
    keras.backend.clear_session()
    keras3.backend.clear_session()
    required = dict(REQUIRED.get(name, {}))
    found = [getattr(keras.metrics, name)(**{**required, **options})]
    if "fn" in required:
        required["fn"] = keras3.losses.log_cosh
    return [*found, getattr(keras3.metrics, name)(**{**required, **options})]


def parameters(function):
    return [(p.name, p.default, p.kind) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", NAMES)
def test_arguments_and_plain_data(name):
    ours, theirs = getattr(keras.metrics, name), getattr(keras3.metrics, name)
    assert parameters(ours) == parameters(theirs)
    for options in [{}, *OPTIONS.get(name, [])]:
        mine, other = pair(name, options)
        config = json.loads(json.dumps(keras3.saving.serialize_keras_object(other)))
        if options.get("label_weights"):
            config["config"]["label_weights"] = [0.5, 1.0, 2.0]  # Keras writes a tensor's type, too
        assert json.loads(json.dumps(keras.saving.serialize_keras_object(mine))) == config
        assert type(theirs.from_config(mine.get_config())) is theirs
        assert [v.name for v in mine.variables] == [v.name for v in other.variables]
        assert [v.shape for v in mine.variables] == [tuple(v.shape) for v in other.variables]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arguments_of_functions(name):
    ours, theirs = (getattr(package.metrics, name) for package in (keras, keras3))
    assert parameters(ours) == parameters(theirs)


def data_for(name, rows, columns, seed):
    if name in ("Mean", "Sum"):
        return (np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32),)
    t, p = example(MEASURES[name][1], rows, columns, seed)
    return tuple(y.astype(np.float32) if y.dtype.kind == "f" else y for y in (t, p))


def weights_for(name, shape, rng):
    if shape is None:
        return None
    if name in OF_INTEGERS:
        return rng.integers(0, 3, shape)
    return rng.uniform(0.1, 2, shape).astype(np.float32)


@pytest.mark.parametrize("weighted", [None, "(n,)", "(n, 1)"])
@pytest.mark.parametrize("name", NAMES)
def test_values(name, weighted):
    rng = np.random.default_rng(1)
    for options in [{}, *OPTIONS.get(name, [])]:
        for rows, columns in ((7, 3),) if options or weighted else ((1, 3), (33, 3)):
            flat = weighted == "(n,)" or name.startswith("F1") or name.startswith("FB")
            shape = None if weighted is None else ((rows,) if flat else (rows, 1))
            if name == "BinaryIoU":  # Keras weighs elements there
                shape = None if shape is None else (rows, columns)
            metrics = pair(name, options)
            for seed in range(2):
                data, w = data_for(name, rows, columns, seed), weights_for(name, shape, rng)
                for metric in metrics:
                    metric.update_state(*data, sample_weight=w)
            results = [np.asarray(metric.result()) for metric in metrics]
            assert results[0].shape == results[1].shape
            np.testing.assert_allclose(*results, rtol=1e-4, atol=1e-4)
            for mine, other in zip(*(metric.variables for metric in metrics), strict=True):
                mine, other = np.asarray(mine), np.asarray(other)
                np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-3)
            for metric in metrics:
                metric.reset_state()
            after = [np.nan_to_num(np.asarray(metric.result())) for metric in metrics]
            np.testing.assert_array_equal(*after)


MISTAKES = [
    lambda k: k.metrics.get("mes"),
    lambda k: k.metrics.Precision(1.5),
    lambda k: k.metrics.AUC(num_thresholds=1),
    lambda k: k.metrics.AUC(curve="ROCK"),
    lambda k: k.metrics.AUC(num_labels=3),
    lambda k: k.metrics.SensitivityAtSpecificity(1.5),
    lambda k: k.metrics.PrecisionAtRecall(0.5, num_thresholds=0),
    lambda k: k.metrics.FBetaScore(average="mean"),
    lambda k: k.metrics.FBetaScore(beta=0.0),
    lambda k: k.metrics.F1Score(threshold=1.5),
    lambda k: k.metrics.F1Score()([1.0], [0.5]),
    lambda k: k.metrics.R2Score("mean"),
    lambda k: k.metrics.IoU(2, [2]),
    lambda k: k.metrics.Mean().stateless_result([1.0]),
    lambda k: k.metrics.Metric().result(),
]


@pytest.mark.parametrize("call", MISTAKES)
def test_mistakes_are_of_the_same_type(call):
    found = []
    for package in (keras, keras3):
        with pytest.raises(Exception) as error:
            call(package)
        found.append(error.type)
    assert issubclass(found[0], found[1])


def test_stateless():
    results = []
    for package in (keras, keras3):
        metric = package.metrics.AUC(num_thresholds=7)
        state = metric.stateless_reset_state()
        t, p = data_for("AUC", 33, 3, 0)
        state = metric.stateless_update_state(state, t, p)
        results.append([float(metric.stateless_result(state)), float(metric.result())])
    np.testing.assert_allclose(*results, rtol=1e-5)
