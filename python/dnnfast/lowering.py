"""Turns recorded ops into the graph that engines run."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from dnnfast import graph as ir
from dnnfast import map_fusion, symbolic, tracing
from dnnfast.keras_tensor import KerasTensor
from dnnfast.regularizers import L1, L1L2, L2
from dnnfast.tracing import OpRecord, Recorder
from dnnfast.variable import Variable


def has_native_form(penalty: Any) -> bool:
    """Tell whether engines know a regularizer by its two factors."""
    return type(penalty) in (L1, L2, L1L2)


class Lowered:
    """A graph in the making, and the variables behind its parameters.

    Args:
        trainable: ids of the variables that training updates.
    """

    def __init__(self, trainable: set[int]) -> None:
        self.graph = ir.Graph()
        self.trainable = trainable
        self.variables: list[Variable] = []
        self.kinds: set[str] = set()  # activations used
        self.outputs: list[KerasTensor] = []
        # The symbolic inputs and outputs in the form that the model takes and gives them.
        self.input_structure: Any = None
        self.output_structure: Any = None
        self.recorder = Recorder()
        self._ids: dict[int, int] = {}
        self._streams = 0
        # Keeps tensors alive so that their id() stays theirs.
        self._kept: list[KerasTensor] = []

    def extended(self) -> Lowered:
        """Return a copy that can be added to."""
        other = copy.copy(self)
        graph = self.graph
        other.graph = ir.Graph(
            list(graph.tensors),
            list(graph.inputs),
            list(graph.parameters),
            list(graph.nodes),
            list(graph.outputs),
            list(graph.losses),
            list(graph.metrics),
            list(graph.assignments),
        )
        other.variables, other.kinds = list(self.variables), set(self.kinds)
        other._ids, other._kept = dict(self._ids), list(self._kept)
        return other

    def finished(self) -> ir.Graph:
        """Return the graph in the form that engines take."""
        return map_fusion.finished(self.graph)

    def add_input(self, tensor: KerasTensor, name: str) -> None:
        """Let a tensor stand for an input."""
        self.know(tensor, self.graph.add_input(name, tensor.sample_shape))

    def add_target(self, tensor: KerasTensor, index: int) -> None:
        """Let a tensor stand for a target of the data set."""
        self.know(tensor, self.graph.add_target(index, tensor.sample_shape))

    def add_weight(self, tensor: KerasTensor, index: int) -> None:
        """Let a tensor stand for the sample weights of a target."""
        self.know(tensor, self.graph.add_weight(index))

    def know(self, tensor: KerasTensor, found: int) -> None:
        """Let a tensor stand for the graph's tensor ``found``."""
        self._kept.append(tensor)
        self._ids[id(tensor)] = found

    def _parameter(self, variable: Variable) -> int:
        found = self._ids.get(id(variable))
        if found is not None:
            return found
        penalty: Any = variable.regularizer
        if not has_native_form(penalty):
            penalty = None
        parameter = ir.Parameter(
            variable.path,
            variable.shape,
            trainable=id(variable) in self.trainable,
            l1=float(getattr(penalty, "l1", 0.0)),
            l2=float(getattr(penalty, "l2", 0.0)),
        )
        self._ids[id(variable)] = self.graph.add_parameter(parameter)
        self.variables.append(variable)
        return self._ids[id(variable)]

    def tensor(self, tensor: KerasTensor | Variable) -> int:
        """Return the id of a tensor, adding what it is made of first (without recursion)."""
        if isinstance(tensor, Variable):
            return self._parameter(tensor)
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
            self.know(top, self._node(record, top))
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
            attrs["stream"] = self._next_stream()
        if "expression" in attrs:
            attrs["expression"] = map_fusion.numbered(attrs["expression"], self._next_stream)
        if record.op == "activation":
            self.kinds.add(attrs["kind"])
        shape = tensor.sample_shape if tensor.batched else tensor.extents
        return self.graph.add_node(record.op, inputs, attrs, shape, record.name, tensor.batched)

    def _next_stream(self) -> int:
        self._streams += 1
        return self._streams - 1

    def add_output(self, tensor: KerasTensor) -> None:
        """Let a tensor be an output of the model."""
        self.outputs.append(tensor)
        if not tensor.batched:
            raise ValueError(
                f"an output of the model has shape {tensor.shape}; expected one with the samples "
                "along its first axis."
            )
        found = self.tensor(tensor)
        if self.graph.tensors[found].kind != "node" or found in self.graph.outputs:
            # Engines write an output as the result of an op of its own.
            attrs = {"kind": "linear", "alpha": 0.0, "beta": 0.0}
            shape = self.graph.tensors[found].shape
            found = self.graph.add_node("activation", [found], attrs, shape, "output")
        self.graph.outputs.append(found)

    def add_recorded(self, recorder: Recorder) -> None:
        """Add the assignments that a trace has left."""
        for variable, value, time in recorder.assigned.values():
            assignment = ir.Assignment(self._parameter(variable), self.tensor(value), time)
            self.graph.assignments.append(assignment)

    def add_recorded_losses(self) -> None:
        """Add what the layers have added to the loss."""
        for loss in self.recorder.losses:
            self.add_loss(loss, -1, 1.0)

    def add_penalties_and_constraints(self) -> None:
        """Add what is traced of the weights' own: all but the penalties that engines know."""
        for variable in list(self.variables):
            if id(variable) not in self.trainable:
                continue
            with tracing.calling(None, tracing.AUTOMATIC):
                penalty, constraint = variable.regularizer, variable.constraint
                if penalty is not None and not has_native_form(penalty):
                    self.add_loss(penalty(variable), -1, 1.0)
                if constraint is not None:
                    value = symbolic.tensor(constraint(variable))
                    if value is variable:
                        continue
                    self.graph.assignments.append(
                        ir.Assignment(self._parameter(variable), self.tensor(value), "update")
                    )

    def add_loss(self, values: Any, target: int, weight: float) -> None:
        """Add the mean of values (by sample, or a single one) to the loss."""
        values = symbolic.tensor(values)
        if symbolic.extents_of(values)[:1] != (-1,):
            extents = symbolic.extents_of(values)
            axes = [-1, *range(len(extents))]
            values = symbolic.view(values, (-1, *extents), axes)
        self.graph.losses.append(ir.Loss("values", self.tensor(values), target, weight))


def lower(
    inputs: Sequence[KerasTensor],
    outputs: Sequence[KerasTensor],
    trainable: set[int],
    recorder: Recorder | None = None,
) -> Lowered:
    """Return the graph that computes ``outputs`` from ``inputs``.

    Args:
        inputs: symbolic inputs, in the order of the data.
        outputs: symbolic outputs.
        trainable: ids of the variables that training updates.
        recorder: what else the trace has left.

    Raises:
        ValueError: if the outputs depend on other inputs.
    """
    lowered = Lowered(trainable)
    for tensor in inputs:
        lowered.add_input(tensor, tensor.name)
    for tensor in outputs:
        lowered.add_output(tensor)
    if recorder is not None:
        lowered.recorder = recorder
        lowered.add_recorded(recorder)
    return lowered
