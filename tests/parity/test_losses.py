"""Every loss of Keras is here, with its arguments, its plain data and its numbers."""

import inspect
import json

import numpy as np
import pytest

import dnnfast as keras
from api.formulas import FORMULAS, example
from parity.oracle import keras3

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:In loss:SyntaxWarning"),
]
LEFT_OUT = {"CTC", "Loss"}  # sequences are not for dense networks; the base class has no values
NAMES = sorted(
    name
    for name, cls in vars(keras3.losses).items()
    if isinstance(cls, type) and issubclass(cls, keras3.losses.Loss) and name not in LEFT_OUT
)
FUNCTIONS = sorted(
    name
    for name, function in vars(keras3.losses).items()
    if inspect.isfunction(function) and name not in ("ctc", "get", "serialize", "deserialize")
)
OPTIONS = {
    "BinaryCrossentropy": [{"from_logits": True, "label_smoothing": 0.2}],
    "BinaryFocalCrossentropy": [{"gamma": 1.5}, {"apply_class_balancing": True, "alpha": 0.7}],
    "CategoricalCrossentropy": [{"from_logits": True}, {"label_smoothing": 0.2}],
    "CategoricalFocalCrossentropy": [{"from_logits": True, "alpha": 0.7}],
    "CategoricalGeneralizedCrossEntropy": [{"q": 0.8}],
    "Circle": [{"gamma": 4.0, "margin": 0.25}, {"remove_diagonal": False}],
    "Dice": [{"axis": -1}],
    "Huber": [{"delta": 0.5}],
    "SparseCategoricalCrossentropy": [{"ignore_class": 1}, {"from_logits": True}],
    "Tversky": [{"alpha": 0.3, "beta": 0.9}, {"axis": 0}],
}


def parameters(function):
    return [(p.name, p.default, p.kind) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", NAMES)
def test_arguments_and_plain_data(name):
    ours, theirs = getattr(keras.losses, name), getattr(keras3.losses, name)
    assert parameters(ours) == parameters(theirs)
    data = keras3.saving.serialize_keras_object(theirs())
    assert keras.saving.serialize_keras_object(ours()) == data
    for options in OPTIONS.get(name, []):
        config = theirs(**options, name="mine", reduction="sum").get_config()
        again = ours.from_config(config).get_config()
        assert {**again, **config} == again
        assert type(theirs.from_config(json.loads(json.dumps(again)))) is theirs


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arguments_of_functions(name):
    ours, theirs = (getattr(package.losses, name) for package in (keras, keras3))
    assert parameters(ours) == parameters(theirs)


@pytest.mark.parametrize("weighted", [None, "(n,)", "(n, 1)"])
@pytest.mark.parametrize(
    "reduction", ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none"]
)
@pytest.mark.parametrize("name", NAMES)
def test_values(name, reduction, weighted):
    rng = np.random.default_rng(1)
    for options in [{}, *OPTIONS.get(name, [])]:
        if weighted and name in ("Dice", "Tversky") and "axis" in options:
            continue  # values of columns have no samples to weigh
        for rows, columns in ((7, 3),) if options or weighted else ((1, 2), (7, 1), (33, 10)):
            if columns == 1 and name == "CategoricalGeneralizedCrossEntropy":
                continue  # Keras takes all pairs of samples there
            t, p = example(FORMULAS[name][1], rows, columns, seed=rows)
            t, p = (y.astype(np.float32) if y.dtype.kind == "f" else y for y in (t, p))
            w = None if weighted is None else rng.uniform(0.1, 2, rows).astype(np.float32)
            w = w[:, None] if weighted == "(n, 1)" else w
            found = [
                np.asarray(
                    getattr(package.losses, name)(reduction=reduction, **options)(
                        t, p, sample_weight=w
                    )
                )
                for package in (keras, keras3)
            ]
            assert found[0].shape == found[1].shape
            np.testing.assert_allclose(*found, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
def test_types(dtype):
    t, p = np.array([[0, 1], [1, 1]]).astype(dtype), np.array([[0.25, 0.5], [0.75, 0.5]])
    for name in ("MeanSquaredError", "BinaryCrossentropy", "Hinge", "Poisson"):
        ours, theirs = (getattr(package.losses, name)()(t, p) for package in (keras, keras3))
        assert np.asarray(ours).dtype == np.asarray(theirs).dtype
        assert float(ours) == pytest.approx(float(theirs), rel=1e-6)


MISTAKES = [
    lambda k: k.losses.get("mes"),
    lambda k: k.losses.MeanSquaredError(reduction="average"),
    lambda k: k.losses.CategoricalCrossentropy(axis=True)([[0, 1]], [[0.5, 0.5]]),
    lambda k: k.losses.CategoricalGeneralizedCrossEntropy(q=1.0),
    lambda k: k.losses.binary_crossentropy(np.ones((2, 3)), np.ones((2, 2))),
]


@pytest.mark.parametrize("call", MISTAKES)
def test_mistakes_are_of_the_same_type(call):
    found = []
    for package in (keras, keras3):
        with pytest.raises(Exception) as error:
            call(package)
        found.append(error.type)
    assert issubclass(found[0], found[1])
