"""Lambdas in serialized models: their code, which runs only where the source is trusted."""

from __future__ import annotations

import base64
import marshal
import threading
import types
from typing import Any


class _Modes(threading.local):
    def __init__(self) -> None:
        self.stack: list[bool] = []


_modes = _Modes()
_always_unsafe = False


def enable_unsafe_deserialization() -> None:
    """Let models with lambdas be loaded from now on; their code may do anything.

    Example:
        >>> import dnnfast
        >>> dnnfast.config.enable_unsafe_deserialization()  # doctest: +SKIP
    """
    global _always_unsafe
    _always_unsafe = True


class SafeMode:
    """Decides inside a ``with`` block whether lambdas are refused."""

    def __init__(self, safe_mode: bool) -> None:
        self.safe_mode = bool(safe_mode)

    def __enter__(self) -> SafeMode:
        _modes.stack.append(self.safe_mode)
        return self

    def __exit__(self, *exc_info: object) -> None:
        _modes.stack.pop()


def is_safe(default: bool) -> bool:
    """Tell whether lambdas are refused here."""
    if _always_unsafe:
        return False
    return _modes.stack[-1] if _modes.stack else bool(default)


def is_lambda(item: Any) -> bool:
    """Tell whether something is a lambda."""
    return isinstance(item, types.FunctionType) and item.__name__ == "<lambda>"


def dump(function: types.FunctionType) -> list[Any]:
    """Return code, default arguments and closure as plain data."""
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    closure = [cell.cell_contents for cell in function.__closure__ or ()]
    defaults = None if function.__defaults__ is None else list(function.__defaults__)
    return [code, defaults, closure or None]


def load(value: Any) -> types.FunctionType:
    """Return the function of `dump`'s result (or of the code alone).

    Raises:
        ValueError: if it is damaged, or was written by another version of Python.
    """
    text, defaults, closure = (value, None, None) if isinstance(value, str) else value
    try:
        code = marshal.loads(base64.b64decode(str(text)))
        if not isinstance(code, types.CodeType):
            raise TypeError("not code")
    except (ValueError, EOFError, TypeError):
        raise ValueError(
            "a serialized lambda cannot be read: it is damaged or was written by another version "
            "of Python. Define the function with a name and pass it in custom_objects."
        ) from None
    cells = None if closure is None else tuple(types.CellType(item) for item in closure)
    arguments = None if defaults is None else tuple(defaults)
    return types.FunctionType(code, globals(), code.co_name, arguments, cells)
