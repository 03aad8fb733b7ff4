"""Names around names: what the paths of variables start with."""

from __future__ import annotations

import threading
from typing import Any


class _Stack(threading.local):
    def __init__(self) -> None:
        self.scopes: list[name_scope] = []


_stack = _Stack()


class name_scope:
    """Puts a name before the paths of the variables made inside the ``with`` block.

    Args:
        name: a string without "/".
        caller: whose scope it is. A scope directly inside one of the same caller and name adds
            nothing.
        deduplicate: False: it does add. Default True.
        override_parent: a path that replaces what is around it; default None.

    Raises:
        ValueError: if the name is no such string.

    Example:
        >>> import dnnfast
        >>> with dnnfast.name_scope("outer"), dnnfast.name_scope("inner"):
        ...     dnnfast.Variable(1.0, name="v").path
        'outer/inner/v'
    """

    def __init__(
        self,
        name: str,
        caller: Any = None,
        deduplicate: bool = True,
        override_parent: str | None = None,
    ) -> None:
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f'name_scope: name must be a string without "/", got {name!r}.')
        self.name = name
        self.caller = caller
        self.deduplicate = deduplicate
        self.override_parent = override_parent
        self._entered: list[bool] = []

    def __enter__(self) -> name_scope:
        around = _stack.scopes[-1] if _stack.scopes else None
        same = (
            self.deduplicate
            and around is not None
            and self.caller is not None
            and around.caller is self.caller
            and around.name == self.name
        )
        self._entered.append(not same)
        if not same:
            _stack.scopes.append(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._entered.pop():
            _stack.scopes.pop()


def current_path() -> str:
    """Return the path of the scopes in force, "" outside of all."""
    parts: list[str] = []
    for scope in _stack.scopes:
        if scope.override_parent is not None:
            parts = [part for part in scope.override_parent.split("/") if part]
        parts.append(scope.name)
    return "/".join(parts)
