"""How many steps run between two looks at the outside, and what is said when data ends early."""

from __future__ import annotations

import warnings

# Between slices the bar is drawn and Ctrl-C is answered.
SECONDS = 0.03
SECONDS_QUIET = 0.2
_FIRST_SLICE = 16


class Pacer:
    """Chooses how many steps make a slice of about the wanted duration."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._steps = _FIRST_SLICE

    def next(self, remaining: int) -> int:
        """Return the number of steps of the next slice."""
        return max(1, min(self._steps, remaining))

    def took(self, steps: int, seconds: float) -> None:
        """Learn from a slice."""
        wanted = steps * self._seconds / max(seconds, 1e-7)
        self._steps = max(1, int(min(wanted, self._steps * 8)))


def warn_of_end(what: str, done: int, wanted: int | None) -> None:
    """Warn that there were fewer batches than asked for."""
    of = "" if wanted is None else f" of {wanted}"
    warnings.warn(
        f"The data ran out: {what} ends after {done}{of} steps. Give fewer steps, or data that "
        "lasts longer: an iterator can be gone through only once, a utils.PyDataset again and "
        "again.",
        UserWarning,
        stacklevel=4,
    )
