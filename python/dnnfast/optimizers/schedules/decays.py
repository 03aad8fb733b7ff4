"""Keras's learning-rate schedules."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from dnnfast.optimizers.schedules.schedule import Formula


class ExponentialDecay(Formula):
    """Multiplies the rate by ``decay_rate`` every ``decay_steps`` steps.

    Args:
        initial_learning_rate: at least 0.
        decay_steps: above 0.
        decay_rate: at least 0.
        staircase: change it only every ``decay_steps`` steps. Default False.
        name: kept in the configuration.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``initial_learning_rate * decay_rate^(step / decay_steps)``.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.schedules.ExponentialDecay(1.0, 10, 0.5)(20)
        0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = self._number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = self._number("decay_steps", decay_steps, above=True)
        self.decay_rate = self._number("decay_rate", decay_rate)
        self.staircase = staircase
        self.name = name

    def rates(self, steps: np.ndarray) -> np.ndarray:
        """Return the rates of an array of steps."""
        passed = steps / self.decay_steps
        passed = np.floor(passed) if self.staircase else passed
        return self.initial_learning_rate * np.power(float(self.decay_rate), passed)


class PiecewiseConstantDecay(Formula):
    """A constant rate between boundaries.

    Args:
        boundaries: increasing step numbers; up to and including the first, the first value holds.
        values: one more than boundaries.
        name: kept in the configuration.

    Raises:
        ValueError: if the lengths do not fit, or boundaries do not increase.

    Example:
        >>> import dnnfast
        >>> rate = dnnfast.optimizers.schedules.PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1])
        >>> rate(10), rate(11), rate(99)
        (1.0, 0.5, 0.1)
    """

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay: values must be one more than boundaries, got "
                f"{len(values)} values and {len(boundaries)} boundaries."
            )
        if any(b <= a for a, b in itertools.pairwise(boundaries)):
            raise ValueError(
                f"PiecewiseConstantDecay: boundaries must increase, got {list(boundaries)}."
            )
        self.boundaries = list(boundaries)
        self.values = [self._number("values", value) for value in values]
        self.name = name

    def rates(self, steps: np.ndarray) -> np.ndarray:
        """Return the rates of an array of steps."""
        numbers = np.searchsorted(np.asarray(self.boundaries, np.float64), steps, side="left")
        return np.asarray(self.values, np.float64)[numbers]


class PolynomialDecay(Formula):
    """Goes from one rate to another along a polynomial.

    Args:
        initial_learning_rate: at least 0.
        decay_steps: above 0.
        end_learning_rate: at least 0, default 0.0001.
        power: of the polynomial, at least 0, default 1.
        cycle: start again, over a longer stretch, after the end. Default False.
        name: kept in the configuration.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``(initial - end) * (1 - step / decay_steps)^power + end``, with the step at most
    ``decay_steps``; in a cycle ``decay_steps`` is the first multiple that is not passed.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.schedules.PolynomialDecay(1.0, 10, 0.0)(5)
        0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = self._number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = self._number("decay_steps", decay_steps, above=True)
        self.end_learning_rate = self._number("end_learning_rate", end_learning_rate)
        self.power = self._number("power", power)
        self.cycle = cycle
        self.name = name

    def rates(self, steps: np.ndarray) -> np.ndarray:
        """Return the rates of an array of steps."""
        if self.cycle:
            stretch = self.decay_steps * np.maximum(np.ceil(steps / self.decay_steps), 1.0)
        else:
            stretch = np.float64(self.decay_steps)
            steps = np.minimum(steps, stretch)
        span = self.initial_learning_rate - self.end_learning_rate
        return span * np.power(1.0 - steps / stretch, self.power) + self.end_learning_rate


class InverseTimeDecay(Formula):
    """Divides the rate by a number that grows with the steps.

    Args:
        initial_learning_rate: at least 0.
        decay_steps: above 0.
        decay_rate: at least 0.
        staircase: change it only every ``decay_steps`` steps. Default False.
        name: kept in the configuration.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    Example:
        >>> import dnnfast
        >>> dnnfast.optimizers.schedules.InverseTimeDecay(1.0, 10, 0.5)(20)
        0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = self._number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = self._number("decay_steps", decay_steps, above=True)
        self.decay_rate = self._number("decay_rate", decay_rate)
        self.staircase = staircase
        self.name = name

    def rates(self, steps: np.ndarray) -> np.ndarray:
        """Return the rates of an array of steps."""
        passed = steps / self.decay_steps
        passed = np.floor(passed) if self.staircase else passed
        return self.initial_learning_rate / (1.0 + self.decay_rate * passed)


class CosineDecay(Formula):
    """Half a cosine, after a linear rise if one is asked for.

    Args:
        initial_learning_rate: at least 0.
        decay_steps: above 0; the rise is not counted.
        alpha: share of the rate that is left at the end, default 0.
        name: kept in the configuration.
        warmup_target: the rate that the rise leads to; None: no rise.
        warmup_steps: steps of the rise, default 0.

    Raises:
        ValueError: if an argument is out of range.

    Formula: ``rate * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)``, from
    ``initial_learning_rate`` or from ``warmup_target`` on. Loshchilov and Hutter (2017).

    Example:
        >>> import dnnfast
        >>> warm = {"warmup_target": 1.0, "warmup_steps": 4}
        >>> rate = dnnfast.optimizers.schedules.CosineDecay(0.0, 10, **warm)
        >>> rate(2), rate(4), rate(14)
        (0.5, 1.0, 0.0)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate = self._number("initial_learning_rate", initial_learning_rate)
        self.decay_steps = self._number("decay_steps", decay_steps, above=True)
        self.alpha = self._number("alpha", alpha)
        self.name = name
        if warmup_target is not None:
            self._number("warmup_target", warmup_target)
        self.warmup_target = warmup_target
        self.warmup_steps = self._number("warmup_steps", warmup_steps)

    def _decay(self, rate: float, steps: np.ndarray) -> np.ndarray:
        passed = np.clip(steps / self.decay_steps, 0.0, 1.0)
        return rate * ((1.0 - self.alpha) * 0.5 * (1.0 + np.cos(math.pi * passed)) + self.alpha)

    def rates(self, steps: np.ndarray) -> np.ndarray:
        """Return the rates of an array of steps."""
        start, target = self.initial_learning_rate, self.warmup_target
        if target is None:
            return self._decay(start, steps)
        decayed = self._decay(target, steps - self.warmup_steps)
        if not self.warmup_steps:
            return decayed
        rising = (target - start) * (steps / self.warmup_steps) + start
        return np.where(steps < self.warmup_steps, rising, decayed)


class CosineDecayRestarts(Formula):
    """Half a cosine, again and again.

    Args:
        initial_learning_rate: at least 0.
        first_decay_steps: steps of the first one, above 0.
        t_mul: each next one is so many times longer, at least 1, default 2.
        m_mul: and begins with so many times the rate, at least 0, default 1.
        alpha: share of the rate that is left at each end, default 0.
        name: kept in the configuration.

    Raises:
        ValueError: if an argument is out of range.

    Formula: as `CosineDecay` within each one. Loshchilov and Hutter (2017).

    Example:
        >>> import dnnfast
        >>> rate = dnnfast.optimizers.schedules.CosineDecayRestarts(1.0, 10)
        >>> rate(0), round(rate(5), 6), rate(10), round(rate(20), 6)
        (1.0, 0.5, 1.0, 0.5)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = self._number("initial_learning_rate", initial_learning_rate)
        self.first_decay_steps = self._number("first_decay_steps", first_decay_steps, above=True)
        self.t_mul = self._number("t_mul", t_mul, 1.0)
        self.m_mul = self._number("m_mul", m_mul)
        self.alpha = self._number("alpha", alpha)
        self.name = name

    def _restarts(self, passed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how many restarts lie behind, and the share of the present stretch."""
        if self.t_mul == 1.0:
            restarts = np.floor(passed)
            return restarts, passed - restarts
        t = float(self.t_mul)

        def begin(number: np.ndarray) -> np.ndarray:
            return (np.power(t, number) - 1.0) / (t - 1.0)

        restarts = np.floor(np.log1p(passed * (t - 1.0)) / math.log(t))
        # The logarithm may be off by a rounding where a stretch begins.
        restarts = np.where(begin(restarts + 1.0) <= passed, restarts + 1.0, restarts)
        restarts = np.where(begin(restarts) > passed, restarts - 1.0, restarts)
        return restarts, (passed - begin(restarts)) / np.power(t, restarts)

    def rates(self, steps: np.ndarray) -> np.ndarray:
        """Return the rates of an array of steps."""
        restarts, share = self._restarts(steps / self.first_decay_steps)
        wave = 0.5 * np.power(float(self.m_mul), restarts) * (1.0 + np.cos(math.pi * share))
        return self.initial_learning_rate * ((1.0 - self.alpha) * wave + self.alpha)


def serialize(learning_rate_schedule: Any) -> Any:
    """Return a schedule as plain data.

    Example:
        >>> from dnnfast.optimizers import schedules
        >>> data = schedules.serialize(schedules.PowerDecay(1.0, s=10))
        >>> schedules.deserialize(data)(10)
        0.5
    """
    from dnnfast.saving.objects import serialize_keras_object

    return serialize_keras_object(learning_rate_schedule)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the schedule of plain data.

    Example:
        >>> from dnnfast.optimizers import schedules
        >>> data = schedules.serialize(schedules.PowerDecay(1.0, s=10))
        >>> schedules.deserialize(data)(10)
        0.5
    """
    from dnnfast.saving.objects import deserialize_keras_object

    if isinstance(config, dict) and not config.get("module"):
        config = {**config, "module": "keras.optimizers.schedules"}
    return deserialize_keras_object(config, custom_objects)
