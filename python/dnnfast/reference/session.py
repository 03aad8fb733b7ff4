"""The trainer of the reference engine: runs a graph in float64 and keeps its variables so."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dnnfast.errors import NonFiniteLossError, unknown_name
from dnnfast.reference.array import sizes_of
from dnnfast.reference.batchnorm import batchnorm_update
from dnnfast.reference.dataset import Dataset
from dnnfast.reference.loss import loss_backward, loss_forward, row_weights
from dnnfast.reference.metric import metric_rows
from dnnfast.reference.optimizer_session import Optimizers
from dnnfast.reference.prediction import Predictions
from dnnfast.reference.program import (
    Run,
    attribute,
    batchnorm_parameters,
    logits_of,
    run_backward,
    run_forward,
)
from dnnfast.reference.shapes import validate_graph

Array = NDArray[np.float64]
_PROGRAMS = ("train", "evaluate", "predict", "predict_samples")


def _check_program(name: str) -> None:
    if name not in _PROGRAMS:
        raise unknown_name("program", name, _PROGRAMS)


class Session(Predictions, Optimizers):
    """A model on the reference engine. The native sessions have the same methods.

    Parameters, optimizer state and all computations are float64; `get_parameter` and its like
    return float32 copies, as the other engines have them.

    Args:
        graph: a `dnnfast.graph.Graph`.

    Raises:
        ValueError: if the graph does not fit together.

    Example:

    >>> from dnnfast.graph import Graph, Loss, Optimizer, Parameter
    >>> graph = Graph(optimizer=Optimizer("sgd"))
    >>> x, w = graph.add_input("x", (1,)), graph.add_parameter(Parameter("w", (1, 1)))
    >>> y = graph.add_node("dense", [x, w], {}, (1,))
    >>> graph.losses.append(Loss("mean_squared_error", y, target=0))
    >>> session = Session(graph)
    >>> session.train(Dataset([[[1.0]]], [[1.0]], [None]), None, 0, 1, 1, [0.25])
    1
    >>> session.get_parameter(0).tolist(), session.totals()
    ([[0.5]], [1.0])
    """

    def __init__(self, graph: Any) -> None:
        validate_graph(graph)
        self.graph = graph
        self.seed = 0
        self._exchange: Any = None
        self._parameters = [np.zeros(tuple(p.shape)) for p in graph.parameters]
        self._gradients = [np.zeros(tuple(p.shape)) for p in graph.parameters]
        self._init_optimizers()
        self.reset_totals()

    # Variables and state.

    def set_parameter(self, i: int, array: ArrayLike) -> None:
        """Set parameter ``i``; raises ValueError unless the array has its shape."""
        self._parameters[i] = self._fitting(i, array)

    def get_parameter(self, i: int) -> NDArray[np.float32]:
        """Return a copy of parameter ``i``."""
        return self._parameters[self._checked(i)].astype(np.float32)

    def get_gradient(self, i: int) -> NDArray[np.float32]:
        """Return the gradient of the last step, before clipping and with penalties; zeros for
        parameters that are not trained."""
        return self._gradients[self._checked(i)].astype(np.float32)

    # Programs.

    def train(
        self,
        dataset: Dataset,
        order: ArrayLike | None,
        begin: int,
        count: int,
        batch: int,
        learning_rates: ArrayLike,
    ) -> int:
        """Run ``count`` optimizer steps from step ``begin`` of an epoch and return their number.

        Args:
            dataset: inputs, targets and weights.
            order: permutation of the rows, or None for their order.
            begin: first step; its rows start at ``begin * batch``.
            count: number of steps; the last of an epoch may be short.
            batch: samples a step.
            learning_rates: one a step; or ``(steps, optimizers, 2)`` of learning rates and momenta
                (or beta_1), NaN for the optimizer's own.

        Raises:
            NonFiniteLossError: if a step's loss is NaN or infinite; the steps before it are
                applied, it is not.
            RuntimeError: if the graph has no optimizer.
            ValueError: if the arguments do not fit.
        """
        if not self._optimizers:
            raise RuntimeError("the model was compiled without an optimizer; it cannot train")
        rates = self._rates(learning_rates, count)
        of_all = dataset.rows if order is None else len(np.asarray(order))
        own = min(count, -(-of_all // batch) - begin) if self._exchange else count
        rows = dataset.steps(begin, own, batch, order)
        dataset.check_targets(self.graph)
        applied = 0
        for i in range(count):
            index = rows[i] if i < own else np.arange(0)
            run = self._run(dataset, index, training=True, step=self.iterations)
            if i < own:
                loss = self._compute(run, dataset, index, metrics=True)
            else:  # a process whose rows are used up takes part without
                loss = 0.0
                self._gradients = [np.zeros_like(w) for w in self._parameters]
            if not self._finite_everywhere(len(index), loss):
                raise NonFiniteLossError(begin + i, loss)
            if i < own:
                self._assign(run, "always", "train")
            applied += self._update(run, rates[applied])
            self._assign_updates(run)
        return count

    def set_exchange(self, exchange: Any, on_device: bool = False) -> None:
        """Take training steps together with other processes, or (None) without.

        Args:
            exchange: ``exchange(gradients, rows, finite)`` makes a vector of all gradients its mean
                over the processes, weighted by their rows, and returns whether the losses of all
                are finite; if not, it changes nothing.
            on_device: without meaning here.
        """
        self._exchange = exchange

    def _finite_everywhere(self, rows: int, loss: float) -> bool:
        """Exchange the gradients; tell whether the losses of all processes are finite."""
        finite = math.isfinite(loss)
        if self._exchange is None:
            return finite
        flat = np.concatenate([np.ravel(g) for g in self._gradients])
        if not self._exchange(flat, rows, finite):
            return False
        ends = np.cumsum([g.size for g in self._gradients])[:-1]
        parts = zip(np.split(flat, ends), self._gradients, strict=True)
        self._gradients = [part.reshape(old.shape) for part, old in parts]
        return True

    def compute_gradients(self, dataset: Dataset, begin: int, batch: int) -> None:
        """Run forward and backward of step ``begin`` without an update; see `get_gradient`."""
        (index,) = dataset.steps(begin, 1, batch)
        dataset.check_targets(self.graph)
        run = self._run(dataset, index, training=True, step=self.iterations)
        self._compute(run, dataset, index, metrics=False)

    def evaluate(self, dataset: Dataset, begin: int, count: int, batch: int) -> None:
        """Add the losses and metrics of ``count`` steps to the totals, in inference mode."""
        rows = dataset.steps(begin, count, batch)
        dataset.check_targets(self.graph)
        for i, index in enumerate(rows):
            run = self._run(dataset, index, training=False, step=begin + i)
            loss = self._compute(run, dataset, index, metrics=True, gradients=False)
            if math.isfinite(loss):
                self._assign(run, "always")

    def reset_totals(self) -> None:
        """Forget the sums behind `totals`."""
        own = len(self.graph.losses) if len(self.graph.losses) > 1 else 0
        self._totals = np.zeros((1 + own + len(self.graph.metrics), 2))

    def totals(self) -> list[float]:
        """Return the means since `reset_totals`: the loss with penalties, each loss's own (where
        there are several), each metric."""
        return [float(value / weight) if weight else 0.0 for value, weight in self._totals]

    @property
    def sums(self) -> list[float]:
        """What `totals` are made of: pairs of a sum and its weight, one after the other."""
        return [float(value) for value in self._totals.reshape(-1)]

    @sums.setter
    def sums(self, values: list[float]) -> None:
        if len(values) != self._totals.size:
            raise ValueError(f"expected {self._totals.size} sums; got {len(values)}")
        self._totals = np.array(values, np.float64).reshape(-1, 2)

    # What a plan says.

    def describe(self, batch: int, program: str = "train") -> str:
        """Return one line for each node: nothing is fused here, everything is float64."""
        _check_program(program)
        lines = [f"reference engine (NumPy, float64), {program}, batch {batch}"]
        for node in self.graph.nodes:
            shape = tuple(self.graph.tensors[node.output].shape)
            lines.append(f"  {node.op} {node.name} -> {shape}")
        return "\n".join(lines)

    def activation_bytes(self, batch: int, program: str = "train") -> int:
        """Return the bytes of all values of a batch; they are all kept, in every program."""
        _check_program(program)
        extents = [self.graph.tensors[node.output].extents for node in self.graph.nodes]
        return 8 * sum(math.prod(sizes_of(sizes, batch)) for sizes in extents)

    @property
    def parameter_bytes(self) -> int:
        """Bytes of parameters, gradients and optimizer state."""
        state = sum(
            math.prod(shape) for i in range(len(self._parameters)) for _, shape in self.slots(i)
        )
        return 8 * (
            state + sum(math.prod(p.shape) * (1 + p.trainable) for p in self.graph.parameters)
        )

    # Inside.

    def _run(self, dataset: Dataset, index: NDArray, training: bool, step: int) -> Run:
        values = dataset.input_values(self.graph, index) | self._parameter_values()
        return Run(self.graph, training, seed=self.seed, step=step, batch=len(index), values=values)

    def _parameter_values(self) -> dict[int, Array]:
        tensors = enumerate(self.graph.tensors)
        return {id_: self._parameters[t.index] for id_, t in tensors if t.kind == "parameter"}

    def _compute(
        self, run: Run, dataset: Dataset, index: NDArray, metrics: bool, gradients: bool = True
    ) -> float:
        """Compute and return the loss of one batch, adding to the totals; keep its gradients."""
        graph = self.graph
        fused = [logits_of(run, loss) for loss in graph.losses]
        read = [
            loss.prediction if logits is None else logits
            for loss, logits in zip(graph.losses, fused, strict=True)
        ]
        measured = graph.metrics if metrics else []
        wanted = [*read, *(metric.prediction for metric in measured)]
        if metrics:
            wanted += self._assigned("always", *(["train"] if run.training else []))
        run.values |= dataset.target_values(graph, index)
        with np.errstate(all="ignore"):
            run_forward(run, wanted)
            step_loss = self._penalty()
            seeds: dict[int, Array] = {}
            for i, (loss, id_) in enumerate(zip(graph.losses, read, strict=True)):
                target = dataset.targets[loss.target][index] if loss.target >= 0 else None
                weight = dataset.row_weights(loss.target, index)
                form = (loss.from_logits or fused[i] is not None, loss.label_smoothing)
                rows = loss_forward(loss.kind, run.values[id_], target, *form)
                if weight is not None:
                    rows = rows * row_weights(weight, len(rows))
                mean = float(rows.mean())
                step_loss += loss.weight * mean
                if len(graph.losses) > 1:
                    self._totals[1 + i] += (mean * len(index), len(index))
                if gradients:
                    term = loss_backward(loss.kind, run.values[id_], target, *form, weight)
                    seeds[id_] = seeds.get(id_, 0.0) + loss.weight * term
            self._totals[0] += (step_loss * len(index), len(index))
            first = len(self._totals) - len(graph.metrics)
            for i, metric in enumerate(measured):
                self._totals[first + i] += self._measure(run, metric, dataset, index)
            if gradients:
                self._keep_gradients(run_backward(run, seeds))
        return step_loss

    def _measure(
        self, run: Run, metric: Any, dataset: Dataset, index: NDArray
    ) -> tuple[float, float]:
        """Return the weighted sum of a metric's rows, and the sum of the weights."""
        target = dataset.targets[metric.target][index] if metric.target >= 0 else None
        rows = metric_rows(metric.kind, run.values[metric.prediction], target)
        weight = dataset.row_weights(metric.target, index) if metric.weighted else None
        weights = np.ones(len(rows)) if weight is None else row_weights(weight, len(rows))
        return float((rows * weights).sum()), float(weights.sum())

    def _assigned(self, *times: str) -> list[int]:
        """Return the tensors that variables take the values of at these times."""
        return [a.value for a in self.graph.assignments if a.time in times]

    def _assign(self, run: Run, *times: str) -> None:
        """Let variables take the values of tensors."""
        for assignment in self.graph.assignments:
            if assignment.time in times:
                i = self.graph.tensors[assignment.parameter].index
                self._parameters[i] = run.values[assignment.value].copy()

    def _assign_updates(self, run: Run) -> None:
        """Apply the assignments whose nodes read the updated parameters."""
        wanted = self._assigned("update")
        if wanted:
            tensors = self.graph.tensors
            leaves = {id_: v for id_, v in run.values.items() if tensors[id_].kind != "node"}
            late = replace(run, values=leaves | self._parameter_values(), statistics={})
            with np.errstate(all="ignore"):
                run_forward(late, wanted)
            self._assign(late, "update")

    def _penalty(self) -> float:
        """Return the sum of l1 |w| + l2 w^2 over the trained parameters."""
        return sum(
            spec.l1 * float(np.abs(w).sum()) + spec.l2 * float((w * w).sum())
            for spec, w in zip(self.graph.parameters, self._parameters, strict=True)
            if spec.trainable and (spec.l1 or spec.l2)
        )

    def _keep_gradients(self, gradients: dict[int, Array]) -> None:
        """Sort tensor gradients into parameter gradients, and add those of the penalties."""
        totals = [np.zeros_like(w) for w in self._parameters]
        for id_, tensor in enumerate(self.graph.tensors):
            if tensor.kind == "parameter" and id_ in gradients:
                totals[tensor.index] = totals[tensor.index] + gradients[id_]
        for i, spec in enumerate(self.graph.parameters):
            w = self._parameters[i]
            if not spec.trainable:
                totals[i] = np.zeros_like(w)
            elif spec.l1 or spec.l2:
                totals[i] = totals[i] + spec.l1 * np.sign(w) + 2.0 * spec.l2 * w
        self._gradients = totals

    def _update(self, run: Run, rates: Array) -> bool:
        """Move the moving statistics and take a step; False if its gradients were not finite."""
        for number, statistics in run.statistics.items():
            node = self.graph.nodes[number]
            ids = batchnorm_parameters(node)
            momentum = attribute(node, "momentum", 0.99)
            for name, value in zip(("moving_mean", "moving_variance"), statistics, strict=True):
                i = self.graph.tensors[ids[name]].index
                self._parameters[i] = batchnorm_update(self._parameters[i], value, momentum)
        return self._step(self._gradients, rates)
