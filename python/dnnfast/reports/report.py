"""What a training was, and what came of it, as one page of HTML."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dnnfast import plots
from dnnfast.callbacks.monitor import direction
from dnnfast.plots.drawing import need_matplotlib
from dnnfast.reports.page import Page
from dnnfast.training.arrays import is_array

# Samples from which the histograms of activations are made, and weights that are drawn.
_SOME_SAMPLES = 500
_MOST_HISTOGRAMS = 32


def report(
    model: Any,
    path: Any = "report.html",
    x: Any = None,
    y: Any = None,
    history: Any = None,
    monitor: Any = None,
    class_names: Sequence[Any] | None = None,
    title: str | None = None,
) -> Path:
    """Write a page of HTML about a model and its training, in one file without outside references.

    It holds the results, the curves of loss and metrics, what `Model.lint` finds, the layers as a
    table and as a diagram, the configuration, histograms of the weights, and the environment; with
    ``x`` also histograms of what layers give, and with ``y`` the loss and metrics on these samples
    with a confusion matrix, or with predicted over true values.

    Args:
        model: a built model.
        path: of the file; missing folders are created. Default ``"report.html"``.
        x: samples, best some that were not trained on; default None.
        y: their targets; default None.
        history: what `fit` returned; default that of the last `fit`.
        monitor: a `callbacks.LayerMonitor` that took part; default None.
        class_names: names for the confusion matrix; default numbers.
        title: of the page; default the model's name.

    Returns:
        The path of the file.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if the model is not built, or the samples do not fit.

    Example:
        >>> import dnnfast as keras, tempfile
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)], name="sum")
        >>> model.compile("sgd", "mse")
        >>> x, y = [[1.0, 2.0], [0.0, 1.0]], [3.0, 1.0]
        >>> history = model.fit(x, y, epochs=2, verbose=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = keras.report(model, folder + "/report.html", x, y)
        ...     "<title>sum</title>" in path.read_text()
        True
    """
    need_matplotlib("report")
    if not model.built:
        raise ValueError(
            f"report: model {model.name!r} is not built; give it an Input, or call it on data."
        )
    if history is None:
        history = getattr(model, "history", None)
    record = getattr(history, "history", history) or {}
    when = time.strftime("%Y-%m-%d %H:%M")
    kind = type(model).__name__
    page = Page(title or model.name, f"{kind}, {model.count_params():,} parameters; {when}")
    if record:
        _add_results(page, record)
        page.picture(plots.training_curves(history), "Loss and metrics over epochs")
    if x is not None and y is not None:
        _add_evaluation(page, model, x, y, class_names)
    _add_findings(page, model, x, y)
    _add_model(page, model)
    if monitor is not None and monitor.epochs:
        page.section("Inside the layers, over epochs")
        quantities = [name for name, found in monitor.history.items() if found]
        for begin in range(0, len(quantities), 3):
            names = quantities[begin : begin + 3]
            caption = ", ".join(name.replace("_", " ") for name in names)
            page.picture(monitor.plot(names), f"By layer: {caption}")
    _add_histograms(page, model, x)
    _add_configuration(page, model, history)
    file = Path(os.fspath(path))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page.render(), encoding="utf-8")
    return file


def _add_results(page: Page, record: Any) -> None:
    """Add the last and the best value of each quantity."""
    page.section("Results")
    rows: list[list[Any]] = []
    for name, values in record.items():
        numbers = np.asarray(values, dtype=object)
        if numbers.ndim != 1 or not len(numbers):
            continue
        numbers = numbers.astype(np.float64)
        way = direction(name)
        best = at = None
        if way is not None and np.isfinite(numbers).any():
            at = int(np.nanargmin(numbers) if way == "min" else np.nanargmax(numbers))
            best = float(numbers[at])
        rows.append([name, len(numbers), float(numbers[-1]), best, None if at is None else at + 1])
    page.table(["quantity", "values", "last", "best", "best is value number"], rows)


def class_numbers(given: np.ndarray, y: np.ndarray) -> Any:
    """Return true and predicted classes, or None if the model is no classifier."""
    columns = given.shape[1] if given.ndim == 2 else 0
    labels = y.reshape(len(y), -1)
    whole = labels.dtype.kind in "biu" or bool((labels == np.round(labels)).all())
    if columns == 0 or not whole or labels.min(initial=0) < 0:
        return None
    if columns == 1:
        inside = given.min() >= 0 and given.max() <= 1 and labels.max(initial=0) <= 1
        if labels.shape[1] != 1 or not inside:
            return None
        return labels[:, 0].astype(int), (given[:, 0] > 0.5).astype(int)
    if labels.shape[1] == columns and bool((labels.sum(axis=1) == 1).all()):
        return labels.argmax(axis=1), given.argmax(axis=1)
    if labels.shape[1] == 1 and labels.max(initial=0) < columns:
        return labels[:, 0].astype(int), given.argmax(axis=1)
    return None


def _add_evaluation(page: Page, model: Any, x: Any, y: Any, class_names: Any) -> None:
    """Add loss and metrics on the samples, and a picture of the predictions."""
    page.section("On the samples given")
    spec = getattr(model, "_spec", None)
    if spec is not None and spec.loss is not None:
        found = model.evaluate(x, y, verbose=0, return_dict=True)
        numbers = [[name, float(value)] for name, value in found.items() if np.ndim(value) == 0]
        page.table(["quantity", "value"], numbers)
    given = model.predict(x, verbose=0)
    if not isinstance(given, np.ndarray) or _is_nested(y):
        return
    targets = np.asarray(y)
    classes = class_numbers(given, targets)
    if classes is not None:
        true, predicted = classes
        count = max(given.shape[1], 2)
        hot = np.eye(count)[predicted]  # tells how many classes there are
        ax = plots.confusion_matrix(true, hot, class_names)
        page.picture(ax.figure, "Predicted over true classes")
    elif targets.size == given.size:
        ax = plots.predictions(targets, given)
        page.picture(ax.figure, "Predicted over true values")


def _is_nested(y: Any) -> bool:
    """Tell whether these are the targets of several outputs."""
    if isinstance(y, (list, tuple)):
        return any(is_array(part) for part in y)
    return isinstance(y, dict)


def _add_findings(page: Page, model: Any, x: Any, y: Any) -> None:
    page.section("What may hurt the training")
    findings = model.lint(x, None if _is_nested(y) else y)
    if findings:
        page.findings(str(finding) for finding in findings)
    else:
        page.text("model.lint() finds nothing.")


def _add_model(page: Page, model: Any) -> None:
    from dnnfast.models.summary import summary_text
    from dnnfast.plots.model_graph import Shown, draw_model

    page.section("Layers")
    page.preformatted(summary_text(model, 98, True, True))
    shown = Shown(shapes=True, names=True, activations=True, nested=True)
    page.picture(draw_model(model, shown, "TB"), "The layers as a diagram")


def _add_histograms(page: Page, model: Any, x: Any) -> None:
    page.section("Weights and outputs of the layers")
    variables = model.trainable_weights
    if len(variables) > _MOST_HISTOGRAMS:
        page.text(f"The first {_MOST_HISTOGRAMS} of {len(variables)} weights.")
    if variables:
        figure = plots.weight_histograms(model, variables[:_MOST_HISTOGRAMS])
        page.picture(figure, "Values of the weights")
    if x is None:
        return
    from dnnfast.training.inputs import prepare_inputs
    from dnnfast.training.inspection import LayerOutputs

    some = [array[:_SOME_SAMPLES] for array in prepare_inputs(model, x)]
    names = LayerOutputs(model).names[:_MOST_HISTOGRAMS]
    figure = plots.activation_histograms(model, some if len(some) > 1 else some[0], names)
    page.picture(figure, f"What the layers give for {len(some[0])} samples")


def _plain(value: Any) -> Any:
    """Return a serialized object by its name and its own settings."""
    if isinstance(value, dict) and "class_name" in value:
        config = value.get("config")
        inside = config.items() if isinstance(config, dict) else ()
        told = ", ".join(f"{k}={_plain(v)}" for k, v in inside if k != "name" and v is not None)
        return f"{value['class_name']}({told})"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(_plain(part)) for part in value)
    return value


def _add_configuration(page: Page, model: Any, history: Any) -> None:
    from dnnfast import config
    from dnnfast.cli.info import collect

    page.section("Configuration and environment")
    rows: list[list[Any]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a lambda is not to be loaded from here
        compiled = model.get_compile_config() or {}
    rows += [[name, str(_plain(v))] for name, v in compiled.items() if v not in (None, [], False)]
    params = getattr(history, "params", None) or {}
    rows += [[f"fit: {name}", str(v)] for name, v in params.items() if name != "verbose"]
    rows += [["device", str(config.device())], ["dtype policy", config.dtype_policy().name]]
    rows += [[name, str(value)] for name, value in collect().items() if name != "fashion_mnist"]
    page.table(["setting", "value"], rows)
