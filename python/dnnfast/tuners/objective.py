"""What a search makes as small or as large as possible."""

from __future__ import annotations

import math
from typing import Any

from dnnfast.callbacks.monitor import direction as known_direction

DEFAULT = "default_objective"


class Objective:
    """A reported quantity, and which way is better.

    Args:
        name: as in the logs of `Model.fit`, for example ``"val_accuracy"``.
        direction: ``"min"`` or ``"max"``; default: by the name.

    Raises:
        ValueError: if the direction is neither, or not known from the name.

    Example:
        >>> from dnnfast.tuners import Objective
        >>> Objective("val_accuracy").direction
        'max'
    """

    def __init__(self, name: str, direction: str | None = None) -> None:
        found = known_direction(name) if direction is None else direction
        if found not in ("min", "max"):
            raise ValueError(
                f"objective {name!r}: it is not known whether more or less is better; pass "
                f'Objective({name!r}, "max") or Objective({name!r}, "min").'
            )
        self.name, self.direction = name, found

    @property
    def names(self) -> list[str]:
        """The quantities that it is made of."""
        return [self.name]

    def value(self, logs: dict[str, Any]) -> float:
        """Return its value from reported quantities."""
        return float(logs[self.name])

    def is_better(self, value: float | None, other: float | None) -> bool:
        """Tell whether a value is better than another; None and NaN are worse than any number."""
        if value is None or math.isnan(value):
            return False
        if other is None or math.isnan(other):
            return True
        return value < other if self.direction == "min" else value > other

    def __eq__(self, other: Any) -> bool:
        mine = (self.name, self.direction)
        return isinstance(other, Objective) and mine == (other.name, other.direction)

    def __hash__(self) -> int:
        return hash((self.name, self.direction))

    def __repr__(self) -> str:
        return f"Objective(name={self.name!r}, direction={self.direction!r})"


class MultiObjective(Objective):
    """The sum of several objectives, those to be made large counting negatively.

    Args:
        objectives: the objectives.
    """

    def __init__(self, objectives: list[Objective]) -> None:
        super().__init__("multi_objective", "min")
        self.objectives = objectives

    @property
    def names(self) -> list[str]:
        """The quantities that it is made of."""
        return [objective.name for objective in self.objectives]

    def value(self, logs: dict[str, Any]) -> float:
        """Return the sum from reported quantities."""
        signs = {"min": 1.0, "max": -1.0}
        return sum(signs[one.direction] * one.value(logs) for one in self.objectives)


def as_objective(given: Any) -> Objective:
    """Return an objective for a name, an objective, a list of them, or None.

    Raises:
        ValueError: if it is none of these, or a direction is not known.
    """
    if given is None:
        return Objective(DEFAULT, "min")
    if isinstance(given, Objective):
        return given
    if isinstance(given, str):
        return Objective(given)
    if isinstance(given, (list, tuple)) and given:
        return MultiObjective([as_objective(one) for one in given])
    raise ValueError(
        f'objective must be a name such as "val_accuracy", an Objective, or a list; got {given!r}.'
    )
