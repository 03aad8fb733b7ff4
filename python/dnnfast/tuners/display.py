"""What a search prints."""

from __future__ import annotations

import time
from typing import Any

from dnnfast.tuners.trial import Trial, TrialStatus


def duration(seconds: float) -> str:
    """Return a duration as hours, minutes and seconds.

    Args:
        seconds: at least 0.

    Example:
        >>> duration(3725.4)
        '1:02:05'
    """
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def shown(value: Any) -> str:
    """Return a value of a hyperparameter as text, numbers with five digits."""
    return f"{value:.5g}" if isinstance(value, float) else str(value)


class Display:
    """Prints the begin and the end of trials.

    Args:
        oracle: the oracle.
    """

    def __init__(self, oracle: Any) -> None:
        self.oracle, self.is_quiet = oracle, False
        self._start = time.monotonic()
        self._begun: dict[str, float] = {}

    def start(self, verbose: Any) -> None:
        """Begin a search.

        Args:
            verbose: that of `Model.fit`; 0 prints nothing.
        """
        self.is_quiet, self._start = verbose == 0, time.monotonic()

    def begin(self, trial: Trial) -> None:
        """Print the values of a trial beside those of the best one."""
        self._begun[trial.trial_id] = time.monotonic()
        if self.is_quiet:
            return
        best = self.oracle.get_best_trials(1)
        known = best[0].hyperparameters.values if best else {}
        print(f"\nTrial {trial.trial_id} begins")
        rows = [("hyperparameter", "value", "best so far")]
        for name, value in trial.hyperparameters.values.items():
            rows.append((name, shown(value), shown(known.get(name, "-"))))
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        for row in rows:
            print(
                "  "
                + "  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip()
            )

    def end(self, trial: Trial) -> None:
        """Print the score of a trial, the best one so far and the time."""
        now = time.monotonic()
        took = duration(now - self._begun.pop(trial.trial_id, now))
        if self.is_quiet:
            return
        name = self.oracle.objective.name
        if trial.status == TrialStatus.FAILED:
            reason = (trial.message or "").strip().splitlines()
            print(f"Trial {trial.trial_id} failed after {took}: {reason[-1] if reason else '?'}")
        else:
            early = " (stopped early)" if trial.status == TrialStatus.STOPPED else ""
            score = "-" if trial.score is None else shown(trial.score)
            print(f"Trial {trial.trial_id} ends after {took}{early}: {name} {score}")
        best = self.oracle.get_best_trials(1)
        if best:
            print(f"Best {name} so far: {shown(best[0].score)} (trial {best[0].trial_id})")
        print(f"Time so far: {duration(now - self._start)}")
