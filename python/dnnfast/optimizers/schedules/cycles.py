"""Schedules beyond Keras: power decay, one cycle, cycles."""

from __future__ import annotations

import numpy as np

from dnnfast.errors import unknown_name
from dnnfast.optimizers.schedules.schedule import Formula


class PowerDecay(Formula):
    """A rate that falls quickly at first, then more and more slowly.

    Args:
        initial_learning_rate: at least 0.
        s: steps after which the rate is divided by ``2^c``, above 0.
        c: at least 0, default 1.
        name: kept in the configuration.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``initial_learning_rate / (1 + step / s)^c``.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.schedules.PowerDecay(1.0, s=10)(10)
        0.5
    """

    def __init__(
        self, initial_learning_rate: float, s: float, c: float = 1.0, name: str = "PowerDecay"
    ) -> None:
        self.initial_learning_rate = self._number("initial_learning_rate", initial_learning_rate)
        self.s = self._number("s", s, above=True)
        self.c = self._number("c", c)
        self.name = name

    def rates(self, steps: np.ndarray) -> np.ndarray:
        """Return the rates of an array of steps."""
        return self.initial_learning_rate / np.power(1.0 + steps / self.s, self.c)


class OneCycle(Formula):
    """Up to a high rate, down again and then to almost nothing, with momentum the other way.

    Args:
        max_rate: the highest rate, at least 0.
        steps: steps of the whole training, at least 3.
        start_rate: default ``max_rate / 10``.
        last_steps: steps of the last stretch, default ``steps // 10 + 1``.
        last_rate: where it ends, default ``start_rate / 1000``.
        max_momentum: momentum (or ``beta_1``) at the lowest rates, in [0, 1), default 0.95.
        min_momentum: at the highest rate, default 0.85.
        name: kept in the configuration.

    Raises:
        ValueError: if an argument is out of range.

    Formula: straight lines from ``start_rate`` to ``max_rate`` and back, each over half of the
    steps before the last stretch, then to ``last_rate``; momentum goes from ``max_momentum`` to
    ``min_momentum`` and back, and stays. After the last step both stay. Smith (2018).

    Example:
        >>> import dnnfast
        >>> cycle = dnnfast.optimizers.schedules.OneCycle(1.0, 110, last_steps=10)
        >>> cycle(0), cycle(50), round(cycle.momentum_at(50), 6)
        (0.1, 1.0, 0.85)
    """

    def __init__(
        self,
        max_rate: float,
        steps: int,
        start_rate: float | None = None,
        last_steps: int | None = None,
        last_rate: float | None = None,
        max_momentum: float = 0.95,
        min_momentum: float = 0.85,
        name: str = "OneCycle",
    ) -> None:
        self.max_rate = self._number("max_rate", max_rate)
        self.steps = self._number("steps", steps, 3)
        for key, value in (("start_rate", start_rate), ("last_rate", last_rate)):
            if value is not None:
                self._number(key, value)
        self.start_rate, self.last_rate, self.last_steps = start_rate, last_rate, last_steps
        if last_steps is not None:
            self._number("last_steps", last_steps, 1)
            if last_steps > steps - 2:
                raise ValueError(
                    f"OneCycle: last_steps must be at most steps - 2 = {steps - 2}, got "
                    f"{last_steps}."
                )
        for key, value in (("max_momentum", max_momentum), ("min_momentum", min_momentum)):
            if not self._number(key, value) < 1.0:
                raise ValueError(f"OneCycle: {key} must be in [0, 1), got {value!r}.")
        self.max_momentum, self.min_momentum = max_momentum, min_momentum
        self.name = name

    def _corners(self) -> tuple[list[float], list[float]]:
        """Return the steps at which lines meet, and the rates there."""
        start = self.max_rate / 10.0 if self.start_rate is None else self.start_rate
        end = start / 1000.0 if self.last_rate is None else self.last_rate
        last = min(self.steps // 10 + 1, self.steps - 2)
        last = last if self.last_steps is None else self.last_steps
        half = (self.steps - last) // 2
        return [0, half, 2 * half, self.steps - 1], [start, self.max_rate, start, end]

    def rates(self, steps: np.ndarray) -> np.ndarray:
        """Return the rates of an array of steps."""
        return np.interp(steps, *self._corners())

    def momenta(self, steps: np.ndarray) -> np.ndarray:
        """Return the momenta of an array of steps."""
        low, high = self.min_momentum, self.max_momentum
        return np.interp(steps, self._corners()[0], [high, low, high, high])

    def momentum_at(self, step: int) -> float:
        """Return the momentum (or ``beta_1``) of a step."""
        return float(self.momenta(np.float64(step)))


_MODES = ("triangular", "triangular2", "exp_range")


class CyclicalLR(Formula):
    """A rate that goes up and down between two others.

    Args:
        initial_learning_rate: the lowest rate, at least 0.
        maximal_learning_rate: the highest.
        step_size: steps of half a cycle, above 0.
        mode: ``"triangular"``, ``"triangular2"`` (half the height after each cycle) or
            ``"exp_range"`` (the height times ``gamma^step``). Default ``"triangular"``.
        gamma: in (0, 1], default 1.
        name: kept in the configuration.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``low + (high - low) * max(0, 1 - |step / step_size - 2 cycle + 1|) * scale`` with
    ``cycle = floor(1 + step / (2 step_size))``. Smith (2017).

    Example:
        >>> import dnnfast
        >>> rate = dnnfast.optimizers.schedules.CyclicalLR(0.0, 1.0, 10)
        >>> rate(0), rate(5), rate(10), rate(20)
        (0.0, 0.5, 1.0, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        maximal_learning_rate: float,
        step_size: float,
        mode: str = "triangular",
        gamma: float = 1.0,
        name: str = "CyclicalLR",
    ) -> None:
        self.initial_learning_rate = self._number("initial_learning_rate", initial_learning_rate)
        self.maximal_learning_rate = self._number("maximal_learning_rate", maximal_learning_rate)
        self.step_size = self._number("step_size", step_size, above=True)
        if mode not in _MODES:
            raise unknown_name("mode of CyclicalLR", mode, _MODES)
        self.mode = mode
        if self._number("gamma", gamma, above=True) > 1.0:
            raise ValueError(f"CyclicalLR: gamma must be in (0, 1], got {gamma!r}.")
        self.gamma = gamma
        self.name = name

    def rates(self, steps: np.ndarray) -> np.ndarray:
        """Return the rates of an array of steps."""
        cycle = np.floor(1.0 + steps / (2.0 * self.step_size))
        height = np.maximum(0.0, 1.0 - np.abs(steps / self.step_size - 2.0 * cycle + 1.0))
        if self.mode == "triangular2":
            height = height / np.power(2.0, cycle - 1.0)
        elif self.mode == "exp_range":
            height = height * np.power(float(self.gamma), steps)
        span = self.maximal_learning_rate - self.initial_learning_rate
        return self.initial_learning_rate + span * height
