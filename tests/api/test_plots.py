"""Plots: what is drawn, from which numbers, and that nothing needs a display."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

import dnnfast as keras
from dnnfast.plots.layout import Box, Layout, place

pytest.importorskip("matplotlib")
L = keras.layers


@pytest.fixture(autouse=True)
def _closed():
    """Close what was drawn while another test has imported pyplot."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def classifier(classes=3, inputs=2):
    layers = [keras.Input((inputs,)), L.Dense(8, "relu", name="hidden"), L.Dropout(0.5)]
    return keras.Sequential([*layers, L.Dense(classes, "softmax", name="out")])


def lines_of(panel):
    return {line.get_label().split(",")[0]: line for line in panel.lines}


def test_curves_stand_at_the_epochs_of_their_values(tmp_path):
    model = classifier()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.eye(2).repeat(8, 0), np.arange(16) % 3
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    options = {
        "epochs": 7,
        "initial_epoch": 2,
        "validation_data": (x, y),
        "validation_freq": [4, 7],
    }
    history = model.fit(x, y, verbose=0, callbacks=[schedule], **options)
    figure = history.plot(path=tmp_path / "history.svg")
    assert [panel.get_title() for panel in figure.axes] == ["loss", "accuracy", "learning rate"]
    lines = lines_of(figure.axes[0])
    np.testing.assert_array_equal(lines["training"].get_xdata(), [3, 4, 5, 6, 7])
    np.testing.assert_array_equal(lines["validation"].get_xdata(), [4, 7])
    np.testing.assert_array_equal(lines["validation"].get_ydata(), history.history["val_loss"])
    best = min(history.history["val_loss"])
    assert f"best {best:.4g} in epoch" in lines["validation"].get_label()
    assert "<svg" in (tmp_path / "history.svg").read_text()
    (panel,) = keras.plots.training_curves(history.history, ["accuracy"]).axes
    assert lines_of(panel)["training"].get_ydata()[0] == history.history["accuracy"][0]
    with pytest.raises(ValueError, match="'acc' was not recorded; expected some of loss"):
        history.plot(["acc"])
    with pytest.raises(ValueError, match="3 panels, got 1 axes"):
        history.plot(ax=figure.axes[0])
    with pytest.raises(ValueError, match="nothing was recorded"):
        keras.callbacks.History().plot()


def test_curves_of_a_plain_dict_validated_in_every_second_epoch():
    figure = keras.plots.training_curves({"loss": [4.0, 3.0, 2.0, 1.0], "val_loss": [5.0, 6.0]})
    np.testing.assert_array_equal(lines_of(figure.axes[0])["validation"].get_xdata(), [2, 4])
    assert lines_of(figure.axes[0])["validation"].get_label() == "validation, best 5 in epoch 2"


def bars_of(panel):
    return sum(bar.get_height() for bar in panel.patches)


def test_histograms_count_each_value_once():
    model = classifier()
    figure = keras.plots.weight_histograms(model, bins=7)
    sizes = {v.path: v.size for v in model.trainable_weights}
    assert [bars_of(panel) for panel in figure.axes] == list(sizes.values())
    outputs = keras.plots.activation_histograms(model, np.ones((5, 2)), ["hidden", "out"])
    hidden, out = outputs.axes
    values = keras.Sequential(model.layers[:1]).predict(np.ones((5, 2), np.float32), verbose=0)
    zeros = (values == 0).mean()
    assert zeros > 0.2  # so they are left out, and told
    assert f"without {zeros:.0%} zeros" in hidden.get_title()
    assert bars_of(hidden) == (values != 0).sum()
    assert bars_of(out) == 15
    with pytest.raises(ValueError, match="no layer 'none' with outputs; expected some of hidden"):
        keras.plots.activation_histograms(model, np.ones((5, 2)), ["none"])
    with pytest.raises(ValueError, match="no weights to draw"):
        keras.plots.weight_histograms(keras.Sequential([keras.Input((2,)), L.ReLU()]))


def test_values_that_are_not_finite_are_told():
    model = classifier()
    model.layers[0].set_weights([np.full((2, 8), np.nan), np.zeros(8)])
    figure = keras.plots.weight_histograms(model)
    assert "not finite 100%" in figure.axes[0].get_title()


@pytest.mark.parametrize("normalize", [None, "true", "pred", "all"])
def test_confusion_matrix(normalize):
    true, predicted = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 1, 1, 1, 0, 1])
    counts = np.array([[1, 1, 0], [1, 2, 0], [0, 1, 0]], float)
    total = {None: 1, "true": counts.sum(1, keepdims=True), "all": 6, "pred": np.array([2, 4, 1])}
    for y_true in (true, true[:, None], np.eye(3)[true]):
        for y_pred in (predicted, np.eye(3)[predicted] * 0.4 + 0.2):
            ax = keras.plots.confusion_matrix(y_true, y_pred, "abc", normalize)
            np.testing.assert_allclose(ax.images[0].get_array(), counts / total[normalize])
            assert ax.get_title() == "accuracy 0.500 of 6 samples"
            assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b", "c"]


def test_confusion_matrix_of_probabilities_of_one_class_and_errors():
    draw = keras.plots.confusion_matrix
    ax = draw([0, 1, 1], [[0.2], [0.7], [0.4]])
    np.testing.assert_array_equal(ax.images[0].get_array(), [[1, 0], [1, 1]])
    assert len(draw(np.arange(30), np.arange(30)).texts) == 0  # no numbers in so many cells
    with pytest.raises(ValueError, match="expected 4 class_names, got 3"):
        draw([0, 3], [1, 1], "abc")
    with pytest.raises(ValueError, match="got 2 and 1"):
        draw([0], [1, 1])
    with pytest.raises(ValueError, match="normalize must be"):
        draw([0], [0], normalize="rows")
    with pytest.raises(ValueError, match="must be class numbers"):
        draw([0, 1], [0.5, 1.5])


@pytest.mark.parametrize("classes", [1, 2, 3])
def test_decision_boundary_separates_what_the_model_separates(classes):
    model = keras.Sequential([keras.Input((2,)), L.Dense(classes)])
    model.add(L.Activation("sigmoid" if classes == 1 else "softmax"))
    kernel = {1: [[2.0], [0.0]], 2: [[-1.0, 1.0], [0.0, 0.0]], 3: [[-9.0, 9.0, 0.0], [0.0] * 3]}
    bias = {1: [0.0], 2: [0.0, 0.0], 3: [0.0, 0.0, 4.5]}
    model.set_weights([np.array(kernel[classes]), np.array(bias[classes])])
    x = np.random.default_rng(0).uniform(-1, 1, (60, 2))
    ax = keras.plots.decision_boundary(model, x, x[:, 0] > 0, resolution=41)
    places = np.concatenate(
        [path.vertices for found in ax.collections for path in found.get_paths()
         if hasattr(found, "levels")]
    )  # fmt: skip
    expected = [0.0] if classes < 3 else [-0.5, 0.5]
    for at in expected:
        assert np.abs(places[:, 0] - at).min() < 0.03
    assert np.abs(places[:, 0, None] - expected).min(axis=1).max() < 0.03
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "1"]


def test_decision_boundary_at_a_threshold_and_errors():
    model = keras.Sequential([keras.Input((2,)), L.Dense(1, "sigmoid")])
    model.set_weights([np.array([[1.0], [0.0]]), np.zeros(1)])
    x = np.array([[-4.0, 0.0], [4.0, 1.0]])
    ax = keras.plots.decision_boundary(model, x, threshold=0.9)
    (contour,) = (found for found in ax.collections[:1])
    places = np.concatenate([path.vertices for path in contour.get_paths()])
    np.testing.assert_allclose(places[:, 0], np.log(9.0), atol=0.02)
    with pytest.raises(ValueError, match="samples of two numbers"):
        keras.plots.decision_boundary(model, np.ones((3, 4)))
    linear = keras.Sequential([keras.Input((2,)), L.Dense(1, kernel_initializer="ones")])
    with pytest.raises(ValueError, match="no probabilities"):
        keras.plots.decision_boundary(linear, x)


def test_uncertainty():
    layers = [keras.Input((1,)), L.Dense(32, "tanh"), L.Dropout(0.3), L.Dense(1)]
    model = keras.Sequential(layers)
    x = np.linspace(-1, 1, 9)
    ax = keras.plots.uncertainty_band(model, x, x, mc_samples=30, extend=0.5, points=50)
    (line,) = ax.lines
    assert (line.get_xdata()[0], line.get_xdata()[-1]) == (-2.0, 2.0)
    wide, narrow = (found.get_paths()[0].vertices for found in ax.collections[:2])
    height = [np.ptp(band[np.isclose(band[:, 0], 2.0), 1]) for band in (wide, narrow)]
    assert height[0] == pytest.approx(2 * height[1]) and height[1] > 0
    plain = keras.Sequential([keras.Input((1,)), L.Dense(1)])
    with pytest.raises(ValueError, match="no active dropout"):
        keras.plots.uncertainty_band(plain, x)


def test_predictions():
    true, predicted = np.array([1.0, 2.0, 4.0]), np.array([[1.5], [2.0], [3.0]])
    ax = keras.plots.predictions(true, predicted)
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), np.c_[true, predicted])
    residual, spread = 0.25 + 1.0, np.square(true - true.mean()).sum()
    assert ax.get_title() == f"mean absolute error 0.5, R² {1 - residual / spread:.3f}"
    with pytest.raises(ValueError, match="got 3 and 2"):
        keras.plots.predictions(true, predicted[:2])


def test_confidence_counts_right_and_wrong():
    model, x = classifier(), np.random.default_rng(0).normal(size=(40, 2))
    ax = keras.plots.confidence(model, x, np.arange(40) % 3, mc_samples=20)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    right, wrong = (int(label.split(": ")[1].split(",")[0]) for label in labels)
    assert right + wrong == 40 and f"accuracy {right / 40:.3f}" in ax.get_title()
    assert bars_of(ax) == pytest.approx(2.0)  # shares of each


def branched():
    a, b = keras.Input((3,), name="a"), keras.Input((4,), name="b")
    shared = L.Dense(4, name="shared")
    h = shared(b)
    inner = keras.Sequential([keras.Input((7,)), L.Dense(2, "relu", name="deep")], name="inner")
    out = inner(L.concatenate([a, shared(h)], name="joined"))
    return keras.Model([a, b], [keras.ops.exp(out), L.Dense(1, name="aux")(h)])


def words_of(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_plot_model_shows_each_call(tmp_path):
    model = branched()
    model.get_layer("shared").trainable = False
    plain = words_of(keras.utils.plot_model(model, None))
    assert sorted(plain) == sorted(
        ["InputLayer"] * 2 + ["Dense", "Dense, call 2", "Concatenate", "Sequential", "Exp", "Dense"]
    )
    for rankdir in ("TB", "BT", "LR", "RL"):
        path = tmp_path / f"{rankdir}.png"
        figure = keras.utils.plot_model(
            model, path, show_shapes=True, show_dtype=True, show_layer_names=True, dpi=50,
            rankdir=rankdir, expand_nested=True, show_layer_activations=True, show_trainable=True,
        )  # fmt: skip
        words = words_of(figure)
        assert {"inner (Sequential)", "deep (Dense)", "activation: relu"} <= set(words)
        assert "input: (None, 3), (None, 4)" in words and "dtype: float32" in words
        assert words.count("not trainable") == 2 and words.count("trainable") == 2
        assert path.read_bytes()[:4] == b"\x89PNG"
        assert arrows_lead(figure, "shared (Dense)", "joined (Concatenate)", rankdir)
    with pytest.raises(ValueError, match="rankdir"):
        keras.utils.plot_model(model, None, rankdir="UP")
    with pytest.raises(ValueError, match="unknown argument 'show_shape'"):
        keras.utils.plot_model(model, None, show_shape=True)
    with pytest.raises(ValueError, match="not built"):
        keras.utils.plot_model(keras.Sequential([L.Dense(1)]), None)


def arrows_lead(figure, first, last, rankdir):
    places = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    dx, dy = np.subtract(places[last], places[first])
    return {"TB": dy, "BT": -dy, "LR": dx, "RL": -dx}[rankdir] > 0


def test_a_subclass_is_one_box():
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.dense = L.Dense(1)

        def call(self, inputs):
            return self.dense(inputs)

    model = Own()
    model(np.ones((2, 3)))
    assert words_of(keras.utils.plot_model(model, None, show_layer_names=True)) == ["own (Own)"]


def test_boxes_do_not_overlap_and_lie_below_what_they_read():
    rng = np.random.default_rng(0)
    for _ in range(20):
        count = int(rng.integers(2, 25))
        edges = [(int(rng.integers(0, b)), b) for b in range(1, count) for _ in range(2)]
        layout = Layout([Box(*rng.uniform(0.2, 2.0, 2)) for _ in range(count)], sorted(set(edges)))
        place(layout)
        for a, b in layout.edges:
            upper, lower = layout.boxes[a], layout.boxes[b]
            assert upper.y + upper.height / 2 < lower.y - lower.height / 2
        for i, one in enumerate(layout.boxes):
            assert one.width / 2 - 1e-9 <= one.x <= layout.width - one.width / 2 + 1e-9
            for other in layout.boxes[:i]:
                apart = abs(one.x - other.x) - (one.width + other.width) / 2
                below = abs(one.y - other.y) - (one.height + other.height) / 2
                assert max(apart, below) > 0.2
        for (a, b), route in zip(layout.edges, layout.routes, strict=True):
            assert route[0][0] == layout.boxes[a].x and route[-1][0] == layout.boxes[b].x
            assert all(p[1] <= q[1] for p, q in itertools.pairwise(route))


def test_no_crossing_that_can_be_avoided():
    # Two chains side by side, given crosswise.
    layout = Layout([Box(1, 1) for _ in range(6)], [(0, 3), (1, 2), (2, 5), (3, 4)])
    place(layout)
    x = [box.x for box in layout.boxes]
    assert (x[0] < x[1]) == (x[3] < x[2]) == (x[4] < x[5])


HEADLESS = """
import sys
import dnnfast as keras
assert "matplotlib" not in sys.modules
figure = keras.plots.training_curves({"loss": [2.0, 1.0]})
figure.savefig("curves.png")
assert "matplotlib.pyplot" not in sys.modules
import matplotlib.pyplot as plt
ax = keras.plots.confusion_matrix([0, 1], [1, 1])
assert plt.get_fignums() == [ax.figure.number]
own = plt.figure().add_subplot()
assert keras.plots.confusion_matrix([0, 1], [1, 1], ax=own) is own
"""


def test_no_display_is_needed_and_pyplot_shows_what_its_users_draw(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", HEADLESS], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "curves.png").stat().st_size > 1000


NOTEBOOK = """
import sys, types
shell = types.SimpleNamespace(events=types.SimpleNamespace(register=print))
notebook = types.SimpleNamespace(get_ipython=lambda: shell, version_info=(9, 0))
sys.modules["IPython"] = notebook
import dnnfast as keras
figure = keras.plots.training_curves({"loss": [2.0, 1.0]})
plt = sys.modules["matplotlib.pyplot"]
assert plt.get_fignums() == []  # it is the result of the cell, shown once
ax = keras.plots.confusion_matrix([0, 1], [1, 1])
assert plt.get_fignums() == [ax.figure.number]
"""


def test_a_notebook_shows_each_figure_once(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", NOTEBOOK], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr


def test_a_missing_matplotlib_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    model = classifier()
    for draw in (
        lambda: keras.plots.training_curves({"loss": [1.0]}),
        lambda: keras.plots.weight_histograms(model),
        lambda: keras.plots.decision_boundary(model, np.ones((3, 2))),
        lambda: keras.plots.confusion_matrix([0], [1]),
        lambda: keras.utils.plot_model(model, None),
    ):
        with pytest.raises(ImportError, match=r"pip install 'dnnfast\[plots\]'"):
            draw()
