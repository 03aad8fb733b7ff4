"""The idx file format of MNIST and its relatives."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

# Third byte of the magic number; only unsigned bytes occur in these data sets.
_UNSIGNED_BYTE = 0x08


def decode(content: bytes, source: str = "the file") -> np.ndarray:
    """Return the array of unsigned bytes that an uncompressed idx file holds.

    Args:
        content: the bytes of the file.
        source: how error messages name the file.

    Raises:
        ValueError: the header is not that of an idx file of unsigned bytes, or the length differs
            from what the header says.

    Format: two zero bytes, the element type, the number of dimensions, one big-endian 32-bit size
    for each dimension, then the elements with the last dimension varying fastest (LeCun, Cortes
    and Burges, the MNIST database page).

    Example:

    >>> decode(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    array([7, 8, 9], dtype=uint8)
    """
    if len(content) < 4 or content[0] or content[1] or content[2] != _UNSIGNED_BYTE:
        raise ValueError(
            f"{source} is not an idx file of unsigned bytes: it starts with "
            f"{content[:4].hex(' ')!r}, expected '00 00 08' and the number of dimensions"
        )
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise ValueError(f"{source} ends within its idx header of {header} bytes")
    shape = tuple(int(size) for size in np.frombuffer(content[4:header], ">u4"))
    if len(content) - header != math.prod(shape):
        raise ValueError(
            f"{source} holds {len(content) - header} bytes of data, but its header promises the "
            f"shape {shape}, {math.prod(shape)} bytes; the file is damaged or incomplete"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy()


def read(path: Path) -> bytes:
    """Return the uncompressed content of a file, which may be gzip-compressed under any name.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is a damaged gzip file.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.gz")
    ...     _ = path.write_bytes(gzip.compress(b"abc"))
    ...     read(path)
    b'abc'
    """
    return decompress(path.read_bytes(), str(path))


def decompress(content: bytes, source: str = "the file") -> bytes:
    """Return gzip content uncompressed, any other content as it is.

    Args:
        content: the bytes of a file.
        source: how error messages name the file.

    Raises:
        ValueError: it starts as a gzip file but is damaged.

    Example:

    >>> decompress(gzip.compress(b"abc")), decompress(b"abc")
    (b'abc', b'abc')
    """
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{source} is a damaged gzip file: {error}") from error
