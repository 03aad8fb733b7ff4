"""Histograms of weights and of what layers give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast.plots.drawing import BLUE, GRAY, GREEN, bare, several_axes

# Share of zeros from which on a histogram leaves them out.
_MANY_ZEROS = 0.2


def _panel(ax: Any, values: np.ndarray, bins: int, title: str, color: str) -> None:
    """Draw one histogram with mean and deviation in its title."""
    values = values.reshape(-1).astype(np.float64)
    finite = values[np.isfinite(values)]
    notes = f"mean {finite.mean():.3g}, deviation {finite.std():.3g}" if len(finite) else ""
    zeros = float((finite == 0).mean()) if len(finite) else 0.0
    shown = finite
    if _MANY_ZEROS < zeros < 1:
        # Beside the bar of the zeros all others would be flat.
        shown = finite[finite != 0]
        notes += f", without {zeros:.0%} zeros"
    if len(finite) < len(values):
        notes += f", not finite {1 - len(finite) / len(values):.0%}"
    # Few values in many bars would be a comb.
    ax.hist(shown, bins=min(bins, max(5, int(2 * len(shown) ** 0.5))), color=color)
    if len(shown) and shown.min() < 0 < shown.max():
        ax.axvline(0.0, color=GRAY, linewidth=0.8, linestyle=":")
    ax.set_title(f"{_shortened(title)}\n{notes}", fontsize="small")
    ax.tick_params(labelsize="small")
    ax.locator_params(axis="x", nbins=5)
    ax.locator_params(axis="y", nbins=5)
    ax.margins(x=0.02)
    bare(ax)


def _shortened(name: str, most: int = 38) -> str:
    """Keep the end of a path, which tells it from the others."""
    return name if len(name) <= most else f"…{name[1 - most :]}"


def weight_histograms(
    model: Any, variables: Sequence[Any] | None = None, bins: int = 50, ax: Any = None
) -> Any:
    """Draw a histogram of the values of each weight of a model.

    Args:
        model: a built model.
        variables: those to draw, for example ``[layer.kernel for layer in model.layers]``; default
            ``model.trainable_weights``.
        bins: number of bars, at least 1. Default 50.
        ax: a sequence of as many axes of matplotlib as there are variables; default new ones.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if there are no weights.

    Example:
        >>> import dnnfast as keras
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, name="hidden")])
        >>> figure = keras.plots.weight_histograms(model)
        >>> [panel.get_title().split()[0] for panel in figure.axes]
        ['hidden/kernel', 'hidden/bias']
    """
    chosen = list(model.trainable_weights if variables is None else variables)
    if not chosen:
        raise ValueError(
            f"weight_histograms: model {model.name!r} has no weights to draw; build it first by an "
            "Input or by calling it."
        )
    figure, axes = several_axes(len(chosen), ax, "weight_histograms")
    for panel, variable in zip(axes, chosen, strict=True):
        name = variable.path.removeprefix(f"{model.name}/")
        _panel(panel, variable.numpy(), bins, name, BLUE)
    return figure


def activation_histograms(
    model: Any,
    x: Any,
    layers: Sequence[str] | None = None,
    bins: int = 50,
    training: bool = False,
    ax: Any = None,
) -> Any:
    """Draw a histogram of what each layer of a model gives for some samples.

    Where many outputs are exactly 0, as those of a rectifier, the title says how many, and the bars
    are those of the others.

    Args:
        model: a built model.
        x: some hundred samples.
        layers: names of those to draw (paths, for layers inside of layers); default all.
        bins: number of bars, at least 1. Default 50.
        training: whether the layers are in training mode. Default False.
        ax: a sequence of as many axes of matplotlib as there are layers; default new ones.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if a layer is not known, or the samples do not fit.

    Example:
        >>> import dnnfast as keras, numpy
        >>> layers = [keras.Input((3,)), keras.layers.Dense(8, "relu", name="hidden")]
        >>> model = keras.Sequential([*layers, keras.layers.Dense(1, name="out")])
        >>> figure = keras.plots.activation_histograms(model, numpy.eye(3))
        >>> [panel.get_title().split()[0] for panel in figure.axes]
        ['hidden', 'out']
    """
    from dnnfast.training.inputs import prepare_inputs
    from dnnfast.training.inspection import LayerOutputs

    inputs = prepare_inputs(model, x)
    found = LayerOutputs(model).run(inputs, training)
    for name in layers or ():
        if name not in found:
            raise ValueError(
                f"activation_histograms: model {model.name!r} has no layer {name!r} with outputs; "
                f"expected some of {', '.join(found)}."
            )
    chosen = list(found if layers is None else layers)
    figure, axes = several_axes(len(chosen), ax, "activation_histograms")
    for panel, name in zip(axes, chosen, strict=True):
        _panel(panel, found[name], bins, name, GREEN)
    return figure
