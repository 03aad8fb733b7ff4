"""Panels with one line a layer, over epochs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dnnfast.plots.drawing import bare, new_figure, whole_numbers


def line_panels(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    epochs: Sequence[int],
    logarithmic: Collection[str],
    what: str,
) -> Any:
    """Draw panels side by side, each with one line a layer over epochs, and return the figure.

    Args:
        panels: the values of each layer, by title of the panel.
        epochs: numbers of the epochs.
        logarithmic: titles of the panels whose values are positive, and of many sizes.
        what: who draws, for the message.

    Raises:
        ImportError: if matplotlib is missing.
    """
    figure = new_figure((4.2 * len(panels) + 1.4, 3.4), what)
    from matplotlib import colormaps

    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    names: dict[str, None] = {}
    # The panel with most layers tells their order; some quantities are those of a few.
    for lines in sorted(panels.values(), key=len, reverse=True):
        names.update(dict.fromkeys(lines))
    # From the first layer (dark) to the last (light), the same in all panels.
    count = max(1, len(names) - 1)
    colors = {name: colormaps["viridis"](0.9 * i / count) for i, name in enumerate(names)}
    handles: dict[str, Any] = {}
    for panel, (title, lines) in zip(axes, panels.items(), strict=True):
        for layer, values in lines.items():
            at = epochs[-len(values) :]
            (handles[layer],) = panel.plot(at, values, marker=".", color=colors[layer])
        panel.set_title(title)
        panel.set_xlabel("epoch")
        whole_numbers(panel.xaxis)
        bare(panel)
        if title in logarithmic and any(v > 0 for values in lines.values() for v in values):
            panel.set_yscale("log")
    columns = -(-len(handles) // 16)
    listed = [handles[name] for name in names if name in handles]
    shown = [name for name in names if name in handles]
    figure.legend(listed, shown, loc="outside right upper", fontsize="small", ncols=columns)
    return figure
