"""Reading files that may be damaged, foreign or hostile: errors that say which file and why."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import re
from collections.abc import Iterator
from typing import Any

from dnnfast.errors import FileFormatError, MissingFileError
from dnnfast.saving import limits

# The version of Keras whose formats these are; it is written into files.
KERAS_VERSION = "3.15.0"
# Brackets inside brackets that a configuration may have.
_DEEPEST = 200
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


@contextlib.contextmanager
def mapped(path: Any) -> Iterator[Any]:
    """Give the bytes of a file without copying them.

    Raises:
        MissingFileError: if there is none.
        FileFormatError: if it is empty.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            if not os.fstat(file.fileno()).st_size:
                raise FileFormatError(f"{name!r} is empty.")
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise MissingFileError(f"File not found: {name!r}.") from None
    try:
        yield content
    finally:
        # Arrays that are still in use keep the map open; it ends with them.
        with contextlib.suppress(BufferError):
            content.close()


# What building from a senseless configuration may raise, besides ValueError and TypeError.
_SENSELESS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError),
    *(NotImplementedError, RecursionError, RuntimeError),
)


@contextlib.contextmanager
def building(name: str, size: int) -> Iterator[None]:
    """Let a model be made of what a file says; errors say which file they are about.

    Args:
        name: of the file.
        size: its bytes, which limit what the model may take.
    """
    try:
        with limits.of_file(size):
            yield
    except FileFormatError:
        raise
    except _SENSELESS as error:
        raise FileFormatError(
            f"the configuration in {name!r} makes no model: {type(error).__name__}: {error}"
        ) from error


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Let errors of reading say which file they are about."""
    try:
        yield
    except FileFormatError:
        raise
    except (OSError, KeyError, RecursionError, OverflowError, MemoryError) as error:
        raise FileFormatError(f"{name!r} cannot be read: {error}") from error


def parsed(text: bytes, what: str, name: str) -> Any:
    """Return what JSON text stands for.

    Args:
        text: the text.
        what: it is, for errors.
        name: of the file.

    Raises:
        FileFormatError: if it is no JSON, or nested too deeply.
    """
    if _depth(text) > _DEEPEST:
        raise FileFormatError(f"the {what} in {name!r} is nested too deeply.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"the {what} in {name!r} is no valid JSON: {error}") from None


def _depth(text: bytes) -> int:
    """The most brackets that are open at once, those in strings left out."""
    depth = most = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", text)):
        depth += 1 if bracket in b"[{" else -1
        most = max(most, depth)
    return most
