"""The logs of training as a table in a file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from dnnfast.callbacks.callback import Callback


def _cell(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str) and np.ndim(value):  # type: ignore[arg-type]
        return f'"[{", ".join(map(str, value))}]"'
    return value


class CSVLogger(Callback):
    """Writes the logs of each epoch as a row of a CSV file.

    Args:
        filename: of the file; missing folders are created.
        separator: between the values. Default ``","``.
        append: go on with an existing file instead of replacing it. Default False.

    Example:
        >>> import dnnfast
        >>> dnnfast.callbacks.CSVLogger("log.csv", separator=";").sep
        ';'
    """

    writes_files = True

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep, self.append = separator, append
        self.keys: list[str] | None = None
        self.csv_file: Any = None
        self.writer: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the file."""
        path = Path(self.filename)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._close()
        go_on = self.append or getattr(self.model, "_resuming", False)
        self._has_header = go_on and path.exists() and path.stat().st_size > 0
        self.csv_file = open(path, "a" if go_on else "w", newline="")  # noqa: SIM115
        self.writer = self.keys = None

    def get_resume_state(self) -> dict[str, Any] | None:
        """Return the columns, and how much is written."""
        if self.csv_file is not None:
            self.csv_file.flush()
        if not os.path.exists(self.filename):
            return None
        return {"keys": self.keys, "size": os.path.getsize(self.filename)}

    def set_resume_state(self, state: dict[str, Any]) -> None:
        """Drop the rows that an interrupted training has written since its state was saved."""
        size = int(state["size"])
        if os.path.getsize(self.filename) < size:  # it is another file: all goes to its end
            return
        self.csv_file.truncate(size)
        self.csv_file.seek(0, os.SEEK_END)
        self._has_header = size > 0
        if state["keys"] is not None:
            self._start(dict.fromkeys(state["keys"]))

    def _start(self, logs: dict[str, Any]) -> None:
        self.keys = sorted(logs)
        if self.keys and not any(key.startswith("val_") for key in self.keys):
            # Later epochs may be followed by validation.
            self.keys += [f"val_{key}" for key in self.keys]
        names = ["epoch", *self.keys]
        self.writer = csv.DictWriter(self.csv_file, names, delimiter=self.sep)
        if not self._has_header:
            self.writer.writeheader()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write a row."""
        logs = logs or {}
        if self.writer is None:
            self._start(logs)
        assert self.keys is not None
        row = {key: _cell(logs.get(key, "NA")) for key in self.keys}
        self.writer.writerow({"epoch": epoch, **row})
        self.csv_file.flush()

    def _close(self) -> None:
        if self.csv_file is not None:
            self.csv_file.close()
        self.csv_file = self.writer = None

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the file."""
        self._close()

    on_train_abandoned = on_train_end
