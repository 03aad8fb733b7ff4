"""Reads event files, for tests: records with their checksums, and protocol buffers by number."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np


def crc32c(data: bytes) -> int:
    """Bit by bit, from the definition."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


def records(path: Path) -> list[bytes]:
    """The records of a file, whose checksums must be right."""
    data, found = path.read_bytes(), []
    while data:
        length, check = struct.unpack("<QI", data[:12])
        assert masked(data[:8]) == check
        content, (check,) = data[12 : 12 + length], struct.unpack("<I", data[12 + length :][:4])
        assert len(content) == length and masked(content) == check
        found.append(content)
        data = data[16 + length :]
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return value, at


def fields(data: bytes) -> dict[int, list]:
    """The fields of a protocol buffer by number: ints, floats and bytes."""
    found: dict[int, list] = {}
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == 0:
            value, at = _varint(data, at)
        elif key & 7 == 1:
            (value,), at = struct.unpack("<d", data[at : at + 8]), at + 8
        else:
            assert key & 7 == 2
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        found.setdefault(key >> 3, []).append(value)
    return found


def values(folder: Path) -> dict[str, list]:
    """(step, plugin, tensor) of each tag in all files of a folder, in the order of their names.

    A tensor of numbers is an array, one of strings a list. The graph has the tag None.
    """
    found: dict = {}
    for path in sorted(folder.iterdir()):
        if not path.name.startswith("events.out.tfevents"):
            continue
        first, *events = (fields(record) for record in records(path))
        assert first[3] == [b"brain.Event:2"]
        for event in events:
            if 4 in event:
                found.setdefault(None, []).append(event[4][0])
            for summary in event.get(5, []):
                for value in fields(summary)[1]:
                    tag, tensor, metadata = (fields(value)[i][0] for i in (1, 8, 9))
                    plugin = fields(fields(metadata)[1][0])[1][0].decode()
                    row = (event[2][0], plugin, _tensor(tensor))
                    found.setdefault(tag.decode(), []).append(row)
    return found


def _tensor(data: bytes):
    message = fields(data)
    (kind,), shape = message[1], fields(message[2][0]).get(2, [])
    sizes = [fields(dim).get(1, [0])[0] for dim in shape]
    if kind == 7:
        assert len(message[8]) == int(np.prod(sizes))
        return message[8]
    return np.frombuffer(message[4][0], {1: "<f4", 2: "<f8"}[kind]).reshape(sizes)
