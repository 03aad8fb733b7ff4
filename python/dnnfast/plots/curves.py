"""Curves over the epochs of a training, and the predictions that came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dnnfast.callbacks.monitor import direction
from dnnfast.plots.drawing import BLUE, ORANGE, bare, one_axes, several_axes, whole_numbers


def _record_of(history: Any) -> tuple[Mapping[str, Any], Any]:
    """Return the record and what tells in which epochs a quantity was recorded."""
    if hasattr(history, "history"):
        return history.history, history
    return history, None


def _epochs(history: Any, record: Mapping[str, Any], name: str) -> Sequence[int]:
    """Return the epochs (from 1) of the values of a quantity."""
    count = len(record[name])
    known = getattr(history, "epochs_of", {}).get(name, ())
    if len(known) == count:
        return [epoch + 1 for epoch in known]
    most = max(len(values) for values in record.values())
    if history is not None and len(history.epoch) == count:
        return [epoch + 1 for epoch in history.epoch]
    # Validation in every so many epochs.
    return [(i + 1) * (most // max(1, count)) for i in range(count)]


def _title(name: str) -> str:
    return name.replace("_", " ")


def _names(record: Mapping[str, Any]) -> list[str]:
    """Return the quantities in the order of their panels: the loss first, rates last."""
    plain = [name.removeprefix("val_") for name in record]
    plain = [name for name in dict.fromkeys(plain) if np.ndim(_values(record, name)) == 1]
    rates = [name for name in plain if name in ("lr", "learning_rate", "momentum")]
    first = [name for name in plain if name == "loss"]
    return [*first, *(name for name in plain if name not in (*first, *rates)), *rates]


def _values(record: Mapping[str, Any], name: str) -> Any:
    return record[name] if name in record else record[f"val_{name}"]


def _label(what: str, name: str, at: Sequence[int], values: np.ndarray) -> str:
    """Return the name of a line and its best value."""
    way = direction(name)
    if way is None or not np.isfinite(values).any():
        return what
    best = int(np.nanargmin(values) if way == "min" else np.nanargmax(values))
    return f"{what}, best {values[best]:.4g} in epoch {at[best]}"


def training_curves(
    history: Any, names: Sequence[str] | None = None, ax: Any = None, path: Any = None
) -> Any:
    """Draw loss and metrics over epochs: a panel for each, training and validation together.

    Args:
        history: what `fit` returned, or the dict of lists in its ``history``.
        names: quantities to draw, without ``val_``; default all: the loss first, rates last.
        ax: axes of matplotlib, or a sequence of as many as there are panels; default new ones.
        path: file to write (``.png``, ``.svg``, ``.pdf``); default None, only draw.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if nothing was recorded, or a name is not known.

    Example:
        >>> import dnnfast as keras, numpy
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse", metrics=["mae"])
        >>> x = numpy.ones((32, 3))
        >>> history = model.fit(x, x.sum(1), epochs=3, verbose=0, validation_split=0.25)
        >>> figure = keras.plots.training_curves(history)
        >>> [panel.get_title() for panel in figure.axes]
        ['loss', 'mae']
    """
    record, known = _record_of(history)
    found = _names(record) if record else []
    if not found:
        raise ValueError("training_curves: nothing was recorded; train for at least one epoch.")
    for name in names or ():
        if name not in found:
            raise ValueError(
                f"training_curves: {name!r} was not recorded; expected some of {', '.join(found)}."
            )
    wanted = list(names or found)
    size = (4.6, 3.3)
    figure, axes = several_axes(len(wanted), ax, "training_curves", columns=3, size=size)
    for panel, name in zip(axes, wanted, strict=True):
        lines = [("training", name, BLUE, "-"), ("validation", f"val_{name}", ORANGE, "--")]
        for what, key, color, style in lines:
            if key not in record or not record[key]:
                continue
            at = _epochs(known, record, key)
            values = np.asarray(record[key], dtype=float)
            label = _label(what, name, at, values)
            panel.plot(at, values, style, color=color, marker=".", label=label)
        panel.set_title(_title(name))
        panel.set_xlabel("epoch")
        whole_numbers(panel.xaxis)
        bare(panel)
        if len(panel.lines) > 1 or direction(name) is not None:
            panel.legend(fontsize="small")
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure


def predictions(y_true: Any, y_pred: Any, ax: Any = None) -> Any:
    """Draw the predictions of a regression over the true values; on the line they are equal.

    Args:
        y_true: targets.
        y_pred: as many predictions.
        ax: axes of matplotlib; default new ones.

    Returns:
        The matplotlib axes; the title tells the mean absolute error and R^2.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if there are not as many targets as predictions, or none.

    Formula: ``R^2 = 1 - sum((y - p)^2) / sum((y - mean(y))^2)``.

    Example:
        >>> import dnnfast as keras
        >>> keras.plots.predictions([1.0, 2.0, 3.0], [1.0, 2.0, 2.0]).get_title()
        'mean absolute error 0.333, R² 0.500'
    """
    true, predicted = (np.asarray(y, np.float64).reshape(-1) for y in (y_true, y_pred))
    if len(true) != len(predicted) or not len(true):
        raise ValueError(
            "predictions: expected as many targets as predictions, at least one, got "
            f"{len(true)} and {len(predicted)}."
        )
    ax = one_axes(ax, "predictions", (5.0, 4.6))
    size = float(np.clip(4000 / len(true), 3, 20))
    ax.scatter(true, predicted, s=size, color=BLUE, alpha=0.5, linewidths=0)
    ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    ax.plot(ends, ends, "--", color=ORANGE, linewidth=1.0)
    spread = float(np.square(true - true.mean()).sum())
    title = f"mean absolute error {np.abs(true - predicted).mean():.3g}"
    if spread > 0:
        title += f", R² {1.0 - float(np.square(true - predicted).sum()) / spread:.3f}"
    ax.set_title(title, fontsize="medium")
    ax.set_xlabel("true value")
    ax.set_ylabel("predicted value")
    bare(ax)
    return ax
