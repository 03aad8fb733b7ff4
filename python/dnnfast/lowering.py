"""Turns recorded ops into the graph that engines run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dnnfast import graph as ir
from dnnfast.keras_tensor import KerasTensor
from dnnfast.tracing import OpRecord
from dnnfast.variable import Variable


@dataclass
class Lowered:
    """A graph without losses, and the variables behind its parameters."""

    graph: ir.Graph
    variables: list[Variable] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)  # activations used


class _Lowering:
    def __init__(self, trainable: set[int]) -> None:
        self.graph = ir.Graph()
        self.trainable = trainable
        self.variables: list[Variable] = []
        self.kinds: set[str] = set()
        self._ids: dict[int, int] = {}
        self._streams = 0
        # Keeps tensors alive so that their id() stays theirs.
        self._kept: list[KerasTensor] = []

    def add_input(self, tensor: KerasTensor, name: str) -> None:
        self._kept.append(tensor)
        self._ids[id(tensor)] = self.graph.add_input(name, tensor.sample_shape)

    def _parameter(self, variable: Variable) -> int:
        found = self._ids.get(id(variable))
        if found is not None:
            return found
        penalty: Any = variable.regularizer
        parameter = ir.Parameter(
            variable.path,
            variable.shape,
            trainable=id(variable) in self.trainable,
            l1=float(penalty.l1) if penalty is not None else 0.0,
            l2=float(penalty.l2) if penalty is not None else 0.0,
        )
        self._ids[id(variable)] = self.graph.add_parameter(parameter)
        self.variables.append(variable)
        return self._ids[id(variable)]

    def tensor(self, tensor: KerasTensor) -> int:
        """Return the id of a tensor, adding what it is made of first (without recursion)."""
        stack = [tensor]
        while stack:
            top = stack[-1]
            if id(top) in self._ids:
                stack.pop()
                continue
            record = top.record
            if record is None:
                raise ValueError(
                    f"the model's outputs depend on the input {top.name!r}, which is not among the "
                    "model's inputs. Add it to `inputs`."
                )
            waiting = [
                t for t in record.inputs if isinstance(t, KerasTensor) and id(t) not in self._ids
            ]
            if waiting:
                stack.extend(reversed(waiting))
                continue
            self._kept.append(top)
            self._ids[id(top)] = self._node(record, top)
            stack.pop()
        return self._ids[id(tensor)]

    def _node(self, record: OpRecord, tensor: KerasTensor) -> int:
        inputs = [
            self._parameter(t) if isinstance(t, Variable) else self._ids[id(t)]
            for t in record.inputs
        ]
        if record.op == "identity":
            return inputs[0]
        attrs = dict(record.attrs)
        if record.op == "dropout" and "stream" not in attrs:
            attrs["stream"] = self._streams
            self._streams += 1
        if record.op == "activation":
            self.kinds.add(attrs["kind"])
        return self.graph.add_node(record.op, inputs, attrs, tensor.sample_shape, record.name)

    def add_output(self, tensor: KerasTensor) -> None:
        found = self.tensor(tensor)
        if self.graph.tensors[found].kind != "node" or found in self.graph.outputs:
            # Engines write an output as the result of an op of its own.
            attrs = {"kind": "linear", "alpha": 0.0, "beta": 0.0}
            shape = self.graph.tensors[found].shape
            found = self.graph.add_node("activation", [found], attrs, shape, "output")
        self.graph.outputs.append(found)


def lower(
    inputs: Sequence[KerasTensor],
    outputs: Sequence[KerasTensor],
    trainable: set[int],
) -> Lowered:
    """Return the graph that computes ``outputs`` from ``inputs``.

    Args:
        inputs: symbolic inputs, in the order of the data.
        outputs: symbolic outputs.
        trainable: ids of the variables that training updates.

    Raises:
        ValueError: if the outputs depend on other inputs.
    """
    lowering = _Lowering(trainable)
    for tensor in inputs:
        lowering.add_input(tensor, tensor.name)
    for tensor in outputs:
        lowering.add_output(tensor)
    return Lowered(lowering.graph, lowering.variables, lowering.kinds)
