"""Losses: values against plain formulas, gradients against finite differences, options, names."""

import math

import numpy as np
import pytest

import dnnfast as keras
from api.formulas import FORMULAS, example, predictions
from dnnfast import ops
from dnnfast.masks import with_mask
from tolerance import assert_close, bound

CLASSES = {cls.__name__: cls for cls in keras.losses.ALL.values()}
pytestmark = pytest.mark.filterwarnings("ignore:In loss:SyntaxWarning")

OPTIONS = {
    "BinaryCrossentropy": [{"label_smoothing": 0.2}],
    "BinaryFocalCrossentropy": [
        {"gamma": 1.5, "label_smoothing": 0.1},
        {"apply_class_balancing": True, "alpha": 0.7},
    ],
    "CategoricalCrossentropy": [{"label_smoothing": 0.2}],
    "CategoricalFocalCrossentropy": [{"alpha": 0.5, "gamma": 1.5, "label_smoothing": 0.1}],
    "CategoricalGeneralizedCrossEntropy": [{"q": 0.8}],
    "Circle": [{"gamma": 4.0, "margin": 0.25}],
    "Huber": [{"delta": 0.5}],
    "Tversky": [{"alpha": 0.3, "beta": 0.9}],
}
CASES = [(name, {}) for name in FORMULAS] + [
    (name, options) for name, several in OPTIONS.items() for options in several
]
FROM_LOGITS = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "SparseCategoricalCrossentropy",
]
# Powers, exponentials and scales of 80 multiply roundings.
ROUNDINGS = {"Circle": 4000, "MeanSquaredLogarithmicError": 16, "LogCosh": 16}


def limit(name, count):
    return bound(count, ROUNDINGS.get(name, 12))


def test_every_loss_has_a_formula():
    assert set(FORMULAS) == set(CLASSES)


@pytest.mark.parametrize("columns", [1, 2, 10])
@pytest.mark.parametrize("rows", [1, 7, 33])
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_values(name, options, rows, columns):
    formula, form = FORMULAS[name]
    t, p = example(form, rows, columns)
    p = p.astype(np.float32)
    expected = formula(t, p.astype(float), **options)
    loss = CLASSES[name](**options, reduction="none")
    found = loss(t, p)
    assert found.dtype == np.float32
    assert_close(found, expected, limit(name, columns), scale=np.maximum(np.abs(expected), 1.0))
    function = next(f for f, cls in keras.losses.ALL.items() if cls is CLASSES[name])
    if name == "CategoricalGeneralizedCrossEntropy":
        options = {"q": 0.5, **options}
    np.testing.assert_array_equal(getattr(keras.losses, function)(t, p, **options), found)


@pytest.mark.parametrize("reduction", ["sum", "mean", "sum_over_batch_size", None, "auto"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", FORMULAS)
def test_reductions_and_weights(name, weighted, reduction):
    formula, form = FORMULAS[name]
    t, p = example(form, 33, 4)
    weight = np.random.default_rng(1).uniform(0, 2, 33) if weighted else None
    rows = formula(t, p.astype(np.float32).astype(float))
    values = rows * (1.0 if weight is None else weight)
    if reduction is None:
        expected = values
    elif reduction == "sum":
        expected = values.sum()
    else:
        expected = values.mean()
        if name == "Circle":
            expected *= len(rows) / (rows > 0).sum()
    loss = CLASSES[name](reduction=reduction)
    for given in (weight, None if weight is None else weight[:, None]):
        found = np.asarray(loss(t, p, sample_weight=given))
        if np.ndim(expected) == 0:
            assert found == pytest.approx(expected, rel=1e-3 if name == "Circle" else 2e-5)
        else:
            assert_close(found.reshape(np.shape(expected)), expected, limit(name, 4))


def test_mean_by_weights():
    t, p = np.zeros((3, 2)), np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    loss = keras.losses.MeanSquaredError(reduction="mean_with_sample_weight")
    assert loss(t, p, sample_weight=[1.0, 0.0, 3.0]) == pytest.approx((1 + 27) / 4)
    assert loss(t, p) == pytest.approx(14 / 3)
    assert loss(t, p, sample_weight=[0.0, 0.0, 0.0]) == 0.0
    with pytest.raises(ValueError, match="one weight a sample"):
        loss(t, p, sample_weight=np.ones((3, 2)))


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "uint8", "bool"])
@pytest.mark.parametrize("name", ["MeanSquaredError", "BinaryCrossentropy", "Hinge"])
def test_types_of_data(name, dtype):
    t = np.array([[0, 1], [1, 1]])
    p = np.array([[0.25, 0.5], [0.75, 0.5]])
    expected = FORMULAS[name][0](t.astype(float), p).mean()
    assert CLASSES[name]()(t.astype(dtype), p) == pytest.approx(expected, rel=1e-6)
    assert CLASSES[name]()(t.tolist(), p.tolist()) == pytest.approx(expected, rel=1e-6)
    given = np.array([[0, 1], [1, 0]]).astype(dtype)  # predictions of this type
    exact = FORMULAS["MeanSquaredError"][0](t.astype(float), given.astype(float)).mean()
    assert keras.losses.MeanSquaredError()(t, given) == pytest.approx(exact)


def test_types_of_losses():
    loss = keras.losses.MeanSquaredError(dtype="float16")
    assert loss.dtype == "float16" and loss([[1.0]], [[0.5]]).dtype == "float16"
    assert loss.native_kind is None
    assert keras.losses.MeanSquaredError(dtype=keras.DTypePolicy("float32")).native_kind


@pytest.mark.parametrize("form", ["vector", "column", "float", "list"])
def test_forms_of_labels(form):
    t, p = example("labels", 7, 3)
    expected = FORMULAS["SparseCategoricalCrossentropy"][0](t, p).mean()
    given = {"vector": t, "column": t[:, None], "float": t.astype(float), "list": t.tolist()}[form]
    assert keras.losses.SparseCategoricalCrossentropy()(given, p) == pytest.approx(expected)
    generalized = FORMULAS["CategoricalGeneralizedCrossEntropy"][0](t, p).mean()
    assert keras.losses.CategoricalGeneralizedCrossEntropy()(given, p) == pytest.approx(generalized)


def test_targets_without_the_last_axis():
    t, p = example("real", 7, 1)
    for name in ("MeanSquaredError", "Huber", "LogCosh", "Hinge"):
        loss = CLASSES[name]()
        assert loss(t[:, 0], p) == loss(t, p) == loss(t, p[:, 0])


@pytest.mark.parametrize("name", FROM_LOGITS)
def test_logits(name):
    formula, form = FORMULAS[name]
    t, _ = example(form, 33, 4)
    z = np.random.default_rng(3).normal(size=(33, 4)) * 3
    expected = formula(t, z, from_logits=True)
    found = CLASSES[name](from_logits=True, reduction="none")(t, z)
    assert_close(found, expected, limit(name, 16))
    # Far from 0 logits stay exact where probabilities would be clipped.
    z = np.array([[40.0, -40.0]])
    t = np.array([1]) if form == "labels" else np.array([[0.0, 1.0]])
    value = float(CLASSES[name](from_logits=True)(t, z))
    factor = 0.25 if name.startswith("CategoricalFocal") else 1.0
    assert value == pytest.approx(factor * (80.0 if form != "binary" else 40.0), rel=1e-5)


def test_small_and_large_differences():
    small = np.array([[1e-4]])
    assert keras.losses.LogCosh()([[0.0]], small) == pytest.approx(0.5e-8, rel=1e-4)
    assert keras.losses.LogCosh()([[0.0]], [[-300.0]]) == pytest.approx(300 - math.log(2))
    assert keras.losses.KLDivergence()([[0.0, 1.0]], [[0.0, 1.0]]) == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(keras.losses.MeanAbsolutePercentageError()([[0.0]], [[1.0]]))
    assert keras.losses.CosineSimilarity()([[0.0, 0.0]], [[1.0, 1.0]]) == 0.0


def test_axes():
    t, p = example("shares", 6, 4)
    t, p = t.reshape(2, 3, 4), p.reshape(2, 3, 4)
    swapped = [y.swapaxes(1, 2) for y in (t, p)]
    for name in ("CategoricalCrossentropy", "CategoricalFocalCrossentropy", "CosineSimilarity"):
        options = {} if name == "CosineSimilarity" else {"label_smoothing": 0.1}
        last = CLASSES[name](reduction="none", **options)(t, p)
        np.testing.assert_allclose(
            CLASSES[name](axis=1, reduction="none", **options)(*swapped), last, rtol=1e-5
        )
    labels = np.argmax(t, axis=-1)
    sparse = keras.losses.SparseCategoricalCrossentropy
    last = sparse(reduction="none")(labels, p)
    np.testing.assert_allclose(sparse(axis=1, reduction="none")(labels, swapped[1]), last)
    for axis in (0, (0, 2)):
        expected = 1 - 2 * (t * p).sum(axis) / (t.sum(axis) + p.sum(axis) + 1e-7)
        found = keras.losses.Dice(axis=axis, reduction=None)(t, p)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_ignored_class():
    t, p = example("labels", 7, 3)
    marked = np.where(np.arange(7) % 3 == 0, -1, t)
    kept = marked >= 0
    rows = FORMULAS["SparseCategoricalCrossentropy"][0](t, p)
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)
    assert loss.native_kind is None
    assert loss(marked, p) == pytest.approx(rows[kept].mean())
    weight = np.arange(7.0)
    expected = (rows * weight)[kept].sum() / kept.sum()
    assert loss(marked, p, sample_weight=weight) == pytest.approx(expected)
    assert loss(np.full(7, -1), p) == 0.0
    metric = keras.metrics.SparseCategoricalCrossentropy(ignore_class=-1)
    assert metric(marked, p) == pytest.approx(rows[kept].mean())


def test_masks_choose_what_counts():
    t, p = example("real", 6, 4)
    t, p = t.reshape(2, 3, 4), p.reshape(2, 3, 4)
    mask = np.array([[True, False, True], [True, False, False]])
    masked = with_mask(p.astype(np.float32), mask)
    rows = ((t - p) ** 2).mean(axis=-1)
    loss = keras.losses.MeanSquaredError
    assert loss()(t, masked) == pytest.approx(rows[mask].mean(), rel=1e-5)
    assert loss(reduction="sum")(t, masked) == pytest.approx(rows[mask].sum(), rel=1e-5)
    weight = np.array([1.0, 3.0])
    expected = (rows * weight[:, None])[mask]
    assert loss()(t, masked, sample_weight=weight) == pytest.approx(expected.mean(), rel=1e-5)
    by_weight = loss(reduction="mean_with_sample_weight")(t, masked, sample_weight=weight)
    assert by_weight == pytest.approx(expected.sum() / (2 * 1.0 + 3.0), rel=1e-5)
    metric = keras.metrics.MeanSquaredError()
    assert metric(t, masked, sample_weight=weight) == pytest.approx(by_weight, rel=1e-5)


# Gradients.


class Predictions(keras.layers.Layer):
    """The values of `predictions`, written with ops."""

    def __init__(self, form, **kwargs):
        super().__init__(**kwargs)
        self.form = form

    def call(self, z):
        if self.form in ("labels", "shares"):
            return ops.softmax(z)
        if self.form == "binary":
            return ops.sigmoid(z)
        if self.form == "positive":
            return ops.softplus(z) + 0.1
        return ops.normalize(z) if self.form == "vectors" else z * 1.0


def mean_of(name, options, t, p, weight):
    rows = FORMULAS[name][0](t, p, **options)
    counted = (rows > 0).mean() if name == "Circle" else 1.0
    return float(np.mean(rows * weight) / counted)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_gradients(name, options, weighted, device):
    form = FORMULAS[name][1]
    if name == "Circle":
        options = {"gamma": 4.0, **options}
    rng = np.random.default_rng(5)
    x, t = rng.normal(size=(9, 5)), example(form, 9, 4)[0]
    weight = rng.uniform(0.5, 2.0, 9) if weighted else None
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4), Predictions(form)])
    model.compile("sgd", CLASSES[name](**options))
    kernel = model.get_weights()[0].astype(float)
    one = 1.0 if weight is None else weight

    def value(w):
        return mean_of(name, options, t, predictions(form, x @ w), one)

    data = (x.astype(np.float32), t if form in ("labels", "vectors") else t.astype(np.float32))
    assert model.evaluate(*data, batch_size=9, sample_weight=weight, verbose=0) == pytest.approx(
        value(kernel), rel=2e-4
    )
    slopes = np.zeros_like(kernel)
    for place in np.ndindex(kernel.shape):
        step = np.zeros_like(kernel)
        step[place] = 1e-6
        slopes[place] = (value(kernel + step) - value(kernel - step)) / 2e-6
    found = model.gradients(*data, sample_weight=weight)
    gradient = next(g for path, g in found.items() if path.endswith("kernel"))
    assert_close(gradient, slopes, 2e-4)
