"""Values that stand in for those of variables."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from dnnfast.variable import Variable


class _Stack(threading.local):
    def __init__(self) -> None:
        self.scopes: list[StatelessScope] = []


_stack = _Stack()


class StatelessScope:
    """Inside the ``with`` block variables have other values, and what is assigned stays there.

    Args:
        state_mapping: pairs of a variable and its value in the block; default none.
        collect_losses: whether losses that layers add are collected in ``losses``. Default False.
        initialize_variables: accepted; variables made in the block have their value at once.

    Raises:
        ValueError: if a pair does not start with a variable, or the shape differs.

    Example:
        >>> import dnnfast
        >>> v = dnnfast.Variable([1.0, 2.0])
        >>> with dnnfast.StatelessScope([(v, [5.0, 6.0])]) as scope:
        ...     v.assign_add([1.0, 1.0]).numpy().tolist()
        [6.0, 7.0]
        >>> v.numpy().tolist(), scope.get_current_value(v).tolist()
        ([1.0, 2.0], [6.0, 7.0])
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        from dnnfast.variable import Variable

        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self.losses: list[Any] = []
        self.state_mapping: dict[int, Any] = {}
        # Ids stay those of these variables as long as they are kept.
        self._variables: list[Variable] = []
        for variable, value in state_mapping or ():
            if not isinstance(variable, Variable):
                raise ValueError(
                    "StatelessScope: expected pairs of a variable and its value, got "
                    f"{type(variable).__name__} in place of a variable."
                )
            self.add_update((variable, variable.converted(value)))

    def add_loss(self, loss: Any) -> None:
        """Append a loss to ``losses``."""
        self.losses.append(loss)

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Set the value of a variable in this scope, for a pair of the two."""
        variable, value = update
        self._variables.append(variable)
        self.state_mapping[id(variable)] = value

    def get_current_value(self, variable: Variable) -> Any:
        """Return the value of a variable in this scope, or None if it has none."""
        return self.state_mapping.get(id(variable))

    def __enter__(self) -> StatelessScope:
        _stack.scopes.append(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        _stack.scopes.remove(self)


def current() -> StatelessScope | None:
    """Return the scope in force, or None."""
    return _stack.scopes[-1] if _stack.scopes else None


def value_in_scope(variable: Variable) -> np.ndarray | None:
    """Return the value that a variable has in the scope in force, or None."""
    scope = current()
    value = None if scope is None else scope.get_current_value(variable)
    return None if value is None else np.array(value, dtype=variable.dtype)
