"""The progress bar of training, evaluation and prediction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dnnfast.callbacks.callback import Callback
from dnnfast.utils.progbar import EpochBar


class ProgbarLogger(Callback):
    """Shows time, loss, metrics and samples per second: a bar (verbose 1) or a line (2).

    Example:
        >>> import dnnfast
        >>> isinstance(dnnfast.callbacks.ProgbarLogger(), dnnfast.callbacks.Callback)
        True
    """

    _bar: EpochBar | None = None
    _trains = False
    _seen = 0  # steps of the last epoch, for data that does not tell its length

    def _begin(self, title: str = "") -> None:
        params = self.params
        self._bar = None
        if params.get("verbose"):
            verbose = 1 if params["verbose"] == "auto" else params["verbose"]
            self._bar = EpochBar(params.get("steps") or self._seen or None, verbose, title)

    def _finish(self, logs: dict[str, Any] | None) -> None:
        if self._bar is not None:
            self._bar.finish(logs)
            self._bar = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Leave the bar to the epochs."""
        self._trains, self._seen = True, 0

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leave the bar to evaluations again."""
        self._trains = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start a bar."""
        self._begin(f"Epoch {epoch + 1}/{self.params.get('epochs', 1)}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Finish the bar."""
        self._finish(logs)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start a bar, unless training shows one."""
        if not self._trains:
            self._begin()

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Finish the bar."""
        if not self._trains:
            self._finish(logs)

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Start a bar."""
        self._begin()

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Finish the bar."""
        self._finish(None)

    def advance(self, steps: int, samples: int, logs: Callable[[], dict[str, Any]]) -> None:
        """Move the bar (called after each slice of steps).

        Args:
            steps: number of steps so far.
            samples: number of samples so far.
            logs: gives the running means, where they are shown.
        """
        self._seen = steps
        if self._bar is not None:
            self._bar.advance(steps, samples, logs() if self._bar.due() else None)
