"""Finding where an interrupted `fit` stood."""

from __future__ import annotations

import glob
import os
import re
import warnings
from typing import Any

from dnnfast.callbacks import CallbackList


def found_progress(model: Any, callbacks: CallbackList, resume: bool) -> dict[str, Any] | None:
    """Return where an interrupted `fit` stood, the model being put there; or None.

    Args:
        model: the model.
        callbacks: those of the `fit`; `BackupAndRestore` restores its backup.
        resume: whether the model's own training goes on, or that of a file of `ModelCheckpoint`.
    """
    for callback in callbacks:
        restore = getattr(callback, "restore_training", None)
        if restore is not None and restore():
            return plain(model._progress)
    if not resume:
        return None
    if model._progress is None:
        _load_checkpoint(model, callbacks)
    return plain(model._progress)


def plain(progress: Any) -> dict[str, Any] | None:
    """Return where training stands as plain data, or None."""
    data = getattr(progress, "data", None)
    return progress if data is None else data()


def _load_checkpoint(model: Any, callbacks: CallbackList) -> None:
    """Load the newest file that a `ModelCheckpoint` of an earlier run has left, if any."""
    from dnnfast.callbacks.checkpoint import ModelCheckpoint
    from dnnfast.saving.files import load_into

    paths = []
    for callback in callbacks:
        if isinstance(callback, ModelCheckpoint):
            pattern = re.sub(r"\{[^{}]*\}", "*", callback.filepath.replace("[", "[[]"))
            paths += [path for path in glob.glob(pattern) if os.path.isfile(path)]
    if not paths:
        return
    newest = max(paths, key=os.path.getmtime)
    load_into(model, newest)
    if model._progress is None:
        warnings.warn(
            f"{newest!r} does not tell where its training stood: training begins anew with its "
            "weights.",
            UserWarning,
            stacklevel=5,
        )
