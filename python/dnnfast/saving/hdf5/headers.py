"""Object headers of HDF5: the messages that make an object a group or a data set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dnnfast.saving.hdf5.binary import Binary, Reader, damaged, unsupported

DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL, LAYOUT = 1, 2, 3, 6, 7, 8
FILTERS, ATTRIBUTE, CONTINUATION, SYMBOLS, ATTRIBUTE_INFO = 11, 12, 16, 17, 21


class Message(NamedTuple):
    """A message of an object header, not read yet."""

    kind: int
    reader: Reader


def messages(file: Binary, place: int) -> list[Message]:
    """Return the messages of the object whose header is at a place."""
    modern = bytes(file.view(place, 4)) == b"OHDR"
    found = list(_modern(file, place) if modern else _classic(file, place))
    for message in found:
        if message.kind == EXTERNAL:
            raise ValueError("Not allowed: the HDF5 file keeps data in other files.")
    return found


def _classic(file: Binary, place: int) -> Iterator[Message]:
    reader = file.reader(place)
    if reader.number(1) != 1:
        raise damaged(f"byte {place} should begin the header of an object")
    reader.skip(1)
    count = reader.number(2)
    reader.skip(4)
    size = reader.number(4)
    reader.skip(4)
    blocks, seen = [file.reader(reader.place, size)], {reader.place}
    for block in blocks:
        while block.left >= 8 and count > 0:
            file.count()
            count -= 1
            kind, length, flags = block.number(2), block.number(2), block.number(1)
            block.skip(3)
            message = _message(file, kind, flags, block, length)
            if kind == CONTINUATION:
                _follow(file, message.reader, blocks, seen)
            else:
                yield message


def _modern(file: Binary, place: int) -> Iterator[Message]:
    reader = file.reader(place)
    reader.expect(b"OHDR")
    if reader.number(1) != 2:
        raise damaged(f"byte {place} begins the header of an object of an unknown version")
    flags = reader.number(1)
    reader.skip((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
    size = reader.number(1 << (flags & 3))
    first = file.reader(reader.place, size)
    blocks, seen = [first], {first.place}
    least = 6 if flags & 4 else 4
    for number, block in enumerate(blocks):
        if number:
            block.expect(b"OCHK")
            block.end -= 4  # the checksum
        while block.left >= least:
            file.count()
            kind, length, how = block.number(1), block.number(2), block.number(1)
            block.skip(2 if flags & 4 else 0)
            message = _message(file, kind, how, block, length)
            if kind == CONTINUATION:
                _follow(file, message.reader, blocks, seen)
            else:
                yield message


def _message(file: Binary, kind: int, flags: int, block: Reader, length: int) -> Message:
    if flags & 2 and kind in (DATASPACE, DATATYPE, FILTERS, ATTRIBUTE):
        raise unsupported("parts that objects share")
    reader = file.reader(block.place, length)
    block.skip(length)
    return Message(kind, reader)


def _follow(file: Binary, reader: Reader, blocks: list[Reader], seen: set[int]) -> None:
    where, size = file.need(reader.offset(), "the rest of a header"), reader.length()
    if where in seen:
        raise damaged("the header of an object contains itself")
    seen.add(where)
    blocks.append(file.reader(where, size))
