"""The base class of learning-rate schedules."""

from __future__ import annotations

from typing import Any

from dnnfast.configurable import Configurable


class LearningRateSchedule(Configurable):
    """A function of the step number; subclass it and define ``__call__(step)`` and ``get_config``.

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
