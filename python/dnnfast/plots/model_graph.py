"""A model as a diagram of its layers: boxes and arrows drawn with matplotlib."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import Any

from dnnfast.plots.drawing import need_matplotlib, new_figure
from dnnfast.plots.layout import Box, Layout, place

_DIRECTIONS = ("TB", "BT", "LR", "RL")
# Heads of the boxes of inputs, of layers with weights, of other layers; dark enough for white text.
_HEADS = {"input": "#5a5a5a", "weights": "#0072B2", "plain": "#00735a"}
_FONT = 8.0  # points
_LINE = 0.155  # inches
_PAD = 0.09
_MARGIN = 0.15


@dataclass(frozen=True)
class Shown:
    """What a diagram shows of each layer; the names are those of `plot_model`."""

    shapes: bool = False
    dtype: bool = False
    names: bool = False
    activations: bool = False
    trainable: bool = False
    nested: bool = False
    sideways: bool = False


@dataclass
class _Part:
    """A box of the diagram: a layer with its lines, or a nested model with its own diagram."""

    title: str
    lines: list[str]
    kind: str
    box: Box
    inner: _Diagram | None = None


@dataclass
class _Diagram:
    parts: list[_Part]
    layout: Layout


def _text_width(text: str, bold: bool = False) -> float:
    """Return the width of a line in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=_FONT, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, False)
    return float(width) / 72.0


def _shapes(tensors: list[Any]) -> str:
    return ", ".join(str(tuple(t.shape)) for t in tensors) or "none"


def _activation(layer: Any) -> str | None:
    found = getattr(layer, "activation", None)
    if found is None:
        return None
    return str(getattr(found, "__name__", type(found).__name__))


def _part(layer: Any, call: int, inputs: list[Any], outputs: list[Any], shown: Shown) -> _Part:
    """Return the box of one call of a layer."""
    kind = type(layer).__name__
    title = f"{layer.name} ({kind})" if shown.names else kind
    if call:
        title += f", call {call + 1}"
    lines = []
    activation = _activation(layer)
    if shown.activations and activation is not None:
        lines.append(f"activation: {activation}")
    if shown.shapes:
        if inputs:
            lines.append(f"input: {_shapes(inputs)}")
        lines.append(f"output: {_shapes(outputs)}")
    if shown.dtype:
        lines.append(f"dtype: {', '.join(dict.fromkeys(str(t.dtype) for t in outputs))}")
    if shown.trainable and layer.weights:
        lines.append("trainable" if layer.trainable_weights else "not trainable")
    widths = [_text_width(title, True), *(_text_width(line) for line in lines)]
    height = _LINE * (1 + len(lines)) + 2 * _PAD + (_PAD if lines else 0.0)
    role = "input" if kind == "InputLayer" else "weights" if layer.weights else "plain"
    return _Part(title, lines, role, Box(max(widths) + 2 * _PAD, height))


def _placed(parts: list[_Part], edges: list[tuple[int, int]], sideways: bool) -> _Diagram:
    """Place boxes from the top to the bottom, or from the left to the right."""
    boxes = [part.box for part in parts]
    if sideways:
        boxes = [Box(box.height, box.width) for box in boxes]
    layout = Layout(boxes, edges)
    place(layout)
    if sideways:
        layout.boxes = [Box(b.height, b.width, b.y, b.x) for b in layout.boxes]
        layout.width, layout.height = layout.height, layout.width
        layout.routes = [[(y, x) for x, y in route] for route in layout.routes]
    placed = [dataclasses.replace(p, box=b) for p, b in zip(parts, layout.boxes, strict=True)]
    return _Diagram(placed, layout)


def _nested(model: Any, call: int, shown: Shown) -> _Part:
    """Return a nested model as a box with the diagram of its layers."""
    inner = _diagram(model, shown)
    title = f"{model.name} ({type(model).__name__})" + (f", call {call + 1}" if call else "")
    width = max(inner.layout.width, _text_width(title, True)) + 2 * _MARGIN
    height = inner.layout.height + 2 * _MARGIN + _LINE
    return _Part(title, [], "nested", Box(width, height), inner)


def _diagram(model: Any, shown: Shown) -> _Diagram:
    """Return the placed boxes and arrows of a model."""
    functional = getattr(model, "_functional", None)
    if functional is None:  # a subclass with `call`: one box
        signature = model._input_tensors() or []
        return _placed([_part(model, 0, signature, [], dataclasses.replace(shown))], [], False)
    parts: list[_Part] = []
    edges: list[tuple[int, int]] = []
    maker: dict[int, int] = {}
    calls: dict[int, int] = {}
    for node in functional.nodes:
        layer = node.layer
        call = calls.get(id(layer), 0)
        calls[id(layer)] = call + 1
        if shown.nested and getattr(layer, "_functional", None) is not None:
            parts.append(_nested(layer, call, shown))
        else:
            parts.append(_part(layer, call, node.inputs, node.outputs, shown))
        for source in dict.fromkeys(maker[id(t)] for t in node.inputs if id(t) in maker):
            edges.append((source, len(parts) - 1))
        maker.update({id(t): len(parts) - 1 for t in node.outputs})
    return _placed(parts, edges, shown.sideways)


class _Drawing:
    """Draws diagrams into axes whose unit is an inch, with y downwards."""

    def __init__(self, ax: Any, flip_x: float | None, flip_y: float | None) -> None:
        self.ax, self.flip_x, self.flip_y = ax, flip_x, flip_y

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """Return a point in the direction that was asked for."""
        return (
            x if self.flip_x is None else self.flip_x - x,
            y if self.flip_y is None else self.flip_y - y,
        )

    def diagram(self, diagram: _Diagram, x: float, y: float, sideways: bool) -> None:
        """Draw a diagram with its top left corner at a point."""
        for route in diagram.layout.routes:
            self._arrow([self._at(x + px, y + py) for px, py in route], sideways)
        for part in diagram.parts:
            box = part.box
            left, top = x + box.x - box.width / 2, y + box.y - box.height / 2
            if part.inner is None:
                self._layer(part, *self._at(x + box.x, y + box.y))
            else:
                self._frame(part, *self._at(x + box.x, y + box.y))
                space = box.width - part.inner.layout.width
                # The title stays at the top of the page, whatever the direction.
                above = _MARGIN if self.flip_y is not None else _MARGIN + _LINE
                self.diagram(part.inner, left + space / 2, top + above, sideways)

    def _rectangle(self, x: float, y: float, width: float, height: float, **style: Any) -> None:
        from matplotlib.patches import Rectangle

        self.ax.add_patch(Rectangle((x, y), width, height, **style))

    def _layer(self, part: _Part, x: float, y: float) -> None:
        width, height, color = part.box.width, part.box.height, _HEADS[part.kind]
        left, top = x - width / 2, y - height / 2
        head = _LINE + 2 * _PAD * (0.75 if part.lines else 1.0)
        self._rectangle(left, top, width, height, facecolor="white", edgecolor=color, zorder=3)
        self._rectangle(left, top, width, head, facecolor=color, edgecolor=color, zorder=3)
        style = {"fontsize": _FONT, "va": "center", "zorder": 4}
        self.ax.text(
            x, top + head / 2, part.title, ha="center", color="white", weight="bold", **style
        )
        for i, line in enumerate(part.lines):
            at = top + head + _PAD / 2 + (i + 0.5) * _LINE
            self.ax.text(left + _PAD, at, line, color="#222222", **style)

    def _frame(self, part: _Part, x: float, y: float) -> None:
        width, height = part.box.width, part.box.height
        left, top = x - width / 2, y - height / 2
        style = {"facecolor": "#f1f1f1", "edgecolor": "#888888", "linestyle": "--", "zorder": 1}
        self._rectangle(left, top, width, height, **style)
        text = {"fontsize": _FONT, "va": "center", "weight": "bold", "zorder": 4}
        self.ax.text(left + _PAD, top + _MARGIN / 2 + _LINE / 2, part.title, **text)

    def _arrow(self, points: list[tuple[float, float]], sideways: bool) -> None:
        """Draw a smooth line through points, with its head at the last one."""
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        vertices, codes = [points[0]], [Path.MOVETO]
        for (ax, ay), (bx, by) in itertools.pairwise(points):
            if sideways:
                controls = [((ax + bx) / 2, ay), ((ax + bx) / 2, by)]
            else:
                controls = [(ax, (ay + by) / 2), (bx, (ay + by) / 2)]
            vertices += [*controls, (bx, by)]
            codes += [Path.CURVE4] * 3
        arrow = FancyArrowPatch(
            path=Path(vertices, codes),
            arrowstyle="-|>",
            mutation_scale=8,
            color="#444444",
            linewidth=0.9,
            shrinkA=0,
            shrinkB=0,
            zorder=2,
        )
        self.ax.add_patch(arrow)


def draw_model(model: Any, shown: Shown, rankdir: str, ax: Any = None) -> Any:
    """Draw a model and return the figure.

    Args:
        model: a built model.
        shown: what of each layer.
        rankdir: ``"TB"`` (from the top to the bottom), ``"BT"``, ``"LR"`` or ``"RL"``.
        ax: axes of matplotlib; default those of a new figure of the right size.

    Raises:
        ImportError: if matplotlib is missing.
        ValueError: if the model is not built, or the direction is none.
    """
    need_matplotlib("plot_model")
    if rankdir not in _DIRECTIONS:
        raise ValueError(
            f"plot_model: rankdir must be one of {', '.join(_DIRECTIONS)}, got {rankdir!r}."
        )
    if not getattr(model, "built", False):
        raise ValueError(
            f"plot_model: model {model.name!r} is not built; give it an Input, call `build`, or "
            "call it on data."
        )
    sideways = rankdir in ("LR", "RL")
    diagram = _diagram(model, dataclasses.replace(shown, sideways=sideways))
    width = diagram.layout.width + 2 * _MARGIN
    height = diagram.layout.height + 2 * _MARGIN
    if ax is None:
        figure = new_figure((width, height), "plot_model")
        figure.set_layout_engine("none")
        ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.set_xlim(0.0, width)
    ax.set_ylim(height, 0.0)
    ax.set_aspect("equal")
    ax.axis("off")
    flips = (width if rankdir == "RL" else None, height if rankdir == "BT" else None)
    _Drawing(ax, *flips).diagram(diagram, _MARGIN, _MARGIN, sideways)
    return ax.figure
