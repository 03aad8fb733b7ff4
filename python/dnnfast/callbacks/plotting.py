"""Plots of what callbacks have recorded. matplotlib is imported when one is drawn."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any


def figure(columns: int) -> tuple[Any, Any]:
    """Return a figure that needs no display, and its axes side by side.

    Raises:
        ImportError: if matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "plots need matplotlib: pip install matplotlib (or dnnfast[plots])."
        ) from error
    drawn = Figure(figsize=(4.5 * columns, 3.6), layout="constrained")
    return drawn, drawn.subplots(1, columns, squeeze=False)[0]


def line_panels(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    epochs: Sequence[int],
    logarithmic: Collection[str],
    path: Any,
) -> Any:
    """Draw panels side by side, each with one line a layer over epochs, and return the figure."""
    drawn, axes = figure(len(panels))
    from matplotlib import colormaps

    for panel, (title, lines) in zip(axes, panels.items(), strict=True):
        count = max(1, len(lines) - 1)
        for i, (layer, values) in enumerate(lines.items()):
            # From the first layer (dark) to the last (light).
            color = colormaps["viridis"](0.9 * i / count)
            panel.plot(epochs[-len(values) :], values, marker=".", color=color, label=layer)
        panel.set_title(title)
        panel.set_xlabel("epoch")
        if title in logarithmic and any(v > 0 for values in lines.values() for v in values):
            panel.set_yscale("log")
    handles, labels = axes[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside right upper", fontsize="small")
    if path is not None:
        drawn.savefig(path, dpi=120)
    return drawn
