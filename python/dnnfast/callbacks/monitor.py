"""What callbacks that watch a quantity share: which way is better, and by how much."""

from __future__ import annotations

import math
import warnings
from typing import Any

from dnnfast.callbacks.callback import Callback

# Ends of the names of what `fit` reports, where more is better.
_UP = (
    "accuracy",
    "acc",
    "auc",
    "precision",
    "recall",
    "f1_score",
    "fbeta_score",
    "iou",
    "io_u",
    "mean_iou",
    "r2_score",
    "cosine_similarity",
    "pearson_correlation",
    "concordance_correlation",
    "true_positives",
    "true_negatives",
    "sensitivity_at_specificity",
    "specificity_at_sensitivity",
    "precision_at_recall",
    "recall_at_precision",
)
_DOWN = (
    "loss",
    "error",
    "mse",
    "mae",
    "mape",
    "msle",
    "crossentropy",
    "hinge",
    "kl_divergence",
    "poisson",
    "logcosh",
    "huber",
    "dice",
    "tversky",
    "false_positives",
    "false_negatives",
)


def direction(name: str, metrics: Any = ()) -> str | None:
    """Return "min" or "max" for the name of a reported quantity, or None if it is not known.

    Args:
        name: as in the logs, with or without ``val_``.
        metrics: metric objects; one of that name may tell.
    """
    name = name.removeprefix("val_")
    if name == "loss":
        return "min"
    for metric in metrics:
        known = {"up": "max", "down": "min"}.get(getattr(metric, "_direction", ""))
        if known and metric.name == name:
            return known
    for ends, found in ((_UP, "max"), (_DOWN, "min")):
        if any(name == end or name.endswith(f"_{end}") for end in ends):
            return found
    return None


class Monitor(Callback):
    """The base of callbacks that watch a quantity.

    Args:
        monitor: its name in the logs.
        mode: ``"min"``, ``"max"``, or ``"auto"``: by the name.
        baseline: what is best at first, or None.
        min_delta: least change that counts, at least 0.
    """

    def __init__(
        self, monitor: str, mode: str, baseline: float | None = None, min_delta: float = 0.0
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f'{type(self).__name__}: mode must be "auto", "min" or "max", got {mode!r}; "auto" '
                "is used.",
                UserWarning,
                stacklevel=3,
            )
            mode = "auto"
        self.monitor, self.mode = monitor, mode
        self.best: Any = baseline
        self.min_delta = abs(min_delta)
        self._way: str | None = None if mode == "auto" else mode

    # The attributes that go on after an interruption.
    _resumed: tuple[str, ...] = ("best",)

    def get_resume_state(self) -> dict[str, Any] | None:
        """Return the best value so far and what was counted since."""
        return {name: getattr(self, name) for name in self._resumed}

    def set_resume_state(self, state: dict[str, Any]) -> None:
        """Go on from the best value of before an interruption."""
        for name in self._resumed:
            if name in state:
                setattr(self, name, state[name])

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        """Tell whether a value is better than a reference by more than `min_delta`."""
        if self._way is None:
            self._way = direction(self.monitor, getattr(self.model, "metrics", ()))
        if self._way is None:
            raise ValueError(
                f"{type(self).__name__}: it is not known whether more or less of {self.monitor!r} "
                'is better; pass mode="max" or mode="min".'
            )
        if reference is None:
            return True
        if self._way == "min":
            return bool(value + self.min_delta < reference)
        return bool(value - self.min_delta > reference)

    def _current(self, logs: dict[str, Any] | None, what: str) -> Any:
        """Return the watched value, or None with a warning if the logs lack it."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__}: {what} needs {self.monitor!r}, which is not among what is "
                f"reported: {', '.join(logs or {}) or 'nothing'}.",
                UserWarning,
                stacklevel=3,
            )
        return value

    def _check_way(self) -> None:
        """Raise now, not only when a second value comes, if the better way is not known."""
        self._is_improvement(math.nan, None)


def plural(optimizer: Any) -> list[Any]:
    """Return the optimizers inside one that has several, or the optimizer."""
    return list(getattr(optimizer, "optimizers", None) or [optimizer])


def note_rates(optimizer: Any, logs: dict[str, Any]) -> None:
    """Add learning rates to the logs."""
    optimizers = plural(optimizer)
    for one in optimizers:
        key = "learning_rate" if one is optimizer else f"learning_rate_{one.name}"
        logs[key] = float(one.learning_rate)
