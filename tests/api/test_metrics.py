"""Metrics: values against plain formulas over several batches, options, engines."""

import numpy as np
import pytest

import dnnfast as keras
from api import measures
from api.measures import MEASURES, new_metric
from dnnfast import ops

metrics = keras.metrics
CLASSES = {cls.__name__: cls for cls in metrics.ALL.values()}
pytestmark = [
    pytest.mark.filterwarnings("ignore:In loss:SyntaxWarning"),
    pytest.mark.filterwarnings("ignore:.*where sample_weight has fractions"),
]
# Of one row or column these are 0 / 0.
NEEDS_SPREAD = ("R2Score", "PearsonCorrelation", "ConcordanceCorrelation")


def weights_for(name, rows, kind):
    rng = np.random.default_rng(7)
    if kind is None:
        return None
    # The integers of IoU's weights; some samples do not count.
    return rng.integers(0, 3, rows) if "IoU" in name else rng.uniform(0, 2, rows) * (rows > 1)


def batches(rows):
    return [slice(i, i + 16) for i in range(0, rows, 16)]


def test_every_metric_has_a_formula():
    assert set(MEASURES) == set(CLASSES) - {"Mean", "Sum"}


CASES = [
    (name, rows, columns)
    for name in MEASURES
    for rows, columns in ((1, 10), (7, 2), (33, 1), (33, 10))
    if name not in NEEDS_SPREAD or (columns > 1 and rows > 1)
]


@pytest.mark.parametrize("weighted", [None, "rows"])
@pytest.mark.parametrize(("name", "rows", "columns"), CASES)
def test_values(name, rows, columns, weighted):
    formula, form = MEASURES[name]
    t, p = measures.example(form, rows, columns)
    w = weights_for(name, rows, weighted)
    expected = formula(t, p, np.ones(rows) if w is None else w.astype(float))
    metric = new_metric(CLASSES[name])
    for _ in range(2):
        for b in batches(rows):
            metric.update_state(t[b], p[b], sample_weight=None if w is None else w[b])
        np.testing.assert_allclose(metric.result(), expected, rtol=5e-5, atol=2e-6)
        metric.reset_state()
    assert all(not variable.numpy().any() for variable in metric.variables)
    assert np.all(np.nan_to_num(metric.result()) == 0)


def engine_model(columns):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(columns, "softmax")])
    return model, np.random.default_rng(4).normal(size=(33, 5)).astype(np.float32)


def nothing(y_true, y_pred):
    return ops.sum(0.0 * y_pred, axis=-1)


@pytest.mark.parametrize("weighted", [None, "rows"])
@pytest.mark.parametrize("name", MEASURES)
def test_engines_measure_the_same(name, weighted, device):
    form = MEASURES[name][1]
    options = {"sparse_y_pred": False} if form == "classes" else {}
    model, x = engine_model(3)
    t = measures.example(form, 33, 3)[0]
    w = weights_for(name, 33, weighted)
    metric, same = (new_metric(CLASSES[name], **options) for _ in range(2))
    place = "metrics" if w is None else "weighted_metrics"
    model.compile("sgd", nothing, **{place: [metric]})
    found = model.evaluate(x, t, batch_size=16, sample_weight=w, return_dict=True, verbose=0)
    p = model.predict(x, verbose=0)
    for b in batches(33):
        same.update_state(t[b], p[b], sample_weight=None if w is None else w[b])
    np.testing.assert_allclose(found[metric.name], same.result(), rtol=2e-4, atol=1e-6)
    again = model.evaluate(x, t, batch_size=16, sample_weight=w, return_dict=True, verbose=0)
    np.testing.assert_allclose(again[metric.name], found[metric.name], rtol=1e-6)


OPTIONS = [
    ("AUC", {"curve": "PR"}),
    ("AUC", {"curve": "PRGAIN"}),
    ("AUC", {"summation_method": "minoring", "curve": "PR"}),
    ("AUC", {"multi_label": True, "label_weights": [1.0, 2.0, 0.5]}),
    ("AUC", {"thresholds": [0.25, 0.3, 0.4]}),
    ("AUC", {"from_logits": True, "num_thresholds": 11}),
    ("Precision", {"thresholds": [0.3, 0.35], "class_id": 1}),
    ("Recall", {"top_k": 2}),
    ("FalsePositives", {"thresholds": [0.0, 0.5, 1.0]}),
    ("FBetaScore", {"beta": 2.0, "average": "weighted", "threshold": 0.4}),
    ("R2Score", {"class_aggregation": None}),
    ("BinaryAccuracy", {"threshold": 0.3}),
    ("TopKCategoricalAccuracy", {"k": 2}),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}),
    ("OneHotMeanIoU", {"ignore_class": 1, "dtype": "float32"}),
    ("SensitivityAtSpecificity", {"num_thresholds": 1}),
]


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=str)
def test_options_on_engines(name, options, device):
    model, x = engine_model(3)
    t = measures.example(MEASURES[name][1], 33, 3)[0]
    metric, same = (new_metric(CLASSES[name], **options) for _ in range(2))
    model.compile("sgd", nothing, metrics=[metric])
    found = model.evaluate(x, t, batch_size=16, return_dict=True, verbose=0)[metric.name]
    p = model.predict(x, verbose=0)
    for b in batches(33):
        same.update_state(t[b], p[b])
    np.testing.assert_allclose(found, same.result(), rtol=2e-4, atol=1e-6)


# Values of options.


def test_thresholds():
    t, p = measures.example("binary", 33, 3)
    w, limits = np.ones(33), [0.2, 0.7]
    for name, formula in (("Precision", measures.precision), ("Recall", measures.recall)):
        found = CLASSES[name](thresholds=limits)(t, p)
        np.testing.assert_allclose(found, formula(t, p, w, limits), rtol=1e-6)
    even = [0.0, 0.25, 0.5, 0.75, 1.0]
    for i, name in enumerate(["TruePositives", "FalsePositives", "TrueNegatives"]):
        expected = measures.confusion(t, p, w, even)[i]
        np.testing.assert_array_equal(CLASSES[name](even)(t, p), expected)
    exact = np.array([0.0, 0.25, 0.5, 1.0])
    np.testing.assert_array_equal(metrics.TruePositives(even)(np.ones(4), exact), [3, 2, 1, 1, 0])
    with_nan = metrics.FalseNegatives(even)(np.ones(2), [np.nan, 0.6])
    np.testing.assert_array_equal(with_nan, [1, 1, 1, 2, 2])


def test_top_k_and_class():
    t = np.array([[1, 0, 1], [0, 1, 1]])
    p = np.array([[0.1, 0.5, 0.9], [0.2, 0.3, 0.25]])
    assert metrics.Recall(top_k=1)(t, p) == pytest.approx(2 / 4)
    assert metrics.Precision(top_k=2)(t, p) == pytest.approx(3 / 4)
    assert metrics.Precision(top_k=2, thresholds=0.4)(t, p) == pytest.approx(1 / 2)
    assert metrics.Recall(class_id=2, thresholds=0.2)(t, p) == 1.0
    weight = np.arange(6).reshape(2, 3)
    found = metrics.Recall(class_id=2, thresholds=0.3)(t, p, sample_weight=weight)
    assert found == pytest.approx(2 / 7)
    with pytest.raises(ValueError, match="class_id=5"):
        metrics.Recall(class_id=5)(t, p)


@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_f_scores(average, beta):
    t, p = measures.example("binary", 33, 4)
    expected = measures.f_score(t, p, np.ones(33), beta, average)
    found = metrics.FBetaScore(average, beta)(t, p)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    if beta == 1.0:
        np.testing.assert_allclose(metrics.F1Score(average)(t, p), expected, rtol=1e-5)


def test_areas():
    t, p = measures.example("binary", 33, 3)
    by_label = [measures.roc_area(t[:, i], p[:, i], np.ones(33)) for i in range(3)]
    found = metrics.AUC(multi_label=True)(t, p)
    assert found == pytest.approx(np.mean(by_label), rel=1e-5)
    weighed = metrics.AUC(multi_label=True, num_labels=3, label_weights=[1, 2, 3])(t, p)
    assert weighed == pytest.approx(np.average(by_label, weights=[1, 2, 3]), rel=1e-5)
    logits = np.log(p / (1 - p))
    assert metrics.AUC(from_logits=True)(t, logits) == pytest.approx(metrics.AUC()(t, p), rel=1e-3)
    points = [0.1, 0.4, 0.8]
    tp, fp, tn, fn = measures.confusion(t, p, np.ones(33), [-1, *points, 2])
    x, y = measures.share(tp, tp + fn), measures.share(tp, tp + fp)
    for method, choose in (("minoring", np.minimum), ("majoring", np.maximum)):
        metric = metrics.AUC(curve="PR", summation_method=method, thresholds=points)
        expected = ((x[:-1] - x[1:]) * choose(y[:-1], y[1:])).sum()
        assert metric(t, p) == pytest.approx(expected, rel=1e-5)
    # Between thresholds precision is tp / predicted, both linear: a fine sum comes to the same.
    fine = 0.0
    for i in range(len(x) - 1):
        a = np.linspace(tp[i + 1], tp[i], 100001)
        b = np.linspace((tp + fp)[i + 1], (tp + fp)[i], 100001)
        heights = measures.share(a, b)
        fine += (np.diff(a) * (heights[1:] + heights[:-1]) / 2).sum() / (tp + fn)[0]
    assert metrics.AUC(curve="PR", thresholds=points)(t, p) == pytest.approx(fine, rel=1e-3)


def test_r2_scores():
    t, p = measures.example("real", 20, 3)
    each = 1 - ((t - p) ** 2).sum(0) / ((t - t.mean(0)) ** 2).sum(0)
    np.testing.assert_allclose(metrics.R2Score(None)(t, p), each, rtol=1e-4)
    by_variance = np.average(each, weights=t.var(0))
    assert metrics.R2Score("variance_weighted_average")(t, p) == pytest.approx(by_variance, 1e-4)
    adjusted = 1 - (1 - each.mean()) * (60 - 1) / (60 - 4 - 1)
    assert metrics.R2Score(num_regressors=4)(t, p) == pytest.approx(adjusted, rel=1e-4)
    with pytest.warns(UserWarning, match="too many"):
        assert metrics.R2Score(num_regressors=99)(t, p) == pytest.approx(each.mean(), rel=1e-4)


def test_overlaps():
    t, p = np.array([0, 1, 2, 2, 5]), np.array([0, 2, 2, 2, 1])
    assert metrics.MeanIoU(3)(t, p) == pytest.approx((1 + 0 + 2 / 3) / 3)
    assert metrics.MeanIoU(3, ignore_class=0)(t, p) == pytest.approx(2 / 3 / 2)
    weight = np.array([1.0, 1.5, 1.0, 1.0, 9.0])
    with pytest.warns(UserWarning, match="dtype='float32'"):
        assert metrics.MeanIoU(3)(t, p, weight) == pytest.approx((1 + 0 + 2 / 3) / 3)
    found = metrics.MeanIoU(3, dtype="float32")(t, p, weight)
    assert found == pytest.approx((1 + 0 + 2 / 3.5) / 3)
    assert metrics.BinaryIoU([1], 0.3)([[0, 1]], [[0.4, 0.35]], [2]) == pytest.approx(0.5)
    hot = np.eye(3)[[0, 1, 2, 2]]
    assert metrics.OneHotIoU(3, [2], sparse_y_pred=True)(hot, [0, 2, 2, 2]) == pytest.approx(2 / 3)


def test_means_and_sums():
    values = np.arange(12.0).reshape(4, 3)
    weight = np.array([1.0, 0.0, 2.0, 0.5])
    mean, total = metrics.Mean(), metrics.Sum()
    mean.update_state(values, weight)
    mean.update_state(10.0)
    assert mean.result() == pytest.approx(((values.mean(1) * weight).sum() + 10) / 4.5)
    total.update_state(values, weight[:, None])
    total.update_state(2)
    assert total.result() == pytest.approx((values * weight[:, None]).sum() + 2)
    assert metrics.Mean()(values, np.ones((4, 3))) == values.mean()
    assert metrics.Mean().result() == 0
    with pytest.raises(ValueError, match="one weight a sample"):
        metrics.Mean()(values[:, 0], np.ones((4, 3)))


def test_forms_of_labels():
    p = np.array([[0.1, 0.9], [0.2, 0.8]])
    for labels in ([1, 0], [[1], [0]], [1.0, 0.0], np.array([1, 0], np.uint8)):
        assert metrics.SparseCategoricalAccuracy()(labels, p) == 0.5
        assert metrics.SparseTopKCategoricalAccuracy(k=1)(labels, p) == 0.5
    ranked = metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)
    assert ranked([3, 1], [[4, 3, 1], [0, 2, 1]]) == 0.5
    assert metrics.BinaryAccuracy()([1, 0], [[0.9], [0.8]]) == 0.5
    assert metrics.BinaryAccuracy()([[True], [False]], [0.9, 0.1]) == 1.0
    assert metrics.RootMeanSquaredError()([0.0, 0.0], [[3.0], [4.0]]) == pytest.approx(12.5**0.5)
