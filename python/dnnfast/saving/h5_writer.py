"""Writing HDF5 with h5py, in memory: the library can crash where a disk is full."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any


def contents(write: Callable[[Any], None]) -> memoryview:
    """Return the bytes of an HDF5 file.

    Args:
        write: called with the open file of h5py.
    """
    import h5py

    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        write(file)
    return content.getbuffer()
