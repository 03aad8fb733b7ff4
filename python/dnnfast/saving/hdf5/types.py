"""Data types and shapes of HDF5, as NumPy has them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from dnnfast.saving.hdf5.binary import Binary, Reader, damaged, unsupported

_FIXED, _FLOAT, _STRING, _OPAQUE, _ENUM, _VARIABLE = 0, 1, 3, 5, 8, 9
# Sign, exponent and mantissa of the floats that NumPy has: precision, places and sizes, bias.
_FLOATS = {
    2: ((16, 10, 5, 0, 10, 15),),
    4: ((32, 23, 8, 0, 23, 127),),
    8: ((64, 52, 11, 0, 52, 1023),),
}
_MOST_AXES = 32


@dataclass(frozen=True)
class Kind:
    """A data type: that of NumPy, or strings of any length in the global heap."""

    dtype: Any
    size: int
    strings: bool = False  # a reference into the global heap for each
    text: bool = False  # strings of a fixed size
    truth: bool = False  # numbers that stand for False and True


def datatype(reader: Reader, depth: int = 0) -> Kind:
    """Read a data type message."""
    first = reader.number(1)
    kind, version = first & 0x0F, first >> 4
    bits, size = reader.number(3), reader.number(4)
    if not 1 <= version <= 5:
        raise damaged(f"there is no version {version} of data types")
    if kind == _FIXED:
        return _fixed(reader, bits, size)
    if kind == _FLOAT:
        return _float(reader, bits, size)
    if kind == _STRING:
        return Kind(np.dtype(f"S{_size(size)}"), size, text=True)
    if kind == _OPAQUE:
        return Kind(np.dtype(f"V{_size(size)}"), size)
    if kind == _ENUM and not depth:
        base = datatype(reader, depth + 1)
        return Kind(base.dtype, base.size, truth=base.size == 1)
    if kind == _VARIABLE and bits & 0x0F == 1:
        return Kind(None, size, strings=True)
    raise unsupported(f"data of class {kind}")


def _size(size: int) -> int:
    if not 0 < size < 1 << 24:
        raise damaged(f"a data type has {size} bytes")
    return size


def _order(bits: int) -> str:
    return ">" if bits & 1 else "<"


def _fixed(reader: Reader, bits: int, size: int) -> Kind:
    offset, precision = reader.number(2), reader.number(2)
    if size not in (1, 2, 4, 8) or offset or precision != 8 * size:
        raise unsupported(f"integers of {precision} bits")
    return Kind(np.dtype(f"{_order(bits)}{'i' if bits & 8 else 'u'}{size}"), size)


def _float(reader: Reader, bits: int, size: int) -> Kind:
    reader.skip(2)
    precision = reader.number(2)
    place, width, at, mantissa = (reader.number(1) for _ in range(4))
    form = (precision, place, width, at, mantissa, reader.number(4))
    if size == 2 and form == (16, 7, 8, 0, 7, 127):  # bfloat16: the upper half of a float32
        return Kind(np.dtype("V2"), 2)
    if form not in _FLOATS.get(size, ()):
        raise unsupported(f"numbers of {precision} bits of a form of their own")
    return Kind(np.dtype(f"{_order(bits)}f{size}"), size)


def dataspace(reader: Reader) -> tuple[int, ...] | None:
    """Read a shape; None for a data set that holds nothing."""
    version, rank = reader.number(1), reader.number(1)
    reader.skip(1)
    if version == 1:
        reader.skip(5)
    elif version == 2:
        if reader.number(1) == 2:
            return None
    else:
        raise damaged(f"there is no version {version} of shapes")
    if rank > _MOST_AXES:
        raise damaged(f"an array has {rank} axes")
    return tuple(reader.length() for _ in range(rank))


def strings_of(file: Binary, raw: memoryview, count: int, heap: dict[int, Any]) -> list[str]:
    """Return strings that lie in the global heap.

    Args:
        file: the file.
        raw: their references: length, address of a collection, number in it.
        count: how many.
        heap: the collections that were read already.
    """
    width = 4 + file.offset_size + 4
    found = []
    for i in range(count):
        entry = raw[i * width : (i + 1) * width]
        length = int.from_bytes(entry[:4], "little")
        where = int.from_bytes(entry[4 : 4 + file.offset_size], "little")
        number = int.from_bytes(entry[4 + file.offset_size :], "little")
        found.append(_text(_heap_object(file, where, number, heap)[:length]) if length else "")
    return found


def _text(raw: Any) -> str:
    return bytes(raw).split(b"\0", 1)[0].decode("utf-8", "replace")


def fixed_text(array: np.ndarray) -> list[str]:
    """Return strings of a fixed size as text."""
    return [bytes(item).decode("utf-8", "replace") for item in array.reshape(-1)]


def _heap_object(file: Binary, where: int, number: int, heap: dict[int, Any]) -> memoryview:
    place = file.need(where, "a string")
    if place not in heap:
        heap[place] = _collection(file, place)
    if number not in heap[place]:
        raise damaged(f"the heap at byte {place} has no object {number}")
    found: memoryview = heap[place][number]
    return found


def _collection(file: Binary, place: int) -> dict[int, memoryview]:
    reader = file.reader(place)
    reader.expect(b"GCOL")
    reader.skip(4)
    reader = file.reader(place, reader.length())
    reader.skip(8 + file.length_size)
    found: dict[int, memoryview] = {}
    while reader.left >= 8 + file.length_size:
        file.count()
        number = reader.number(2)
        reader.skip(6)
        size = reader.length()
        if number == 0:  # free space
            break
        found[number] = reader.take(size)
        reader.skip(min(-size % 8, reader.left))
    return found


def elements(shape: tuple[int, ...]) -> int:
    """Return the number of elements of an array."""
    return math.prod(shape)
