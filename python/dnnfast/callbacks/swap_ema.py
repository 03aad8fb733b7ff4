"""Evaluating with averaged weights."""

from __future__ import annotations

from typing import Any

from dnnfast.callbacks.callback import Callback
from dnnfast.callbacks.monitor import plural


class SwapEMAWeights(Callback):
    """Evaluates, and predicts, with the moving averages of the weights that the optimizer keeps.

    The optimizer needs ``use_ema=True``. Weights and averages are exchanged before an evaluation
    and again after it.

    Args:
        swap_on_epoch: exchange them at the end of an epoch, too, until the next begins, so that
            callbacks that come later (such as `ModelCheckpoint`) see the averages. Default False.

    Raises:
        ValueError: in training, if the optimizer keeps no averages.

    Example:
        >>> import dnnfast
        >>> dnnfast.callbacks.SwapEMAWeights().swap_on_epoch
        False
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False

    def _averaging(self) -> list[Any]:
        """Return the optimizers that keep averages, inside what scales losses or has several."""
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        found = [one for one in plural(optimizer) if getattr(one, "use_ema", False)]
        if not found:
            raise ValueError(
                "SwapEMAWeights: the optimizer keeps no averages; create it with use_ema=True."
            )
        return found

    def _set(self, swapped: bool) -> None:
        """Have the averages in the model, or the weights themselves."""
        if self._swapped != swapped:
            for optimizer in self._averaging():
                optimizer.swap_averages()
            self._swapped = swapped

    def get_resume_state(self) -> dict[str, Any] | None:
        """Return whether the weights are the averages."""
        return {"swapped": self._swapped}

    def set_resume_state(self, state: dict[str, Any]) -> None:
        """Note whether the weights of before an interruption are the averages."""
        self._swapped = bool(state["swapped"])

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Train with the weights themselves."""
        if self.swap_on_epoch:
            self._set(False)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Show the averages to the callbacks after this one, if wanted."""
        if self.swap_on_epoch:
            self._set(True)

    def on_weights_final(self) -> None:
        """Leave weights and averages in their places, before `fit` sets weights to averages."""
        self._set(False)

    on_train_abandoned = on_weights_final

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Evaluate with the averages."""
        self._set(True)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Go back to the weights."""
        self._set(False)

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Predict with the averages."""
        self._set(True)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        """Go back to the weights."""
        self._set(False)
