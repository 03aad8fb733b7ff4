import gzip
import struct

import numpy as np
import pytest

from dnnfast.datasets import idx


def encode(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


@pytest.mark.parametrize("shape", [(0,), (5,), (3, 28, 28), (2, 1, 4, 3)])
def test_decoding_returns_what_was_encoded(shape):
    array = np.arange(np.prod(shape)).astype(np.uint8).reshape(shape)
    decoded = idx.decode(encode(array))
    np.testing.assert_array_equal(decoded, array)
    assert decoded.flags.writeable


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an idx file"),
        (b"\x00\x00\x0d\x01" + bytes(8), "not an idx file"),
        (b"<html>not found</html>", "not an idx file"),
        (b"\x00\x00\x08\x03\x00\x00", "ends within its idx header"),
        (encode(np.zeros(10, np.uint8))[:-1], "holds 9 bytes .* promises the shape \\(10,\\)"),
        (encode(np.zeros(10, np.uint8)) + b"x", "holds 11 bytes"),
    ],
)
def test_damaged_content_is_an_error_that_names_the_file(content, message):
    with pytest.raises(ValueError, match="a-file.*" + message):
        idx.decode(content, "a-file")


def test_gzip_is_recognized_by_content_not_by_name(tmp_path):
    path = tmp_path / "no-suffix"
    path.write_bytes(gzip.compress(b"abc"))
    assert idx.read(path) == b"abc"
    path.write_bytes(b"abc")
    assert idx.read(path) == b"abc"


def test_damaged_gzip_is_a_value_error():
    content = gzip.compress(bytes(1000))
    for damaged in (content[:-9], content[:12] + b"\xff\xff\xff" + content[15:]):
        with pytest.raises(ValueError, match="damaged gzip"):
            idx.decompress(damaged)
