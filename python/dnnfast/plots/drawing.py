"""What the plots share: figures that need no display, and colours that all readers tell apart."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

# Okabe and Ito, "Color Universal Design" (2008): told apart with any kind of colour vision.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
PALETTE = (BLUE, ORANGE, GREEN, PINK, "#E69F00", "#56B4E9", "#000000", "#B8A900")
MARKERS = "osD^vPX*"
GRAY = "#777777"


def need_matplotlib(what: str) -> None:
    """Raise an error that says what to install, if matplotlib is missing.

    Raises:
        ImportError: if it is.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{what} needs matplotlib: pip install 'dnnfast[plots]' (or pip install matplotlib)."
        ) from error


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def new_figure(size: tuple[float, float], what: str, returned: bool = True) -> Any:
    """Return a new figure; where the caller uses pyplot one that it shows.

    Args:
        size: width and height in inches.
        what: who draws, for the message.
        returned: whether the caller is given the figure, not its axes. A notebook shows it then as
            the result of a cell, and must not show it once more as one of pyplot's.

    Raises:
        ImportError: if matplotlib is missing.
    """
    need_matplotlib(what)
    notebook = _in_notebook()
    if notebook:
        import matplotlib.pyplot  # noqa: F401
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        figure = pyplot.figure(figsize=size, layout="constrained")
        if notebook and returned:
            pyplot.close(figure)  # no longer one of pyplot's, but one that notebooks show
        return figure
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained")


def one_axes(ax: Any, what: str, size: tuple[float, float] = (6.0, 4.2)) -> Any:
    """Return the axes given, or new ones in a figure of their own."""
    return new_figure(size, what, False).add_subplot() if ax is None else ax


def several_axes(
    count: int, ax: Any, what: str, columns: int = 4, size: tuple[float, float] = (3.6, 2.7)
) -> tuple[Any, list[Any]]:
    """Return a figure and ``count`` of its axes: new ones, or those given.

    Args:
        count: number of panels.
        ax: axes, or a sequence of as many as there are panels, or None.
        what: who draws, for the message.
        columns: most panels side by side.
        size: of a panel, in inches.

    Raises:
        ValueError: if the number of axes does not fit.
    """
    if ax is not None:
        axes = list(np.asarray(ax, dtype=object).reshape(-1))
        if len(axes) != count:
            raise ValueError(f"{what}: there are {count} panels, got {len(axes)} axes in `ax`.")
        return axes[0].figure, axes
    columns = min(count, columns)
    rows = -(-count // columns)
    # A title needs some width, however few the panels.
    figure = new_figure((max(4.2, size[0] * columns), max(3.2, size[1] * rows)), what)
    grid = figure.subplots(rows, columns, squeeze=False).reshape(-1)
    for unused in grid[count:]:
        figure.delaxes(unused)
    return figure, list(grid[:count])


def whole_numbers(axis: Any) -> None:
    """Let the ticks of an axis be whole numbers, and few."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=7, integer=True))


def bare(ax: Any) -> None:
    """Leave out the lines at the top and on the right, and draw a light grid."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color="#e4e4e4", linewidth=0.7)
    ax.set_axisbelow(True)


def names_of_classes(names: Sequence[Any] | None, count: int, what: str) -> list[str]:
    """Return one name for each class; default its number.

    Raises:
        ValueError: if there are not as many names as classes.
    """
    if names is None:
        return [str(i) for i in range(count)]
    if len(names) != count:
        raise ValueError(f"{what}: expected {count} class_names, got {len(names)}.")
    return [str(name) for name in names]


def labels_of(y: Any, what: str, name: str = "y") -> np.ndarray:
    """Return class numbers from class numbers, one-hot rows, probabilities or a column of them.

    Raises:
        ValueError: if y has more than two axes or holds no class numbers.
    """
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2:
        return values.argmax(axis=1)
    if values.ndim != 1:
        raise ValueError(
            f"{what}: {name} must be class numbers of shape (n,) or one column a class, got "
            f"shape {values.shape}."
        )
    if values.dtype.kind == "f" and len(values) and (values != np.round(values)).any():
        if values.min() < 0 or values.max() > 1:
            raise ValueError(f"{what}: {name} must be class numbers, got {values[:3]}.")
        values = values > 0.5  # probabilities of class 1
    values = values.astype(np.int64)
    if len(values) and values.min() < 0:
        raise ValueError(f"{what}: {name} has the class {values.min()}; expected numbers from 0.")
    return values
