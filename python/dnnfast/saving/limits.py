"""How much a model from a file may take, so that a short file cannot claim all memory."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

_FREE, _TIMES = 1 << 26, 16


class _Budget(threading.local):
    left: int | None = None


_budget = _Budget()


@contextlib.contextmanager
def of_file(size: int) -> Iterator[None]:
    """Let what is made inside take some times as many bytes as a file has.

    Args:
        size: bytes of the file.
    """
    around, _budget.left = _budget.left, _FREE + _TIMES * size
    try:
        yield
    finally:
        _budget.left = around


def take(size: int, what: str) -> None:
    """Count bytes that are about to be used.

    Args:
        size: how many.
        what: takes them, for the error.

    Raises:
        ValueError: if a file that is being loaded cannot hold that much.
    """
    if _budget.left is None:
        return
    _budget.left -= size
    if _budget.left < 0:
        raise ValueError(
            f"Not allowed: {what} takes {size} bytes, far more than the file that is being loaded "
            "holds; it is damaged or hostile."
        )
