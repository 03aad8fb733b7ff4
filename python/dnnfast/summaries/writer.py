"""Event files: where they are written, and what each event says."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dnnfast.distribution.current import is_writer
from dnnfast.summaries.wire import Field, message, record

_numbers = itertools.count()


class EventWriter:
    """An event file in a folder; it is created by the first event.

    Of several processes that train together only the first writes.

    Args:
        folder: of the file; missing ones are created.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file: Any = None

    def _write(self, fields: Sequence[Field]) -> None:
        if not is_writer():
            return
        if self._file is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            now = time.time()
            # TensorBoard reads the files of a folder in the order of their names.
            name = f"events.out.tfevents.{int(now)}.{socket.gethostname()}.{os.getpid()}"
            path = self.folder / f"{name}.{next(_numbers):06d}.v2"
            self._file = open(path, "wb")  # noqa: SIM115
            self._file.write(record(message([(1, now), (3, "brain.Event:2")])))
        self._file.write(record(message([(1, time.time()), *fields])))

    def values(self, step: int, values: Sequence[bytes]) -> None:
        """Write values of a summary (see `dnnfast.summaries.values`) for a step."""
        if values:
            self._write([(2, step), (5, message([(1, value) for value in values]))])

    def graph(self, graph: bytes) -> None:
        """Write the graph of a program (see `dnnfast.summaries.graph`)."""
        self._write([(4, graph)])

    def flush(self) -> None:
        """Let readers see what was written."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """Close the file; a later event begins another one."""
        if self._file is not None:
            self._file.close()
        self._file = None
