"""What a classifier decides: confusion matrices and decision boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast.plots.drawing import (
    MARKERS,
    PALETTE,
    labels_of,
    names_of_classes,
    one_axes,
)

# Classes up to which the cells of a confusion matrix hold numbers.
_MOST_NUMBERS = 20
_SHARES = {"true": 1, "pred": 0}


def confusion_matrix(
    y_true: Any,
    y_pred: Any,
    class_names: Sequence[Any] | None = None,
    normalize: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw how often each class was taken for each other.

    Args:
        y_true: class numbers ``(n,)`` or ``(n, 1)``, or one-hot rows.
        y_pred: the same, or what the model predicts: probabilities of the classes, or ``(n, 1)`` of
            class 1.
        class_names: one for each class; default the numbers.
        normalize: ``"true"`` shows shares of the true class, ``"pred"`` of the predicted one,
            ``"all"`` of all samples. Default None: counts.
        ax: axes of matplotlib; default new ones.

    Returns:
        The matplotlib axes.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if an argument does not fit.

    Formula: ``C[i, j] = number of samples of class i for which j was predicted``.

    Example:
        >>> import dnnfast as keras
        >>> ax = keras.plots.confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
        >>> ax.images[0].get_array().tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    """
    what = "confusion_matrix"
    if normalize not in (None, "true", "pred", "all"):
        raise ValueError(
            f'{what}: normalize must be "true", "pred", "all" or None, got {normalize!r}.'
        )
    true, predicted = labels_of(y_true, what, "y_true"), labels_of(y_pred, what, "y_pred")
    if true.shape != predicted.shape or not len(true):
        raise ValueError(
            f"{what}: expected as many predictions as true classes, at least one, got "
            f"{len(predicted)} and {len(true)}."
        )
    columns = [np.shape(y)[1] for y in (y_true, y_pred) if np.ndim(y) == 2]
    count = max(int(true.max()) + 1, int(predicted.max()) + 1, *columns, 2)
    names = names_of_classes(class_names, max(count, len(class_names or ())), what)
    count = len(names)
    counts = np.bincount(true * count + predicted, minlength=count * count)
    cells = counts.reshape(count, count).astype(np.float64)
    accuracy = np.trace(cells) / cells.sum()
    if normalize is not None:
        axis = _SHARES.get(normalize)
        total = cells.sum(axis=axis, keepdims=True)
        cells = np.divide(cells, total, out=np.zeros_like(cells), where=total > 0)
    cell = 0.55 if count <= _MOST_NUMBERS else 0.25
    side = min(16.0, max(4.2, cell * count + 2.2))
    ax = one_axes(ax, what, (side + 0.8, side))
    _draw_cells(ax, cells, names, normalize)
    ax.set_title(f"accuracy {accuracy:.3f} of {len(true):,} samples")
    return ax


def _draw_cells(ax: Any, cells: np.ndarray, names: list[str], normalize: str | None) -> None:
    """Draw a matrix of colours with numbers and names."""
    image = ax.imshow(cells, cmap="Blues", vmin=0.0, vmax=cells.max() or 1.0)
    label = "samples" if normalize is None else "share"
    ax.figure.colorbar(image, ax=ax, label=label, fraction=0.046, pad=0.03)
    count = len(names)
    every = 1 if count <= 40 else -(-count // 40)
    size = "medium" if count <= 12 else "small" if count <= 20 else "x-small"
    places = range(0, count, every)
    slanted = max(len(name) for name in names) > 3 or count > 20
    turned: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    ax.set_xticks(places, [names[i] for i in places], fontsize=size, **(turned if slanted else {}))
    ax.set_yticks(places, [names[i] for i in places], fontsize=size)
    ax.set_xlabel("predicted class")
    ax.set_ylabel("true class")
    if count > _MOST_NUMBERS:
        return
    for (i, j), value in np.ndenumerate(cells):
        text = f"{value:,.0f}" if normalize is None else f"{value:.2f}"
        # Half of the largest value and more is dark.
        color = "white" if value > 0.5 * cells.max() else "#222222"
        shown = "xx-small" if len(text) > 4 and count > 6 else "small"
        ax.text(j, i, text, ha="center", va="center", color=color, fontsize=shown)


def _grid(x: np.ndarray, resolution: int, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions along both axes."""
    low, high = x.min(axis=0), x.max(axis=0)
    edge = margin * np.maximum(high - low, 1e-6)
    first, second = (np.linspace(low[i] - edge[i], high[i] + edge[i], resolution) for i in (0, 1))
    return first, second


def decision_boundary(
    model: Any,
    x: Any,
    y: Any = None,
    class_names: Sequence[Any] | None = None,
    resolution: int = 200,
    margin: float = 0.1,
    threshold: float = 0.5,
    ax: Any = None,
) -> Any:
    """Draw where a classifier of two numbers decides for which class, and how surely.

    The paler a region, the less sure the model is; lines are where two classes are equally likely.

    Args:
        model: a model of samples of two numbers that gives the probability of class 1, or one of
            each class.
        x: samples, ``(n, 2)``; they tell which region is drawn, and are drawn where ``y`` is given.
        y: their classes; default None.
        class_names: one for each class; default the numbers.
        resolution: points along each axis at which the model predicts, at least 2. Default 200.
        margin: share of the range of the samples that is drawn beyond it. Default 0.1.
        threshold: probability from which on it is class 1, of a model with one output. Default 0.5.
        ax: axes of matplotlib; default new ones.

    Returns:
        The matplotlib axes.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if the samples are not of two numbers, or the model gives something else.

    Example:
        >>> import dnnfast as keras, numpy
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "softmax")])
        >>> ax = keras.plots.decision_boundary(model, numpy.array([[0.0, 0.0], [1.0, 2.0]]))
        >>> ax.get_xlabel()
        'first input'
    """
    what = "decision_boundary"
    points = np.asarray(x, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"{what}: x must be samples of two numbers, got shape {points.shape}.")
    first, second = _grid(points, resolution, margin)
    grid = np.stack(np.meshgrid(first, second), axis=-1).reshape(-1, 2)
    given = model.predict(grid.astype(np.float32), verbose=0)
    if not isinstance(given, np.ndarray) or given.ndim != 2:
        raise ValueError(f"{what}: expected a model with one output of shape (n, classes).")
    outputs = given.reshape(resolution, resolution, -1).astype(np.float64)
    if outputs.min() < 0 or outputs.max() > 1 + 1e-5:
        raise ValueError(
            f"{what}: the model gives values from {outputs.min():.3g} to {outputs.max():.3g}, "
            "which are no probabilities; let it end with sigmoid or softmax."
        )
    if outputs.shape[2] == 1:
        # Moved so that the threshold is where the two are equal.
        one = np.interp(outputs[..., 0], [0.0, threshold, 1.0], [0.0, 0.5, 1.0])
        outputs = np.stack([1.0 - one, one], axis=-1)
    names = names_of_classes(class_names, outputs.shape[2], what)
    ax = one_axes(ax, what, (5.6, 4.6))
    _draw_regions(ax, first, second, outputs)
    if y is not None:
        _draw_samples(ax, points, labels_of(y, what), names)
    ax.set_xlabel("first input")
    ax.set_ylabel("second input")
    return ax


def _draw_regions(ax: Any, first: np.ndarray, second: np.ndarray, outputs: np.ndarray) -> None:
    from matplotlib.colors import to_rgb

    count = outputs.shape[2]
    chosen = outputs.argmax(axis=2)
    sure = (outputs.max(axis=2) - 1.0 / count) / (1.0 - 1.0 / count)
    strength = (0.12 + 0.4 * np.clip(sure, 0.0, 1.0))[..., None]
    colors = np.array([to_rgb(PALETTE[i % len(PALETTE)]) for i in range(count)])[chosen]
    extent = (first[0], first[-1], second[0], second[-1])
    picture = 1.0 - strength + strength * colors
    ax.imshow(picture, extent=extent, origin="lower", aspect="auto", interpolation="bilinear")
    for i in range(count):
        others = np.delete(outputs, i, axis=2).max(axis=2)
        lead = outputs[..., i] - others
        if lead.min() < 0 < lead.max():
            ax.contour(first, second, lead, levels=[0.0], colors="#333333", linewidths=0.9)


def _draw_samples(ax: Any, x: np.ndarray, y: np.ndarray, names: list[str]) -> None:
    size = float(np.clip(4000 / len(x), 6, 30))
    for i, name in enumerate(names):
        part = x[y == i]
        if len(part):
            style: Any = {"marker": MARKERS[i % len(MARKERS)], "edgecolors": "white"}
            color = PALETTE[i % len(PALETTE)]
            ax.scatter(part[:, 0], part[:, 1], s=size, c=color, linewidths=0.4, label=name, **style)
    ax.legend(title="class", fontsize="small", framealpha=0.9)
