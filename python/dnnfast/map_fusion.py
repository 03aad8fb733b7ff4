"""Joins element-wise functions that follow one another, and writes their tapes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from dnnfast import expressions
from dnnfast import graph as ir
from dnnfast.expressions import Expression, operand

# Operand 0 of a gradient's tape is the gradient of the result.
_MOST_INPUTS = expressions.MAX_OPERANDS - 1


def numbered(e: Expression, next_stream: Callable[[], int]) -> Expression:
    """Return ``e`` with a number for each random stream that has none yet."""
    if not expressions.is_random(e):
        return e
    numbers: dict[Any, int] = {}

    def replace(part: Expression) -> Expression:
        if part.op != "uniform" or isinstance(part.value[0], int):
            return part
        mark, word = part.value
        if mark not in numbers:
            numbers[mark] = next_stream()
        return Expression("uniform", (), (numbers[mark], word))

    return expressions.substitute(e, replace)


def _with_inputs(e: Expression, places: list[int]) -> Expression:
    """Return ``e`` with operand ``i`` being operand ``places[i]``."""
    return expressions.substitute(
        e, lambda part: operand(places[part.value]) if part.op == "input" else part
    )


def _tapes(e: Expression, count: int) -> dict[str, Any] | None:
    """Return the tapes of a function and its gradients, or None if one is too long."""
    forward = expressions.tape_of(e)
    if forward is None:
        return None
    attrs: dict[str, Any] = {"tape": forward, "random": int(expressions.is_random(e))}
    shifted = _with_inputs(e, [i + 1 for i in range(count)])
    for i, gradient in enumerate(expressions.gradients(shifted, count + 1, operand(0))[1:]):
        if gradient is None:
            continue
        tape = expressions.tape_of(gradient)
        if tape is None:
            return None
        attrs[f"gradient_{i}"] = tape
    return attrs


class _Fusion:
    def __init__(self, graph: ir.Graph) -> None:
        self.graph = graph
        self.nodes = [dataclasses.replace(n, inputs=list(n.inputs)) for n in graph.nodes]
        self.maker = {node.output: node for node in self.nodes if node.op == "map"}
        self.readers = [0] * len(graph.tensors)
        for node in self.nodes:
            for i in set(node.inputs):
                self.readers[i] += 1
        # What is read outside of nodes is not to be fused away.
        ends = [loss.prediction for loss in graph.losses]
        ends += [metric.prediction for metric in graph.metrics]
        ends += [assignment.value for assignment in graph.assignments]
        for i in [*graph.outputs, *ends]:
            self.readers[i] += 2

    def run(self) -> list[ir.Node]:
        for node in self.nodes:
            if node.op in ("map", "reduce"):
                while self._join_one(node):
                    pass
        for node in self.nodes:
            if "expression" not in node.attrs:
                continue
            attrs = dict(node.attrs)
            tapes = _tapes(attrs.pop("expression"), len(node.inputs))
            if tapes is None:
                raise ValueError(f"{node.name}: an element-wise function is too long.")
            node.attrs = attrs | tapes
        return self.nodes

    def _space(self, node: ir.Node) -> tuple[int, ...]:
        if node.op == "reduce":
            return tuple(node.attrs["space"])
        return self.graph.tensors[node.output].extents

    def _join_one(self, node: ir.Node) -> bool:
        """Put the function of one input into the node's; False if there is none that fits."""
        if node.op == "reduce" and node.attrs["kind"] not in ("sum", "mean"):
            return False
        for at, i in enumerate(node.inputs):
            producer = self.maker.get(i)
            if producer is None or self.readers[i] != 1:
                continue
            if self.graph.tensors[i].extents != self._space(node):
                continue
            # A reduction goes through its space in another order of axes.
            if node.op == "reduce" and expressions.looks_at_positions(producer.attrs["expression"]):
                continue
            if self._join(node, at, producer):
                return True
        return False

    def _join(self, node: ir.Node, at: int, producer: ir.Node) -> bool:
        inputs = [i for k, i in enumerate(node.inputs) if k != at]
        for i in producer.inputs:
            if i not in inputs:
                inputs.append(i)
        if len(inputs) > _MOST_INPUTS:
            return False
        inner = _with_inputs(
            producer.attrs["expression"], [inputs.index(i) for i in producer.inputs]
        )
        outer = node.attrs["expression"]
        places = [inputs.index(i) if k != at else -1 for k, i in enumerate(node.inputs)]

        def replace(part: Expression) -> Expression:
            if part.op != "input":
                return part
            return inner if places[part.value] < 0 else operand(places[part.value])

        joined = expressions.substitute(outer, replace)
        if _tapes(joined, len(inputs)) is None:
            return False
        for i in producer.inputs:
            # The producer reads no more; the node does, if it did not before.
            self.readers[i] -= i in node.inputs
        node.attrs = {**node.attrs, "expression": joined}
        node.inputs = inputs
        return True


def finished(graph: ir.Graph) -> ir.Graph:
    """Return the graph with neighbouring maps joined and their tapes written."""
    return dataclasses.replace(graph, nodes=_Fusion(graph).run())
