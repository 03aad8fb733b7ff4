"""How sure a model with dropout is: Monte Carlo predictions drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.plots.drawing import BLUE, ORANGE, bare, labels_of, one_axes


def _sampled(model: Any, x: np.ndarray, mc_samples: int, what: str) -> tuple[Any, Any]:
    mean, deviation = model.predict(x, mc_samples=mc_samples, verbose=0)
    if not isinstance(mean, np.ndarray):
        raise ValueError(f"{what}: expected a model with one output.")
    if not np.any(deviation):
        raise ValueError(
            f"{what}: the predictions do not vary, so the model has no active dropout; add Dropout "
            "layers, and train with them."
        )
    return mean, deviation


def uncertainty_band(
    model: Any,
    x: Any,
    y: Any = None,
    mc_samples: int = 100,
    extend: float = 0.25,
    points: int = 200,
    ax: Any = None,
) -> Any:
    """Draw a regression over its one input, with bands of one and two standard deviations.

    Args:
        model: a model with dropout, of samples of one number, that gives one number.
        x: samples, ``(n,)`` or ``(n, 1)``; they tell which range is drawn.
        y: their targets, drawn as points; default None.
        mc_samples: passes with active dropout, at least 2. Default 100.
        extend: share of the range of the samples that is drawn on both sides of it. Default 0.25.
        points: number of places at which the model predicts, at least 2. Default 200.
        ax: axes of matplotlib; default new ones.

    Returns:
        The matplotlib axes.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if the samples have several numbers, or the model has no dropout.

    Formula: ``mean ± k deviation`` of ``model.predict(x, mc_samples=...)``; Gal and Ghahramani,
    "Dropout as a Bayesian Approximation" (ICML 2016).

    Example:
        >>> import dnnfast as keras
        >>> layers = [keras.Input((1,)), keras.layers.Dense(16, "tanh"), keras.layers.Dropout(0.2)]
        >>> model = keras.Sequential([*layers, keras.layers.Dense(1)])
        >>> ax = keras.plots.uncertainty_band(model, [-1.0, 0.0, 1.0], mc_samples=20)
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['± 2 deviations', '± 1 deviation', 'mean of 20 passes']
    """
    what = "uncertainty_band"
    places = np.asarray(x, dtype=np.float64)
    if places.ndim == 2 and places.shape[1] == 1:
        places = places[:, 0]
    if places.ndim != 1 or not len(places):
        raise ValueError(f"{what}: x must be samples of one number, got shape {places.shape}.")
    edge = extend * (places.max() - places.min())
    grid = np.linspace(places.min() - edge, places.max() + edge, points)
    mean, deviation = _sampled(model, grid[:, None].astype(np.float32), mc_samples, what)
    if mean.size != points:
        raise ValueError(
            f"{what}: expected a model that gives one number, got outputs of shape {mean.shape}."
        )
    mean, deviation = mean.reshape(-1), deviation.reshape(-1)
    ax = one_axes(ax, what)
    for k, strength in ((2, 0.15), (1, 0.3)):
        label = f"± {k} deviation{'s' if k > 1 else ''}"
        low, high = mean - k * deviation, mean + k * deviation
        ax.fill_between(grid, low, high, color=BLUE, alpha=strength, linewidth=0, label=label)
    ax.plot(grid, mean, color=BLUE, label=f"mean of {mc_samples} passes")
    if y is not None:
        targets = np.asarray(y).reshape(-1)
        ax.scatter(places, targets, s=10, color=ORANGE, alpha=0.7, linewidths=0, label="samples")
    bare(ax)
    ax.margins(x=0)
    ax.set_xlabel("input")
    ax.set_ylabel("prediction")
    ax.legend(fontsize="small")
    return ax


def confidence(
    model: Any, x: Any, y: Any, mc_samples: int = 100, bins: int = 20, ax: Any = None
) -> Any:
    """Draw how probable the chosen class is, where a classifier is right and where it is wrong.

    A model that knows what it does not know is rarely sure where it is wrong.

    Args:
        model: a model with dropout that gives the probability of class 1, or one of each class.
        x: samples.
        y: their classes.
        mc_samples: passes with active dropout, at least 2. Default 100.
        bins: number of bars, at least 1. Default 20.
        ax: axes of matplotlib; default new ones.

    Returns:
        The matplotlib axes.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if samples and classes do not fit, or the model has no dropout.

    Formula: the largest of the class probabilities, each the mean over the passes.

    Example:
        >>> import dnnfast as keras, numpy
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5)])
        >>> model.add(keras.layers.Dense(2, "softmax"))
        >>> x, y = numpy.ones((6, 4)), numpy.array([0, 1, 0, 1, 0, 1])
        >>> ax = keras.plots.confidence(model, x, y, mc_samples=10)
        >>> ax.get_xlabel()
        'mean probability of the chosen class'
    """
    what = "confidence"
    mean, _ = _sampled(model, np.asarray(x), mc_samples, what)
    if mean.ndim != 2:
        raise ValueError(f"{what}: expected outputs of shape (n, classes), got {mean.shape}.")
    if mean.shape[1] == 1:
        mean = np.concatenate([1.0 - mean, mean], axis=1)
    true = labels_of(y, what)
    if len(true) != len(mean):
        raise ValueError(f"{what}: got {len(mean)} samples and {len(true)} classes.")
    top, right = mean.max(axis=1), mean.argmax(axis=1) == true
    least = 1.0 / mean.shape[1]
    edges = np.linspace(least, 1.0, bins + 1)
    ax = one_axes(ax, what)
    # Shares of their own: there are few wrong ones to see beside many right ones.
    for part, label, color, hatch in (
        (right, "right", BLUE, None),
        (~right, "wrong", ORANGE, "//"),
    ):
        if part.any():
            shares = np.full(int(part.sum()), 1.0 / part.sum())
            note = f"{label}: {part.sum():,}, on average {top[part].mean():.2f}"
            style: Any = {"color": color, "hatch": hatch, "label": note, "edgecolor": "white"}
            ax.hist(np.clip(top[part], least, 1.0), edges, weights=shares, alpha=0.65, **style)
    bare(ax)
    ax.set_xlabel("mean probability of the chosen class")
    ax.set_ylabel("share of the right, of the wrong")
    ax.set_title(f"{mc_samples} passes, accuracy {right.mean():.3f}")
    ax.legend(fontsize="small", loc="upper left")
    return ax
