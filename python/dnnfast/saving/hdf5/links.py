"""The names in a group of HDF5, and where their objects lie."""

from __future__ import annotations

from dnnfast.saving.hdf5.binary import MOST_LEVELS, Binary, Reader, damaged, unsupported
from dnnfast.saving.hdf5.headers import LINK, LINK_INFO, SYMBOLS, Message

_NAME = 1 << 16  # the longest name


def links_of(file: Binary, found: list[Message]) -> dict[str, int] | None:
    """Return names and places of objects in a group; None if it is no group.

    Raises:
        ValueError: if a name stands for something in another file or for another name.
    """
    links: dict[str, int] = {}
    is_group = False
    for kind, reader in found:
        if kind == SYMBOLS:
            is_group = True
            tree, heap = reader.offset(), reader.offset()
            _symbols(file, file.need(tree, "a group"), _Heap(file, heap), links, 0)
        elif kind == LINK_INFO:
            is_group = True
            _check_dense(file, reader)
        elif kind == LINK:
            is_group = True
            _link(file, reader, links)
    return links if is_group else None


class _Heap:
    """The names of a group."""

    def __init__(self, file: Binary, offset: int) -> None:
        reader = file.reader(file.need(offset, "the names of a group"))
        reader.expect(b"HEAP")
        reader.skip(4)
        size = reader.length()
        reader.length()
        place = file.need(reader.offset(), "the names of a group")
        self._data = file.view(place, size)

    def name(self, offset: int) -> str:
        if offset >= len(self._data):
            raise damaged("a name lies outside of its heap")
        raw = bytes(self._data[offset : offset + _NAME])
        end = raw.find(b"\0")
        if end < 0:
            raise damaged("a name has no end")
        return raw[:end].decode("utf-8", "replace")


def _symbols(file: Binary, place: int, heap: _Heap, links: dict[str, int], level: int) -> None:
    """Read a node of the tree over the tables of names."""
    file.count()
    reader = file.reader(place)
    if bytes(file.view(place, 4)) == b"SNOD":
        _table(file, reader, heap, links)
        return
    reader.expect(b"TREE")
    if reader.number(1) != 0 or level > MOST_LEVELS:
        raise damaged("the names of a group are no tree")
    reader.skip(1)
    count = reader.number(2)
    reader.skip(2 * file.offset_size + file.length_size)
    for _ in range(count):
        child = file.need(reader.offset(), "a table of names")
        reader.length()
        _symbols(file, child, heap, links, level + 1)


def _table(file: Binary, reader: Reader, heap: _Heap, links: dict[str, int]) -> None:
    reader.expect(b"SNOD")
    reader.skip(2)
    count = reader.number(2)
    file.count(count)
    for _ in range(count):
        name = heap.name(reader.offset())
        where, cached = reader.offset(), reader.number(4)
        reader.skip(20)
        if cached == 2:
            raise ValueError(f"Not allowed: H5 file with SoftLink ({name!r}).")
        links[name] = file.need(where, f"the object {name!r}")


def _check_dense(file: Binary, reader: Reader) -> None:
    reader.skip(1)
    flags = reader.number(1)
    reader.skip(8 if flags & 1 else 0)
    if file.address(reader.offset()) is not None:
        raise unsupported("the newer form of groups with many members")


def _link(file: Binary, reader: Reader, links: dict[str, int]) -> None:
    file.count()
    if reader.number(1) != 1:
        raise damaged("a link is of an unknown version")
    flags = reader.number(1)
    kind = reader.number(1) if flags & 8 else 0
    reader.skip((8 if flags & 4 else 0) + (1 if flags & 16 else 0))
    name = bytes(reader.take(reader.number(1 << (flags & 3)))).decode("utf-8", "replace")
    if kind != 0:
        what = {1: "SoftLink", 64: "ExternalLink"}.get(kind, "a user's kind of link")
        raise ValueError(f"Not allowed: H5 file with {what} ({name!r}).")
    links[name] = file.need(reader.offset(), f"the object {name!r}")
