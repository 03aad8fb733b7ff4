"""The data of HDF5's data sets: in one piece, in the header, or in chunks."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from dnnfast.saving.hdf5.binary import MOST_LEVELS, Binary, Reader, damaged, unsupported
from dnnfast.saving.hdf5.types import elements

# Data sets that are larger than this must not be so much larger than what is stored of them.
_FLOOR, _EXPANSION = 1 << 20, 1000
_DEFLATE, _SHUFFLE, _CHECKSUM = 1, 2, 3


def stored(file: Binary, layout: Reader, filters: list[int], shape: Any, size: int) -> Any:
    """Return the bytes of a data set, in place where they lie in one piece.

    Args:
        file: the file.
        layout: the message that says where they are.
        filters: what chunks went through.
        shape: of the array.
        size: bytes of an element.

    Raises:
        OSError: if they are not all there.
        ValueError: if the shape is much larger than what is stored.
    """
    version = layout.number(1)
    wanted = elements(shape) * size
    if version in (1, 2):
        return _old(file, layout, filters, shape, size)
    if version not in (3, 4):
        raise damaged(f"there is no version {version} of layouts")
    kind = layout.number(1)
    if kind == 0:
        return _exact(layout.take(layout.number(2)), wanted)
    if kind == 1:
        return _contiguous(file, layout.offset(), wanted)
    if kind == 3:
        raise ValueError("Not allowed: H5 file with virtual Dataset")
    if kind != 2 or version == 4:
        raise unsupported("the newer form of chunks")
    rank = layout.number(1)
    where = layout.offset()
    sizes = tuple(layout.number(4) for _ in range(rank))
    return _Chunks(file, filters, shape, size, sizes).read(where)


def _old(file: Binary, layout: Reader, filters: list[int], shape: Any, size: int) -> Any:
    rank, kind = layout.number(1), layout.number(1)
    layout.skip(5)
    where = layout.offset() if kind else 0
    sizes = tuple(layout.number(4) for _ in range(rank))
    wanted = elements(shape) * size
    if kind == 0:
        return _exact(layout.take(layout.number(4)), wanted)
    if kind == 1:
        return _contiguous(file, where, wanted)
    return _Chunks(file, filters, shape, size, (*sizes, layout.number(4))).read(where)


def _exact(found: memoryview, wanted: int) -> memoryview:
    if len(found) < wanted:
        raise damaged(f"a data set has {len(found)} of {wanted} bytes")
    return found[:wanted]


def _contiguous(file: Binary, where: int, wanted: int) -> Any:
    place = file.address(where)
    if place is None:  # never written: nothing but zeros
        _check_expansion(wanted, 0)
        return bytes(wanted)
    return file.view(place, wanted)


def _check_expansion(wanted: int, present: int) -> None:
    if wanted > _FLOOR and wanted > _EXPANSION * present:
        raise ValueError(
            f"Not allowed: an H5 dataset declares {wanted} bytes but only {present} are stored; "
            "it may be a decompression or shape bomb."
        )


def filters_of(reader: Reader) -> list[int]:
    """Return the numbers of the filters that chunks went through."""
    version, count = reader.number(1), reader.number(1)
    if version == 1:
        reader.skip(6)
    found = []
    for _ in range(count):
        number = reader.number(2)
        named = version == 1 or number >= 256
        length = reader.number(2) if named else 0
        reader.skip(2)
        values = reader.number(2)
        reader.skip(length + (-length % 8 if version == 1 else 0) + 4 * values)
        reader.skip(4 if version == 1 and values % 2 else 0)
        found.append(number)
    unknown = [number for number in found if number not in (_DEFLATE, _SHUFFLE, _CHECKSUM)]
    if unknown:
        raise unsupported(f"the filter {unknown[0]}")
    return found


class _Chunks:
    """Puts an array together from its chunks."""

    def __init__(
        self, file: Binary, filters: list[int], shape: Any, size: int, sizes: tuple[int, ...]
    ) -> None:
        self._file, self._filters, self._shape, self._item = file, filters, shape, size
        self._sizes = sizes[:-1]
        if len(self._sizes) != len(shape) or sizes[-1:] != (size,) or 0 in sizes:
            raise damaged("the chunks of a data set do not fit its shape")
        self._wanted = elements(self._sizes) * size
        self._found: dict[tuple[int, ...], tuple[int, int, int]] = {}

    def read(self, where: int) -> Any:
        total = elements(self._shape) * self._item
        place = self._file.address(where)
        if place is not None:
            self._node(place, 0)
        present = sum(size for _, size, _ in self._found.values())
        _check_expansion(total, present)
        _check_expansion(self._wanted, present)
        array = np.zeros((*self._shape, self._item), np.uint8)
        for offsets, (begin, size, mask) in self._found.items():
            chunk = self._unpacked(self._file.view(begin, size), mask)
            block = np.frombuffer(chunk, np.uint8).reshape(*self._sizes, self._item)
            inside = tuple(
                slice(0, max(0, min(n, limit - at)))
                for n, limit, at in zip(self._sizes, self._shape, offsets, strict=True)
            )
            goal = tuple(
                slice(at, at + part.stop) for at, part in zip(offsets, inside, strict=True)
            )
            array[goal] = block[inside]
        return array.reshape(-1)

    def _node(self, place: int, level: int) -> None:
        file = self._file
        file.count()
        reader = file.reader(place)
        reader.expect(b"TREE")
        if reader.number(1) != 1 or level > MOST_LEVELS:
            raise damaged("the chunks of a data set are no tree")
        depth, count = reader.number(1), reader.number(2)
        file.count(count)
        reader.skip(2 * file.offset_size)
        for _ in range(count):
            size, mask = reader.number(4), reader.number(4)
            offsets = tuple(reader.number(8) for _ in range(len(self._sizes)))
            reader.skip(8)
            child = file.need(reader.offset(), "a chunk")
            if depth:
                self._node(child, level + 1)
            else:
                file.view(child, size)  # a check
                self._found[offsets] = (child, size, mask)

    def _unpacked(self, raw: Any, mask: int) -> bytes:
        for i in reversed(range(len(self._filters))):
            if mask & 1 << i:
                continue
            if self._filters[i] == _CHECKSUM:
                raw = raw[:-4]
            elif self._filters[i] == _DEFLATE:
                try:
                    raw = zlib.decompressobj().decompress(raw, self._wanted + 4)
                except zlib.error as error:
                    raise damaged(f"a chunk cannot be unpacked ({error})") from None
            else:
                rest = len(raw) % self._item
                body = np.frombuffer(raw, np.uint8, len(raw) - rest)
                raw = body.reshape(self._item, -1).T.tobytes() + bytes(raw[len(raw) - rest :])
        if len(raw) < self._wanted:
            raise damaged(f"a chunk has {len(raw)} of {self._wanted} bytes")
        return bytes(raw[: self._wanted])
