"""The search for data set files, with tiny files and a web server on this machine."""

import dataclasses
import functools
import gzip
import hashlib
import http.server
import struct
import threading

import numpy as np
import pytest

from dnnfast.datasets import files
from dnnfast.datasets.files import IdxFile, IdxSource

NAMES = ("train-images.gz", "train-labels.gz", "test-images.gz", "test-labels.gz")
SHAPES = ((4, 2, 2), (4,), (2, 2, 2), (2,))


def content(shape: tuple[int, ...]) -> bytes:
    data = np.arange(np.prod(shape), dtype=np.uint8)
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data.tobytes()


def fill(folder, *, compressed=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, shape in zip(NAMES, SHAPES, strict=True):
        data = content(shape)
        path = folder / (name if compressed else name.removesuffix(".gz"))
        path.write_bytes(gzip.compress(data) if compressed else data)


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A data set whose only address refuses connections, with an empty cache."""
    monkeypatch.setenv("DNNFAST_HOME", str(tmp_path / "home"))
    described = tuple(
        IdxFile(name, hashlib.sha256(content(shape)).hexdigest(), shape)
        for name, shape in zip(NAMES, SHAPES, strict=True)
    )
    system = str(tmp_path / "system")
    return IdxSource("Tiny", "tiny", (system,), ("http://127.0.0.1:9/",), "A hint.", described)


@pytest.fixture
def server(tmp_path):
    """A folder and the address under which it is served."""
    folder = tmp_path / "www"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{web.server_port}/"
        web.shutdown()
        thread.join()


def check(loaded):
    (x_train, y_train), (x_test, y_test) = loaded
    for array, shape in zip((x_train, y_train, x_test, y_test), SHAPES, strict=True):
        assert array.dtype == np.uint8
        np.testing.assert_array_equal(array.ravel(), np.arange(np.prod(shape)))
        assert array.shape == shape


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("place", ["cache", "system"])
def test_files_on_this_machine_are_used(source, tmp_path, place, compressed):
    folder = tmp_path / "system" if place == "system" else source.cache()
    fill(folder, compressed=compressed)
    assert source.find() == folder
    check(source.load())


def test_the_cache_goes_before_the_system_folder(source, tmp_path):
    fill(tmp_path / "system")
    fill(source.cache())
    assert source.find() == source.cache()


def test_an_incomplete_folder_is_passed_over(source, tmp_path):
    fill(source.cache())
    (source.cache() / NAMES[2]).unlink()
    fill(tmp_path / "system")
    assert source.find() == tmp_path / "system"


def test_the_cache_is_in_the_home_folder_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("DNNFAST_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.cache_root() == tmp_path / ".dnnfast" / "datasets"


def test_off_line_the_error_says_what_to_put_where(source):
    with pytest.raises(ConnectionError) as caught:
        source.load()
    message = str(caught.value)
    for expected in (*NAMES, str(source.cache()), "DNNFAST_HOME", "http://127.0.0.1:9/", "A hint."):
        assert expected in message
    assert source.find() is None


def test_off_line_the_error_names_only_the_missing_files(source):
    fill(source.cache())
    (source.cache() / NAMES[1]).unlink()
    with pytest.raises(ConnectionError) as caught:
        source.load()
    assert NAMES[1] in str(caught.value)
    assert NAMES[0] not in str(caught.value)


def test_download_fills_the_cache_from_the_first_address_that_works(source, server):
    folder, address = server
    fill(folder)
    source = dataclasses.replace(source, addresses=(*source.addresses, address))
    check(source.load())
    assert source.find() == source.cache()
    assert sorted(path.name for path in source.cache().iterdir()) == sorted(NAMES)
    for name in NAMES:
        (folder / name).unlink()
    check(source.load())


def test_a_wrong_file_is_refused_and_not_stored(source, server):
    folder, address = server
    fill(folder)
    (folder / NAMES[0]).write_bytes(gzip.compress(content((4, 2, 2))[:-1] + b"?"))
    with pytest.raises(ValueError, match="SHA-256 checksum"):
        dataclasses.replace(source, addresses=(address,)).load()
    assert not source.cache().exists() or not list(source.cache().iterdir())


def test_an_address_without_the_file_is_named_with_its_answer(source, server):
    _, address = server
    with pytest.raises(ConnectionError, match=f"{address}{NAMES[0]}: .*[Nn]ot [Ff]ound"):
        dataclasses.replace(source, addresses=(address,)).load()


def test_progress_is_reported_in_bytes(server):
    folder, address = server
    (folder / "big").write_bytes(bytes(200_000))
    seen = []
    assert len(files.fetch(address + "big", lambda *numbers: seen.append(numbers))) == 200_000
    assert seen[-1] == (200_000, 200_000)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_connection_that_ends_early_is_an_error():
    class Short(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(bytes(10))

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Short) as web:
        thread = threading.Thread(target=web.handle_request)
        thread.start()
        with pytest.raises((ConnectionError, http.client.IncompleteRead)):
            files.fetch(f"http://127.0.0.1:{web.server_port}/x")
        thread.join()


def test_a_file_of_another_shape_is_named(source):
    fill(source.cache())
    (source.cache() / NAMES[3]).write_bytes(content((3,)))
    with pytest.raises(ValueError, match=r"test-labels.gz .*\(3,\), expected \(2,\)"):
        source.load()
