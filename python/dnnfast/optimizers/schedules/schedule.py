"""The base classes of learning-rate schedules."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast.configurable import Configurable


class LearningRateSchedule(Configurable):
    """A function of the step number; subclass it and define ``__call__(step)`` and ``get_config``.

    The step is a plain integer, counted from 0. A schedule that also has ``momentum_at(step)``
    gives the optimizer's momentum (or ``beta_1``) for each step, too.

    Example:
        >>> import dnnfast
        >>> class Halving(dnnfast.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.5 ** (step // 1000)
        >>> float(dnnfast.optimizers.SGD(Halving()).learning_rate)
        1.0
    """

    def __init__(self) -> None:
        pass

    def __call__(self, step: int) -> Any:
        """Return the learning rate of a step."""
        raise NotImplementedError(f"{type(self).__name__} does not define __call__(step).")


class Formula(LearningRateSchedule):
    """A schedule that computes the rates of many steps at once, in double precision."""

    def rates(self, steps: np.ndarray) -> np.ndarray:
        """Return the learning rates of an array of step numbers (float64)."""
        raise NotImplementedError

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, or of an array of them."""
        rates = self.rates(np.asarray(step, np.float64))
        return float(rates) if np.ndim(step) == 0 else np.asarray(rates)

    # Arguments.

    def _number(self, name: str, value: Any, low: float = 0.0, above: bool = False) -> Any:
        """Check a number: at least ``low``, or above it; returned as it was given."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not (number > low if above else number >= low) or not math.isfinite(number):
            limit = f"above {low:g}" if above else f"at least {low:g}"
            raise ValueError(
                f"{type(self).__name__}: {name} must be a finite number {limit}, got {value!r}."
            )
        return value
