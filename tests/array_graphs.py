"""Builds graphs of array ops, as the tracing of layers written with `dnnfast.ops` does."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dnnfast import expressions, symbolic
from dnnfast.expressions import Expression, operand
from dnnfast.graph import Assignment, Graph, Loss, Metric, Optimizer, Parameter


def tapes(build: Callable[..., Any], count: int) -> dict[str, Any]:
    """Return the attributes of a map of ``count`` operands: its tape and those of its gradients."""
    e = expressions.lift(build(*(operand(i) for i in range(count))))

    def behind_dy(part: Expression) -> Expression:
        return operand(part.value + 1) if part.op == "input" else part

    moved = expressions.substitute(e, behind_dy)
    gradients = expressions.gradients(moved, count + 1, operand(0))[1:]
    attrs = {f"gradient_{i}": expressions.tape_of(g) for i, g in enumerate(gradients) if g}
    return {"tape": expressions.tape_of(e), "random": int(expressions.is_random(e)), **attrs}


def uniform(stream: int, word: int = 0) -> Expression:
    """Return the expression of random numbers in [0, 1)."""
    return Expression("uniform", (), (stream, word))


class ArrayBuilder:
    """A graph in the making; methods return tensor ids. Sizes are extents: -n is n batches."""

    def __init__(self, optimizer: str | None = "sgd", **options: Any) -> None:
        self.graph = Graph(optimizer=Optimizer(optimizer, options) if optimizer else None)

    def extents(self, x: int) -> tuple[int, ...]:
        return self.graph.tensors[x].extents

    def input(self, *shape: int) -> int:
        return self.graph.add_input(f"x{len(self.graph.inputs)}", shape)

    def parameter(self, *shape: int, **options: Any) -> int:
        name = f"p{len(self.graph.parameters)}"
        return self.graph.add_parameter(Parameter(name, shape, **options))

    def node(self, op: str, inputs: Sequence[int], attrs: Any, extents: Sequence[int]) -> int:
        batched = tuple(extents[:1]) == (-1,) and min(extents[1:], default=1) > 0
        shape = tuple(extents[1:] if batched else extents)
        return self.graph.add_node(op, list(inputs), attrs, shape, batched=batched)

    def map(self, build: Callable[..., Any], *inputs: int, extents: Sequence[int] = ()) -> int:
        shapes = [*(self.extents(x) for x in inputs), tuple(extents)]
        space = symbolic.broadcast(shapes, "map")
        return self.node("map", inputs, tapes(build, len(inputs)), space)

    def reduce(
        self,
        kind: str,
        inputs: int | Sequence[int],
        axes: Sequence[int],
        keepdims: bool = False,
        build: Callable[..., Any] = lambda x: x,
    ) -> int:
        inputs = [inputs] if isinstance(inputs, int) else inputs
        space = symbolic.broadcast([self.extents(x) for x in inputs], "reduce")
        after = [1 if i in axes else n for i, n in enumerate(space) if keepdims or i not in axes]
        attrs = {"kind": kind, "axes": list(axes), "space": list(space)}
        return self.node("reduce", inputs, attrs | tapes(build, len(inputs)), after)

    def view(
        self,
        x: int,
        extents: Sequence[int],
        source: Sequence[int],
        start: Sequence[int] = (),
        step: Sequence[int] = (),
    ) -> int:
        start = list(start or [0] * len(self.extents(x)))
        attrs = {"source": list(source), "start": start, "step": list(step or [1] * len(source))}
        return self.node("view", [x], attrs, extents)

    def transpose(self, x: int, *axes: int) -> int:
        return self.view(x, [self.extents(x)[a] for a in axes], axes)

    def regroup(self, x: int, *extents: int) -> int:
        return self.node("regroup", [x], {}, extents)

    def product(self, a: int, b: int) -> int:
        left, right = self.extents(a), self.extents(b)
        outer = symbolic.broadcast([left[:-2], right[:-2]], "product")
        return self.node("product", [a, b], {}, (*outer, left[-2], right[-1]))

    def gather(self, x: int, index: int, axis: int, along: bool = False) -> int:
        before, at = self.extents(x), self.extents(index)
        after = at if along else (*before[:axis], *at, *before[axis + 1 :])
        return self.node("gather", [x, index], {"axis": axis, "along": int(along)}, after)

    def scatter(self, values: int, index: int, axis: int, size: int) -> int:
        before, count = self.extents(values), len(self.extents(index))
        after = (*before[:axis], size, *before[axis + count :])
        return self.node("scatter", [values, index], {"axis": axis}, after)

    def scan(self, x: int, kind: str, axis: int, reverse: int = 0, exclusive: int = 0) -> int:
        attrs = {"kind": kind, "axis": axis, "reverse": reverse, "exclusive": exclusive}
        return self.node("scan", [x], attrs, self.extents(x))

    def join(self, inputs: Sequence[int], axis: int) -> int:
        after = list(self.extents(inputs[0]))
        after[axis] = sum(self.extents(x)[axis] for x in inputs)
        return self.node("join", inputs, {"axis": axis}, after)

    def switch(self, training: int, inference: int, samples: int = 0) -> int:
        attrs = {"samples": samples}
        return self.node("switch", [training, inference], attrs, self.extents(training))

    def loss(self, x: int, target: int = -1, weight: float = 1.0) -> None:
        """Add the mean of a tensor to the loss."""
        self.graph.losses.append(Loss("values", x, target, weight))

    def metric(self, x: int, target: int = -1, weighted: bool = False) -> None:
        self.graph.metrics.append(Metric("values", x, target, weighted))

    def assign(self, parameter: int, value: int, time: str = "always") -> None:
        self.graph.assignments.append(Assignment(parameter, value, time))

    def finish(self, *outputs: int) -> Graph:
        self.graph.outputs = list(outputs)
        return self.graph

    def values(self, seed: int = 0) -> list[np.ndarray]:
        """Return random float32 values for the parameters."""
        rng = np.random.default_rng(seed)
        shapes = [p.shape for p in self.graph.parameters]
        return [
            (rng.normal(size=s) / math.sqrt(s[0] if len(s) > 1 else 4.0)).astype(np.float32)
            for s in shapes
        ]
