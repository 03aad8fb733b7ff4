"""A model's graph in an engine's session, and the variables whose values it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dnnfast import engine
from dnnfast import graph as ir
from dnnfast.distribution import distribution
from dnnfast.training.device_arrays import native
from dnnfast.variable import Variable, clock

if TYPE_CHECKING:
    from dnnfast.distribution import DataParallel
    from dnnfast.training.kept_state import KeptState


# What the state of an optimizer is made of besides its arrays.
NUMBERS = ("iterations", "u_products", "loss_scale", "good_steps")


class Program:
    """A session and its variables, kept equal by comparing versions."""

    def __init__(self, graph: ir.Graph, variables: list[Variable], device: str) -> None:
        self.graph = graph
        self.variables = variables
        # In which order optimizers list what they train; it may hold variables that no step reads.
        self.listed: list[Variable] = variables
        self.device = device
        self.session = engine.session(graph, device)
        self._versions = [-1] * len(variables)
        self._time = -1
        self._group: DataParallel | None = None

    def trains(self, i: int) -> bool:
        """Tell whether training updates variable ``i``."""
        return self.graph.parameters[i].trainable

    def pull(self, index: int) -> np.ndarray:
        """Return a copy of the value of variable ``index``."""
        value: np.ndarray = self.session.get_parameter(index)
        return value

    def sync(self) -> None:
        """Take over every variable that was written elsewhere since the last time."""
        if self._time == clock.now:
            return
        for i, variable in enumerate(self.variables):
            if variable.version != self._versions[i]:
                self.session.set_parameter(i, variable.kept())
                self._versions[i] = variable.version
                variable.give_to(self, i)
        self._time = clock.now

    def changed(self) -> None:
        """Record that the session changed its variables."""
        version = clock.tick()
        for i, variable in enumerate(self.variables):
            variable.changed_by(self, i, version)
            self._versions[i] = version
        self._time = version

    def take_state(self, other: Program | KeptState) -> None:
        """Continue another program's optimizer state where variables and slots agree."""
        mine, theirs = self.session, other.session
        for name in NUMBERS:
            value = getattr(theirs, name)
            if name != "u_products" or len(value) == len(mine.u_products):
                setattr(mine, name, value)
        places = {id(v): i for i, v in enumerate(other.variables) if other.trains(i)}
        for i, variable in enumerate(self.variables):
            place = places.get(id(variable))
            if place is None or not self.trains(i):
                continue
            known = dict(theirs.slots(place))
            for slot, shape in mine.slots(i):
                if known.get(slot) == shape:
                    mine.set_slot(slot, i, theirs.get_slot(slot, place))

    def _join(self, group: DataParallel | None) -> None:
        """Take steps with other processes from now on, or without."""
        if group is self._group:
            return
        exchange = None if group is None else group.exchange
        on_device = group is not None and group.exchanges_on(self.device)
        self.session.set_exchange(exchange, on_device)
        self._group = group

    def train(
        self, optimizer: Any, dataset: Any, order: Any, begin: int, count: int, batch: int
    ) -> None:
        """Run optimizer steps; whatever happens, the variables are then where they are.

        Raises:
            NonFiniteLossError: if the loss of a step is not finite; the steps before it are done.
        """
        self.sync()
        self._join(distribution())
        rates = optimizer.rates(self.session.iterations, count)
        try:
            self.session.train(dataset, order, begin, count, batch, rates)
        finally:
            self.changed()

    def evaluate(self, dataset: Any, begin: int, count: int, batch: int) -> None:
        """Add steps to loss and metrics."""
        self.session.evaluate(dataset, begin, count, batch)
        if self.graph.assignments:  # the state of metrics
            self.changed()

    def dataset(
        self,
        inputs: list[np.ndarray],
        targets: list[np.ndarray],
        weights: list[np.ndarray | None],
    ) -> Any:
        """Wrap arrays for the session."""
        return engine.dataset(native(inputs), native(targets), native(weights), self.device)
