"""The report of a training: one well-formed file that refers to nothing outside of it."""

import base64
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest

import dnnfast as keras
from dnnfast.reports.report import class_numbers

pytest.importorskip("matplotlib")
L = keras.layers
RNG = np.random.default_rng(0)
VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Collects texts, headings, table rows, pictures and every reference; tags must be nested."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.pictures, self.references = [], [], [], []
        self.texts = {}
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        assert not any(name.startswith("on") for name in attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "img":
            self.pictures.append((attrs["alt"], attrs["src"]))
        self.references += [attrs[name] for name in ("src", "href") if name in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open:
            return
        self.texts[self.open[-1]] = self.texts.get(self.open[-1], "") + data
        if self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def read(path):
    text = path.read_text(encoding="utf-8")
    page = Reader(text)
    assert all(ref.startswith(("#", "data:image/svg+xml;base64,")) for ref in page.references)
    assert "script" not in page.texts and "@import" not in text and "url(" not in text
    for _, source in page.pictures:
        picture = ET.fromstring(base64.b64decode(source.partition(",")[2]))
        assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    return page


def trained(outputs=3, activation="softmax", loss="sparse_categorical_crossentropy", **options):
    layers = [keras.Input((4,)), L.Dense(6, "selu", name="a<b>&'\"c"), L.Dropout(0.1)]
    model = keras.Sequential([*layers, L.Dense(outputs, activation)], name="<script>x</script>")
    model.compile("adam", loss, **options)
    return model


X = RNG.normal(size=(50, 4))


def test_a_classifier(tmp_path):
    model, y = trained(metrics=["accuracy"]), np.arange(50) % 3
    monitor = keras.callbacks.LayerMonitor()
    history = model.fit(X, y, epochs=2, verbose=0, validation_split=0.2, callbacks=[monitor])
    names = ["<one>", "two & three", "four"]
    path = keras.report(model, tmp_path / "new/r.html", X, y, monitor=monitor, class_names=names)
    page = read(path)
    assert page.texts["h1"] == page.texts["title"] == "<script>x</script>"
    rows = {row[0]: row[1:] for row in page.rows}
    losses = history.history["val_loss"]
    assert rows["val_loss"] == [
        "2", f"{losses[-1]:.5g}", f"{min(losses):.5g}", str(int(np.argmin(losses)) + 1)
    ]  # fmt: skip
    loss, accuracy = model.evaluate(X, y, verbose=0)
    assert ["loss", f"{loss:.5g}"] in page.rows and ["accuracy", f"{accuracy:.5g}"] in page.rows
    assert "[selu-init]" in page.texts["li"] and "a<b>&'\"c" in page.texts["li"]
    assert "Total params" in page.texts["pre"] and "a<b>&'\"c (Dense)" in page.texts["pre"]
    assert rows["optimizer"][0].startswith("Adam(learning_rate=0.001")
    assert rows["fit: epochs"] == ["2"] and rows["dnnfast"] == [keras.__version__]
    captions = [caption for caption, _ in page.pictures]
    assert captions == [
        "Loss and metrics over epochs", "Predicted over true classes", "The layers as a diagram",
        "By layer: mean, deviation, dead", "By layer: gradient, update ratio",
        "Values of the weights", "What the layers give for 50 samples",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("outputs", "activation", "loss", "y", "caption"),
    [
        (3, "softmax", "categorical_crossentropy", np.eye(3)[np.arange(50) % 3], "classes"),
        (1, "sigmoid", "binary_crossentropy", np.arange(50) % 2, "classes"),
        (1, None, "mse", np.arange(50.0), "values"),
    ],
)
def test_what_is_predicted(tmp_path, outputs, activation, loss, y, caption):
    model = trained(outputs, activation, loss)
    model.fit(X, y, verbose=0)
    page = read(keras.report(model, tmp_path / "r.html", X, y))
    assert f"Predicted over true {caption}" in [found for found, _ in page.pictures]


def test_targets_that_are_no_classes():
    """Whole numbers beyond the columns, or beyond 0 and 1, and rows that are not one-hot."""
    one, three = np.full((4, 1), 0.5), np.full((4, 3), 1 / 3)
    for given, y in (
        (one, np.array([0, 1, 2, 1])),
        (one, np.array([0.5, 0.0, 1.0, 0.0])),
        (one - 1, np.array([0, 1, 1, 0])),
        (three, np.array([0, 1, 2, 3])),
        (three, np.ones((4, 3))),
        (three, np.array([0, -1, 0, 0])),
        (three[0], np.zeros(3)),
    ):
        assert class_numbers(given, y) is None
    true, predicted = class_numbers(three, np.array([[0], [2], [1], [0]]))
    np.testing.assert_array_equal(true, [0, 2, 1, 0])
    np.testing.assert_array_equal(predicted, [0, 0, 0, 0])


def test_several_inputs_and_outputs_and_a_loss_without_a_name(tmp_path):
    a, b = keras.Input((2,)), keras.Input((3,))
    joined = L.concatenate([a, b])
    model = keras.Model([a, b], [L.Dense(1, name="p")(joined), L.Dense(2, name="q")(joined)])
    model.compile("sgd", ["mse", lambda y, p: keras.ops.mean(keras.ops.square(y - p), -1)])
    x, y = [X[:, :2], X[:, :3]], [X[:, :1], X[:, :2]]
    history = model.fit(x, y, epochs=2, verbose=0)
    page = read(keras.report(model, tmp_path / "r.html", x, y, history=history.history))
    assert "What the layers give for 50 samples" in [caption for caption, _ in page.pictures]
    assert len([row for row in page.rows if row[0] == "p_loss"]) == 2


def test_a_model_that_was_not_trained(tmp_path):
    model = keras.Sequential([keras.Input((2,)), L.Dense(1)])
    page = read(keras.report(model, tmp_path / "r.html", title="New"))
    assert page.texts["h1"] == "New" and "finds nothing" in page.texts["p"]
    with pytest.raises(ValueError, match="not built"):
        keras.report(keras.Sequential([L.Dense(1)]), tmp_path / "no.html")
    assert not (tmp_path / "no.html").exists()


def test_figures_of_pyplot_are_closed(tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.close("all")
    model = trained()
    model.fit(X, np.arange(50) % 3, verbose=0)
    keras.report(model, tmp_path / "r.html", X, np.arange(50) % 3)
    assert plt.get_fignums() == []
