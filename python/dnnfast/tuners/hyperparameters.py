"""The hyperparameters of a model: asked for by name while it is built."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any

from dnnfast.tuners.errors import SpaceError
from dnnfast.tuners.kinds import KINDS, Boolean, Choice, Fixed, Float, HyperParameter, Int, plain


class HyperParameters:
    """A search space with one value for each of its names: what a model is built from.

    ``build(hp)`` calls the methods below. Outside of a search they return defaults, and the space
    becomes known; in a search the tuner chooses.

    Attributes:
        values: the values, by name; those whose conditions do not hold are left out.
        space: the hyperparameters, in the order in which they were asked for.

    Example:
        >>> from dnnfast.tuners import HyperParameters
        >>> hp = HyperParameters()
        >>> hp.Int("n_hidden", min_value=0, max_value=8, default=2)
        2
        >>> hp.Float("learning_rate", min_value=1e-4, max_value=1e-2, sampling="log")
        0.0001
        >>> if hp.Choice("optimizer", ["sgd", "adam"]) == "sgd":
        ...     with hp.conditional_scope("optimizer", ["sgd"]):
        ...         nesterov = hp.Boolean("nesterov")
        >>> hp.values
        {'n_hidden': 2, 'learning_rate': 0.0001, 'optimizer': 'sgd', 'nesterov': False}
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._space: list[HyperParameter] = []
        self._scopes: list[str] = []
        self._conditions: list[tuple[str, list[Any]]] = []
        # In a search: what gives a value to a hyperparameter that has none yet.
        self._source: Callable[[HyperParameter], Any] | None = None

    def Int(
        self,
        name: str,
        min_value: int,
        max_value: int,
        step: int | None = None,
        sampling: str | None = "linear",
        default: int | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return an integer from ``min_value`` to ``max_value``, both included.

        Args:
            name: must be unique under its conditions.
            min_value: the least one.
            max_value: the largest one.
            step: distance between values, or with the other samplings their ratio. Default: any.
            sampling: ``"linear"`` (default), ``"log"`` (small ones are drawn more often) or
                ``"reverse_log"`` (large ones are).
            default: default ``min_value``.
            parent_name: the hyperparameter that this one depends on, or None.
            parent_values: those of its values with which this one counts.

        Raises:
            ValueError: if the numbers do not fit each other.
        """
        own = (min_value, max_value, step, sampling, default)
        return self._ask(Int, own, name, parent_name, parent_values)

    def Float(
        self,
        name: str,
        min_value: float,
        max_value: float,
        step: float | None = None,
        sampling: str | None = "linear",
        default: float | None = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return a number from ``min_value`` to ``max_value``.

        Args:
            name: this and all others are those of `Int`.

        Raises:
            ValueError: if the numbers do not fit each other.
        """
        own = (min_value, max_value, step, sampling, default)
        return self._ask(Float, own, name, parent_name, parent_values)

    def Choice(
        self,
        name: str,
        values: Any,
        ordered: bool | None = None,
        default: Any = None,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return one of several values.

        Args:
            name: must be unique under its conditions.
            values: strings, numbers or truth values, of one type.
            ordered: whether neighbours are alike; default: numbers are.
            default: default the first.
            parent_name: the hyperparameter that this one depends on, or None.
            parent_values: those of its values with which this one counts.

        Raises:
            ValueError: if there are no values, or the default is none of them.
            TypeError: if they are of several types.
        """
        return self._ask(Choice, (values, ordered, default), name, parent_name, parent_values)

    def Boolean(
        self,
        name: str,
        default: bool = False,
        parent_name: str | None = None,
        parent_values: Any = None,
    ) -> Any:
        """Return True or False.

        Args:
            name: must be unique under its conditions.
            default: default False.
            parent_name: the hyperparameter that this one depends on, or None.
            parent_values: those of its values with which this one counts.
        """
        return self._ask(Boolean, (default,), name, parent_name, parent_values)

    def Fixed(
        self, name: str, value: Any, parent_name: str | None = None, parent_values: Any = None
    ) -> Any:
        """Return a given value, which is recorded with the others.

        Args:
            name: must be unique under its conditions.
            value: a string, a number or a truth value.
            parent_name: the hyperparameter that this one depends on, or None.
            parent_values: those of its values with which this one counts.
        """
        return self._ask(Fixed, (value,), name, parent_name, parent_values)

    @contextlib.contextmanager
    def conditional_scope(self, parent_name: str, parent_values: Any) -> Iterator[None]:
        """Make what is asked for inside count only with some values of a hyperparameter.

        Args:
            parent_name: its name; it must have been asked for before.
            parent_values: the values, or one.

        Raises:
            ValueError: if there is no such hyperparameter.
        """
        full = self._full_name(parent_name)
        if full not in self:
            raise ValueError(
                f"conditional_scope: there is no hyperparameter {full!r}; ask for it first. "
                f"There are: {', '.join(hp.name for hp in self._space) or 'none'}."
            )
        values = parent_values if isinstance(parent_values, (list, tuple)) else [parent_values]
        self._conditions.append((full, [plain(full, value) for value in values]))
        try:
            yield
        finally:
            self._conditions.pop()

    @contextlib.contextmanager
    def name_scope(self, name: str) -> Iterator[None]:
        """Put a name and ``/`` before the names that are asked for inside.

        Args:
            name: the name.

        Raises:
            ValueError: if there is a ``/`` in it.
        """
        if "/" in name:
            raise ValueError(f"name_scope: a name must not hold '/', got {name!r}.")
        self._scopes.append(name)
        try:
            yield
        finally:
            self._scopes.pop()

    def get(self, name: str) -> Any:
        """Return the value of a hyperparameter.

        Args:
            name: its name, without those of the scopes around.

        Raises:
            KeyError: if there is none of that name.
            ValueError: if its conditions do not hold.
        """
        full = self._full_name(name)
        if full in self.values:
            return self.values[full]
        if full in self:
            raise ValueError(f"hyperparameter {full!r} has no value: its conditions do not hold.")
        raise KeyError(f"there is no hyperparameter {full!r}.")

    def __contains__(self, name: str) -> bool:
        return name in self.values or any(hp.name == name for hp in self._space)

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    @property
    def space(self) -> list[HyperParameter]:
        """The hyperparameters, in the order in which they were asked for."""
        return list(self._space)

    def is_active(self, hyperparameter: Any) -> bool:
        """Tell whether the conditions of a hyperparameter (or of a name) hold."""
        if isinstance(hyperparameter, str):
            named = [hp for hp in self._space if hp.name == hyperparameter]
            return any(hp.is_active(self.values) for hp in named)
        return bool(hyperparameter.is_active(self.values))

    def copy(self) -> HyperParameters:
        """Return a copy with values of its own."""
        found = HyperParameters()
        found._space, found.values = list(self._space), dict(self.values)
        return found

    def merge(self, other: HyperParameters) -> bool:
        """Add the hyperparameters that another one has; return whether there were some."""
        known = {hp.key for hp in self._space}
        new = [hp for hp in other._space if hp.key not in known]
        self._space += copy.deepcopy(new)
        for hp in new:
            if hp.is_active(self.values):
                self.values.setdefault(hp.name, hp.default)
        return bool(new)

    def get_config(self) -> dict[str, Any]:
        """Return space and values as plain data."""
        space = [{"class_name": type(hp).__name__, "config": hp.get_config()} for hp in self._space]
        return {"space": space, "values": dict(self.values)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> HyperParameters:
        """Create it from the result of `get_config`.

        Args:
            config: the plain data.
        """
        found = cls()
        for entry in config["space"]:
            arguments = dict(entry["config"])
            arguments["conditions"] = [(name, v) for name, v in arguments["conditions"]]
            found._space.append(KINDS[entry["class_name"]](**arguments))
        found.values = dict(config["values"])
        return found

    # Asking.

    def _full_name(self, name: str) -> str:
        return "/".join([*self._scopes, name])

    def _ask(
        self, kind: Any, arguments: tuple[Any, ...], name: str, parent: str | None, values: Any
    ) -> Any:
        scope: Any = contextlib.nullcontext()
        if parent is not None:
            scope = self.conditional_scope(parent, values)
        with scope:
            conditions = list(self._conditions)
            return self._value_of(kind(self._full_name(name), *arguments, conditions=conditions))

    def _value_of(self, hp: HyperParameter) -> Any:
        """Return the value of a hyperparameter, whose first definition counts."""
        known = next((other for other in self._space if other.key == hp.key), None)
        if known is None:
            self._space.append(hp)
            known = hp
        elif known.is_recalled and repr(known) != repr(hp):
            raise SpaceError(hp.name, f"{known}, now {hp}")
        if not known.is_active(self.values):
            return None
        if known.name not in self.values:
            source = self._source
            self.values[known.name] = known.default if source is None else source(known)
        return self.values[known.name]
