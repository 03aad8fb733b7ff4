"""Where data set files come from: the cache, the system's folders, the network."""

from __future__ import annotations

import hashlib
import http.client
import os
import sys
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dnnfast.datasets import idx

Split = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

# Seconds without a byte before an address counts as out of reach.
TIMEOUT = 20.0
_BLOCK = 1 << 16


@dataclass(frozen=True)
class File:
    """One file of a data set.

    Args:
        name: the official file name.
        sha256: of its content.
    """

    name: str
    sha256: str

    def checked(self, content: bytes, source: str) -> bytes:
        """Return what the checksum is of, given what ``source`` holds."""
        return content


@dataclass(frozen=True)
class IdxFile(File):
    """An idx file, compressed.

    Args:
        name: the official file name, ending in ".gz".
        sha256: of the uncompressed content, so that it holds however a copy was compressed.
        shape: of the array inside.
    """

    shape: tuple[int, ...]

    def checked(self, content: bytes, source: str) -> bytes:
        """Return the uncompressed content."""
        return idx.decompress(content, source)


@dataclass(frozen=True)
class Source:
    """The files of a data set and the places to look for them.

    Args:
        title: the name in messages.
        folder: the name of its folder in the cache.
        system_folders: folders where distributions or other packages put it; "~" is the home.
        addresses: web folders with the official files, tried in order.
        hint: one more way to get it, for the error message; may be empty.
        files: all of them.
    """

    title: str
    folder: str
    system_folders: tuple[str, ...]
    addresses: tuple[str, ...]
    hint: str
    files: tuple[File, ...]

    def paths(self) -> list[Path]:
        """Return where the files lie, downloading them if no folder has them all."""
        folder = self.find() or self.download()
        return [_path_in(folder, file.name) or folder / file.name for file in self.files]

    def cache(self) -> Path:
        """Return the folder of this data set in the cache; it need not exist."""
        return cache_root() / self.folder

    def find(self) -> Path | None:
        """Return the first folder, cache first, that has all the files; None if there is none."""
        for folder in (self.cache(), *(Path(name).expanduser() for name in self.system_folders)):
            if all(_path_in(folder, file.name) for file in self.files):
                return folder
        return None

    def download(self) -> Path:
        """Fetch the files that the cache lacks and return the cache folder.

        Raises:
            ConnectionError: no address could be reached; the message says what to put where.
            ValueError: a file arrived that is not the official one.
        """
        folder = self.cache()
        for file in self.files:
            if _path_in(folder, file.name) is None:
                self._download(file, folder)
        return folder

    def _download(self, file: File, folder: Path) -> None:
        failures = []
        for address in self.addresses:
            url = address + file.name
            try:
                content = fetch(url)
            # A cut connection is an HTTPException, everything else that the network does an
            # OSError.
            except (OSError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", None) or error
                failures.append(f"  {url}: {reason}")
                continue
            _check(content, file, url)
            write(folder / file.name, content)
            return
        raise ConnectionError(self._instructions(folder, failures))

    def _instructions(self, folder: Path, failures: list[str]) -> str:
        missing = [file.name for file in self.files if _path_in(folder, file.name) is None]
        lines = [
            f"{self.title} is not on this machine and could not be downloaded:",
            *failures,
            "Put these files (from a machine that is on-line)",
            *(f"  {self.addresses[0]}{name}" for name in missing),
            "into the folder",
            f"  {folder}",
            "or name another cache with the environment variable DNNFAST_HOME (the files then go "
            f"into $DNNFAST_HOME/datasets/{self.folder}).",
        ]
        return "\n".join([*lines, self.hint] if self.hint else lines)


@dataclass(frozen=True)
class IdxSource(Source):
    """A data set of four idx files: train images, train labels, test images, test labels."""

    files: tuple[IdxFile, IdxFile, IdxFile, IdxFile]

    def load(self) -> Split:
        """Return ((x_train, y_train), (x_test, y_test)), downloading what no folder has."""
        paths = self.paths()
        x_train, y_train, x_test, y_test = map(_load, paths, self.files)
        return (x_train, y_train), (x_test, y_test)


def cache_root() -> Path:
    """Return the folder that holds all cached data sets: $DNNFAST_HOME/datasets or
    ~/.dnnfast/datasets.

    Example:

    >>> cache_root().name
    'datasets'
    """
    home = os.environ.get("DNNFAST_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".dnnfast") / "datasets"


def fetch(url: str, progress: Callable[[int, int], None] | None = None) -> bytes:
    """Return what a web address holds, with a progress line on a terminal.

    Args:
        url: the address.
        progress: called with the bytes so far and the total (0 if the server does not tell) after
            every block; the default prints a line to stderr when that is a terminal.

    Raises:
        OSError: the address cannot be reached, or the connection ends early.
    """
    report = progress or _Line(url.rsplit("/", 1)[-1])
    request = urllib.request.Request(url, headers={"User-Agent": "dnnfast"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        total = int(response.headers.get("Content-Length") or 0)
        blocks: list[bytes] = []
        done = 0
        while block := response.read(_BLOCK):
            blocks.append(block)
            done += len(block)
            report(done, total)
    if total and done != total:
        raise ConnectionError(f"the connection ended after {done} of {total} bytes")
    return b"".join(blocks)


class _Line:
    """A progress line that rewrites itself; silent where stderr is not a terminal."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._visible = sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        if not self._visible:
            return
        share = f" of {total / 1e6:.1f} MB ({100 * done // total} %)" if total else " MB"
        end = "\n" if total and done >= total else ""
        print(f"\rDownloading {self._name}: {done / 1e6:.1f}{share}", end=end, file=sys.stderr)


def _path_in(folder: Path, name: str) -> Path | None:
    """The file in a folder, compressed or (same name without ".gz") not."""
    for path in (folder / name, folder / name.removesuffix(".gz")):
        if path.is_file():
            return path
    return None


def _load(path: Path, file: IdxFile) -> np.ndarray:
    array = idx.decode(idx.read(path), str(path))
    if array.shape != file.shape:
        raise ValueError(
            f"{path} holds an array of shape {array.shape}, expected {file.shape}: it is not the "
            "official file; delete it to have it downloaded again"
        )
    return array


def _check(content: bytes, file: File, url: str) -> None:
    digest = hashlib.sha256(file.checked(content, url)).hexdigest()
    if digest != file.sha256:
        raise ValueError(
            f"{url} gave a file whose content has the SHA-256 checksum {digest}, expected "
            f"{file.sha256}; nothing was stored"
        )


def write(path: Path, content: bytes) -> None:
    """Write a file so that it appears complete or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
