"""Writing HDF5 with h5py: in memory where it fits, else in a file of its own."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

_IN_MEMORY = 1 << 28  # bytes of weights


def _size(model: Any) -> int:
    """About how many bytes weights and the optimizer's state take."""
    return 4 * sum(v.size for v in model.weights) * 3


@contextlib.contextmanager
def writing(write: Callable[[Any], None], model: Any, folder: str) -> Iterator[tuple[Any, int]]:
    """Give the bytes of an HDF5 file, as a file to read from, and their number.

    Args:
        write: called with the open file of h5py.
        model: tells how large it will be.
        folder: where it is written for the time being if it does not fit into memory.

    Raises:
        OSError: if it cannot be written.
    """
    import h5py

    if _size(model) < _IN_MEMORY:
        content = io.BytesIO()
        with h5py.File(content, "w") as file:
            write(file)
        size = content.getbuffer().nbytes
        content.seek(0)
        yield content, size
        return
    handle, path = tempfile.mkstemp(".part", ".weights.", folder)
    os.close(handle)
    try:
        try:
            with h5py.File(path, "w") as file:
                write(file)
        except RuntimeError as error:  # of the library, when the disk is full
            raise OSError(str(error)) from error
        with open(path, "rb") as whole:
            yield whole, os.path.getsize(path)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)


def copy_into(target: Any, write: Callable[[Any], None], model: Any, folder: str) -> None:
    """Write an HDF5 file to an open file; see `writing`."""
    with writing(write, model, folder) as (content, _):
        shutil.copyfileobj(content, target, 1 << 20)
