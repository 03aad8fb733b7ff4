"""The kinds of hyperparameters: which values they may have, and how a value is drawn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast import checks
from dnnfast.errors import unknown_name

SAMPLINGS = ("linear", "log", "reverse_log")
_WITHOUT_STEP = 10  # values of a grid over a range without a step
_EDGE = 1e-8  # what rounding may take from a whole number of steps


class HyperParameter:
    """A named quantity with its possible values.

    Args:
        name: with those of the scopes around it, ``scope/name``.
        default: its value where nobody chooses one.
        conditions: pairs of a parent's name and those of its values with which this one counts.
    """

    def __init__(
        self, name: str, default: Any, conditions: list[tuple[str, list[Any]]] | None = None
    ) -> None:
        self.name, self.default = name, default
        self.is_recalled = False  # whether it is known from a study that goes on
        self.conditions = list(conditions or [])

    @property
    def key(self) -> str:
        """The name, with the conditions if there are some: a name may be used under several."""
        parents = [f"{name}={'|'.join(map(str, values))}" for name, values in self.conditions]
        return f"{self.name} [{', '.join(parents)}]" if parents else self.name

    def is_active(self, values: dict[str, Any]) -> bool:
        """Tell whether the conditions hold."""
        return all(values.get(name, _NOTHING) in allowed for name, allowed in self.conditions)

    def at(self, u: float) -> Any:
        """Return the value at a place ``u`` in [0, 1) of its range; evenly spread places are drawn.

        Formula: linear ``low + u (high - low)``; log ``low (high / low)^u``; reverse_log
        ``high + low - low (high / low)^(1 - u)``.
        """
        raise NotImplementedError

    def features(self, value: Any) -> list[float]:
        """Return numbers in [0, 1] of which near ones stand for values that are alike."""
        raise NotImplementedError

    def grid(self) -> list[Any]:
        """Return the values that an exhaustive search tries."""
        raise NotImplementedError

    def allows(self, value: Any) -> bool:
        """Tell whether it may have a value."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"name": self.name, "default": self.default, "conditions": self.conditions}

    def __repr__(self) -> str:
        inner = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items() if k != "conditions")
        return f"{type(self).__name__}({inner})"


_NOTHING = object()


class Fixed(HyperParameter):
    """A quantity with one value."""

    def __init__(self, name: str, value: Any, conditions: Any = None) -> None:
        super().__init__(name, plain(name, value), conditions)
        self.value = self.default

    def at(self, u: float) -> Any:
        return self.value

    def features(self, value: Any) -> list[float]:
        return []

    def grid(self) -> list[Any]:
        return [self.value]

    def allows(self, value: Any) -> bool:
        return bool(value == self.value)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "value": self.value, "conditions": self.conditions}


class Choice(HyperParameter):
    """One of several strings, numbers or truth values."""

    def __init__(
        self,
        name: str,
        values: Any,
        ordered: bool | None = None,
        default: Any = None,
        conditions: Any = None,
    ) -> None:
        self.values = [plain(name, value) for value in values]
        if not self.values:
            raise ValueError(f"Choice {name!r}: `values` must hold at least one value.")
        kinds = {float if isinstance(v, int) else type(v) for v in self.values}
        if len({type(v) for v in self.values}) > 1 and kinds != {float}:
            raise TypeError(f"Choice {name!r}: values must be of one type, got {self.values!r}.")
        numeric = not isinstance(self.values[0], (str, bool))
        if ordered and isinstance(self.values[0], str):
            raise ValueError(f"Choice {name!r}: strings have no order; leave `ordered` out.")
        self.ordered = numeric if ordered is None else bool(ordered)
        if default is not None and default not in self.values:
            raise ValueError(
                f"Choice {name!r}: the default must be one of {self.values!r}, got {default!r}."
            )
        super().__init__(name, self.values[0] if default is None else default, conditions)

    def at(self, u: float) -> Any:
        return self.values[min(int(u * len(self.values)), len(self.values) - 1)]

    def features(self, value: Any) -> list[float]:
        place = self.values.index(value)
        if self.ordered:
            return [place / max(1, len(self.values) - 1)]
        return [float(i == place) for i in range(len(self.values))]

    def grid(self) -> list[Any]:
        return list(self.values)

    def allows(self, value: Any) -> bool:
        return value in self.values

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "values": self.values, "ordered": self.ordered}


class Boolean(Choice):
    """True or False."""

    def __init__(self, name: str, default: bool = False, conditions: Any = None) -> None:
        super().__init__(name, [False, True], None, bool(default), conditions)

    def get_config(self) -> dict[str, Any]:
        return HyperParameter.get_config(self)


class Range(HyperParameter):
    """A number between two others; the base of `Int` and `Float`."""

    def __init__(
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str | None = "linear",
        default: float | None = None,
        conditions: Any = None,
    ) -> None:
        what = f"{type(self).__name__} {name!r}"
        self.min_value = self._number(what, "min_value", min_value)
        self.max_value = self._number(what, "max_value", max_value)
        self.step = None if step is None else self._number(what, "step", step)
        self.sampling = "linear" if sampling is None else sampling
        if self.sampling not in SAMPLINGS:
            raise unknown_name(f"sampling of {what}", sampling, SAMPLINGS)
        if self.min_value > self.max_value:
            raise ValueError(f"{what}: min_value {min_value} is above max_value {max_value}.")
        if self._logarithmic and self.min_value <= 0:
            raise ValueError(
                f"{what}: sampling={sampling!r} needs a min_value above 0, got {min_value}."
            )
        if self.step is not None and self.step <= (1 if self._logarithmic else 0):
            least = "above 1, as it is a factor" if self._logarithmic else "above 0"
            raise ValueError(f"{what}: step must be {least}, got {step}.")
        start = self.min_value if default is None else self._number(what, "default", default)
        super().__init__(name, start, conditions)
        if not self.allows(self.default):
            raise ValueError(
                f"{what}: the default must be from {min_value} to {max_value}, got {default}."
            )

    def _number(self, what: str, argument: str, value: Any) -> Any:
        return checks.number(what, argument, value)

    @property
    def _logarithmic(self) -> bool:
        return self.sampling != "linear"

    @property
    def count(self) -> int | None:
        """The number of values, or None if any between the ends will do."""
        if self.step is None:
            return None
        low, high = self.min_value, self.max_value
        if self._logarithmic:
            return math.floor(math.log(high / low) / math.log(self.step) + _EDGE) + 1
        return math.floor((high - low) / self.step + _EDGE) + 1

    def numbered(self, i: int) -> Any:
        """Return value number ``i`` of those that steps lead to."""
        assert self.step is not None and self.count is not None
        if self.sampling == "linear":
            return self.min_value + i * self.step
        if self.sampling == "log":
            return self.min_value * self.step**i
        return self.max_value + self.min_value - self.min_value * self.step ** (self.count - 1 - i)

    def at(self, u: float) -> Any:
        if self.count is not None:
            return self.numbered(min(int(u * self.count), self.count - 1))
        low, high = self.min_value, self.max_value
        if self.sampling == "linear":
            return low + u * (high - low)
        if self.sampling == "log":
            return low * (high / low) ** u
        return high + low - low * (high / low) ** (1 - u)

    def features(self, value: Any) -> list[float]:
        low, high = self.min_value, self.max_value
        if low == high:
            return [0.0]
        if self.sampling == "linear":
            return [(value - low) / (high - low)]
        if self.sampling == "log":
            return [math.log(value / low) / math.log(high / low)]
        return [1 - math.log((high + low - value) / low) / math.log(high / low)]

    def grid(self) -> list[Any]:
        if self.count is not None:
            return [self.numbered(i) for i in range(self.count)]
        places = np.linspace(0, 1, _WITHOUT_STEP)
        return list(dict.fromkeys(self.at(float(u)) for u in places))

    def allows(self, value: Any) -> bool:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and self.min_value <= value <= self.max_value

    def get_config(self) -> dict[str, Any]:
        names = ("min_value", "max_value", "step", "sampling")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class Float(Range):
    """A number between two others."""


class Int(Range):
    """An integer between two others, both included."""

    def _number(self, what: str, argument: str, value: Any) -> Any:
        found = checks.number(what, argument, value)
        if found != int(found):
            raise ValueError(f"{what}: {argument} must be an integer, got {value!r}.")
        return int(found)

    @property
    def count(self) -> int | None:
        if self.step is None and self.sampling == "linear":
            return int(self.max_value - self.min_value + 1)
        return super().count

    def numbered(self, i: int) -> Any:
        return self.min_value + i if self.step is None else int(super().numbered(i))

    def at(self, u: float) -> Any:
        if self.count is not None:
            return self.numbered(min(int(u * self.count), self.count - 1))
        # Each integer has a part of the range of its own, the last one too.
        low, high = self.min_value, self.max_value + 1
        if self.sampling == "log":
            return min(int(low * (high / low) ** u), self.max_value)
        mirrored = min(int(low * (high / low) ** (1 - u)), self.max_value)
        return self.max_value + self.min_value - mirrored


def plain(name: str, value: Any) -> Any:
    """Return a value as a plain string, number or truth value.

    Raises:
        TypeError: if it is none of these.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, (str, int, float, bool)):
        raise TypeError(
            f"hyperparameter {name!r}: values must be strings, numbers or truth values, got "
            f"{value!r}. Choose a name, and look it up in `build`."
        )
    return value


KINDS: dict[str, type[HyperParameter]] = {
    cls.__name__: cls for cls in (Boolean, Choice, Fixed, Float, Int)
}
