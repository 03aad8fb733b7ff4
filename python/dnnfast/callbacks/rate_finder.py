"""Which learning rate a model can take."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast.callbacks.callback import Callback


class LearningRateFinder(Callback):
    """Trains with a rate that grows from step to step, and records the loss of each batch.

    Afterwards weights, optimizer and the order of shuffles are what they were before: the next
    `fit` trains as if this one had not been.

    Args:
        min_rate: the first rate, above 0. Default 1e-6.
        max_rate: the last one. Default 10.
        steps: number of steps; default all of the `fit`. It ends after them.
        smoothing: share of the past in the smoothed loss, in [0, 1). Default 0.9.
        stop_factor: the sweep ends where the smoothed loss is so many times its minimum. Default 4.

    Raises:
        ValueError: if an argument is out of range, or the number of steps is not known.

    Formula: ``rate(i) = min_rate * (max_rate / min_rate) ** (i / (steps - 1))``; Smith, "Cyclical
    Learning Rates for Training Neural Networks" (WACV 2017).

    Example:
        >>> import dnnfast as keras, numpy
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = numpy.random.default_rng(0).normal(size=(640, 3))
        >>> finder = keras.callbacks.LearningRateFinder(1e-4, 1.0)
        >>> history = model.fit(x, x.sum(1), epochs=5, verbose=0, callbacks=[finder])
        >>> 1e-3 < finder.suggestion() < 1.0
        True
    """

    def __init__(
        self,
        min_rate: float = 1e-6,
        max_rate: float = 10.0,
        steps: int | None = None,
        smoothing: float = 0.9,
        stop_factor: float = 4.0,
    ) -> None:
        super().__init__()
        if not 0 < min_rate < max_rate < math.inf:
            raise ValueError(
                "LearningRateFinder: expected 0 < min_rate < max_rate, got "
                f"min_rate={min_rate!r} and max_rate={max_rate!r}."
            )
        if steps is not None and (isinstance(steps, bool) or steps < 2):
            raise ValueError(f"LearningRateFinder: steps must be at least 2, got {steps!r}.")
        if not 0 <= smoothing < 1:
            raise ValueError(f"LearningRateFinder: smoothing must be in [0, 1), got {smoothing!r}.")
        if not stop_factor > 1:
            raise ValueError(f"LearningRateFinder: stop_factor must be > 1, got {stop_factor!r}.")
        self.min_rate, self.max_rate, self.steps = min_rate, max_rate, steps
        self.smoothing, self.stop_factor = smoothing, stop_factor
        self.rates: list[float] = []
        self.losses: list[float] = []
        self._count = 0
        self._before: Any = None

    @property
    def smoothed(self) -> np.ndarray:
        """The exponentially smoothed losses, corrected for the begin."""
        share, total, found = self.smoothing, 0.0, []
        for i, loss in enumerate(self.losses, 1):
            total = share * total + (1.0 - share) * loss
            found.append(total / (1.0 - share**i))
        return np.array(found)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Set aside what is to be restored."""
        self.rates, self.losses, self._count = [], [], 0
        self._lowest = math.inf
        self._before = (self.model._set_aside(), self.model.optimizer._rate)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Find out how many steps there are."""
        if self._count:
            return
        if self.steps is not None:
            self._count = self.steps
        elif self.params.get("steps") is None:
            raise ValueError(
                "LearningRateFinder: the data does not tell how many steps an epoch has; pass "
                "LearningRateFinder(steps=...), or steps_per_epoch to fit."
            )
        else:
            self._count = max(2, (self.params["epochs"] - epoch) * self.params["steps"])

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the rate, and let the logs be those of this batch alone."""
        share = min(1.0, len(self.rates) / (self._count - 1))
        rate = self.min_rate * (self.max_rate / self.min_rate) ** share
        self.model.optimizer._rate = rate
        self.rates.append(rate)
        self.model.reset_metrics()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the loss, and end where it has grown too much."""
        loss = float((logs or {}).get("loss", math.nan))
        if not math.isfinite(loss):
            del self.rates[-1]
            self.model.stop_training = True
            return
        self.losses.append(loss)
        now = float(self.smoothed[-1])
        self._lowest = min(self._lowest, now)
        diverged = now > self.stop_factor * self._lowest and self._lowest > 0
        if diverged or len(self.losses) >= self._count:
            self.model.stop_training = True

    def on_non_finite_loss(self, batch: int, error: Exception) -> None:
        """End the sweep: the rates have become too high."""
        self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Restore what was there before."""
        if self._before is not None:
            aside, rate = self._before
            self._before = None
            self.model._put_back(aside)
            self.model.optimizer._rate = rate

    on_train_abandoned = on_train_end

    def suggestion(self) -> float:
        """Return the rate at which the loss falls fastest, over the rate's logarithm.

        The slope is that between the means of a tenth of the steps before and after a rate, up to
        where the loss is lowest: single batches say little.

        Raises:
            ValueError: if there were fewer than 10 steps, or the loss never fell.
        """
        losses, count = np.array(self.losses), len(self.losses)
        if count < 10:
            raise ValueError(
                f"LearningRateFinder: {count} steps are too few for a suggestion; fit with at "
                "least 10 steps, better with 100."
            )
        width = -(-count // 10)
        sums = np.concatenate([[0.0], np.cumsum(losses)])
        means = (sums[width:] - sums[:-width]) / width  # means[i] is that of steps i to i + width
        slope = means[width:] - means[:-width]
        lowest = max(1, int(means.argmin()) - width + 1)
        best = int(slope[:lowest].argmin())
        if not slope[best] < 0:
            raise ValueError(
                "LearningRateFinder: the loss did not fall at any rate from "
                f"{self.min_rate:g} to {self.max_rate:g}."
            )
        return float(self.rates[best + width])

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses over the rates, with the suggestion, and return the axes.

        Args:
            ax: axes of matplotlib; default new ones.

        Raises:
            ImportError: if matplotlib is not installed.
        """
        from dnnfast.plots.drawing import BLUE, ORANGE, bare, one_axes

        ax = one_axes(ax, "LearningRateFinder.plot")
        shown = np.array(self.losses)
        ax.plot(self.rates, shown, color=BLUE, alpha=0.35, label="loss of a batch")
        ax.plot(self.rates, self.smoothed, color=BLUE, label="smoothed")
        try:
            rate = self.suggestion()
        except ValueError:
            rate = None
        if rate is not None:
            ax.axvline(rate, linestyle="--", color=ORANGE, label=f"suggestion {rate:.2g}")
        ax.set_xscale("log")
        if len(shown) and shown.min() > 0 and shown.max() > 30 * np.median(shown):
            # Beside the losses at the highest rates the others would be a flat line.
            ax.set_yscale("log")
        ax.set_xlabel("learning rate")
        ax.set_ylabel("loss")
        bare(ax)
        ax.legend(fontsize="small")
        return ax
