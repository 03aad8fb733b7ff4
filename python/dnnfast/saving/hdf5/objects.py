"""Groups and data sets of an HDF5 file, to be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dnnfast.saving.hdf5.binary import Binary, Reader, damaged, unsupported
from dnnfast.saving.hdf5.headers import (
    ATTRIBUTE,
    ATTRIBUTE_INFO,
    DATASPACE,
    DATATYPE,
    FILTERS,
    LAYOUT,
    Message,
    messages,
)
from dnnfast.saving.hdf5.links import links_of
from dnnfast.saving.hdf5.storage import filters_of, stored
from dnnfast.saving.hdf5.types import (
    Kind,
    dataspace,
    datatype,
    elements,
    fixed_text,
    strings_of,
)

_SIGNATURE = b"\x89HDF\r\n\x1a\n"


class _File:
    """What the objects of a file share."""

    def __init__(self, content: Any) -> None:
        self.binary = Binary(content)
        self.heap: dict[int, Any] = {}

    def values(self, kind: Kind, shape: tuple[int, ...], raw: Any) -> Any:
        """Return an array, or text, or a list of texts."""
        count = elements(shape)
        if kind.strings:
            width = 8 + self.binary.offset_size
            if kind.size != width or len(raw) < count * width:
                raise damaged("strings have no place")
            self.binary.count(count)
            found = strings_of(self.binary, memoryview(raw), count, self.heap)
            return found if shape else found[0]
        array = np.frombuffer(raw, kind.dtype, count).reshape(shape)
        if kind.text:
            texts = fixed_text(array)
            return texts if shape else texts[0]
        return array != 0 if kind.truth else array


class _Object:
    def __init__(self, file: _File, found: list[Message]) -> None:
        self._file, self._messages = file, found

    @property
    def attrs(self) -> dict[str, Any]:
        """The attributes: texts, lists of texts, arrays."""
        found: dict[str, Any] = {}
        for kind, reader in self._messages:
            if kind == ATTRIBUTE_INFO:
                self._check_dense(reader)
            if kind == ATTRIBUTE:
                reader = self._file.binary.reader(reader.place, reader.left)
                name, value = self._attribute(reader)
                found[name] = value
        return found

    def _check_dense(self, reader: Reader) -> None:
        reader = self._file.binary.reader(reader.place, reader.left)
        reader.skip(1)
        reader.skip(2 if reader.number(1) & 1 else 0)
        if self._file.binary.address(reader.offset()) is not None:
            raise unsupported("the newer form of objects with many attributes")

    def _attribute(self, reader: Reader) -> tuple[str, Any]:
        version, flags = reader.number(1), reader.number(1)
        if version not in (1, 2, 3):
            raise damaged(f"there is no version {version} of attributes")
        if version > 1 and flags & 3:
            raise unsupported("parts that objects share")
        sizes = [reader.number(2) for _ in range(3)]
        reader.skip(1 if version == 3 else 0)
        parts = []
        for size in sizes:
            padding = -size % 8 if version == 1 else 0
            parts.append((reader.place, size))
            reader.skip(size + padding)
        binary = self._file.binary
        name = bytes(binary.view(*parts[0])).split(b"\0", 1)[0].decode("utf-8", "replace")
        kind = datatype(binary.reader(*parts[1]))
        shape = dataspace(binary.reader(*parts[2]))
        if shape is None:
            return name, None
        raw = reader.take(elements(shape) * kind.size)
        return name, self._file.values(kind, shape, raw)


class Dataset(_Object):
    """An array in a file; its data is read when it is asked for.

    Raises:
        OSError: if it has no shape, type or place.
    """

    def __init__(self, file: _File, found: list[Message]) -> None:
        super().__init__(file, found)
        parts = dict(found)
        if not {DATASPACE, DATATYPE, LAYOUT} <= parts.keys():
            raise damaged("a data set has no shape, type or place")
        shape = dataspace(parts[DATASPACE])
        self.shape: tuple[int, ...] = () if shape is None else shape
        self._kind, self._empty = datatype(parts[DATATYPE]), shape is None
        self._layout = parts[LAYOUT]
        self._filters = filters_of(parts[FILTERS]) if FILTERS in parts else []

    @property
    def dtype(self) -> Any:
        """The type of the elements; None for strings of any length."""
        return self._kind.dtype

    def read(self) -> Any:
        """Return the array (not to be written), or text.

        Raises:
            OSError: if the data is not all there.
            ValueError: if the shape is much larger than what is stored.
        """
        if self._empty:
            raise damaged("a data set holds nothing")
        binary, layout = self._file.binary, self._layout
        again = binary.reader(layout.place, layout.left)
        raw = stored(binary, again, self._filters, self.shape, self._kind.size)
        values = self._file.values(self._kind, self.shape, raw)
        if self._kind.dtype == np.dtype("V2"):
            return _from_bfloat16(values)
        return values


def _from_bfloat16(values: np.ndarray) -> np.ndarray:
    """Return float32 for what are the upper halves of float32."""
    return (values.view("<u2").astype(np.uint32) << 16).view(np.float32)


class Group(_Object):
    """Named groups and data sets."""

    def __init__(self, file: _File, found: list[Message], links: dict[str, int]) -> None:
        super().__init__(file, found)
        self._links = links
        self._members: dict[str, Any] = {}  # those that were read

    @property
    def size(self) -> int:
        """The bytes of the file."""
        return self._file.binary.size

    def __contains__(self, name: object) -> bool:
        return name in self._links

    def __iter__(self) -> Iterator[str]:
        return iter(self._links)

    def __len__(self) -> int:
        return len(self._links)

    def __getitem__(self, path: str) -> Any:
        """Return what a path of names stands for; raises KeyError if there is nothing."""
        current: Any = self
        for name in path.split("/"):
            if not isinstance(current, Group) or name not in current:
                raise KeyError(path)
            current = current._member(name)
        return current

    def _member(self, name: str) -> Any:
        if name not in self._members:
            self._members[name] = _object_at(self._file, self._links[name])
        return self._members[name]

    def get(self, path: str) -> Any:
        """Return what a path of names stands for, or None."""
        try:
            return self[path]
        except KeyError:
            return None


def _object_at(file: _File, place: int) -> Group | Dataset:
    file.binary.count()
    found = messages(file.binary, place)
    links = links_of(file.binary, found)
    return Dataset(file, found) if links is None else Group(file, found, links)


def open_file(content: Any) -> Group:
    """Return the root group of an HDF5 file.

    Args:
        content: its bytes, or a memory map, which must stay open.

    Raises:
        OSError: if it is no HDF5 file, or damaged.
        ValueError: if it is hostile: links out of the file, shapes that are not stored.
    """
    file = _File(content)
    binary = file.binary
    if binary.size < 96 or bytes(binary.view(0, 8)) != _SIGNATURE:
        raise OSError("it is no HDF5 file: it does not begin with the signature of one.")
    reader = binary.reader(8)
    version = reader.number(1)
    if version in (0, 1):
        reader.skip(4)
        _sizes(binary, reader)
        reader.skip(13 if version == 1 else 9)
        binary.base = reader.offset()
        reader.offset()
        end = reader.offset()
        reader.offset()
        reader.offset()  # of the root's name
        root = binary.need(reader.offset(), "the root")
    elif version in (2, 3):
        _sizes(binary, reader)
        reader.skip(1)
        binary.base = reader.offset()
        reader.offset()
        end = reader.offset()
        root = binary.need(reader.offset(), "the root")
    else:
        raise OSError(f"the HDF5 file is of version {version}, which is not known.")
    if end + binary.base > binary.size:
        raise damaged(f"it is cut off after {binary.size} of {end + binary.base} bytes")
    found = _object_at(file, root)
    if not isinstance(found, Group):
        raise damaged("its root is no group")
    return found


def _sizes(binary: Binary, reader: Reader) -> None:
    binary.offset_size, binary.length_size = reader.number(1), reader.number(1)
    if binary.offset_size not in (4, 8) or binary.length_size not in (4, 8):
        raise damaged("its addresses are of an unknown size")
