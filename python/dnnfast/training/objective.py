"""Losses and metrics of a model: what they add to its graph, and what they report."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dnnfast import graph as ir
from dnnfast import tracing, tree
from dnnfast.keras_tensor import KerasTensor
from dnnfast.losses import Loss
from dnnfast.losses.base import reduced
from dnnfast.lowering import Lowered
from dnnfast.masks import mask_of
from dnnfast.metrics import MeanMetricWrapper, Metric
from dnnfast.training.targets import Expected


@dataclass
class Measure:
    """A metric of an output, and its name in logs."""

    output: int
    metric: Metric
    name: str
    weighted: bool = False  # by the sample weights

    @property
    def native_kind(self) -> str | None:
        """The engines' own name of the metric, or None."""
        return getattr(self.metric, "native_kind", None)

    @property
    def keeps_state(self) -> bool:
        """Whether its variables hold what was measured, and not a running mean of the engine."""
        return not self._is_mean or self.metric._state_forced

    @property
    def _is_mean(self) -> bool:
        return isinstance(self.metric, MeanMetricWrapper) and self.metric.is_mean


@dataclass
class Resolved:
    """Losses and metrics of a model; `targets` are the outputs that need a target."""

    losses: list[tuple[int, Loss, float]] = field(default_factory=list)
    metrics: list[Measure] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    log_names: list[str] = field(default_factory=list)
    weighted: bool = False  # whether the data has sample weights that a metric or loss reads
    own_loss: Any = None  # the `compute_loss` of a subclass, in place of losses

    @property
    def signature(self) -> tuple[Any, ...]:
        """Equal for equal graphs."""
        measured = [(m.output, m.native_kind or id(m.metric), m.weighted) for m in self.metrics]
        shapes = [expected.sample for expected in self.expected]
        return (*self.targets, *measured, *shapes, self.weighted)

    def without(self, outputs: set[int], names: list[str]) -> Resolved:
        """Return the same but for some outputs, of which there are no targets."""
        kept = [i for i, output in enumerate(self.targets) if output not in outputs]
        result = Resolved(
            [loss for loss in self.losses if loss[0] not in outputs],
            [measure for measure in self.metrics if measure.output not in outputs],
            [self.targets[i] for i in kept],
            [self.expected[i] for i in kept],
            weighted=self.weighted,
            own_loss=self.own_loss,
        )
        result.name_logs(names)
        return result

    def name_logs(self, names: list[str]) -> None:
        """Set the names of what is reported, for outputs of the given names."""
        self.log_names = ["loss"]
        if len(self.losses) > 1:
            self.log_names += [f"{names[i]}_loss" for i, _, _ in self.losses]
        self.log_names += [measure.name for measure in self.metrics]

    def reset(self) -> None:
        """Start the metrics that keep a state again."""
        for measure in self.metrics:
            if measure.keeps_state:
                measure.metric.reset_state()

    def logs(self, program: Any, totals: list[float] | None = None) -> dict[str, Any]:
        """Return what was measured since the reset, by name.

        Args:
            program: what measured it.
            totals: its means, if they are not the program's own.
        """
        totals = program.session.totals() if totals is None else totals
        losses = len(program.graph.losses)
        found = [totals[0]]
        if len(self.losses) > 1:
            found += totals[1 : 1 + len(self.losses)]
        means = iter(totals[1 + (losses if losses > 1 else 0) :])
        results = [
            _plain(m.metric.result()) if m.keeps_state else next(means) for m in self.metrics
        ]
        logs: dict[str, Any] = {}
        for name, value in zip(self.log_names, [*found, *results], strict=True):
            logs.update(value if isinstance(value, dict) else {name: value})
        return logs

    def add_to(self, lowered: Lowered) -> None:
        """Append losses and metrics to a graph."""
        _Adder(self, lowered).run()


def _plain(value: Any) -> Any:
    """Return a result as a float, or as an array where it has axes."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else array


class _Adder:
    def __init__(self, resolved: Resolved, lowered: Lowered) -> None:
        self.resolved, self.lowered, self.graph = resolved, lowered, lowered.graph
        self.place = {output: i for i, output in enumerate(resolved.targets)}
        self._true: dict[int, KerasTensor] = {}
        self._weight: dict[int, KerasTensor] = {}

    def run(self) -> None:
        with tracing.calling(None, tracing.AUTOMATIC):
            for output, loss, weight in self.resolved.losses:
                self._loss(output, loss, weight)
            if self.resolved.own_loss is not None:
                self._own_loss()
            self.lowered.add_recorded_losses()
            for measure in self.resolved.metrics:
                self._metric(measure)

    def _y_true(self, output: int) -> KerasTensor:
        place = self.place[output]
        if place not in self._true:
            shape = self.resolved.expected[place].sample
            self._true[place] = KerasTensor((None, *shape))
            self.lowered.add_target(self._true[place], place)
        return self._true[place]

    def _sample_weight(self, output: int) -> KerasTensor | None:
        if not self.resolved.weighted:
            return None
        place = self.place[output]
        if place not in self._weight:
            self._weight[place] = KerasTensor((None,))
            self.lowered.add_weight(self._weight[place], place)
        return self._weight[place]

    def _loss(self, output: int, loss: Loss, weight: float) -> None:
        place, y_pred = self.place[output], self.lowered.outputs[output]
        mask = mask_of(y_pred)
        if loss.native_kind and mask is None:
            options = (weight, loss.from_logits, loss.label_smoothing)
            prediction = self.graph.outputs[output]
            self.graph.losses.append(ir.Loss(loss.native_kind, prediction, place, *options))
            return
        with _explained(f"loss {loss.name!r}"):
            y_true = self._y_true(output)
            if type(loss).__call__ is not Loss.__call__:  # it weighs and reduces in its own way
                value = loss(y_true, y_pred, sample_weight=self._sample_weight(output))
                self.lowered.add_loss(value, -1, weight)
                return
            values = loss.values(y_true, y_pred)
        if not isinstance(values, KerasTensor):
            raise TypeError(
                f"loss {loss.name!r} returned {type(values).__name__}, which does not depend on "
                "the prediction; write it with dnnfast.ops."
            )
        by_sample = values.extents[:1] == (-1,)
        mean = loss.reduction in ("sum_over_batch_size", "mean", "none")
        if mean and by_sample and mask is None and mask_of(values) is None:
            self.lowered.add_loss(values, place, weight)
            return
        reduction = "mean" if mean else loss.reduction
        total = reduced(values, self._sample_weight(output), mask, reduction)
        self.lowered.add_loss(total, -1, weight)

    def _own_loss(self) -> None:
        """Record the loss that a subclass of Model computes; what it tracks is kept, too."""
        true = [self._y_true(i) if i in self.place else None for i in range(len(self.place))]
        weight = self._sample_weight(self.resolved.targets[0]) if self.place else None
        structure = self.lowered.output_structure
        with tracing.recorder("always") as recorder:
            value = self.resolved.own_loss(
                x=self.lowered.input_structure,
                y=tree.pack_sequence_as(structure, true) if true else None,
                y_pred=structure,
                sample_weight=weight,
            )
        self.lowered.add_recorded(recorder)
        self.lowered.add_loss(value, -1, 1.0)

    def _metric(self, measure: Measure) -> None:
        output, metric = measure.output, measure.metric
        place, y_pred = self.place[output], self.lowered.outputs[output]
        weighted = measure.weighted and self.resolved.weighted
        mask = mask_of(y_pred)
        if measure.native_kind and mask is None:
            prediction = self.graph.outputs[output]
            found = ir.Metric(measure.native_kind, prediction, place, weighted)
            self.graph.metrics.append(found)
            return
        y_true = self._y_true(output)
        with _explained(f"metric {metric.name!r}"):
            if isinstance(metric, MeanMetricWrapper) and metric.is_mean and mask is None:
                values = metric.values(y_true, y_pred)
                masked = mask_of(values) is not None
                if isinstance(values, KerasTensor) and values.batched and not masked:
                    metric._state_forced = False
                    tensor = self.lowered.tensor(values)
                    self.graph.metrics.append(ir.Metric("values", tensor, place, weighted))
                    return
            # Of the metric: what an evaluation resolves anew runs in the program of training.
            metric._state_forced = True
            with tracing.recorder("always") as recorder:
                weight = self._sample_weight(output) if weighted else None
                _update(metric, y_true, y_pred, weight)
        self.lowered.add_recorded(recorder)


def _update(metric: Metric, y_true: Any, y_pred: Any, weight: Any) -> None:
    takes = inspect.signature(metric.update_state).parameters
    any_keyword = any(p.kind is p.VAR_KEYWORD for p in takes.values())
    if weight is not None and ("sample_weight" in takes or any_keyword):
        metric.update_state(y_true, y_pred, sample_weight=weight)
    else:
        metric.update_state(y_true, y_pred)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Say in an error which loss or metric it comes from."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"{what}: {error}") from error
