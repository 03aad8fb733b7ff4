"""Steps over batches that somebody else makes, and the choice of steps for data of any form."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast import tree
from dnnfast.distribution import distribution
from dnnfast.training.data import Data, Given, arrays_of, prepare, structured
from dnnfast.training.inputs import prepare_inputs
from dnnfast.training.prefetch import END
from dnnfast.training.shared_steps import shared_steps
from dnnfast.training.sources import ArraySource, Source, gives_batches, source_of
from dnnfast.training.steps import ArraySteps, StepOptions, Steps, order_of_pass, shuffled, totals
from dnnfast.training.targets import class_weights
from dnnfast.utils.py_dataset import unpack_x_y_sample_weight


class SourceSteps(Steps):
    """Steps over batches that somebody else makes, one by one."""

    def __init__(self, model: Any, options: StepOptions, source: Source) -> None:
        super().__init__(model, options)
        self._source = source
        self._pass_steps = source.length
        self._next: Any = None  # the batch at hand, or END

    def finished(self) -> bool:
        """Tell whether an iterator, which cannot begin again, has ended."""
        return not self._source.restarts and self._in_pass and not self._peek()

    def _allow(self) -> None:
        """Let the batches of an epoch be fetched, and none of the next."""
        count = self.options.per_epoch
        at_hand = self._next is not None and self._next is not END
        self._source.allow(None if count is None else count - at_hand)

    def _peek(self) -> bool:
        self._allow()
        return self.ready()

    def _goes_on(self) -> bool:
        """Tell whether the epoch goes on in the pass of the last one."""
        if not self._in_pass or self.options.per_epoch is None:
            return False
        known = self._source.length
        return self._peek() if known is None else self._position < known

    def begin_epoch(self) -> None:
        """Go to the first batch of an epoch."""
        self._source.begin_epoch()
        if not self._goes_on():
            self._new_pass()
            self._position, self._in_pass = 0, True
        self._allow()

    def _new_pass(self) -> None:
        self._next = None
        order = None
        if self.options.shuffle is not None:
            count, batch = self._source.numbered()
            order = shuffled(self.model, count, batch, self.options.shuffle if count else False)
        self._source.begin_pass(order)

    def _go_to(self, position: int) -> None:
        self._next, self._in_pass = None, True
        count, batch = self._source.numbered()
        order = order_of_pass(self.model, count, batch, self.options.shuffle if count else False)
        self._position = self._source.begin_pass_at(order, position)
        self._allow()

    def end_epoch(self) -> None:
        """Tell the data set that the epoch has ended."""
        self._source.end_epoch()

    def ready(self) -> bool:
        """Tell whether there is another batch; it is fetched."""
        if self._next is None:
            self._next = self._source.take()
        return self._next is not END

    def at_once(self) -> int:
        """Return 1: each batch is an array of its own."""
        return 1

    def _take(self) -> Any:
        batch, self._next = self._next, None
        self._position += 1
        return batch

    def close(self) -> None:
        """Free threads and processes."""
        self._source.close()


class BatchSteps(SourceSteps):
    """Steps over batches that the engine runs."""

    def __init__(self, model: Any, options: StepOptions, source: Source, given: Given) -> None:
        super().__init__(model, options, source)
        self._class_weight = given.class_weight
        self.resolved = options.resolved
        self.data = self._prepared(first_of(source, given, options))
        self.resolved = self.data.resolved
        self._most = 0  # rows in the largest batch so far: a smaller one needs no plan of its own

    def _prepared(self, batch: Any) -> Data:
        x, y, weight = unpack_x_y_sample_weight(batch)
        given = Given(x, y, weight, self._class_weight)
        return prepare(self.model, given, self.options.what, self.resolved)

    def _next_data(self) -> int:
        self.data = self._prepared(self._take())
        self._most = max(self._most, self.data.rows)
        return self._most

    def train(self, count: int) -> int:
        """Train on the next batch and return its number of samples."""
        size = self._next_data()
        program = self.model._training_program(self.resolved)
        program.train(self.model.optimizer, self.data.bound_to(program), None, 0, 1, size)
        return self.data.rows

    def evaluate(self, count: int) -> int:
        """Add the next batch to loss and metrics and return its number of samples."""
        size = self._next_data()
        program = self.model._program_for(self.resolved)
        program.evaluate(self.data.bound_to(program), 0, 1, size)
        return self.data.rows

    def logs(self) -> dict[str, float]:
        """Return loss and metrics since they were reset."""
        return totals(self.model, self.resolved)

    def failed_step(self, step: int) -> tuple[int, tuple[Data | None, np.ndarray]]:
        """Return 0, the number of the only step of a call, and the last batch with its rows."""
        return 0, self.last()

    def last(self) -> tuple[Data, np.ndarray]:
        """Return the last batch, and all of its rows."""
        return self.data, np.arange(self.data.rows)


class CustomSteps(SourceSteps):
    """Steps that the model's class defines itself, such as an overridden ``train_step``."""

    def __init__(self, model: Any, options: StepOptions, source: Source, given: Given) -> None:
        super().__init__(model, options, source)
        self._class_weight = given.class_weight
        x = unpack_x_y_sample_weight(first_of(source, given, options))[0]
        prepare_inputs(model, x)  # builds the model
        self._logs: dict[str, Any] = {}

    def begin_epoch(self) -> None:
        """Go to the first batch of an epoch."""
        super().begin_epoch()
        self._logs = {}

    def _run(self, step: Any) -> int:
        batch = arrays_of(self._take())
        if self._class_weight is not None:
            x, y, weight = unpack_x_y_sample_weight(batch)
            by_class = class_weights(self._class_weight, y, "y")
            batch = (x, y, by_class if weight is None else weight * by_class)
        self._logs = as_logs(step(batch))
        return len(next(x for x in tree.flatten(batch) if x is not None))

    def train(self, count: int) -> int:
        """Take the user's training step and return its number of samples."""
        return self._run(self.model._step_call("train"))

    def own_loss(self) -> float:
        """Return the loss that the user's own step returned, or 0."""
        loss = self._logs.get("loss", 0.0)
        return float(loss) if isinstance(loss, (int, float)) else 0.0

    def evaluate(self, count: int) -> int:
        """Take the user's evaluation step and return its number of samples."""
        return self._run(self.model._step_call("test"))

    def logs(self) -> dict[str, float]:
        """Return the metrics' results if the last step returned just them, else what it returned.

        The step may not be the last to change a metric.
        """
        results = as_logs(self.model.get_metrics_result())
        return results if results.keys() == self._logs.keys() else dict(self._logs)


def first_of(source: Source, given: Given, options: StepOptions) -> Any:
    """Return the first batch; raises ValueError if there is none."""
    first = source.first()
    if first is END:
        raise ValueError(f"{options.what}x: the {type(given.x).__name__} gave no batch.")
    return first


def as_logs(value: Any) -> dict[str, Any]:
    """Return what a step of the user's own returned as logs: numbers by name."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(
            f"a train_step or test_step must return a dict of numbers by name, got "
            f"{type(value).__name__}."
        )
    return {key: _number(leaf) for key, leaf in value.items()}


def _number(value: Any) -> Any:
    if isinstance(value, (bool, int, float, str)):
        return value
    array = np.asarray(value)
    return array.item() if array.size == 1 else array


def steps_for(model: Any, given: Given, options: StepOptions, custom: bool) -> Steps:
    """Return the steps over data of any form.

    Args:
        model: a compiled model; it is built if needed.
        given: what the user passed.
        options: how to cut it.
        custom: whether the steps are the user's own.

    Raises:
        ValueError: if the data does not fit.
        TypeError: if the data is not numeric.
    """
    group = distribution()
    if group is not None and (custom or gives_batches(given.x)):
        raise ValueError(
            "data-parallel training takes arrays, and steps of the engine: data that gives batches "
            "and a train_step or test_step of one's own are for one process "
            "(distribution.set_distribution(None))."
        )
    if gives_batches(given.x):
        given.only_x()
        source = source_of(given.x)
        try:
            return (CustomSteps if custom else BatchSteps)(model, options, source, given)
        except BaseException:
            source.close()
            raise
    if not custom:
        data = prepare(model, given, options.what, options.resolved)
        return (ArraySteps if group is None else shared_steps(group))(model, options, data)
    parts, rows = structured(model, given)
    source = ArraySource(parts, rows, options.batch_of(rows))
    return CustomSteps(model, options, source, given)
