"""What `compile` was given, resolved for a model's outputs and the shapes of its targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dnnfast import losses, metrics, optimizers
from dnnfast.losses import Loss
from dnnfast.metrics import Metric
from dnnfast.training.objective import Measure, Resolved
from dnnfast.training.targets import Expected

# Names whose metric depends on the shapes, and what its class is called after its form.
_BY_SHAPES = {
    "accuracy": "Accuracy",
    "acc": "Accuracy",
    "crossentropy": "Crossentropy",
    "ce": "Crossentropy",
}


@dataclass
class Outputs:
    """Names and sample shapes of a model's outputs."""

    names: list[str]
    shapes: list[tuple[int, ...]]


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
        self._loss_entries: list[Any] | None = None
        self._loss_objects: list[Loss | None] = []
        self._metrics: dict[tuple[int, int, str], Metric] = {}
        self.own_loss: Any = None  # the `compute_loss` of a subclass of Model
        self._check_names()

    def _check_names(self) -> None:
        """Raise for misspelled names now, not at the first batch."""
        from dnnfast import tree

        for loss in tree.flatten(self.loss):
            losses.get(loss)
        for entry in [*tree.flatten(self.metrics), *tree.flatten(self.weighted_metrics)]:
            if entry is not None and not _by_shapes(entry):
                metrics.get(entry)

    def resolve(
        self,
        outputs: Outputs,
        target_shapes: list[tuple[int, ...] | None] | None,
        weighted: bool = False,
    ) -> Resolved:
        """Resolve for a model.

        Args:
            outputs: names and shapes of the model's outputs.
            target_shapes: the full shapes of the given targets, or None where not known.
            weighted: whether there are sample weights.

        Raises:
            ValueError: if losses, weights or metrics do not fit the outputs.
        """
        names = outputs.names
        loss_list = self._losses(names)
        weights = self._weights(names)
        plain = _metric_lists(self.metrics, names)
        by_weight = _metric_lists(self.weighted_metrics, names)
        if self.own_loss is not None:
            loss_list = [None] * len(names)
        reads_weights = any(by_weight) or self.own_loss is not None
        reads_weights = reads_weights or any(
            loss is not None and loss.native_kind is None for loss in loss_list
        )
        result = Resolved(weighted=weighted and reads_weights, own_loss=self.own_loss)
        log_names: list[str] = []
        for i, name in enumerate(names):
            loss = loss_list[i]
            if loss is not None:
                result.losses.append((i, loss, weights[i]))
            shape = target_shapes[i] if target_shapes else None
            for number, entry in enumerate([*plain[i], *by_weight[i]]):
                metric = self._metric(entry, outputs.shapes[i], shape, loss, (i, number))
                log = metric.name if len(names) == 1 else f"{name}_{metric.name}"
                uses_weights = number >= len(plain[i])
                result.metrics.append(Measure(i, metric, _unused(log, log_names), uses_weights))
            self._expect(result, i, outputs, loss, shape)
        result.name_logs(names)
        return result

    def _losses(self, names: list[str]) -> list[Loss | None]:
        entries = _spread(self.loss, names, "loss")
        if self._loss_entries != entries:
            self._loss_entries, self._loss_objects = entries, [losses.get(e) for e in entries]
        return self._loss_objects

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
        place: tuple[int, int],
    ) -> Metric:
        """Return the metric of an entry; it stays the same object, as it may keep a state."""
        wanted, key = entry, (*place, "")
        if _by_shapes(entry):
            form = _form_of_labels(shape, target, loss)
            wanted = getattr(metrics, form + _BY_SHAPES[entry.lower()])
            key = (*place, form)
        if key not in self._metrics:
            found = metrics.get(wanted)
            if isinstance(entry, str):
                found.name = entry
            self._metrics[key] = found
        return self._metrics[key]

    def _expect(
        self,
        result: Resolved,
        i: int,
        outputs: Outputs,
        loss: Loss | None,
        given: tuple[int, ...] | None,
    ) -> None:
        """Record the form of the target of output ``i``, if it needs one."""
        measured = [measure for measure in result.metrics if measure.output == i]
        users: list[tuple[str, str | None]] = [(m.metric.name, m.native_kind) for m in measured]
        if loss is not None:
            users.insert(0, (loss.name, loss.native_kind))
        if self.own_loss is not None and (given is not None or measured):
            users.append(("compute_loss", None))
        if not users:
            return
        forms = {kind.startswith("sparse_") for _, kind in users if kind}
        if len(forms) > 1:
            raise ValueError(
                f"compile: for output {outputs.names[i]!r}, {[name for name, _ in users]} do not "
                "fit together: those with 'sparse_' take class numbers, the others take arrays of "
                "the output's shape."
            )
        shape = outputs.shapes[i]
        if not shape and forms:
            raise ValueError(f"compile: output {outputs.names[i]!r} has no axis for a loss.")
        form = "any" if not forms else "sparse" if forms.pop() else "dense"
        result.targets.append(i)
        result.expected.append(
            Expected(
                outputs.names[i], shape, form, users[0][0], None if given is None else given[1:]
            )
        )


def _by_shapes(entry: Any) -> bool:
    return isinstance(entry, str) and entry.lower() in _BY_SHAPES


def _form_of_labels(
    shape: tuple[int, ...], target: tuple[int, ...] | None, loss: Loss | None
) -> str:
    """Return how names of metrics begin for labels of one probability, of classes or one-hot."""
    if shape[-1:] == (1,):
        return "Binary"
    if loss is not None and loss.kind.endswith("categorical_crossentropy"):
        sparse = loss.sparse
    else:
        sparse = target is not None and (len(target) <= len(shape) or target[-1] == 1)
    return "SparseCategorical" if sparse else "Categorical"


def _unused(name: str, taken: list[str]) -> str:
    count, found = 1, name
    while found in taken:
        found = f"{name}_{count}"
        count += 1
    taken.append(found)
    return found
