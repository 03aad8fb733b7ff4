"""A diagram of a model in a file."""

from __future__ import annotations

import os
from typing import Any

# Pictures of more pixels along a side cannot be written.
_MOST_PIXELS = 60000


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    **kwargs: Any,
) -> Any:
    """Draw the layers of a model as boxes with arrows, and write the diagram to a file.

    It needs matplotlib and no other program. A layer that is called several times has a box for
    each call.

    Args:
        model: a built model.
        to_file: name of the file, ``.png``, ``.svg``, ``.pdf`` or another format of matplotlib.
            Default ``"model.png"``; None only draws.
        show_shapes: show the shapes of inputs and outputs. Default False.
        show_dtype: show the types of the outputs. Default False.
        show_layer_names: show the names of the layers beside their classes. Default False.
        rankdir: ``"TB"`` draws from the top to the bottom, ``"LR"`` from the left to the right;
            ``"BT"`` and ``"RL"`` the other way. Default ``"TB"``.
        expand_nested: draw the layers of nested models inside a frame. Default False.
        dpi: pixels per inch. Default 200.
        show_layer_activations: show the activations of layers. Default False.
        show_trainable: show which layers with weights are trained. Default False.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if the model is not built, or an argument is not known.

    Example:
        >>> import dnnfast as keras
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> figure = keras.utils.plot_model(model, to_file=None, show_shapes=True)
        >>> [text.get_text() for text in figure.axes[0].texts][:2]
        ['InputLayer', 'output: (None, 4)']
    """
    for key in kwargs:
        raise ValueError(f"plot_model: unknown argument {key!r}.")
    from dnnfast.plots.model_graph import Shown, draw_model

    shown = Shown(
        shapes=show_shapes,
        dtype=show_dtype,
        names=show_layer_names,
        activations=show_layer_activations,
        trainable=show_trainable,
        nested=expand_nested,
    )
    figure = draw_model(model, shown, rankdir)
    if to_file is not None:
        side = max(figure.get_size_inches())
        figure.savefig(os.fspath(to_file), dpi=min(float(dpi), _MOST_PIXELS / side))
    return figure
