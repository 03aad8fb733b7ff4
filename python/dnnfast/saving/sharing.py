"""Objects that occur several times in serialized data, as Keras writes them: by a number."""

from __future__ import annotations

import threading
from typing import Any

_KEY = "shared_object_id"


class _Scopes(threading.local):
    def __init__(self) -> None:
        self.written: dict[int, tuple[int, Any]] | None = None
        self.read: dict[int, Any] | None = None


_scopes = _Scopes()


class SharingScope:
    """Inside the ``with`` block an object that is met again stays one object."""

    def __enter__(self) -> SharingScope:
        self._around = (_scopes.written, _scopes.read)
        _scopes.written, _scopes.read = {}, {}
        return self

    def __exit__(self, *exc_info: object) -> None:
        _scopes.written, _scopes.read = self._around


def note_written(item: Any, data: dict[str, Any]) -> None:
    """Give the data of an object its number."""
    if _scopes.written is not None:
        # The object is kept, so that its id stays its own.
        number, _ = _scopes.written.setdefault(id(item), (len(_scopes.written), item))
        data[_KEY] = number


def without_singles(data: Any) -> Any:
    """Return written data with the numbers of those objects only that occur several times."""
    counts: dict[int, int] = {}

    def count(value: Any) -> None:
        if isinstance(value, dict):
            if _KEY in value:
                counts[value[_KEY]] = counts.get(value[_KEY], 0) + 1
            for item in value.values():
                count(item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                count(item)

    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            single = counts.get(value.get(_KEY, -1)) == 1
            return {k: kept(v) for k, v in value.items() if k != _KEY or not single}
        return [kept(item) for item in value] if isinstance(value, (list, tuple)) else value

    count(data)
    return kept(data)


def known(data: dict[str, Any]) -> Any:
    """Return the object that was read from the same data before, or None."""
    number = data.get(_KEY)
    if _scopes.read is None or not isinstance(number, int):
        return None
    return _scopes.read.get(number)


def note_read(item: Any, data: dict[str, Any]) -> None:
    """Remember an object that may be met again."""
    number = data.get(_KEY)
    if _scopes.read is not None and isinstance(number, int):
        _scopes.read[number] = item
