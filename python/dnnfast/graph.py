"""The graph that Python hands to an engine: named ops on tensors, parameters, losses, metrics.

Every engine (reference, cpu, cuda) runs the same graph. Python only describes it; shapes are
inferred, and everything is differentiated, fused and run, by the engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Tensor:
    """A value in the graph. ``shape`` excludes the batch axis, except for parameters.

    Where ``batched`` is False it is the whole shape, in which a size -n is n times the samples of
    the step: what the ops of csrc/ops/array.h may make.
    """

    kind: str  # "input", "parameter", "node", "target" or "weight" (the sample weights of a target)
    index: int  # position in Graph.inputs, Graph.parameters, Graph.nodes or the targets
    shape: tuple[int, ...]
    batched: bool = True

    @property
    def extents(self) -> tuple[int, ...]:
        """All sizes, the batch axis (-1) included."""
        whole = self.kind == "parameter" or not self.batched
        return self.shape if whole else (-1, *self.shape)


@dataclass
class Parameter:
    """A variable of the model, trainable or not (moving statistics).

    ``l1`` and ``l2`` are penalties added to the loss; ``decay`` tells whether the optimizer's
    decoupled weight decay applies; ``optimizer`` numbers the graph's optimizers;
    ``orthogonal`` says that Muon takes its own step, not Adam's.
    """

    name: str
    shape: tuple[int, ...]
    trainable: bool = True
    l1: float = 0.0
    l2: float = 0.0
    decay: bool = True
    optimizer: int = 0
    orthogonal: bool = False


@dataclass
class Node:
    """One op. ``inputs`` and ``output`` are tensor ids."""

    op: str
    name: str
    inputs: list[int]
    attrs: dict[str, Any]
    output: int


@dataclass
class Loss:
    """``weight * mean(sample_weight * loss(target, prediction))``, added to the total.

    ``target`` numbers the target array of a data set (-1: none, and no sample weights); the kinds
    are those of csrc/ops/loss.h.
    """

    kind: str
    prediction: int
    target: int
    weight: float = 1.0
    from_logits: bool = False
    label_smoothing: float = 0.0


@dataclass
class Metric:
    """A mean over samples of a row-wise function of prediction and target (csrc/ops/metric.h)."""

    kind: str
    prediction: int
    target: int
    weighted: bool = False  # by the sample weights of its target


@dataclass
class Assignment:
    """A variable that takes the value of a tensor at the end of a step.

    ``time`` is "always" (also when evaluating: the state of a metric), "train" (before the
    optimizer's step: the state of a layer) or "update" (after it: a constraint).
    """

    parameter: int  # tensor ids
    value: int
    time: str = "always"


@dataclass
class Optimizer:
    """What the optimizer pass does: one of ``reference.OPTIMIZERS`` and its options.

    ``options`` holds numbers under the names of Keras's arguments; missing or None means Keras's
    default. The loss scale of a `LossScaleOptimizer` is ``dynamic_loss_scale`` (1), with
    ``initial_scale`` and ``dynamic_growth_steps``.
    """

    kind: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class Graph:
    """Tensors are numbered in order of creation; an id is an index into ``tensors``."""

    tensors: list[Tensor] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    optimizer: Optimizer | None = None
    other_optimizers: list[Optimizer] = field(default_factory=list)  # numbered from 1

    @property
    def optimizers(self) -> list[Optimizer]:
        """All optimizers; `Parameter.optimizer` is an index."""
        return [] if self.optimizer is None else [self.optimizer, *self.other_optimizers]

    def _add(self, kind: str, index: int, shape: tuple[int, ...], batched: bool = True) -> int:
        self.tensors.append(Tensor(kind, index, tuple(shape), batched))
        return len(self.tensors) - 1

    def add_target(self, index: int, shape: tuple[int, ...]) -> int:
        """Add target ``index`` of the data set as a tensor and return its id."""
        return self._add("target", index, shape)

    def add_weight(self, index: int) -> int:
        """Add the sample weights of target ``index`` as a tensor and return its id."""
        return self._add("weight", index, ())

    def add_input(self, name: str, shape: tuple[int, ...]) -> int:
        """Add an input of the given sample shape and return its tensor id."""
        self.inputs.append(name)
        return self._add("input", len(self.inputs) - 1, shape)

    def add_parameter(self, parameter: Parameter) -> int:
        """Add a variable and return its tensor id."""
        self.parameters.append(parameter)
        return self._add("parameter", len(self.parameters) - 1, parameter.shape)

    def add_node(
        self,
        op: str,
        inputs: list[int],
        attrs: dict[str, Any],
        shape: tuple[int, ...],
        name: str = "",
        batched: bool = True,
    ) -> int:
        """Add an op whose output has the given sample shape and return the output's id."""
        output = self._add("node", len(self.nodes), shape, batched)
        self.nodes.append(Node(op, name or op, list(inputs), dict(attrs), output))
        return output
