"""What event files hold: scalars, histograms, pictures and texts, as TensorBoard 2 expects them.

Numbers of fields are those of the messages ``Summary``, ``SummaryMetadata`` and ``TensorProto``.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from dnnfast.summaries.wire import Field, message

_FLOAT, _DOUBLE, _STRING = 1, 2, 7  # types of tensors
_SCALAR, _TENSOR, _BLOBS = 1, 2, 3  # classes of data
_BUCKETS = 30


def _tensor(kind: int, shape: tuple[int, ...], content: list[Field]) -> bytes:
    dims = message([(2, message([(1, size)])) for size in shape])
    return message([(1, kind), (2, dims), *content])


def _value(tag: str, tensor: bytes, plugin: str, data_class: int, content: bytes = b"") -> bytes:
    """Return a value of a summary, for the plugin that shows it."""
    data: list[Field] = [(1, plugin)]
    if content:
        data.append((2, content))
    metadata: list[Field] = [(1, message(data))]
    if data_class:
        metadata.append((4, data_class))
    return message([(1, tag), (8, tensor), (9, message(metadata))])


def scalar(tag: str, value: float) -> bytes:
    """Return a number as a value of a summary."""
    tensor = _tensor(_FLOAT, (), [(4, struct.pack("<f", value))])
    return _value(tag, tensor, "scalars", _SCALAR)


def histogram(tag: str, values: np.ndarray) -> bytes:
    """Return the finite ones of some numbers as a histogram of 30 buckets of equal width."""
    finite = np.asarray(values, np.float64).reshape(-1)
    finite = finite[np.isfinite(finite)]
    buckets = np.zeros((0, 3))
    if len(finite):
        counts, edges = np.histogram(finite, _BUCKETS)
        buckets = np.stack([edges[:-1], edges[1:], counts], axis=1)
    content = np.ascontiguousarray(buckets, "<f8").tobytes()
    return _value(tag, _tensor(_DOUBLE, buckets.shape, [(4, content)]), "histograms", _TENSOR)


def _png(gray: np.ndarray) -> bytes:
    """Return a picture of bytes as a PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    height, width = gray.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    # Each row begins with the number of its filter: none.
    rows = np.concatenate([np.zeros((height, 1), np.uint8), gray], axis=1).tobytes()
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(rows, 6)),
            chunk(b"IEND", b""),
        ]
    )


def picture(tag: str, values: np.ndarray) -> bytes:
    """Return a matrix as a picture: 0 is gray, the largest absolute value white or black."""
    matrix = np.nan_to_num(np.asarray(values, np.float64), posinf=0.0, neginf=0.0)
    largest = np.abs(matrix).max(initial=0.0) or 1.0
    gray = np.rint(127.5 + 127.5 * matrix / largest).astype(np.uint8)
    height, width = gray.shape
    strings: list[Field] = [(8, str(width)), (8, str(height)), (8, _png(gray))]
    tensor = _tensor(_STRING, (3,), strings)
    return _value(tag, tensor, "images", _BLOBS)


def keras_model(tag: str, json: str) -> bytes:
    """Return a model's configuration, from which the graph of its layers is drawn."""
    return _value(tag, _tensor(_STRING, (), [(8, json)]), "graph_keras_model", 0, b"1")
