"""The progress bar of training."""

from __future__ import annotations

from typing import Any

from dnnfast.callbacks.callback import Callback
from dnnfast.utils.progbar import Progbar


class ProgbarLogger(Callback):
    """Shows time, loss, metrics and samples per second: a bar (verbose 1) or a line (2).

    Example:
        >>> import dnnfast
        >>> isinstance(dnnfast.callbacks.ProgbarLogger(), dnnfast.callbacks.Callback)
        True
    """

    def __init__(self) -> None:
        self._bar: Progbar | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start a bar."""
        params = self.params
        self._bar = None
        if params.get("verbose"):
            title = f"Epoch {epoch + 1}/{params.get('epochs', 1)}"
            self._bar = Progbar(params.get("steps"), params["verbose"], title)

    def advance(self, steps: int, samples: int, logs: dict[str, Any]) -> None:
        """Move the bar (called after each slice of steps)."""
        if self._bar is not None:
            self._bar.update(steps, logs, samples)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Finish the bar."""
        if self._bar is not None:
            self._bar.finish(logs or {})
            self._bar = None
