"""Checked reads from the bytes of a file."""

from __future__ import annotations

from typing import Any

# The most structures (headers, messages, nodes, names) that are read of one file: each takes some
# bytes of it, and some are read several times.
_LEAST_PARTS = 10_000
# The deepest that trees of the file may be.
MOST_LEVELS = 64


def damaged(what: str) -> OSError:
    """Return the error for a file that breaks its own format."""
    return OSError(f"the HDF5 file is damaged: {what}.")


def unsupported(what: str) -> OSError:
    """Return the error for what Keras's files do not use."""
    return OSError(
        f"the HDF5 file uses {what}, which files of Keras do not; write it again with h5py's "
        "default settings."
    )


class Binary:
    """The bytes of an HDF5 file, and the sizes of its numbers.

    Args:
        content: the bytes, or a memory map.
    """

    def __init__(self, content: Any) -> None:
        self.content = memoryview(content)
        self.size = len(self.content)
        self.base = 0
        self.offset_size = self.length_size = 8
        self._parts_left = _LEAST_PARTS + self.size // 2

    def count(self, parts: int = 1) -> None:
        """Count parts that are read; raises OSError if there are too many: a file with cycles."""
        self._parts_left -= parts
        if self._parts_left < 0:
            raise damaged("its parts refer to each other endlessly")

    def view(self, begin: int, size: int) -> memoryview:
        """Return bytes; raises OSError if they are not all in the file."""
        if begin < 0 or size < 0 or begin + size > self.size:
            raise damaged(f"it refers to bytes {begin} to {begin + size} of {self.size}")
        return self.content[begin : begin + size]

    def number(self, begin: int, size: int) -> int:
        """Return an unsigned little-endian number."""
        return int.from_bytes(self.view(begin, size), "little")

    def reader(self, begin: int, size: int | None = None) -> Reader:
        """Return what reads on from a place, to at most ``size`` bytes from there."""
        end = self.size if size is None else begin + size
        if not 0 <= begin <= end <= self.size:
            raise damaged(f"it refers to bytes {begin} to {end} of {self.size}")
        return Reader(self, begin, end)

    def address(self, value: int) -> int | None:
        """Return where an address points to in the file, or None if it is not defined."""
        undefined = (1 << 8 * self.offset_size) - 1
        return None if value == undefined else value + self.base

    def need(self, value: int, what: str) -> int:
        """Return where an address points to; raises OSError if it is not defined."""
        place = self.address(value)
        if place is None:
            raise damaged(f"{what} has no address")
        return place


class Reader:
    """Reads one thing after the other."""

    def __init__(self, file: Binary, place: int, end: int) -> None:
        self.file, self.place, self.end = file, place, end

    def take(self, size: int) -> memoryview:
        """Return the next bytes."""
        if size > self.end - self.place:
            raise damaged(f"a structure at byte {self.place} ends too early")
        found = self.file.view(self.place, size)
        self.place += size
        return found

    def number(self, size: int) -> int:
        """Return the next unsigned number of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def offset(self) -> int:
        """Return the next address, as it is in the file."""
        return self.number(self.file.offset_size)

    def length(self) -> int:
        """Return the next length."""
        return self.number(self.file.length_size)

    def skip(self, size: int) -> None:
        """Leave bytes out."""
        self.take(size)

    def expect(self, signature: bytes) -> None:
        """Read a signature; raises OSError if it is another one."""
        place = self.place
        if bytes(self.take(len(signature))) != signature:
            raise damaged(f"byte {place} should begin a structure {signature.decode('ascii')}")

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return self.end - self.place
