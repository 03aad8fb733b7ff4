"""What `compile` was given, resolved for a model's outputs and the shapes of its targets."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from dnnfast import graph as ir
from dnnfast import losses, metrics, optimizers
from dnnfast.losses import Loss
from dnnfast.metrics import Metric
from dnnfast.training.targets import Expected

_ACCURACY = ("accuracy", "acc")


@dataclass
class Outputs:
    """Names and sample shapes of a model's outputs."""

    names: list[str]
    shapes: list[tuple[int, ...]]


@dataclass
class Resolved:
    """Losses and metrics with their outputs; `targets` are the outputs that need a target."""

    losses: list[tuple[int, Loss, float]] = field(default_factory=list)
    metrics: list[tuple[int, str, str]] = field(default_factory=list)  # output, kind, log name
    targets: list[int] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    log_names: list[str] = field(default_factory=list)

    @property
    def signature(self) -> tuple[Any, ...]:
        """Equal for equal graphs."""
        return (*self.targets, *self.metrics)

    def without(self, outputs: set[int], names: list[str]) -> Resolved:
        """Return the same but for some outputs, of which there are no targets."""
        kept = [i for i, output in enumerate(self.targets) if output not in outputs]
        result = Resolved(
            [loss for loss in self.losses if loss[0] not in outputs],
            [metric for metric in self.metrics if metric[0] not in outputs],
            [self.targets[i] for i in kept],
            [self.expected[i] for i in kept],
        )
        result.name_logs(names)
        return result

    def name_logs(self, names: list[str]) -> None:
        """Set the names of what is reported, for outputs of the given names."""
        self.log_names = ["loss"]
        if len(self.losses) > 1:
            self.log_names += [f"{names[i]}_loss" for i, _, _ in self.losses]
        self.log_names += [log for _, _, log in self.metrics]

    def add_to(self, graph: ir.Graph) -> None:
        """Append losses and metrics to a graph."""
        place = {output: i for i, output in enumerate(self.targets)}
        for output, loss, weight in self.losses:
            graph.losses.append(
                ir.Loss(
                    loss.kind,
                    graph.outputs[output],
                    place[output],
                    weight,
                    loss.from_logits,
                    loss.label_smoothing,
                )
            )
        for output, kind, _ in self.metrics:
            graph.metrics.append(ir.Metric(kind, graph.outputs[output], place[output]))


def _spread(value: Any, names: list[str], what: str) -> list[Any]:
    """One entry per output; a single value is meant for all of them."""
    if isinstance(value, dict):
        unknown = [key for key in value if key not in names]
        if unknown:
            raise ValueError(
                f"compile: {what} names the output {unknown[0]!r}; the outputs are {names}."
            )
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(
                f"compile: {what} has {len(value)} entries, but the model has {len(names)} outputs "
                f"{names}."
            )
        return list(value)
    return [value] * len(names)


def _metric_lists(value: Any, names: list[str]) -> list[list[Any]]:
    if value is None:
        return [[] for _ in names]
    if len(names) == 1 and not isinstance(value, dict):
        flat = value if isinstance(value, (list, tuple)) else [value]
        if len(flat) == 1 and isinstance(flat[0], (list, tuple)):
            flat = flat[0]
        return [list(flat)]
    if isinstance(value, (list, tuple)) and len(value) != len(names):
        raise ValueError(
            f"compile: metrics has {len(value)} entries, but the model has {len(names)} outputs "
            f"{names}; give a list of lists, one for each output, or a dict by output name."
        )
    if not isinstance(value, (list, tuple, dict)):
        value = [value] * len(names)
    lists = _spread(value, names, "metrics")
    return [
        [] if entry is None else list(entry) if isinstance(entry, (list, tuple)) else [entry]
        for entry in lists
    ]


class CompileSpec:
    """The arguments of `compile`, checked as far as they can be without data."""

    def __init__(
        self, optimizer: Any, loss: Any, loss_weights: Any, metric: Any, weighted_metrics: Any
    ) -> None:
        self.optimizer = optimizers.get(optimizer)
        self.loss = loss
        self.loss_weights = loss_weights
        self.metrics = metric
        self.weighted_metrics = weighted_metrics
        self.steps_per_execution = 1
        self._check_names()

    def _check_names(self) -> None:
        """Raise for misspelled names now, not at the first batch."""
        from dnnfast import tree

        for loss in tree.flatten(self.loss):
            losses.get(loss)
        for entry in [*tree.flatten(self.metrics), *tree.flatten(self.weighted_metrics)]:
            if entry is not None and not _is_accuracy(entry):
                metrics.get(entry)

    def resolve(
        self, outputs: Outputs, target_shapes: list[tuple[int, ...] | None] | None
    ) -> Resolved:
        """Resolve for a model.

        Args:
            outputs: names and shapes of the model's outputs.
            target_shapes: the full shapes of the given targets, or None where not known.

        Raises:
            ValueError: if losses, weights or metrics do not fit the outputs.
        """
        names = outputs.names
        loss_list = [losses.get(entry) for entry in _spread(self.loss, names, "loss")]
        weights = self._weights(names)
        lists = _metric_lists(self.metrics, names)
        weighted = _metric_lists(self.weighted_metrics, names)
        result = Resolved()
        log_names: list[str] = []
        for i, name in enumerate(names):
            loss = loss_list[i]
            if loss is not None:
                result.losses.append((i, loss, weights[i]))
            shape = target_shapes[i] if target_shapes else None
            for entry in [*lists[i], *weighted[i]]:
                metric = self._metric(entry, outputs.shapes[i], shape, loss)
                log = metric.name if len(names) == 1 else f"{name}_{metric.name}"
                result.metrics.append((i, metric.kind, _unused(log, log_names)))
            self._expect(result, i, outputs, loss)
        result.name_logs(names)
        return result

    def _weights(self, names: list[str]) -> list[float]:
        if self.loss_weights is None:
            return [1.0] * len(names)
        entries = _spread(self.loss_weights, names, "loss_weights")
        return [1.0 if entry is None else float(entry) for entry in entries]

    def _metric(
        self,
        entry: Any,
        shape: tuple[int, ...],
        target: tuple[int, ...] | None,
        loss: Loss | None,
    ) -> Metric:
        if not _is_accuracy(entry):
            metric = copy.copy(metrics.get(entry))
            if isinstance(entry, str):
                metric.name = entry
            return metric
        name = str(entry)
        if shape[-1:] == (1,):
            return metrics.BinaryAccuracy(name=name)
        if loss is not None and loss.kind.endswith("categorical_crossentropy"):
            sparse = loss.sparse
        elif target is None:
            sparse = False
        else:
            sparse = len(target) < len(shape) + 1 or target[-1] == 1
        if sparse:
            return metrics.SparseCategoricalAccuracy(name=name)
        return metrics.CategoricalAccuracy(name=name)

    def _expect(self, result: Resolved, i: int, outputs: Outputs, loss: Loss | None) -> None:
        """Record the form of the target of output ``i``, if it needs one."""
        kinds = [kind for output, kind, _ in result.metrics if output == i]
        users = ([loss.kind] if loss is not None else []) + kinds
        if not users:
            return
        forms = {user.startswith("sparse_") for user in users}
        if len(forms) > 1:
            raise ValueError(
                f"compile: for output {outputs.names[i]!r}, {users} do not fit together: those "
                "with 'sparse_' take class numbers, the others take arrays of the output's shape."
            )
        if not outputs.shapes[i]:
            raise ValueError(f"compile: output {outputs.names[i]!r} has no axis for a loss.")
        result.targets.append(i)
        result.expected.append(
            Expected(outputs.names[i], outputs.shapes[i], forms.pop(), f"{users[0]}")
        )


def _is_accuracy(entry: Any) -> bool:
    return isinstance(entry, str) and entry.lower() in _ACCURACY


def _unused(name: str, taken: list[str]) -> str:
    count, found = 1, name
    while found in taken:
        found = f"{name}_{count}"
        count += 1
    taken.append(found)
    return found
