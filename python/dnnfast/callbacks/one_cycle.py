"""One cycle of the learning rate over a whole training."""

from __future__ import annotations

from typing import Any

import numpy as np

from dnnfast.callbacks.callback import Callback
from dnnfast.callbacks.monitor import note_rates, plural
from dnnfast.optimizers import schedules
from dnnfast.optimizers.schedules.schedule import Formula


class _Rates(Formula):
    """The rates of a cycle that begins at a later step than 0."""

    def __init__(self, cycle: schedules.OneCycle, begin: int, own_rate: Any) -> None:
        self.cycle, self.begin = cycle, begin
        self.own_rate = own_rate  # the optimizer's, which is what is saved

    def rates(self, steps: np.ndarray) -> np.ndarray:
        """Return the rates of an array of steps."""
        return self.cycle.rates(steps - self.begin)


class _RatesAndMomenta(_Rates):
    """Its momenta, too."""

    def momentum_at(self, step: int) -> float:
        """Return the momentum of a step."""
        return float(self.cycle.momentum_at(step - self.begin))


class OneCycle(Callback):
    """Runs one cycle of learning rate and momentum over a whole `fit`.

    The rate rises to ``max_rate``, falls again, and then to almost nothing; momentum (or
    ``beta_1``) goes the other way, if the optimizer has some. Both change at every step, in a table
    that the engine gets: training is not slowed down. Afterwards the optimizer has its own rate and
    momentum again.

    Args:
        max_rate: the highest rate, above 0.
        steps: number of steps of the cycle; default all of the `fit`.
        **options: the other arguments of `optimizers.schedules.OneCycle`: ``start_rate``,
            ``last_steps``, ``last_rate``, ``max_momentum``, ``min_momentum``.

    Raises:
        ValueError: if an argument is out of range, or the number of steps is not known.

    Formula: that of `optimizers.schedules.OneCycle`.

    Example:
        >>> import dnnfast as keras, numpy
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
        >>> x = numpy.random.default_rng(0).normal(size=(320, 3))
        >>> cycle = keras.callbacks.OneCycle(max_rate=0.2)
        >>> history = model.fit(x, x.sum(1), epochs=3, verbose=0, callbacks=[cycle])
        >>> round(float(model.optimizer.learning_rate), 3)
        0.1
    """

    def __init__(self, max_rate: float, steps: int | None = None, **options: Any) -> None:
        super().__init__()
        # A cycle of some length, for its checks.
        schedules.OneCycle(max_rate, 1000 if steps is None else steps, **options)
        self.max_rate, self.steps, self.options = max_rate, steps, options
        self._before: Any = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Install the cycle, when the number of epochs to come is known."""
        if self._before is not None:
            return
        params, steps = self.params, self.steps
        if steps is None:
            if params.get("steps") is None:
                raise ValueError(
                    "OneCycle: the data does not tell how many steps an epoch has; pass "
                    "OneCycle(steps=...), or steps_per_epoch to fit."
                )
            steps = (params["epochs"] - epoch) * params["steps"]
        self._install(steps, [one._step() for one in self._optimizers()])

    def _install(self, steps: int, begins: list[int]) -> None:
        self._length, self._begins = steps, begins
        cycle = schedules.OneCycle(self.max_rate, steps, **self.options)
        self._before = [(one, one._rate) for one in self._optimizers()]
        for (one, own_rate), begin in zip(self._before, begins, strict=True):
            has_momentum = bool(one._momentum and getattr(one, one._momentum))
            rates = _RatesAndMomenta if has_momentum else _Rates
            one._rate = rates(cycle, begin, own_rate)

    def get_resume_state(self) -> dict[str, Any] | None:
        """Return where the cycle began, and its length."""
        if self._before is None:
            return None
        return {"steps": self._length, "begins": self._begins}

    def set_resume_state(self, state: dict[str, Any]) -> None:
        """Go on in the cycle of before an interruption."""
        self.on_train_end()
        self._install(int(state["steps"]), [int(begin) for begin in state["begins"]])

    def _optimizers(self) -> list[Any]:
        optimizer = self.model.optimizer
        return plural(getattr(optimizer, "inner_optimizer", optimizer))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the learning rate."""
        if logs is not None:
            note_rates(self.model.optimizer, logs)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Give the optimizer its own rate again."""
        if self._before is not None:
            for optimizer, rate in self._before:
                optimizer._rate = rate
            self._before = None

    on_train_abandoned = on_train_end
