"""Progress on the terminal."""

from __future__ import annotations

import sys
import time
from typing import Any

_WIDTH = 20
_INTERVAL = 0.05  # seconds between two drawings


def is_terminal() -> bool:
    """Tell whether a line on standard output can be drawn again (a terminal or a notebook)."""
    isatty = getattr(sys.stdout, "isatty", None)
    return bool(isatty and isatty()) or "ipykernel" in sys.modules


def duration(seconds: float) -> str:
    """Return a duration in a few characters: ``0.4s``, ``12s``, ``3m05s``."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    if seconds < 60:
        return f"{seconds:.0f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    return f"{minutes // 60}h{minutes % 60:02d}m"


def _value(value: Any) -> str:
    if not isinstance(value, (int, float)) and not hasattr(value, "__float__"):
        return str(value)
    number = float(value)
    return f"{number:.4f}" if abs(number) > 1e-3 or number == 0 else f"{number:.4e}"


class Progbar:
    """A bar that is drawn again in place (verbose 1), or one line at the end (verbose 2).

    Args:
        target: number of steps, or None if not known.
        verbose: 0, 1 or 2.
        title: stands before the bar.

    Example:
        >>> import dnnfast
        >>> bar = dnnfast.utils.Progbar(10, verbose=0)
        >>> bar.update(10, {"loss": 0.5})
    """

    def __init__(self, target: int | None, verbose: int = 1, title: str = "") -> None:
        self.target, self.verbose, self.title = target, verbose, title
        self._start = time.perf_counter()
        self._drawn = 0.0
        self._steps = self._samples = 0
        self._elapsed = 0.0
        self._length = 0
        if verbose == 1 and title:
            self._write(f"{title}\n")

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def _speed(self) -> str:
        if not self._samples or self._elapsed <= 0:
            return ""
        return f"{self._samples / self._elapsed:,.0f} samples/s"

    def update(self, steps: int, logs: Any = None, samples: int = 0) -> None:
        """Show that ``steps`` steps and ``samples`` samples are done."""
        now = time.perf_counter()
        self._steps, self._samples, self._elapsed = steps, samples, now - self._start
        if self.verbose != 1 or now - self._drawn < _INTERVAL:
            return
        self._drawn = now
        parts = [self._bar(), duration(self._elapsed)]
        if self.target and steps:
            left = self._elapsed / steps * (self.target - steps)
            parts[-1] = f"ETA {duration(left)}"
        self._draw(parts, logs or {}, end="")

    def _bar(self) -> str:
        if not self.target:
            return f"{self._steps}/?"
        done = min(_WIDTH, _WIDTH * self._steps // self.target)
        count = f"{self._steps:>{len(str(self.target))}}/{self.target}"
        return f"{count} {'━' * done}{'─' * (_WIDTH - done)}"

    def _draw(self, parts: list[str], logs: dict[str, Any], end: str) -> None:
        parts = [part for part in (*parts, self._speed()) if part]
        text = " - ".join([*parts, *(f"{key}: {_value(v)}" for key, v in logs.items())])
        blank = " " * max(0, self._length - len(text))
        self._length = len(text)
        self._write(f"\r{text}{blank}{end}")

    def finish(self, logs: Any = None) -> None:
        """Show the end."""
        total = time.perf_counter() - self._start
        if self.verbose == 1:
            self._draw([self._bar(), duration(total)], logs or {}, end="\n")
        elif self.verbose == 2:
            parts = [self.title, duration(total), self._speed()]
            parts += [f"{key}: {_value(v)}" for key, v in (logs or {}).items()]
            self._write(" - ".join(part for part in parts if part) + "\n")
