"""The table that `Model.summary` prints, in the layout of Keras 3."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_CHAIN = (("Layer (type)", 0.458, "<"), ("Output Shape", 0.333, "<"), ("Param #", 0.209, ">"))
_GRAPH = (
    ("Layer (type)", 0.296, "<"),
    ("Output Shape", 0.267, "<"),
    ("Param #", 0.169, ">"),
    ("Connected to", 0.268, "<"),
)
_DEFAULT_LENGTH = 76


def _size(count: int) -> str:
    """Bytes of float32 values, in the unit that suits."""
    size = 4.0 * count
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{count:,} ({size:.2f} {unit})"
        size /= 1024
    raise AssertionError


@dataclass
class _Table:
    columns: Any
    widths: list[int]
    rows: list[list[list[str]]] = field(default_factory=list)  # row, cell, line

    def _rule(self, left: str, fill: str, middle: str, right: str) -> str:
        return left + middle.join(fill * width for width in self.widths) + right

    def _lines(self, cells: list[list[str]], bar: str) -> list[str]:
        height = max(len(cell) for cell in cells)
        lines = []
        for i in range(height):
            texts = [
                f" {(cell[i] if i < len(cell) else ''):{column[2]}{width - 2}} "
                for cell, column, width in zip(cells, self.columns, self.widths, strict=True)
            ]
            lines.append(bar + bar.join(texts) + bar)
        return lines

    def render(self) -> list[str]:
        lines = [self._rule("┏", "━", "┳", "┓")]
        lines += self._lines([[column[0]] for column in self.columns], "┃")
        lines.append(self._rule("┡", "━", "╇", "┩"))
        for i, row in enumerate(self.rows):
            if i:
                lines.append(self._rule("├", "─", "┼", "┤"))
            lines += self._lines(row, "│")
        lines.append(self._rule("└", "─", "┴", "┘"))
        return lines


def _wrapped(text: str, width: int) -> list[str]:
    """Break at spaces; cut words that are too long."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [line if len(line) <= width else line[: width - 1] + "…" for line in lines] or [""]


def _output_shape(layer: Any) -> str:
    from dnnfast import tree

    nodes = layer._inbound_nodes
    tensors = nodes[0].outputs if nodes else []
    if not tensors and getattr(layer, "_functional", None) is not None:
        tensors = tree.flatten(layer._functional.outputs)
    if not tensors:
        return "?"
    return ", ".join(str(tensor.shape) for tensor in tensors)


def _params(layer: Any) -> str:
    if not layer.built:
        return f"{sum(v.size for v in layer.weights):,} (unbuilt)"
    return f"{layer.count_params():,}"


def _connections(layer: Any, nodes: set[int]) -> list[str]:
    found = []
    for node in layer._inbound_nodes:
        if id(node) in nodes:
            for tensor in node.inputs:
                history = tensor._keras_history
                if history is not None:
                    found.append(
                        f"{history.operation.name}[{history.node_index}][{history.tensor_index}]"
                    )
    return found


def _is_chain(model: Any) -> bool:
    from dnnfast.models.sequential import Sequential

    return isinstance(model, Sequential) or model._functional is None


def summary_text(
    model: Any, line_length: int | None, expand_nested: bool, show_trainable: bool
) -> str:
    """Return the summary as text."""
    columns: Any = _CHAIN if _is_chain(model) else _GRAPH
    if show_trainable:
        columns = (*((name, share * 0.85, align) for name, share, align in columns),
                   ("Trai…", 0.15, "<"))  # fmt: skip
    inner = max(12 * len(columns), (line_length or _DEFAULT_LENGTH) - len(columns) - 1)
    widths = [round(inner * share) for _, share, _ in columns]
    widths[0] += inner - sum(widths)
    table = _Table(columns, widths)
    _add_rows(table, model, "", expand_nested, show_trainable)
    lines = [f'Model: "{model.name}"', *table.render(), *_totals(model)]
    return "\n".join(lines)


def _add_rows(
    table: _Table, model: Any, indent: str, expand_nested: bool, show_trainable: bool
) -> None:
    nodes = {id(node) for node in model._functional.nodes} if model._functional else set()
    for layer in model.operations:
        cells = [
            f"{indent}{layer.name} ({type(layer).__name__})",
            _output_shape(layer),
            _params(layer),
        ]
        wrapped = [_wrapped(cell, w - 2) for cell, w in zip(cells, table.widths, strict=False)]
        if any(column[0] == "Connected to" for column in table.columns):
            width = table.widths[3] - 2
            found = _connections(layer, nodes) or ["-"]
            wrapped.append([t if len(t) <= width else t[: width - 1] + "…" for t in found])
        if show_trainable:
            wrapped.append(["Y" if layer.trainable_weights else "N" if layer.weights else "-"])
        table.rows.append(wrapped)
        if expand_nested and hasattr(layer, "_functional"):
            _add_rows(table, layer, f"{indent}  ", expand_nested, show_trainable)


def _totals(model: Any) -> list[str]:
    trainable = sum(v.size for v in model.trainable_weights)
    frozen = sum(v.size for v in model.non_trainable_weights)
    optimizer = model.optimizer
    state = None
    if optimizer is not None and optimizer.built:
        state = sum(v.size for v in optimizer.variables)
    lines = [
        f" Total params: {_size(trainable + frozen + (state or 0))}",
        f" Trainable params: {_size(trainable)}",
        f" Non-trainable params: {_size(frozen)}",
    ]
    return lines if state is None else [*lines, f" Optimizer params: {_size(state)}"]
