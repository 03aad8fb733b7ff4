"""Progress on the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

from dnnfast.config.messages import write


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
        width: of the bar, in characters. Default 20.
        verbose: 0, 1 or 2. Default 1.
        interval: seconds between two drawings. Default 0.05.
        stateful_metrics: names whose values are shown as they are; the others are averaged over the
            steps. Default none.
        stateless_metrics: instead of that, the names that are averaged.
        unit_name: accepted for compatibility; what is counted is not named.

    Raises:
        ValueError: if both kinds of names are given.

    Example:
        >>> import dnnfast
        >>> bar = dnnfast.utils.Progbar(10, verbose=0)
        >>> bar.update(10, [("loss", 0.5)])
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Progbar: give either stateful_metrics or stateless_metrics, not both."
            )
        self.target, self.width, self.verbose = target, width, verbose
        self.interval, self.unit_name = interval, unit_name
        self._averaged = None if stateless_metrics is None else set(stateless_metrics)
        self._as_they_are = set(stateful_metrics or ())
        self._sums: dict[str, tuple[float, int]] = {}
        self._start = time.perf_counter()
        self._drawn = 0.0
        self._steps = 0
        self._length = 0

    def _note(self, current: int, values: Any, final: bool) -> dict[str, Any]:
        """Take in values and return what is to be shown."""
        steps = max(current - self._steps, 1)
        for name, value in dict(values or {}).items():
            averaged = name not in self._as_they_are
            if self._averaged is not None:
                averaged = name in self._averaged
            total, count = self._sums.get(name, (0.0, 0))
            if averaged and not final:
                self._sums[name] = (total + value * steps, count + steps)
            else:
                self._sums[name] = (value, 1)
        self._steps = current
        return {
            name: total / count if count > 1 else total
            for name, (total, count) in self._sums.items()
        }

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Show that ``current`` steps are done.

        Args:
            current: number of steps.
            values: pairs of names and values, or a dict.
            finalize: whether this is the end; by default, when the target is reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        shown = self._note(current, values, finalize)
        if finalize:
            self._end(shown)
        else:
            self._redraw(shown)

    def add(self, n: int, values: Any = None) -> None:
        """Show that ``n`` more steps are done."""
        self.update(self._steps + n, values)

    def due(self) -> bool:
        """Tell whether the bar would be drawn now."""
        return self.verbose == 1 and time.perf_counter() - self._drawn >= self.interval

    # Drawing.

    def _extra(self, elapsed: float) -> str:
        return ""

    def _redraw(self, shown: dict[str, Any]) -> None:
        if not self.due():
            return
        self._drawn = time.perf_counter()
        elapsed = self._drawn - self._start
        took = duration(elapsed)
        if self.target and self._steps:
            took = f"ETA {duration(elapsed / self._steps * (self.target - self._steps))}"
        self._draw([self._bar(), took, self._extra(elapsed)], shown, end="")

    def _end(self, shown: dict[str, Any]) -> None:
        elapsed = time.perf_counter() - self._start
        if self.verbose == 1:
            self._draw([self._bar(), duration(elapsed), self._extra(elapsed)], shown, end="\n")
        elif self.verbose == 2:
            self._line([*self._head(), duration(elapsed), self._extra(elapsed)], shown)

    def _head(self) -> list[str]:
        return [self._count()] if self.target else []

    def _count(self) -> str:
        if not self.target:
            return f"{self._steps}/?"
        return f"{self._steps:>{len(str(self.target))}}/{self.target}"

    def _bar(self) -> str:
        if not self.target:
            return self._count()
        done = min(self.width, self.width * self._steps // self.target)
        return f"{self._count()} {'━' * done}{'─' * (self.width - done)}"

    @staticmethod
    def _text(parts: list[str], shown: dict[str, Any]) -> str:
        named = [f"{key}: {_value(value)}" for key, value in shown.items()]
        return " - ".join(part for part in (*parts, *named) if part)

    def _draw(self, parts: list[str], shown: dict[str, Any], end: str) -> None:
        text = self._text(parts, shown)
        blank = " " * max(0, self._length - len(text))
        self._length = len(text)
        write(f"\r{text}{blank}{end}")

    def _line(self, parts: list[str], shown: dict[str, Any]) -> None:
        write(self._text(parts, shown) + "\n")


class EpochBar(Progbar):
    """The bar of an epoch, an evaluation or a prediction, with the samples per second.

    Args:
        target: number of steps, or None if not known.
        verbose: 0, 1 or 2.
        title: stands before the bar.
    """

    def __init__(self, target: int | None, verbose: int, title: str = "") -> None:
        super().__init__(target, verbose=verbose, stateless_metrics=())
        self._title, self._samples = title, 0
        if verbose == 1 and title:
            write(f"{title}\n")

    def advance(self, steps: int, samples: int, values: Any = None) -> None:
        """Show that so many steps and samples are done."""
        self._samples = samples
        self.update(steps, values, finalize=False)

    def finish(self, values: Any = None) -> None:
        """Show the end."""
        self.update(self._steps, values, finalize=True)

    def _head(self) -> list[str]:
        return [self._title]

    def _extra(self, elapsed: float) -> str:
        return f"{self._samples / elapsed:,.0f} samples/s" if self._samples and elapsed > 0 else ""
