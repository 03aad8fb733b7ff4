"""The two encodings of event files: records with checksums, and protocol buffers.

Sources: RFC 3720, appendix B.4 (CRC-32C); the documentation of TFRecord; "Encoding" in the
documentation of Protocol Buffers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

# Fields of a message, by number: an int is a varint, a float eight bytes, bytes are themselves.
Field = tuple[int, "int | float | str | bytes"]

_CASTAGNOLI = 0x82F63B78  # the polynomial, lowest bit first


def _table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (_CASTAGNOLI if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _table()


def crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of some bytes."""
    crc, table = 0xFFFFFFFF, _TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def masked_crc(data: bytes) -> bytes:
    """Return the checksum of a record: CRC-32C, rotated and moved, as 4 bytes.

    Formula: ``(crc >> 15 | crc << 17) + 0xa282ead8`` modulo 2^32.
    """
    crc = crc32c(data)
    rotated = (crc >> 15 | crc << 17) & 0xFFFFFFFF
    return struct.pack("<I", (rotated + 0xA282EAD8) & 0xFFFFFFFF)


def record(data: bytes) -> bytes:
    """Return a record: length, checksum of the length, data, checksum of the data."""
    length = struct.pack("<Q", len(data))
    return length + masked_crc(length) + data + masked_crc(data)


def varint(value: int) -> bytes:
    """Return a whole number in groups of seven bits, the lowest first; negative ones as 64 bits."""
    value &= 0xFFFFFFFFFFFFFFFF
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)


def message(fields: Iterable[Field]) -> bytes:
    """Return a protocol buffer of fields (number and value), in their order."""
    parts = []
    for number, value in fields:
        if isinstance(value, int):
            parts += [varint(number << 3), varint(value)]
        elif isinstance(value, float):
            parts += [varint(number << 3 | 1), struct.pack("<d", value)]
        else:
            data = value.encode() if isinstance(value, str) else value
            parts += [varint(number << 3 | 2), varint(len(data)), data]
    return b"".join(parts)
